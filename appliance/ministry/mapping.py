"""An appeal as the ministry's system takes it: a flat document, its names and codes exchanged.

The snapshot is made with our names when something happens; they are exchanged when it is sent, so
that a code that was missing in the settings can be added and the message tried again.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from appliance.models import Appeal, AppealStep, Handling
from appliance.settings import Ministry

LISTS = ("appeal_type", "call_type", "direction", "group", "employment", "region", "district")
_FORM = (
    *("applicant_kind", "appeal_type", "call_type", "direction", "group", "employment"),
    *("openness", "first_name", "surname", "entity_name", "stir", "sex", "passport", "pinfl"),
    *("region_text", "district_text", "address", "phone", "phone_at_hand", "gist"),
)
FIELDS = (
    *("number", "version", "state", "department", "received_at", "registered_on", "due_on"),
    *("answered_on", "answer", *_FORM, "born_on", "region", "district", "mahalla"),
)


class Unmapped(ValueError):
    """The settings say nothing, or nonsense, about a code or a field; the text names them."""


def snapshot(appeal: Appeal) -> dict[str, Any]:
    """An appeal as it stands, by FIELDS: our codes, dates as 2026-11-24, None for what is not
    known."""
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
        "born_on": _date(appeal.born_on),
        "region": appeal.region_id,
        "district": appeal.district_id,
        "mahalla": appeal.mahalla.name_uz_latn if appeal.mahalla_id else None,
    }


def document(ministry: Ministry, taken: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot in the ministry's names and codes. Raises Unmapped.

    A list that `ministry.codes` does not name keeps our codes; a field set to "" is left out.
    """
    if strange := sorted({*ministry.fields} - {*FIELDS}):
        raise Unmapped(f"ministry.fields: {', '.join(strange)}")
    if strange := sorted({*ministry.codes} - {*LISTS}):
        raise Unmapped(f"ministry.codes: {', '.join(strange)}")
    if not taken.get("number"):
        raise Unmapped("the appeal's data were removed by age")
    theirs: dict[str, Any] = {}
    missing = []
    for name in FIELDS:
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
    return theirs


def _date(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
