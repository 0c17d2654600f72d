"""Exports appeals to programs and spreadsheets, limited to what the recipient may see."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.casework import catalogs, forms
from appliance.casework.appeals import handling, listing
from appliance.casework.appeals.listing import Filters
from appliance.core.i18n import DEFAULT_LOCALE, localized_name
from appliance.models import Appeal, Department, District, Mahalla, Region, User, personal_columns
from appliance.people import rights

HANDLING_COLUMNS = (
    *("number", "received_at", "registered_on", "state", "department", "due_on"),
    *("answered_on", "operator"),
)
# columns whose values are stored in tables' columns; the values of all others are in Appeal.extra
_COLUMNS_OUTSIDE_EXTRA = forms.column_value_names(forms.APPEAL_FORM).union(HANDLING_COLUMNS)


def exportable_columns(user: User) -> tuple[str, ...]:
    """Return the columns that a user may export, in order.

    Data that identifies the applicant is left out where the user may not see it (law OʻRQ-445,
    article 19); passport and PINFL are never exported in bulk.
    """
    with_applicants = rights.has_right(user, "applicant.export")
    fields = forms.exportable_fields(forms.APPEAL_FORM, with_applicants=with_applicants)
    return (*HANDLING_COLUMNS, *(field.name for field in fields))


def export_rows(
    filters: Filters, today: dt.date, department_id: int | None, user: User, locale: str
) -> Iterator[list[Any]]:
    """Yield the values of each appeal in the order of exportable_columns(), with names for codes.

    If a department is given, only its appeals are exported, and those that the filters' reader is
    named to read. They are read in batches, so that memory use stays constant. A typed place that
    is on no list identifies the applicant; it is exported only to users who may export applicants.
    """
    names, columns = _names_by_field(locale), exportable_columns(user)
    with_applicants = rights.has_right(user, "applicant.export")
    for batch in listing.iterate_batches(filters, today, department_id):
        places = {
            "mahalla": _names_by_id(Mahalla, {appeal.mahalla_id for appeal in batch}, locale),
            **{name: names[name] for name in ("region", "district", "department")},
        }
        for appeal in batch:
            yield [
                _cell_value(appeal, column, names, places)
                if with_applicants or not personal_columns.has_identifying_text(appeal, column)
                else ""
                for column in columns
            ]


def appeal_json(appeal: Appeal, personal: bool, detailed: bool = False) -> dict[str, Any]:
    """Return an appeal with its `handling` as JSON: codes, dates as 2026-11-24, times in UTC.

    `detailed` adds the gist, every step and, as `extra`, the fields that the manager added.
    `personal` adds the applicant's data and, in `extra`, the fields that identify the applicant. A
    veiled appeal (personal.veil_appeals) reveals no contents.
    """
    handling_row = appeal.handling
    entry = {
        "number": appeal.number,
        "version": handling_row.version,
        "state": handling_row.state,
        "department": handling_row.department.code if handling_row.department_id else None,
        "holder": handling_row.holder or None,
        "received_at": _timestamp(appeal.received_at),
        "registered_on": handling_row.registered_on.isoformat(),
        "due_on": handling_row.due_on.isoformat(),
        "forward_by": handling_row.forward_by.isoformat(),
        "answered_on": handling_row.answered_on.isoformat() if handling_row.answered_on else None,
        "changed_at": _timestamp(handling_row.changed_at),
        "applicant_kind": appeal.applicant_kind,
        "appeal_type": appeal.appeal_type,
        "direction": appeal.direction,
        "openness": appeal.openness,
        "region": appeal.region_id,
        "district": appeal.district_id,
    }
    if detailed:
        entry["gist"] = appeal.gist
        definition = forms.numbered_definition(forms.APPEAL_FORM, appeal.form_version)
        entry["extra"] = forms.added_field_values(definition, appeal, DEFAULT_LOCALE, personal)
        entry["steps"] = [
            {
                "at": _timestamp(step.at),
                "by": step.who,
                "action": step.action,
                "text": "" if appeal.veiled else step.text,
                # corrections name fields only: the values may be personal
                "fields": sorted(step.detail.get("changes", ())),
            }
            for step in reversed(handling.list_steps(appeal))
        ]
    if personal:
        entry["applicant"] = {
            **{name: getattr(appeal, name) for name in personal_columns.applicant_columns(Appeal)},
            "born_on": appeal.born_on.isoformat() if appeal.born_on else None,
            "mahalla": appeal.mahalla.name_uz_latn if appeal.mahalla_id else "",
        }
    return entry


def _timestamp(moment: dt.datetime) -> str:
    """Return a time in ISO format, always with microseconds."""
    return moment.isoformat(timespec="microseconds")


def _names_by_field(locale: str) -> dict[str, dict[Any, str]]:
    """Return {code or id: name in the locale} of each field that has codes, by field name.

    Mahallas are left out, because they are too many: their names are read batch by batch. Options
    of the product's own fields are left out, too: they are exported as codes.
    """
    all_fields = forms.fields_of_all_versions(forms.APPEAL_FORM)
    names = {
        field.name: catalogs.labels_with_unlisted(field.list, locale)
        for field in all_fields
        if field.list
    }
    for field in all_fields:
        if field.options and field.name not in _COLUMNS_OUTSIDE_EXTRA:
            names[field.name] = {
                option.code: option.localized_label(locale) for option in field.options
            }
    for name, model in (("region", Region), ("district", District), ("department", Department)):
        key = model._meta.primary_key.name
        names[name] = {getattr(row, key): localized_name(row, locale) for row in model.select()}
    names |= {
        field.name: names[field.source]
        for field in all_fields
        if field.kind == "place" and field.list
    }
    return names


def _names_by_id(model: type[Any], ids: set[Any], locale: str) -> dict[Any, str]:
    """Return the name in the locale of each row of `model` with one of the `ids`, by id."""
    rows = model.select().where(model.id.in_(ids - {None}))
    return {row.id: localized_name(row, locale) for row in rows}


def _cell_value(
    appeal: Appeal, column: str, names: dict[str, dict[Any, str]], places: dict[str, dict[Any, str]]
) -> Any:
    """Return an appeal's value for a column of exportable_columns().

    `names` are those of _names_by_field(), `places` the names by id of places and departments.
    """
    if column == "department":
        return places[column].get(appeal.handling.department_id, "")
    if column in places:
        code = getattr(appeal, f"{column}_id")
        return places[column].get(code, "") or getattr(appeal, f"{column}_text", "")
    if column in ("registered_on", "state", "due_on", "answered_on"):
        return getattr(appeal.handling, column)
    if column == "operator":
        return appeal.operator.name
    if column == "born":
        return appeal.born_on or appeal.born_text
    if extra_value := appeal.extra.get(column):
        return names.get(column, {}).get(extra_value["code"]) or extra_value["text"]
    if column not in _COLUMNS_OUTSIDE_EXTRA:
        return ""
    value = getattr(appeal, column)
    return names.get(column, {}).get(value, value)
