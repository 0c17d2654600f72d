"""Keys that were typed off the recovery sheet, as the programs take them."""

import sys
from collections.abc import Callable
from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parents[1]
if str(PLAYBOOKS) not in sys.path:
    sys.path.append(str(PLAYBOOKS))

from site_setup import paper_keys, words  # noqa: E402


def paper_key(typed: str, name: str) -> str:
    """The key without its check letters; `name`: repository.key or recovery.key.

    `backups/bare` reads it once more: a key of another form is marked as verbatim for it.
    """
    kind = name.removesuffix(".key")
    if kind not in words.KEYS:
        return typed.strip()
    key = paper_keys.read_key(typed, kind)
    return key if paper_keys.groups(key) else f"{paper_keys.LITERAL}{key}"


def paper_key_faults(typed: dict[str, str], language: str = "en") -> list[str]:
    """Sentences that name the mistyped groups, never what was typed. `typed`: kind → key."""
    faults = []
    for kind, text in typed.items():
        try:
            paper_keys.read_key(text, kind)
        except paper_keys.PaperKeyError as error:
            if text.strip():
                faults.append(words.key_fault(kind, error.groups, language))
    return faults


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Name in templates → function."""
        return {"paper_key": paper_key, "paper_key_faults": paper_key_faults}
