"""What an alert tells of: an appeal, or a call on form №2, in one shape."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from appliance.core.i18n import N_
from appliance.models import Appeal, CallForm, Region


@dataclass(frozen=True)
class Alerted:
    """An appeal or a registered call; what tells whose it is serves to leave it out of the gist."""

    head: str  # a message id with {number}
    number: str
    registered_at: dt.datetime
    direction: str
    region: Region | None
    region_text: str
    phone: str
    gist: str
    person: str  # surname and name
    firm: str = ""
    documents: tuple[str, ...] = ()  # of passport, PINFL, STIR those that are known
    born_on: dt.date | None = None
    is_open: bool = True  # the applicant has not asked that nobody learns of him


def of_appeal(appeal: Appeal) -> Alerted:
    """An appeal as it is told."""
    return _alerted(
        N_("Appeal {number}, out of hours"),
        appeal,
        firm=appeal.entity_name,
        documents=tuple(filter(None, (appeal.passport, appeal.pinfl, appeal.stir))),
        born_on=appeal.born_on,
        is_open=appeal.openness == "open",
    )


def of_call(form: CallForm) -> Alerted:
    """A registered call as it is told."""
    return _alerted(N_("Call {number}, out of hours"), form)


def _alerted(head: str, row: Appeal | CallForm, **only_appeals: Any) -> Alerted:
    """What both have, with what an appeal alone has."""
    return Alerted(
        head,
        row.number,
        row.registered_at,
        row.direction,
        row.region,
        row.region_text,
        row.phone or "",
        row.gist,
        f"{row.surname} {row.first_name}",
        **only_appeals,
    )
