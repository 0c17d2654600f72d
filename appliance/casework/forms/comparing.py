"""Compares two versions of a form."""

from dataclasses import asdict, dataclass
from difflib import SequenceMatcher

from appliance.casework.forms.definition import Definition, Field

_IGNORED_ATTRIBUTES = ("name", "most", "wide", "anew", "exported")  # no page can change these


@dataclass(frozen=True)
class Change:
    """The change of one field: `kind` is added, removed, changed or moved.

    `before` and `after` are the field in the old and the new version. `parts`: the changed
    attributes of a changed field, by the names of Field.
    """

    kind: str
    before: Field | None
    after: Field | None
    parts: tuple[str, ...] = ()


def field_changes(before: Definition, after: Definition) -> list[Change]:
    """Return the changes of all fields, in the order of `after`; removed fields are at the end.

    A field that was changed and moved has two entries.
    """
    old_fields = {field.name: field for field in before.fields}
    new_fields = {field.name: field for field in after.fields}
    unmoved = unmoved_names(
        [n for n in old_fields if n in new_fields], [n for n in new_fields if n in old_fields]
    )
    result = []
    for name, field in new_fields.items():
        old = old_fields.get(name)
        if not old:
            result.append(Change("added", None, field))
            continue
        if parts := _changed_attributes(old, field):
            result.append(Change("changed", old, field, parts))
        if name not in unmoved:
            result.append(Change("moved", old, field))
    return result + [
        Change("removed", old_field, None)
        for name, old_field in old_fields.items()
        if name not in new_fields
    ]


def _changed_attributes(before: Field, after: Field) -> tuple[str, ...]:
    """Return the names of the attributes of Field that differ, without _IGNORED_ATTRIBUTES."""
    old_values, new_values = asdict(before), asdict(after)
    return tuple(
        name
        for name in old_values
        if name not in _IGNORED_ATTRIBUTES and old_values[name] != new_values[name]
    )


def unmoved_names(old_order: list[str], new_order: list[str]) -> set[str]:
    """Return the names of the fields whose order relative to each other is unchanged.

    Both lists contain the same names. All other fields count as moved.
    """
    blocks = SequenceMatcher(None, old_order, new_order, autojunk=False).get_matching_blocks()
    return {name for block in blocks for name in old_order[block.a : block.a + block.size]}
