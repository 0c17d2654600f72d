"""Ansible lookup `query('site_ini', 'problems')`: problems of site.ini, or the changes it makes.

The rules are those of `appliance setup`, in `site_setup/` next to the playbooks.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.plugins.lookup import LookupBase
from ansible.vars.manager import VariableManager

PLAYBOOKS = Path(__file__).resolve().parents[3]
if str(PLAYBOOKS) not in sys.path:
    sys.path.append(str(PLAYBOOKS))

from site_setup import changes, inventory, keys, wording  # noqa: E402
from site_setup.problems import Problem, find_problems  # noqa: E402

# Variables that Ansible itself adds to a host.
_ANSIBLE_VARIABLES = (
    r"^(ansible_\w+|groups|group_names|inventory_\w+|omit|playbook_dir|vars|hostvars|environment)$"
)
# Variables passed to a playbook by -e: the names in its own text.
_PLAYBOOK_OPTIONS = r"\b(?:restore|rollback|upgrade)_\w+"


class LookupModule(LookupBase):
    """The class that Ansible loads."""

    def run(self, terms: list[str], variables: Any = None, **_: Any) -> list[str]:
        """Return sentences: problems for the term `problems`, changes for the term `changes`."""
        values = {
            name: self._templated_value(variables[name])
            for name in keys.KEYS_BY_NAME
            if name in variables
        }
        facts = self._templated_value(variables.get("validate_facts", {}))
        language = str(values.get("site_language", "en"))
        language = language if language in ("en", *wording.QUESTION_LANGUAGES) else "en"
        if terms[0] == "changes":
            box = facts.get("box", {})
            return [f"{key}: {old} → {new}" for key, old, new in changes.value_changes(values, box)]
        sources = variables.get("ansible_inventory_sources") or []
        host = variables.get("inventory_hostname", "")
        faults = [
            *_repeated_keys(sources),
            *find_problems(values, self._inventory_names(sources, host), facts),
        ]
        return [wording.problem_sentence(problem, language) for problem in faults]

    def _templated_value(self, value: Any) -> Any:
        """Return a variable's value; a list that an inventory holds as text is parsed as a list."""
        templated = self._templar.template(value)
        if isinstance(templated, str) and templated[:1] in "[{":
            return inventory.parse_value(str(templated))
        return templated

    def _inventory_names(self, sources: list[str], host: str) -> set[str]:
        """Return the names set by the inventory and -e, without those of roles, plays and facts."""
        hosts = InventoryManager(loader=self._loader, sources=list(sources))
        manager = VariableManager(loader=self._loader, inventory=hosts)
        names = manager.get_vars(host=hosts.get_host(host), include_hostvars=False)
        options = {
            name
            for playbook in PLAYBOOKS.glob("*.yml")
            for name in re.findall(_PLAYBOOK_OPTIONS, playbook.read_text("utf-8"))
        }
        return {name for name in names if not re.match(_ANSIBLE_VARIABLES, name)} - options


def _repeated_keys(sources: list[str]) -> Iterator[Problem]:
    """Yield the keys that an inventory in the form of site.ini contains twice."""
    for source in map(Path, sources):
        if source.is_file() and inventory.VARIABLES_SECTION in source.read_text("utf-8"):
            parsed = inventory.read_inventory(source)
            yield from (problem for problem in parsed.problems if problem.code == "twice")
