"""Appeals as other programs and spreadsheets take them, with what the taker may see."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.casework import catalogs, forms
from appliance.casework.appeals import handling, listing
from appliance.casework.appeals.listing import Filters
from appliance.core.i18n import DEFAULT, named
from appliance.models import Appeal, Department, District, Mahalla, Region, personal_columns
from appliance.people import rights

STANDING = (
    *("number", "received_at", "registered_on", "state", "department", "due_on"),
    *("answered_on", "operator"),
)
_COLUMNS = forms.columns(forms.APPEAL).union(STANDING)  # what stands in the appeal's row


def columns_of(role: str) -> tuple[str, ...]:
    """The columns of the table that a role may take away, in order.

    What tells who the applicant is is left out where the taker may not see it (law OʻRQ-445,
    article 19); passport and PINFL never leave in bulk.
    """
    named = role in rights.roles("applicant.export")
    every = forms.fields_of_all_versions(forms.APPEAL)
    fields = (f for f in every if f.exported and (named or not f.personal))
    return (*STANDING, *(field.name for field in fields))


def rows(
    filters: Filters,
    today: dt.date,
    within: int | None,
    columns: tuple[str, ...],
    locale: str,
) -> Iterator[list[Any]]:
    """Each appeal's values of the columns, codes as names in the locale; memory stays flat."""
    names = _names(locale)
    for piece in listing.pieces(filters, today, within):
        places = {
            "mahalla": _by_id(Mahalla, {a.mahalla_id for a in piece}, locale),
            **{name: names[name] for name in ("region", "district", "department")},
        }
        for appeal in piece:
            yield [_cell(appeal, column, names, places) for column in columns]


def as_json(appeal: Appeal, personal: bool, whole: bool = False) -> dict[str, Any]:
    """One appeal with its `handling`: codes, dates as 2026-11-24, moments in UTC.

    A veiled one tells nothing of what it asks. `personal`: with who the applicant is. `whole`: with
    the gist, every step and, as `extra`, the fields that the manager added.
    """
    now = appeal.handling
    entry = {
        "number": appeal.number,
        "version": now.version,
        "state": now.state,
        "department": now.department.code if now.department_id else None,
        "holder": now.holder or None,
        "received_at": _moment(appeal.received_at),
        "registered_on": now.registered_on.isoformat(),
        "due_on": now.due_on.isoformat(),
        "forward_by": now.forward_by.isoformat(),
        "answered_on": now.answered_on.isoformat() if now.answered_on else None,
        "changed_at": _moment(now.changed_at),
        "applicant_kind": appeal.applicant_kind,
        "appeal_type": appeal.appeal_type,
        "direction": appeal.direction,
        "openness": appeal.openness,
        "region": appeal.region_id,
        "district": appeal.district_id,
    }
    if whole:
        entry["gist"] = appeal.gist
        definition = forms.of(forms.APPEAL, appeal.form_version)
        entry["extra"] = forms.added(definition, appeal, DEFAULT, personal)
        entry["steps"] = [
            {
                "at": _moment(step.at),
                "by": step.who,
                "action": step.action,
                "text": "" if appeal.veiled else step.text,
                # corrections name fields; what stood in them may be personal
                "fields": sorted(step.detail.get("changes", ())),
            }
            for step in reversed(handling.steps(appeal))
        ]
    if personal:
        entry["applicant"] = {
            **{name: getattr(appeal, name) for name in personal_columns.exported(Appeal)},
            "born_on": appeal.born_on.isoformat() if appeal.born_on else None,
            "mahalla": appeal.mahalla.name_uz_latn if appeal.mahalla_id else "",
        }
    return entry


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _names(locale: str) -> dict[str, dict[Any, str]]:
    """Field → code or id → name in the locale, of everything but mahallas."""
    every = forms.fields_of_all_versions(forms.APPEAL)
    found = {field.name: catalogs.shown_labels(field.list, locale) for field in every if field.list}
    for field in every:
        if field.options and field.name not in _COLUMNS:
            found[field.name] = {option.code: option.called(locale) for option in field.options}
    for name, model in (("region", Region), ("district", District), ("department", Department)):
        key = model._meta.primary_key.name
        found[name] = {getattr(row, key): named(row, locale) for row in model.select()}
    found |= {f.name: found[f.source] for f in every if f.kind == "place" and f.list}
    return found


def _by_id(model: type[Any], ids: set[Any], locale: str) -> dict[Any, str]:
    found = model.select().where(model.id.in_(ids - {None}))
    return {row.id: named(row, locale) for row in found}


def _cell(
    appeal: Appeal, column: str, names: dict[str, dict[Any, str]], places: dict[str, dict[Any, str]]
) -> Any:
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
    if held := appeal.extra.get(column):
        return names.get(column, {}).get(held["code"]) or held["text"]
    if column not in _COLUMNS:
        return ""
    value = getattr(appeal, column)
    return names.get(column, {}).get(value, value)
