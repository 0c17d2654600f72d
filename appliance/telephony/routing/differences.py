"""What one plan says otherwise than another."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from appliance.telephony.routing.shape import Plan

_KEY = {"trunks": "name", "routes": "prefix", "numbers": "number", "topics": "keys"}


@dataclass(frozen=True)
class Difference:
    """A field that differs; None where the row is not there. Secrets are not shown."""

    part: str  # of the plan: "trunks"
    row: str  # which one: "carrier"; "" when there is only one
    field: str  # "address"; "" for a whole part
    before: str | None
    after: str | None


def differences(before: Plan, after: Plan) -> list[Difference]:
    """In the order of the plan's parts."""
    old, new = _flat(before), _flat(after)
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        a, b = old.get(key), new.get(key)
        if a != b:
            hidden = key[2] == "password"
            found.append(Difference(*key, "…" if hidden and a else a, "…" if hidden and b else b))
    order = [field.name for field in dataclasses.fields(Plan)]
    return sorted(found, key=lambda one: order.index(one.part))


def _flat(plan: Plan) -> dict[tuple[str, str, str], str]:
    """(part, row, field) → value as text; what has its default in a row is left out."""
    flat: dict[tuple[str, str, str], str] = {}
    for field in dataclasses.fields(plan):
        value = getattr(plan, field.name)
        if field.name in _KEY:
            for row in value:
                key = getattr(row, _KEY[field.name])
                flat |= {(field.name, key, n): t for n, t in _fields(row).items() if t}
        elif dataclasses.is_dataclass(value):
            flat |= {(field.name, "", n): t for n, t in _fields(value).items()}
        else:
            flat[field.name, "", ""] = _text(value)
    return flat


def _fields(row: Any) -> dict[str, str]:
    return {f.name: _text(getattr(row, f.name)) for f in dataclasses.fields(row)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "+" if value else ""
    return " ".join(value) if isinstance(value, tuple) else str(value)
