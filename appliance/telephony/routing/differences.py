"""The differences between two plans."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from appliance.telephony.routing.plan import Plan

_KEY_FIELDS = {"trunks": "name", "routes": "prefix", "numbers": "number", "topics": "keys"}


@dataclass(frozen=True)
class Difference:
    """A field that differs, with its texts before and after; secrets are masked.

    A text is None if the plan does not have the row, or has an empty value there.
    """

    part: str  # the part of the plan: "trunks"
    row: str  # the key of the row: "carrier"; "" if the part has no rows
    field: str  # "address"; "" for a part that is a single value
    before: str | None
    after: str | None


def plan_differences(before: Plan, after: Plan) -> list[Difference]:
    """The differences from `before` to `after`, in the order of the plan's parts."""
    old, new = _flat_fields(before), _flat_fields(after)
    result = []
    for key in [*new, *(key for key in old if key not in new)]:
        old_text, new_text = old.get(key), new.get(key)
        if old_text != new_text:
            is_secret = key[2] == "password"
            result.append(
                Difference(
                    *key,
                    "…" if is_secret and old_text else old_text,
                    "…" if is_secret and new_text else new_text,
                )
            )
    order = [field.name for field in dataclasses.fields(Plan)]
    return sorted(result, key=lambda difference: order.index(difference.part))


def _flat_fields(plan: Plan) -> dict[tuple[str, str, str], str]:
    """Return every value of a plan as text, by (part, row, field); rows' empty values are left out.

    The three strings are those of Difference.
    """
    flat: dict[tuple[str, str, str], str] = {}
    for field in dataclasses.fields(plan):
        value = getattr(plan, field.name)
        if field.name in _KEY_FIELDS:
            for row in value:
                key = getattr(row, _KEY_FIELDS[field.name])
                flat |= {(field.name, key, n): t for n, t in _row_fields(row).items() if t}
        elif dataclasses.is_dataclass(value):
            flat |= {(field.name, "", n): t for n, t in _row_fields(value).items()}
        else:
            flat[field.name, "", ""] = _field_text(value)
    return flat


def _row_fields(row: Any) -> dict[str, str]:
    return {f.name: _field_text(getattr(row, f.name)) for f in dataclasses.fields(row)}


def _field_text(value: Any) -> str:
    if isinstance(value, bool):
        return "+" if value else ""
    return " ".join(value) if isinstance(value, tuple) else str(value)
