"""What one version of a form says otherwise than another."""

from dataclasses import asdict, dataclass
from difflib import SequenceMatcher

from appliance.casework.forms.definition import Definition, Field

_BESIDE = ("name", "most", "wide", "anew", "exported")  # nobody decides them


@dataclass(frozen=True)
class Change:
    """One field: `kind` is added, removed, changed or moved; `before`, `after` where it stands.

    `parts`: what of a changed field is another, by the names of Field.
    """

    kind: str
    before: Field | None
    after: Field | None
    parts: tuple[str, ...] = ()


def changes(before: Definition, after: Definition) -> list[Change]:
    """What became of each field, in the order of `after`; those removed stand at the end."""
    was = {field.name: field for field in before.fields}
    now = {field.name: field for field in after.fields}
    stayed = _stayed([n for n in was if n in now], [n for n in now if n in was])
    found = []
    for name, field in now.items():
        old = was.get(name)
        if not old:
            found.append(Change("added", None, field))
            continue
        if parts := _parts(old, field):
            found.append(Change("changed", old, field, parts))
        if name not in stayed:
            found.append(Change("moved", old, field))
    return found + [Change("removed", f, None) for name, f in was.items() if name not in now]


def _parts(before: Field, after: Field) -> tuple[str, ...]:
    was, now = asdict(before), asdict(after)
    return tuple(name for name in was if name not in _BESIDE and was[name] != now[name])


def _stayed(was: list[str], now: list[str]) -> set[str]:
    """The fields that keep their order among themselves."""
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
    return {name for block in blocks for name in was[block.a : block.a + block.size]}
