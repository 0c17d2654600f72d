"""What an alert tells of: an appeal, or a call on form №2, in one shape."""

import datetime as dt
from dataclasses import dataclass

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
    return Alerted(
        N_("Appeal {number}, out of hours"),
        appeal.number,
        appeal.registered_at,
        appeal.direction,
        appeal.region,
        appeal.region_text,
        appeal.phone or "",
        appeal.gist,
        f"{appeal.surname} {appeal.first_name}",
        appeal.entity_name,
        tuple(filter(None, (appeal.passport, appeal.pinfl, appeal.stir))),
        appeal.born_on,
        appeal.openness == "open",
    )


def of_call(form: CallForm) -> Alerted:
    """A registered call as it is told."""
    return Alerted(
        N_("Call {number}, out of hours"),
        form.number,
        form.registered_at,
        form.direction,
        form.region,
        form.region_text,
        form.phone or "",
        form.gist,
        f"{form.surname} {form.first_name}",
    )
