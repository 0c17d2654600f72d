"""Registrations on either form, as exported to programs and spreadsheets."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.casework import catalogs, forms
from appliance.casework.knowledge import openings
from appliance.casework.scripts import runs
from appliance.core.db import row_batches
from appliance.core.i18n import DEFAULT_LOCALE
from appliance.models import Appeal, CallForm, User


def iterate_registrations(
    form: str, begin: dt.datetime, end: dt.datetime
) -> Iterator[dict[str, Any]]:
    """Yield what was registered on a form in [begin, end), oldest first, each as one JSON object.

    `fields`: name → {code, text}; the text is the code's name in Uzbek Latin, or the typed text.
    `articles`: name and version of each article opened during the call or on the form. `scripts`:
    the scripts that were followed: script, version, result and the last step.
    """
    table = CallForm if form == forms.CALL_FORM else Appeal
    in_period = (table.registered_at >= begin, table.registered_at < end)
    for batch in row_batches(table.select(table, User).join(User).where(*in_period), table.id):
        yield from (_registration_json(form, row) for row in batch)


def field_values(definition: forms.Definition, row: Any, locale: str) -> dict[str, dict[str, str]]:
    """Return name → {code, text} of every field that has a value."""
    values, added = (
        forms.registered_values(definition, row),
        forms.added_field_values(definition, row, locale),
    )
    return {
        field.name: added.get(field.name) or _code_and_text(field, values, locale)
        for field in definition.fields
        if any(values.get(name) for name in field.value_names)
    }


def _registration_json(form: str, row: Any) -> dict[str, Any]:
    version = row.version if form == forms.CALL_FORM else row.form_version
    return {
        "number": row.number,
        "form": form,
        "version": version,
        "call": row.call_id,
        "operator": row.operator.login,
        "registered_at": row.registered_at.isoformat(timespec="milliseconds"),
        "fields": field_values(forms.numbered_definition(form, version), row, DEFAULT_LOCALE),
        "articles": openings.export_opened_articles(
            openings.articles_opened_at_call(row.call_id or "", [row.token or ""])
        ),
        "scripts": runs.export_runs(runs.runs_of_registered_form(row)),
    }


def _code_and_text(field: forms.Field, values: dict[str, str], locale: str) -> dict[str, str]:
    value, typed = values.get(field.name, ""), values.get(f"{field.name}_text", "")
    text = forms.display_value(field, value, locale)
    if field.kind == "place":
        place = catalogs.find_place(field.source, value)
        return {"code": value, "text": text} if place else {"code": "", "text": typed}
    if field.list:
        is_code = value in catalogs.labels_by_code(field.list, DEFAULT_LOCALE)
        return {"code": value if is_code else "", "text": text}
    is_code = any(option.code == value for option in field.options)
    return {"code": value if is_code else "", "text": text}
