"""An appeal as the ministry's system takes it: a flat document, its names and codes exchanged.

The snapshot is made with our names when something happens; they are exchanged when it is sent, so
that a code that was missing in the settings can be added and the message tried again.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from appliance.casework import forms
from appliance.casework.catalogs import UNLISTED
from appliance.core.settings import MINISTRY_FIELDS as FIELDS
from appliance.core.settings import Ministry
from appliance.models import Appeal, AppealStep, CatalogItem, Handling, personal_columns

_LISTS = ("appeal_type", "call_type", "direction", "group", "employment")  # a code, or as typed
_APART = (*_LISTS, "born_on", "district", "mahalla")  # those that are no plain text
_FORM = (
    *("applicant_kind", "openness"),
    *(name for name in personal_columns.of(Appeal) if name in FIELDS and name not in _APART),
)


class Unmapped(ValueError):
    """The settings name no code of the ministry's for one of ours; the text names them."""


def snapshot(appeal: Appeal) -> dict[str, Any]:
    """An appeal as it stands, by FIELDS: our codes, dates as 2026-11-24, None for what is not
    known. What was typed and is on no list stands under NAME_text."""
    now = Handling.get_by_id(appeal.id)
    answered = AppealStep.select().where(
        AppealStep.appeal == appeal.id, AppealStep.action == "answer"
    )
    last = answered.order_by(AppealStep.id.desc()).first()
    return {
        "number": appeal.number,
        "version": now.version,
        "state": now.state,
        "department": now.department.code if now.department_id else None,
        "received_at": appeal.received_at.isoformat(timespec="seconds"),
        "registered_on": now.registered_on.isoformat(),
        "due_on": now.due_on.isoformat(),
        "answered_on": _date(now.answered_on),
        "answer": last.text if last and now.answered_on else None,
        **{name: getattr(appeal, name) or None for name in _FORM},
        **_chosen(appeal),
        "born_on": _date(appeal.born_on),
        "region": appeal.region_id,
        "district": appeal.district_id,
        "extra": _added(appeal),
    }


def document(ministry: Ministry, taken: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot in the ministry's names and codes. Raises Unmapped.

    A list that `ministry.codes` does not name keeps our codes; a field set to "" is left out, and
    so is one whose name another was given. Fields that the manager added stand beside them, under
    the names that he gave them.
    """
    if not taken.get("number"):
        raise Unmapped("the appeal's data were removed by age")
    theirs: dict[str, Any] = {}
    missing, given = [], {*ministry.fields.values()}
    for name in FIELDS:
        if name in given and name not in ministry.fields:
            continue
        called, value = ministry.fields.get(name, name), taken.get(name)
        if not called:
            continue
        codes = ministry.codes.get(name)
        if codes is not None and value:
            if value not in codes:
                missing.append(f"{name} {value}")
            value = codes.get(value)
        theirs[called] = value
    if missing:
        raise Unmapped(", ".join(missing))
    added = taken.get("extra") or {}
    return {name: value for name, value in added.items() if name not in theirs} | theirs


def _added(appeal: Appeal) -> dict[str, str]:
    """The ministry's name → code, else text, of the added fields that have such a name."""
    definition = forms.of(forms.APPEAL, appeal.form_version)
    return {
        field.ministry: held["code"] or held["text"]
        for field in definition.fields
        if field.ministry and (held := appeal.extra.get(field.name))
    }


def _chosen(appeal: Appeal) -> dict[str, str | None]:
    """What was chosen from lists, and under NAME_text what was typed in place of it."""
    held = {name: getattr(appeal, name) for name in _LISTS}
    listed = CatalogItem.select(CatalogItem.catalog, CatalogItem.code).where(
        CatalogItem.catalog.in_(_LISTS), CatalogItem.code.in_([*held.values()])
    )
    codes = {(item.catalog, item.code) for item in listed}
    chosen: dict[str, str | None] = {}
    for name, value in held.items():
        is_code = (name, value) in codes
        chosen[name] = value if is_code else None
        typed = not is_code and value not in ("", UNLISTED)  # the latter was masked
        chosen[f"{name}_text"] = value if typed else None
    mahalla = appeal.mahalla
    name = mahalla and mahalla.name_uz_latn
    is_typed = bool(mahalla and mahalla.typed)
    places = {"mahalla": None if is_typed else name, "mahalla_text": name if is_typed else None}
    return chosen | places


def _date(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
