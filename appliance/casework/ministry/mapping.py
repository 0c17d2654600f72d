"""Converts an appeal into the ministry's document: flat, with the ministry's names and codes.

When an appeal changes, a snapshot of it is stored with our own names and codes. They are converted
when it is sent, so that a code missing in the settings can be added and the message retried.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from appliance.casework import forms
from appliance.casework.catalogs import UNLISTED
from appliance.core.settings import MINISTRY_FIELDS as FIELDS
from appliance.core.settings import Ministry
from appliance.models import Appeal, AppealStep, CatalogItem, Handling, personal_columns
from appliance.models.personal_columns import Kind

_LIST_FIELDS = personal_columns.ministry_columns(Appeal, Kind.CHOICE)  # a code or a text
_CONVERTED_FIELDS = (*_LIST_FIELDS, "born_on", "district", "mahalla")  # not plain text
_PLAIN_FIELDS = (
    *("applicant_kind", "openness"),
    *(name for name in personal_columns.ministry_columns(Appeal) if name not in _CONVERTED_FIELDS),
)


class UnmappedCodeError(ValueError):
    """An appeal cannot be converted: the settings have no ministry code for one of its own codes.

    The text lists these codes. It is also raised for an appeal whose data were removed by age.
    """


def appeal_snapshot(appeal: Appeal) -> dict[str, Any]:
    """Return the current state of an appeal, by the names in FIELDS.

    Codes are our own, dates are written as 2026-11-24, unknown values are None. A typed text that
    is on no list is under NAME_text.
    """
    handling = Handling.get_by_id(appeal.id)
    answer_steps = AppealStep.select().where(
        AppealStep.appeal == appeal.id, AppealStep.action == "answer"
    )
    last_answer = answer_steps.order_by(AppealStep.id.desc()).first()
    return {
        "number": appeal.number,
        "version": handling.version,
        "state": handling.state,
        "department": handling.department.code if handling.department_id else None,
        "received_at": appeal.received_at.isoformat(timespec="seconds"),
        "registered_on": handling.registered_on.isoformat(),
        "due_on": handling.due_on.isoformat(),
        "answered_on": _iso_date(handling.answered_on),
        "answer": last_answer.text if last_answer and handling.answered_on else None,
        **{name: getattr(appeal, name) or None for name in _PLAIN_FIELDS},
        **_listed_values(appeal),
        "born_on": _iso_date(appeal.born_on),
        "region": appeal.region_id,
        "district": appeal.district_id,
        "extra": _added_field_values(appeal),
    }


def ministry_document(ministry: Ministry, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return a snapshot, made by appeal_snapshot(), in the ministry's names and codes.

    A field without an entry in `ministry.codes` keeps our own codes. A field is left out if the
    settings map it to "", or map another field to its name. Fields that the manager added to the
    form are included under the ministry names that the manager gave them. Raises UnmappedCodeError
    if the settings lack a code, or if the appeal's data were removed by age.
    """
    if not snapshot.get("number"):
        raise UnmappedCodeError("the appeal's data were removed by age")
    entries: dict[str, Any] = {}
    missing, used_names = [], {*ministry.fields.values()}
    for name in FIELDS:
        if name in used_names and name not in ministry.fields:
            continue
        ministry_name, value = ministry.fields.get(name, name), snapshot.get(name)
        if not ministry_name:
            continue
        codes = ministry.codes.get(name)
        if codes is not None and value:
            if value not in codes:
                missing.append(f"{name} {value}")
            value = codes.get(value)
        entries[ministry_name] = value
    if missing:
        raise UnmappedCodeError(", ".join(missing))
    added_fields = snapshot.get("extra") or {}
    return {name: value for name, value in added_fields.items() if name not in entries} | entries


def _added_field_values(appeal: Appeal) -> dict[str, str]:
    """Return the values of the fields that the manager added to the form, by their ministry names.

    A value is the code, else the text. Fields without a ministry name or value are left out.
    """
    definition = forms.numbered_definition(forms.APPEAL_FORM, appeal.form_version)
    return {
        field.ministry: stored["code"] or stored["text"]
        for field in definition.fields
        if field.ministry and (stored := appeal.extra.get(field.name))
    }


def _listed_values(appeal: Appeal) -> dict[str, str | None]:
    """Return the values of the fields that are chosen from a list, and of the mahalla.

    A code, or the name of a listed mahalla, is under the field's name; a text that was typed
    instead is under NAME_text. The other of the two is None; both are if nothing was entered.
    """
    values = {name: getattr(appeal, name) for name in _LIST_FIELDS}
    items = CatalogItem.select(CatalogItem.catalog, CatalogItem.code).where(
        CatalogItem.catalog.in_(_LIST_FIELDS), CatalogItem.code.in_([*values.values()])
    )
    codes = {(item.catalog, item.code) for item in items}
    result: dict[str, str | None] = {}
    for name, value in values.items():
        is_code = (name, value) in codes
        result[name] = value if is_code else None
        is_free_text = not is_code and value not in ("", UNLISTED)  # UNLISTED: the text was masked
        result[f"{name}_text"] = value if is_free_text else None
    mahalla = appeal.mahalla
    name = mahalla and mahalla.name_uz_latn
    is_typed = bool(mahalla and mahalla.typed)
    places = {"mahalla": None if is_typed else name, "mahalla_text": name if is_typed else None}
    return result | places


def _iso_date(day: dt.date | None) -> str | None:
    """Return a date, if any, in ISO format."""
    return day.isoformat() if day else None
