"""What is wrong with site.ini, and what it would change: `query('site_ini', 'problems')`.

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

from site_setup import changes, inventory, keys, words  # noqa: E402
from site_setup.problems import Problem, problems  # noqa: E402

# What Ansible itself adds to the variables of a host.
_MAGIC = (
    r"^(ansible_\w+|groups|group_names|inventory_\w+|omit|playbook_dir|vars|hostvars|environment)$"
)
# What a playbook takes by -e: the names that its own text has.
_OPTIONS = r"\b(?:restore|rollback|upgrade)_\w+"


class LookupModule(LookupBase):
    """What Ansible looks for."""

    def run(self, terms: list[str], variables: Any = None, **_: Any) -> list[str]:
        """Sentences: of `problems` what is wrong, of `changes` what would become other."""
        values = {name: self._value(variables[name]) for name in keys.BY_NAME if name in variables}
        facts = self._value(variables.get("validate_facts", {}))
        language = str(values.get("site_language", "en"))
        language = language if language in ("en", *words.LANGUAGES) else "en"
        if terms[0] == "changes":
            box = facts.get("box", {})
            return [f"{key}: {old} → {new}" for key, old, new in changes.changes(values, box)]
        sources = variables.get("ansible_inventory_sources") or []
        host = variables.get("inventory_hostname", "")
        faults = [*_twice(sources), *problems(values, self._names(sources, host), facts)]
        return [words.sentence(problem, language) for problem in faults]

    def _value(self, value: Any) -> Any:
        """A variable's value; a list that an inventory keeps as text is read as a list."""
        value_read = self._templar.template(value)
        if isinstance(value_read, str) and value_read[:1] in "[{":
            return inventory.value_of(str(value_read))
        return value_read

    def _names(self, sources: list[str], host: str) -> set[str]:
        """The names that the inventory and -e give, without those of roles, plays and facts."""
        hosts = InventoryManager(loader=self._loader, sources=list(sources))
        manager = VariableManager(loader=self._loader, inventory=hosts)
        names = manager.get_vars(host=hosts.get_host(host), include_hostvars=False)
        options = {
            name
            for book in PLAYBOOKS.glob("*.yml")
            for name in re.findall(_OPTIONS, book.read_text("utf-8"))
        }
        return {name for name in names if not re.match(_MAGIC, name)} - options


def _twice(sources: list[str]) -> Iterator[Problem]:
    """Keys that an inventory in the form of site.ini writes twice."""
    for source in map(Path, sources):
        if source.is_file() and inventory.VARIABLES in source.read_text("utf-8"):
            value_read = inventory.read_file(source)
            yield from (problem for problem in value_read.problems if problem.code == "twice")
