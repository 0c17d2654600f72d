"""What an alert tells of: an appeal, or a call on form №2, in one shape."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance.casework import identity
from appliance.core.i18n import N_
from appliance.models import Appeal, AppealWording, CallForm, Region, personal_columns
from appliance.models.personal_columns import Kind


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
    person: str  # surnames and names
    firms: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()  # of passport, PINFL, STIR those that are known
    born: frozenset[dt.date] = frozenset()
    phrases: tuple[str, ...] = ()  # other personal texts, as an address: left out word by word
    is_open: bool = True  # the applicant has not asked that nobody learns of him


NOBODY = Alerted("", "", dt.datetime.max.replace(tzinfo=dt.UTC), "", None, "", "", "", "")


def of_appeal(appeal: Appeal) -> Alerted:
    """An appeal as it is told."""
    return _alerted(
        N_("Appeal {number}, out of hours"),
        appeal,
        firms=tuple(personal_columns.values(Appeal, appeal, Kind.FIRM)),
        documents=tuple(personal_columns.values(Appeal, appeal, Kind.DOCUMENT)),
        born=frozenset(filter(None, (appeal.born_on,))),
        is_open=appeal.openness == "open",
    )


def of_corrected(appeal: Appeal) -> Alerted:
    """The same, with what the appeal said of the person before its corrections."""
    rows = AppealWording.select().where(AppealWording.appeal == appeal.id)
    return with_facts(of_appeal(appeal), *(facts(Appeal, row.values) for row in rows))


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


def facts(table: type[Appeal | CallForm], values: Mapping[str, Any]) -> dict[Kind, list[str]]:
    """Kind → what a form's values, or what was typed of them, say of the person."""
    found: dict[Kind, list[str]] = {}
    for name, column in personal_columns.of(table).items():
        text = str(values.get(name.removesuffix("_on"), "") or values.get(name, "") or "")
        if text:
            found.setdefault(column.kind, []).append(text)
    return found


def with_facts(alert: Alerted, *more: Mapping[Kind, list[str]]) -> Alerted:
    """An alert that leaves out further facts (`facts`) of the same person, too."""

    def every(kind: Kind) -> Iterator[str]:
        return (text for one in more for text in one.get(kind, ()))

    return replace(
        alert,
        person=" ".join((alert.person, *every(Kind.NAME))),
        firms=(*alert.firms, *every(Kind.FIRM)),
        documents=(*alert.documents, *every(Kind.DOCUMENT)),
        born=alert.born | set(filter(None, map(identity.born, every(Kind.BIRTH)))),
    )
