"""A registered form as values again, and what of it is another one after a correction."""

from typing import Any

from appliance.casework import catalogs
from appliance.casework.forms.definition import Definition, Field
from appliance.casework.forms.versions import columns
from appliance.core.i18n import LOCALES, named

COUNTED = ("choice", "list", "place", "tick")  # kinds whose values are codes


def values_of(definition: Definition, row: Any) -> dict[str, str]:
    """The values of a form by a row of models.Appeal or CallForm; empty ones are left out.

    A list's value that is no code stands under its name, as it was typed in place of one.
    """
    own = columns(definition.form)
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


def is_counted(field: Field) -> bool:
    """Whether reports count the values of an added field: they are codes, and tell of nobody."""
    return field.kind in COUNTED and not field.personal


def shown(field: Field, value: str, locale: str) -> str:
    """How a value of a field reads: the name of its code in the locale, else itself."""
    if field.kind == "place":
        place = catalogs.place(field.source, value)
        return named(place, locale) if place else value
    if field.list:
        return catalogs.label(field.list, value, locale)
    return next((o.called(locale) for o in field.options if o.code == value), value)


def added(
    definition: Definition, row: Any, locale: str, personal: bool = True
) -> dict[str, dict[str, str]]:
    """Name → {code, text} of the fields that the manager added, as a row holds them.

    The text is the code's name in the locale, else what was typed. Without `personal` those that
    tell who the applicant is are left out.
    """
    return {
        field.name: {"code": held["code"], "text": _text(field, held, locale)}
        for field in definition.fields
        if (held := row.extra.get(field.name)) and (personal or not field.personal)
    }


def words(definition: Definition, extra: dict[str, dict[str, str]]) -> list[str]:
    """What a form is found by, of the fields that the manager added: texts, and codes' names."""
    return [
        text
        for field in definition.fields
        if (held := extra.get(field.name))
        for text in dict.fromkeys(_text(field, held, locale) for locale in LOCALES)
    ]


def without_person(
    definition: Definition, extra: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """What may stay of the added fields once a person's data are taken out: what is counted.

    Texts go whatever the field is, for one may write a name anywhere.
    """
    return {
        field.name: {"code": held["code"], "text": ""}
        for field in definition.fields
        if (held := extra.get(field.name)) and (is_counted(field) and held["code"])
    }


def _text(field: Field, held: dict[str, str], locale: str) -> str:
    if field.kind in COUNTED and held["code"]:
        return shown(field, held["code"], locale)
    return held["text"]


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
    if field.kind in COUNTED:
        return {field.name: held["code"] or held["text"]}
    return {field.name: held["text"]}
