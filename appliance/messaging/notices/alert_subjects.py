"""The subject of an alert: an appeal or a call on form №2, in one shape."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance.casework import identity
from appliance.core.i18n import N_
from appliance.models import Appeal, AppealWording, CallForm, Region, personal_columns
from appliance.models.personal_columns import Kind


@dataclass(frozen=True)
class AlertSubject:
    """An appeal or a registered call; its personal data serve to remove them from the gist."""

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
    documents: tuple[str, ...] = ()  # those known of passport, PINFL, STIR
    born: frozenset[dt.date] = frozenset()
    phrases: tuple[str, ...] = ()  # other personal texts, such as an address: removed word by word
    is_open: bool = True  # the applicant has not asked for confidentiality


EMPTY_SUBJECT = AlertSubject(
    "", "", dt.datetime.max.replace(tzinfo=dt.UTC), "", None, "", "", "", ""
)


def subject_of_appeal(appeal: Appeal) -> AlertSubject:
    """Return the alert subject of an appeal."""
    return _build_subject(
        N_("Appeal {number}, outside working hours"),
        appeal,
        firms=tuple(personal_columns.column_values(Appeal, appeal, Kind.FIRM)),
        documents=tuple(personal_columns.column_values(Appeal, appeal, Kind.DOCUMENT)),
        born=frozenset(filter(None, (appeal.born_on,))),
        is_open=appeal.openness == "open",
    )


def subject_with_corrections(appeal: Appeal) -> AlertSubject:
    """Return an appeal's alert subject, with personal data from before its corrections."""
    rows = AppealWording.select().where(AppealWording.appeal == appeal.id)
    return add_personal_facts(
        subject_of_appeal(appeal), *(personal_facts(Appeal, row.values) for row in rows)
    )


def subject_of_call(form: CallForm) -> AlertSubject:
    """Return the alert subject of a registered call."""
    return _build_subject(N_("Call {number}, outside working hours"), form)


def _build_subject(head: str, row: Appeal | CallForm, **appeal_fields: Any) -> AlertSubject:
    """Return a subject with the common fields, and those that only appeals have."""
    return AlertSubject(
        head,
        row.number,
        row.registered_at,
        row.direction,
        row.region,
        row.region_text,
        row.phone or "",
        row.gist,
        f"{row.surname} {row.first_name}",
        **appeal_fields,
    )


def personal_facts(
    table: type[Appeal | CallForm], values: Mapping[str, Any]
) -> dict[Kind, list[str]]:
    """Return kind → personal data in a form's values, including values as typed."""
    facts: dict[Kind, list[str]] = {}
    for name, column in personal_columns.personal_columns_of(table).items():
        text = str(values.get(name.removesuffix("_on"), "") or values.get(name, "") or "")
        if text:
            facts.setdefault(column.kind, []).append(text)
    return facts


def add_personal_facts(
    subject: AlertSubject, *more_facts: Mapping[Kind, list[str]]
) -> AlertSubject:
    """Return the subject with further personal facts of the same person to remove."""

    def texts_of_kind(kind: Kind) -> Iterator[str]:
        return (text for facts in more_facts for text in facts.get(kind, ()))

    return replace(
        subject,
        person=" ".join((subject.person, *texts_of_kind(Kind.NAME))),
        firms=(*subject.firms, *texts_of_kind(Kind.FIRM)),
        documents=(*subject.documents, *texts_of_kind(Kind.DOCUMENT)),
        born=subject.born
        | set(filter(None, map(identity.parse_birth_date, texts_of_kind(Kind.BIRTH)))),
    )
