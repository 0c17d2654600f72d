"""Conversion of sections of the plan to the texts of form fields, and back."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from appliance.core import phone_numbers
from appliance.telephony.routing.checks import PlanFaults, find_faults
from appliance.telephony.routing.plan import Plan

# The parts of the plan that each section of the settings page shows.
SECTIONS: dict[str, tuple[str, ...]] = {
    "trunks": ("trunks",),
    "routes": ("routes", "shown"),
    "numbers": ("numbers", "hours"),
    "topics": ("topics",),
    "queues": ("queueing",),
    "callback": ("callback", "follow_ups"),
    "limits": ("limits",),
    "blocked": ("blocked", "anonymous"),
}
_SECRET_FIELDS = {"password"}  # never sent to the page; if left empty there, they do not change
_NUMBER_FIELDS = {"number", "shown", "blocked"}  # converted to the dialplan's format of numbers
# The fields of each part's rows that are empty in a blank row (one for a new entry, not filled in);
# the other fields of a blank row have initial values.
_ROW_FIELDS = {
    "trunks": ("name", "address", "spans"),
    "routes": ("prefix", "trunks"),
    "topics": ("keys", "uz", "ru"),
    "numbers": ("number", "languages"),
}

# The fields that are checkboxes, as "trunks.srtp".
CHECKBOX_FIELDS = {
    f"{part}.{name}"
    for part, kind in get_type_hints(Plan).items()
    for row in (get_args(kind)[0] if part in _ROW_FIELDS else kind,)
    if dataclasses.is_dataclass(row)
    for name, hint in get_type_hints(row).items()
    if hint is bool
}


FieldTexts = dict[str, str]  # field → its text; "" for a checkbox that is not ticked


def section_fields(plan: Plan, section: str) -> FieldTexts:
    """The texts of a section's fields for this plan."""
    fields: FieldTexts = {}
    for part in SECTIONS[section]:
        value = getattr(plan, part)
        if part in _ROW_FIELDS:
            for i, row in enumerate(value):
                fields |= _row_fields(row, f"{part}.{i}.")
        elif dataclasses.is_dataclass(value):
            fields |= _row_fields(value, f"{part}.")
        else:
            fields[part] = _value_text(value, "\n")
    return fields


def parse_section(plan: Plan, section: str, fields: Mapping[str, str]) -> Plan:
    """Return the plan with one section replaced by the texts of its form fields.

    Blank rows are left out. Raises PlanFaults for invalid texts; its fields have the row numbers
    that `renumber_rows` gives, which do not count blank rows.
    """
    fields = renumber_rows(section, fields)
    faults: dict[str, str] = {}
    values: dict[str, Any] = {}
    for part in SECTIONS[section]:
        kind = get_type_hints(Plan)[part]
        if part in _ROW_FIELDS:
            row = get_args(kind)[0]
            count = count_rows(part, fields)
            values[part] = tuple(
                _parse_row(row, f"{part}.{i}.", fields, faults) for i in range(count)
            )
        elif dataclasses.is_dataclass(kind):
            values[part] = _parse_row(kind, f"{part}.", fields, faults)
        else:
            values[part] = _parse_value(kind, part, fields, faults)
    if "trunks" in values:
        values["trunks"] = tuple(_with_former_password(trunk, plan) for trunk in values["trunks"])
    plan_typed = dataclasses.replace(plan, **values)
    if faults:
        raise PlanFaults(find_faults(plan_typed) | faults)
    return plan_typed


def renumber_rows(section: str, texts: Mapping[str, str]) -> FieldTexts:
    """Return the form fields without blank rows; the remaining rows are numbered again from 0."""
    fields = dict(texts)
    for part in SECTIONS[section]:
        if part not in _ROW_FIELDS:
            continue
        rows_by_number: dict[int, FieldTexts] = {}
        for name in [name for name in fields if name.startswith(f"{part}.")]:
            text = fields.pop(name)
            number, _, field = name.removeprefix(f"{part}.").partition(".")
            if field and re.fullmatch(r"\d{1,6}", number, re.ASCII):
                rows_by_number.setdefault(int(number), {})[field] = text
        filled_rows = [row for _, row in sorted(rows_by_number.items()) if _is_filled(part, row)]
        for position, row in enumerate(filled_rows):
            fields |= {f"{part}.{position}.{field}": text for field, text in row.items()}
    return fields


def _is_filled(part: str, row: FieldTexts) -> bool:
    return any(row.get(field, "").strip() for field in _ROW_FIELDS[part])


def part_fields(part: str) -> tuple[str, ...]:
    """The field names of a part, in order; ("",) for a part that is a single field."""
    kind = get_type_hints(Plan)[part]
    kind = get_args(kind)[0] if part in _ROW_FIELDS else kind
    return tuple(get_type_hints(kind)) if dataclasses.is_dataclass(kind) else ("",)


def blank_row(part: str, row: Any, number: int) -> FieldTexts:
    """Return the form fields of row number `number` of a part, with the values of `row`."""
    return _row_fields(row, f"{part}.{number}.")


def count_rows(part: str, fields: Mapping[str, str]) -> int:
    """The number of rows that a part has in these fields."""
    paths = (name.split(".") for name in fields if name.startswith(f"{part}."))
    return max((int(path[1]) + 1 for path in paths), default=0)


def _row_fields(row: Any, path: str) -> FieldTexts:
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return {
        f"{path}{name}": "" if name in _SECRET_FIELDS else _value_text(value)
        for name, value in values.items()
    }


def _value_text(value: Any, separator: str = " ") -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return separator.join(value) if isinstance(value, tuple) else str(value)


def _parse_row(kind: Any, path: str, fields: Mapping[str, str], faults: dict[str, str]) -> Any:
    hints = get_type_hints(kind)
    return kind(
        **{n: _parse_value(hint, f"{path}{n}", fields, faults) for n, hint in hints.items()}
    )


def _parse_value(kind: Any, field: str, fields: Mapping[str, str], faults: dict[str, str]) -> Any:
    text = fields.get(field, "").strip()
    name = field.rpartition(".")[2]
    if kind is bool:
        return bool(text)
    if kind is int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            faults[field] = "digits" if text else "required"
            return 0
        return int(text)
    if get_origin(kind) is tuple:
        items = text.replace(",", " ").split()
        return (
            tuple(_canonical_number(word) for word in items)
            if name in _NUMBER_FIELDS
            else tuple(items)
        )
    return _canonical_number(text) if name in _NUMBER_FIELDS else text


def _canonical_number(text: str) -> str:
    return phone_numbers.canonical_number(text) or text


def _with_former_password(trunk: Any, plan: Plan) -> Any:
    """Return the trunk with the password stored for its name, if the password field is empty.

    A trunk without a user gets no password.
    """
    former = next((t for t in plan.trunks if t.name == trunk.name), None)
    if trunk.password or not trunk.user or not former:
        return trunk
    return dataclasses.replace(trunk, password=former.password)
