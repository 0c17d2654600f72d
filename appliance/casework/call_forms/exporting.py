"""Exports what was registered on either form to programs and spreadsheets."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.casework import catalogs, forms
from appliance.casework.knowledge import openings
from appliance.casework.scripts import runs
from appliance.core.db import row_batches
from appliance.core.i18n import DEFAULT_LOCALE
from appliance.models import CallForm, User, personal_columns
from appliance.people import rights

# columns of the table of registered calls, in addition to the form's own fields
_RECORD_COLUMNS = ("number", "received_at", "operator", "phone", "appeal_number")


def iterate_registrations(
    form: str, begin: dt.datetime, end: dt.datetime
) -> Iterator[dict[str, Any]]:
    """Yield what was registered on a form in [begin, end), oldest first, each as one JSON object.

    `form` is one of forms.FORMS. The object's `fields` hold {"code": …, "text": …} by field name;
    the text is the code's name in Uzbek Latin, or the typed text. `articles` are the slug and
    version of each article opened in the call or for the form. `scripts` are the scripts that were
    followed: code, version, result, last step.
    """
    table = forms.form_table(form)
    in_period = (table.registered_at >= begin, table.registered_at < end)
    for batch in row_batches(table.select(table, User).join(User).where(*in_period), table.id):
        yield from (_registration_json(form, row) for row in batch)


def exportable_columns(user: User) -> tuple[tuple[str, ...], tuple[forms.Field, ...]]:
    """Return (columns of the record, fields of the form) that a user may export, in order.

    Data that identifies the caller is left out where the user may not see it (law OʻRQ-445, article
    19).
    """
    with_applicants = rights.has_right(user, "applicant.export")
    columns = (
        name
        for name in _RECORD_COLUMNS
        if with_applicants or not personal_columns.is_identifying(CallForm, name)
    )
    return tuple(columns), forms.exportable_fields(forms.CALL_FORM, with_applicants=with_applicants)


def field_values(
    definition: forms.Definition, row: Any, locale: str, user: User | None = None
) -> dict[str, dict[str, str]]:
    """Return {"code": …, "text": …} of every field that has a value, by field name.

    `row` is a row of models.Appeal or CallForm, registered in the version `definition`. The code is
    "" for a typed text; the text is the code's label in the locale, else the typed text. If a
    `user` is given who may not export applicants, fields whose text identifies a person are left
    out.
    """
    values, added = (
        forms.registered_values(definition, row),
        forms.added_field_values(definition, row, locale),
    )
    with_applicants = not user or rights.has_right(user, "applicant.export")
    return {
        field.name: added.get(field.name) or _code_and_text(field, values, locale)
        for field in definition.fields
        if any(values.get(name) for name in field.value_names)
        and (with_applicants or not personal_columns.has_identifying_text(row, field.name))
    }


def _registration_json(form: str, row: Any) -> dict[str, Any]:
    """Return a row of models.Appeal or CallForm as iterate_registrations() yields it."""
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
    """Return the value of a field that has a column as {"code": …, "text": …}.

    `values` are those of the whole form. The code is "" if a text was typed instead; the text is
    then the typed one, else the code's label in the locale.
    """
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
