"""Sections of the plan as people type them: text by field, and back."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from appliance.core import phone_numbers
from appliance.telephony.routing.checks import Faults, check
from appliance.telephony.routing.shape import Plan

# Section of the page → parts of the plan that it shows.
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
_SECRETS = {"password"}  # never shown; left empty, they stay as they are
_NUMBERS = {"number", "shown", "blocked"}  # written as the dialplan writes numbers
# What must be empty in a row that was left blank; the other fields have values from the start.
_BLANK = {
    "trunks": ("name", "address", "spans"),
    "routes": ("prefix", "trunks"),
    "topics": ("keys", "uz", "ru"),
    "numbers": ("number", "languages"),
}

BOXES = {
    f"{part}.{name}"
    for part, kind in get_type_hints(Plan).items()
    for row in (get_args(kind)[0] if part in _BLANK else kind,)
    if dataclasses.is_dataclass(row)
    for name, hint in get_type_hints(row).items()
    if hint is bool
}  # fields to tick, as "trunks.srtp"


Typed = dict[str, str]  # field → what stands in it; "" for a box that is not ticked


def shown(plan: Plan, section: str) -> Typed:
    """What stands in a section's fields for this plan."""
    fields: Typed = {}
    for part in SECTIONS[section]:
        value = getattr(plan, part)
        if part in _BLANK:
            for i, row in enumerate(value):
                fields |= _written(row, f"{part}.{i}.")
        elif dataclasses.is_dataclass(value):
            fields |= _written(value, f"{part}.")
        else:
            fields[part] = _text(value, "\n")
    return fields


def read(plan: Plan, section: str, typed: Mapping[str, str]) -> Plan:
    """The plan with a section as it was typed; blank rows are left out.

    Raises Faults for fields that hold no such value; their rows count without the blank ones, as
    in `counted`.
    """
    typed = counted(section, typed)
    faults: dict[str, str] = {}
    values: dict[str, Any] = {}
    for part in SECTIONS[section]:
        kind = get_type_hints(Plan)[part]
        if part in _BLANK:
            row = get_args(kind)[0]
            count = rows(part, typed)
            values[part] = tuple(_made(row, f"{part}.{i}.", typed, faults) for i in range(count))
        elif dataclasses.is_dataclass(kind):
            values[part] = _made(kind, f"{part}.", typed, faults)
        else:
            values[part] = _value(kind, part, typed, faults)
    if "trunks" in values:
        values["trunks"] = tuple(_with_secret(trunk, plan) for trunk in values["trunks"])
    made = dataclasses.replace(plan, **values)
    if faults:
        raise Faults(check(made) | faults)
    return made


def counted(section: str, typed: Mapping[str, str]) -> Typed:
    """What was typed, its rows numbered anew without the blank ones."""
    fields = dict(typed)
    for part in SECTIONS[section]:
        if part not in _BLANK:
            continue
        found: dict[int, Typed] = {}
        for name in [name for name in fields if name.startswith(f"{part}.")]:
            text = fields.pop(name)
            number, _, field = name.removeprefix(f"{part}.").partition(".")
            if field and re.fullmatch(r"\d{1,6}", number, re.ASCII):
                found.setdefault(int(number), {})[field] = text
        filled = [row for _, row in sorted(found.items()) if _is_filled(part, row)]
        for place, row in enumerate(filled):
            fields |= {f"{part}.{place}.{field}": text for field, text in row.items()}
    return fields


def _is_filled(part: str, row: Typed) -> bool:
    return any(row.get(field, "").strip() for field in _BLANK[part])


def columns(part: str) -> tuple[str, ...]:
    """The fields of a part, in order; "" for a part that is one field."""
    kind = get_type_hints(Plan)[part]
    kind = get_args(kind)[0] if part in _BLANK else kind
    return tuple(get_type_hints(kind)) if dataclasses.is_dataclass(kind) else ("",)


def blank_row(part: str, row: Any, number: int) -> Typed:
    """What stands in the fields of a row that nobody has typed into yet."""
    return _written(row, f"{part}.{number}.")


def rows(part: str, fields: Mapping[str, str]) -> int:
    """How many rows a part has in these fields."""
    paths = (name.split(".") for name in fields if name.startswith(f"{part}."))
    return max((int(words[1]) + 1 for words in paths), default=0)


def _written(row: Any, here: str) -> Typed:
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return {
        f"{here}{name}": "" if name in _SECRETS else _text(value) for name, value in values.items()
    }


def _text(value: Any, between: str = " ") -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return between.join(value) if isinstance(value, tuple) else str(value)


def _made(kind: Any, here: str, typed: Mapping[str, str], faults: dict[str, str]) -> Any:
    hints = get_type_hints(kind)
    return kind(**{n: _value(hint, f"{here}{n}", typed, faults) for n, hint in hints.items()})


def _value(kind: Any, field: str, typed: Mapping[str, str], faults: dict[str, str]) -> Any:
    text = typed.get(field, "").strip()
    name = field.rpartition(".")[2]
    if kind is bool:
        return bool(text)
    if kind is int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            faults[field] = "digits" if text else "required"
            return 0
        return int(text)
    if get_origin(kind) is tuple:
        words = text.replace(",", " ").split()
        return tuple(_number(word) for word in words) if name in _NUMBERS else tuple(words)
    return _number(text) if name in _NUMBERS else text


def _number(text: str) -> str:
    return phone_numbers.canonical(text) or text


def _with_secret(trunk: Any, plan: Plan) -> Any:
    """A password left empty is the one that a trunk of that name has, unless its user is gone."""
    former = next((t for t in plan.trunks if t.name == trunk.name), None)
    if trunk.password or not trunk.user or not former:
        return trunk
    return dataclasses.replace(trunk, password=former.password)
