"""The subject of an alert: an appeal, or a call registered on form №2, in one common class.

The gist is the summary of the matter as the operator wrote it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appliance.casework import forms, identity
from appliance.core.i18n import N_
from appliance.models import (
    Appeal,
    AppealWording,
    CallForm,
    CallFormWording,
    Mahalla,
    Region,
    personal_columns,
)
from appliance.models.personal_columns import Kind

type Facts = dict[Kind, list[str]]

_MIN_ADDRESS_LETTERS = 5  # a shorter address, such as "12-uy", occurs in too many texts
# The kind of personal data in an added field, by the field's own kind; any other is an address.
_KIND_BY_FIELD_KIND = {
    "name": Kind.NAME,
    "phone": Kind.PHONE,
    "document": Kind.DOCUMENT,
    "date": Kind.BIRTH,
}


@dataclass(frozen=True)
class AlertSubject:
    """An appeal or a registered call, with the personal data to be removed from its gist."""

    head: str  # a message id with {number}
    number: str
    registered_at: dt.datetime
    direction: str
    region: Region | None
    phone: str
    gist: str
    is_open: bool = True  # the applicant has not asked for confidentiality
    person: str = ""  # surnames and names
    firms: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()  # numbers of passport, PINFL and STIR, as far as known
    born: frozenset[dt.date] = frozenset()
    phrases: tuple[str, ...] = ()  # other personal texts to remove, such as an address


EMPTY_SUBJECT = AlertSubject("", "", dt.datetime.max.replace(tzinfo=dt.UTC), "", None, "", "")


def subject_of_appeal(appeal: Appeal) -> AlertSubject:
    """Return the alert subject of an appeal."""
    head = N_("Appeal {number}, outside working hours")
    return _build_subject(head, appeal, is_open=appeal.openness == "open")


def subject_of_call(form: CallForm) -> AlertSubject:
    """Return the alert subject of a registered call."""
    return _build_subject(N_("Call {number}, outside working hours"), form)


def add_corrections(subject: AlertSubject, row: Appeal | CallForm) -> AlertSubject:
    """Return a row's subject with the personal data that the row had before its corrections."""
    if isinstance(row, Appeal):
        wordings = AppealWording.select().where(AppealWording.appeal == row.id)
    else:
        wordings = CallFormWording.select().where(CallFormWording.call_form == row.id)
    return add_personal_facts(
        subject, *(personal_facts(type(row), wording.values) for wording in wordings)
    )


def _build_subject(head: str, row: Appeal | CallForm, *, is_open: bool = True) -> AlertSubject:
    subject = AlertSubject(
        *(head, row.number, row.registered_at, row.direction, row.region, row.phone or ""),
        gist=row.gist,
        is_open=is_open,
    )
    values = (row.__data__, row.typed)
    facts = (personal_facts(type(row), texts) for texts in values)
    return add_personal_facts(subject, *facts, added_field_facts(row))


def personal_facts(table: type[Appeal | CallForm], values: Mapping[str, Any]) -> Facts:
    """Return the personal data in the values of a row or a form, by kind; also as typed.

    The name of a mahalla is included only if an operator typed it, not if it is from the list.
    """
    texts = {**values, "mahalla": values.get("mahalla_text") or _typed_mahalla_name(values)}
    facts: Facts = {}
    for name, column in personal_columns.personal_columns_of(table).items():
        text = str(texts.get(name.removesuffix("_on"), "") or texts.get(name, "") or "")
        if text:
            facts.setdefault(column.kind, []).append(text)
    return facts


def added_field_facts(row: Appeal | CallForm) -> Facts:
    """Return the personal data in the fields that the manager added to a row's form, by kind."""
    form, version = (
        (forms.APPEAL_FORM, row.form_version)
        if isinstance(row, Appeal)
        else (forms.CALL_FORM, row.version)
    )
    facts: Facts = {}
    for field in forms.numbered_definition(form, version).fields if row.extra else ():
        if field.personal and (entry := row.extra.get(field.name)) and entry["text"]:
            kind = _KIND_BY_FIELD_KIND.get(field.kind, Kind.ADDRESS)
            facts.setdefault(kind, []).append(entry["text"])
    return facts


def add_personal_facts(subject: AlertSubject, *more_facts: Facts) -> AlertSubject:
    """Return the subject with further personal facts of the same person to remove."""

    def texts_of_kind(kind: Kind) -> Iterator[str]:
        return (text for facts in more_facts for text in facts.get(kind, ()))

    addresses = (
        text
        for text in texts_of_kind(Kind.ADDRESS)
        if sum(map(str.isalpha, text)) >= _MIN_ADDRESS_LETTERS
    )
    return replace(
        subject,
        person=" ".join((subject.person, *texts_of_kind(Kind.NAME))),
        firms=(*subject.firms, *texts_of_kind(Kind.FIRM)),
        documents=(*subject.documents, *texts_of_kind(Kind.DOCUMENT)),
        born=subject.born | set(filter(None, map(identity.parse_date, texts_of_kind(Kind.BIRTH)))),
        phrases=(*subject.phrases, *addresses),
    )


def _typed_mahalla_name(values: Mapping[str, Any]) -> str:
    """Return the name of the mahalla whose id is among the values, if an operator typed it."""
    mahalla_id = str(values.get("mahalla") or "")
    if not mahalla_id.isdigit():
        return ""
    mahalla = Mahalla.get_or_none(Mahalla.id == int(mahalla_id), Mahalla.typed)
    return mahalla.name_uz_latn if mahalla else ""
