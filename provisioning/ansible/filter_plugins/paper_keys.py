"""Ansible filters for keys that were typed from the recovery sheet."""

import sys
from collections.abc import Callable
from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parents[1]
if str(PLAYBOOKS) not in sys.path:
    sys.path.append(str(PLAYBOOKS))

from site_setup import paper_keys, wording  # noqa: E402


def paper_key(typed: str, name: str) -> str:
    """Return the key without its check letters; `name`: repository.key or recovery.key.

    `backups/bare` parses the key again: a key of another form is marked as verbatim for it.
    """
    kind = name.removesuffix(".key")
    if kind not in wording.PAPER_KEY_KINDS:
        return typed.strip()
    key = paper_keys.read_key(typed, kind)
    return key if paper_keys.groups(key) else f"{paper_keys.LITERAL}{key}"


def paper_key_faults(typed: dict[str, str], language: str = "en") -> list[str]:
    """Return sentences that name the mistyped groups, never the typed text. `typed`: kind → key."""
    faults = []
    for kind, text in typed.items():
        try:
            paper_keys.read_key(text, kind)
        except paper_keys.PaperKeyError as error:
            if text.strip():
                faults.append(wording.mistyped_key_sentence(kind, error.groups, language))
    return faults


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return filter name → function."""
        return {"paper_key": paper_key, "paper_key_faults": paper_key_faults}
