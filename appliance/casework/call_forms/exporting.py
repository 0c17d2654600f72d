"""Registrations on either form as other programs and spreadsheets take them."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.casework import catalogs, forms
from appliance.casework.knowledge import openings
from appliance.casework.scripts import runs
from appliance.core.db import in_pieces
from appliance.core.i18n import DEFAULT
from appliance.models import Appeal, CallForm, User


def registrations(form: str, begin: dt.datetime, end: dt.datetime) -> Iterator[dict[str, Any]]:
    """What was registered on a form in [begin, end), oldest first, each as one JSON object.

    `fields`: name → {code, text}; the text is the code's name in Uzbek Latin, else what was typed.
    `articles`: name and version of each article that was opened meanwhile, on the call or the form.
    `scripts`: the scripts that were followed: script, version, result and the last step.
    """
    table = CallForm if form == forms.CALL else Appeal
    within = (table.registered_at >= begin, table.registered_at < end)
    for piece in in_pieces(table.select(table, User).join(User).where(*within), table.id):
        yield from (_object(form, row) for row in piece)


def fields_of(definition: forms.Definition, row: Any, locale: str) -> dict[str, dict[str, str]]:
    """Name → {code, text} of every field that holds something."""
    values, added = forms.values_of(definition, row), forms.added(definition, row, locale)
    return {
        field.name: added.get(field.name) or _code_and_text(field, values, locale)
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
        "articles": openings.exported(openings.at_call(row.call_id or "", [row.token or ""])),
        "scripts": runs.exported(runs.of_form_kept(row)),
    }


def _code_and_text(field: forms.Field, values: dict[str, str], locale: str) -> dict[str, str]:
    value, typed = values.get(field.name, ""), values.get(f"{field.name}_text", "")
    text = forms.shown(field, value, locale)
    if field.kind == "place":
        found = catalogs.place(field.source, value)
        return {"code": value, "text": text} if found else {"code": "", "text": typed}
    if field.list:
        is_code = value in catalogs.labels(field.list, DEFAULT)
        return {"code": value if is_code else "", "text": text}
    is_code = any(option.code == value for option in field.options)
    return {"code": value if is_code else "", "text": text}
