"""A registered form as values again, and what of it is another one after a correction."""

from typing import Any

from appliance.casework.forms.definition import Definition, Field
from appliance.casework.forms.versions import product


def values_of(definition: Definition, row: Any) -> dict[str, str]:
    """The values of a form by a row of models.Appeal or CallForm; empty ones are left out.

    A list's value that is no code stands under its name, as it was typed in place of one.
    """
    own = product(definition.form).names
    values: dict[str, str] = {}
    for field in definition.fields:
        values |= _own(field, row) if field.name in own else _extra(field, row.extra)
    return {name: text for name, text in values.items() if text}


def differences(
    definition: Definition, before: dict[str, str], now: dict[str, str], *more: str
) -> dict[str, list[str]]:
    """Field → [before, now] of each value that is another one, in the form's order.

    `more` names what stands beside the form.
    """
    names = [name for field in definition.fields for name in field.names]
    return {
        name: [before.get(name, ""), now.get(name, "")]
        for name in (*names, *more)
        if before.get(name, "") != now.get(name, "")
    }


def _own(field: Field, row: Any) -> dict[str, str]:
    match field.kind:
        case "place":
            code = row.__data__[field.name]
            return {
                field.name: "" if code is None else str(code),
                f"{field.name}_text": getattr(row, f"{field.name}_text", ""),
            }
        case "date":
            day = getattr(row, f"{field.name}_on")
            return {field.name: f"{day:%d.%m.%Y}" if day else getattr(row, f"{field.name}_text")}
    return {field.name: str(getattr(row, field.name) or "")}


def _extra(field: Field, extra: dict[str, dict[str, str]]) -> dict[str, str]:
    held = extra.get(field.name, {"code": "", "text": ""})
    if field.chosen or field.list:
        return {field.name: held["code"] or held["text"]}
    return {field.name: held["text"]}
