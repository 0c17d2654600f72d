"""Registrations on either form as other programs and spreadsheets take them."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.casework import catalogs, forms
from appliance.core.i18n import DEFAULT, named
from appliance.models import Appeal, CallForm, User


def registrations(form: str, begin: dt.datetime, end: dt.datetime) -> Iterator[dict[str, Any]]:
    """What was registered on a form in [begin, end), oldest first, each as one JSON object.

    `fields`: name → {code, text}; the text is the code's name in Uzbek Latin, else what was typed.
    """
    table = CallForm if form == forms.CALL else Appeal
    last = 0
    while True:
        rows = (
            table.select(table, User)
            .join(User)
            .where(table.registered_at >= begin, table.registered_at < end, table.id > last)
            .order_by(table.id)
            .limit(500)
        )
        piece = list(rows)
        for row in piece:
            yield _object(form, row)
            last = row.id
        if len(piece) < 500:
            return


def fields_of(definition: forms.Definition, row: Any, locale: str) -> dict[str, dict[str, str]]:
    """Name → {code, text} of every field that holds something."""
    values = forms.values_of(definition, row)
    return {
        field.name: _told(field, values, locale)
        for field in definition.fields
        if any(values.get(name) for name in field.names)
    }


def _object(form: str, row: Any) -> dict[str, Any]:
    version = row.version if form == forms.CALL else row.form_version
    return {
        "number": row.number,
        "form": form,
        "version": version,
        "call": row.call_id,
        "operator": row.operator.login,
        "registered_at": row.registered_at.isoformat(timespec="milliseconds"),
        "fields": fields_of(forms.of(form, version), row, DEFAULT),
    }


def _told(field: forms.Field, values: dict[str, str], locale: str) -> dict[str, str]:
    value, typed = values.get(field.name, ""), values.get(f"{field.name}_text", "")
    if field.kind == "place":
        place = catalogs.place(field.name, value)
        return {"code": value if place else "", "text": named(place, locale) if place else typed}
    if field.list:
        text = catalogs.label(field.list, value, locale)
        is_code = value in catalogs.labels(field.list, DEFAULT)
        return {"code": value if is_code else "", "text": text}
    option = next((one for one in field.options if one.code == value), None)
    if not option:
        return {"code": "", "text": value}
    return {"code": option.code, "text": option.called(locale)}
