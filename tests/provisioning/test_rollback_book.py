"""What the playbooks of upgrade and roll-back say in templates."""

import re

from provisioning.box.bundle import PLAYBOOKS

# In a template `way.copy` is the method of a mapping, not its key.
METHODS = re.compile(r"(?<!builtin)\.(copy|keys|items|values|get|pop|update|clear)\b(?!\()")


def test_no_template_reads_a_method_for_a_key() -> None:
    found = [
        f"{file.name}: {part}"
        for file in sorted([*PLAYBOOKS.glob("*.yml"), *PLAYBOOKS.glob("files/*.yml")])
        for part in re.findall(r"\{\{.*?\}\}", file.read_text(), re.DOTALL)
        if METHODS.search(part)
    ]
    assert found == []
