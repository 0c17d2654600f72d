"""Converts a registered form back into values, and compares values around a correction."""

from typing import Any

from appliance.casework import catalogs
from appliance.casework.forms.definition import Definition, Field
from appliance.casework.forms.versions import column_value_names
from appliance.core.i18n import LOCALES, localized_name

CODED_KINDS = ("choice", "list", "place", "tick")  # kinds whose values are codes


def registered_values(definition: Definition, row: Any) -> dict[str, str]:
    """Return the values of a form from a row of models.Appeal or CallForm, without empty ones.

    `definition` is that of the version in which the row was registered. If a text was typed in a
    list field instead of choosing a code, the text is under its name.
    """
    column_fields = column_value_names(definition.form)
    values: dict[str, str] = {}
    for field in definition.fields:
        values |= (
            _column_field_values(field, row)
            if field.name in column_fields
            else _extra_field_values(field, row.extra)
        )
    return {name: text for name, text in values.items() if text}


def value_differences(
    definition: Definition, before: dict[str, str], after: dict[str, str], *extra_names: str
) -> dict[str, list[str]]:
    """Return [before, after] of each value that differs, by value name, in the form's order.

    `extra_names` are the names of further values that are compared but are not fields of the form.
    """
    names = [name for field in definition.fields for name in field.value_names]
    return {
        name: [before.get(name, ""), after.get(name, "")]
        for name in (*names, *extra_names)
        if before.get(name, "") != after.get(name, "")
    }


def is_counted(field: Field) -> bool:
    """Return True if reports count an added field: its values are codes and identify nobody."""
    return field.kind in CODED_KINDS and not field.personal


def display_value(field: Field, value: str, locale: str) -> str:
    """Return a field's value for display: its code's label in the locale, else the value itself."""
    if field.kind == "place":
        place = catalogs.find_place(field.source, value)
        return localized_name(place, locale) if place else value
    if field.list:
        return catalogs.value_label(field.list, value, locale)
    return next(
        (option.localized_label(locale) for option in field.options if option.code == value), value
    )


def added_field_values(
    definition: Definition, row: Any, locale: str, personal: bool = True
) -> dict[str, dict[str, str]]:
    """Return {"code": …, "text": …} of each field without a column that a row has, by field name.

    Such fields were mostly added by the manager. The text is the code's label in the locale, else
    the typed text. Fields that identify the applicant are included only if `personal` is True.
    """
    return {
        field.name: {"code": stored["code"], "text": _display_text(field, stored, locale)}
        for field in definition.fields
        if (stored := row.extra.get(field.name)) and (personal or not field.personal)
    }


def added_field_search_texts(definition: Definition, extra: dict[str, dict[str, str]]) -> list[str]:
    """Return the texts by which added fields are searched: typed texts, and labels of codes.

    `extra` is the column of that name: {"code": …, "text": …} by field name. A code's labels in all
    locales are included.
    """
    return [
        text
        for field in definition.fields
        if (stored := extra.get(field.name))
        for text in dict.fromkeys(_display_text(field, stored, locale) for locale in LOCALES)
    ]


def anonymize_added_fields(
    definition: Definition, extra: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """Return the added fields without what must be removed with a person's data.

    `extra` is the column of that name: {"code": …, "text": …} by field name. The codes of fields
    that reports count stay (is_counted). All other fields, and every text, are removed, because a
    name may have been typed anywhere.
    """
    return {
        field.name: {"code": stored["code"], "text": ""}
        for field in definition.fields
        if (stored := extra.get(field.name)) and (is_counted(field) and stored["code"])
    }


def _display_text(field: Field, stored: dict[str, str], locale: str) -> str:
    """Return the text to show for a value stored in `extra`: its code's label, else its text."""
    if field.kind in CODED_KINDS and stored["code"]:
        return display_value(field, stored["code"], locale)
    return stored["text"]


def _column_field_values(field: Field, row: Any) -> dict[str, str]:
    """Return the values of a field that has columns in the table, under its value names.

    `row` is one of models.Appeal or CallForm. A valid date is returned as 24.11.2026.
    """
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


def _extra_field_values(field: Field, extra: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the value of a field that is stored in `extra`, by the field's name; "" if empty."""
    stored = extra.get(field.name, {"code": "", "text": ""})
    if field.kind in CODED_KINDS:
        return {field.name: stored["code"] or stored["text"]}
    return {field.name: stored["text"]}
