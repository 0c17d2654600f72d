"""The columns with citizens' personal data: the one list from which all other lists are derived.

It is used to hide personal appeals from users who may not read them, to mask records (remove their
personal data), and for exports, the ministry's document, alerts and the product's forms. Each text
column, and each column of appeals, applicants and registered calls, is in PERSONAL, or with a
reason in STAYING or IMPERSONAL of models/unmasked_columns.py. If a new column is in no list, or is
not treated as declared, a test fails (tests/models/test_personal_columns.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from peewee import Model


class Kind(StrEnum):
    """The kind of data in a personal column, which determines what masking leaves of it."""

    NAME = "name"
    FIRM = "firm"  # the name of a legal entity
    PHONE = "phone"
    DOCUMENT = "document"  # passport, PINFL, STIR
    BIRTH = "birth"
    ADDRESS = "address"
    # free text of a form, step or answer; if a law requires it, only the person is removed from it
    TEXT = "text"
    NOTE = "note"  # free text of staff that no law requires to be stored
    CHOICE = "choice"  # a code of a list, which is counted, or text typed instead of one
    COUNTED = "counted"  # describes a person but identifies nobody; not masked, as reports count it
    COPY = "copy"  # derived from other columns, or a copy of everything typed
    FILE = "file"  # the name of a file that holds a person's data


# The kinds that identify a person.
IDENTIFYING = frozenset((Kind.NAME, Kind.FIRM, Kind.PHONE, Kind.DOCUMENT, Kind.BIRTH, Kind.ADDRESS))
_STAYING_KINDS = (Kind.COUNTED, Kind.CHOICE)


@dataclass(frozen=True)
class PersonalColumn:
    """One personal column. Each text is the reason for an exception; "": no exception.

    Unless there is an exception, a column of a form is hidden from users who may not read a
    personal appeal, is exported under `applicant` with a single appeal, and is contained in tables
    of many records and in the ministry's document. For the other tables only the kind matters.
    """

    kind: Kind
    not_hidden: str = ""
    not_under_applicant: str = ""
    not_in_tables: str = ""
    not_for_ministry: str = ""


def _columns_of_kind(kind: Kind, names: str, **exceptions: str) -> dict[str, PersonalColumn]:
    return {name: PersonalColumn(kind, **exceptions) for name in names.split()}


_SORTED_BY = "appeals are listed and routed by it, also those that one may not read"
_BULK = "a document number of many people at once serves nobody (law OʻRQ-445, article 19)"
_OWN_KEY = "the appeal has a key of its own for it"
_OF_CALL = "it describes the call, not the applicant"
_NO_KEY = "a text without a code or a date: only tables and the ministry's document have it"
_REPORTED = "list 5 of the monthly report prints it"
_DOUBTS = "codes of doubts, which only the card shows"
_RETYPED = "the spelling before normalisation, which only the card shows"
_INDEX = "what a search finds the registered call by"
_BY_FIELD = "the form decides about each field that the manager added"
_ALL_EXPORTS = ("not_under_applicant", "not_in_tables", "not_for_ministry")

# The personal columns by table and name, in the order of exports.
PERSONAL: dict[str, dict[str, PersonalColumn]] = {
    "appeal": {
        **_columns_of_kind(Kind.NAME, "first_name surname"),
        **_columns_of_kind(Kind.FIRM, "entity_name"),
        **_columns_of_kind(Kind.DOCUMENT, "stir"),
        **_columns_of_kind(Kind.COUNTED, "sex"),
        **_columns_of_kind(Kind.ADDRESS, "address"),
        **_columns_of_kind(Kind.DOCUMENT, "passport pinfl", not_in_tables=_BULK),
        **_columns_of_kind(Kind.PHONE, "phone phone_at_hand"),
        **_columns_of_kind(Kind.CHOICE, "group employment"),
        **_columns_of_kind(
            Kind.CHOICE,
            "appeal_type direction",
            not_hidden=_SORTED_BY,
            not_under_applicant=_OWN_KEY,
        ),
        **_columns_of_kind(
            Kind.CHOICE, "call_type", not_hidden=_SORTED_BY, not_under_applicant=_OF_CALL
        ),
        **_columns_of_kind(Kind.BIRTH, "born_on"),
        **_columns_of_kind(Kind.BIRTH, "born_text", not_under_applicant=_NO_KEY),
        **_columns_of_kind(Kind.ADDRESS, "mahalla"),
        **_columns_of_kind(Kind.ADDRESS, "region_text district_text", not_under_applicant=_NO_KEY),
        **_columns_of_kind(Kind.COUNTED, "district", not_under_applicant=_OWN_KEY),
        **_columns_of_kind(Kind.COUNTED, "warnings", **dict.fromkeys(_ALL_EXPORTS, _DOUBTS)),
        **_columns_of_kind(Kind.TEXT, "gist", not_under_applicant=_OWN_KEY),
        **_columns_of_kind(
            Kind.TEXT,
            "consultation_issue consultation_contact",
            **dict.fromkeys(_ALL_EXPORTS, _REPORTED),
        ),
        **_columns_of_kind(Kind.COPY, "typed", **dict.fromkeys(_ALL_EXPORTS, _RETYPED)),
        **_columns_of_kind(Kind.COPY, "extra", **dict.fromkeys(_ALL_EXPORTS, _BY_FIELD)),
    },
    "call_form": {
        **_columns_of_kind(Kind.NAME, "surname first_name"),
        **_columns_of_kind(Kind.ADDRESS, "address region_text"),
        **_columns_of_kind(Kind.PHONE, "phone"),
        **_columns_of_kind(Kind.COUNTED, "sex"),
        **_columns_of_kind(Kind.COUNTED, "warnings", not_in_tables=_DOUBTS),
        **_columns_of_kind(
            Kind.CHOICE, "call_type direction call_direction", not_hidden=_SORTED_BY
        ),
        **_columns_of_kind(Kind.TEXT, "gist operator_answer"),
        **_columns_of_kind(Kind.COPY, "search_key", not_in_tables=_INDEX),
        **_columns_of_kind(Kind.COPY, "typed", not_in_tables=_RETYPED),
        **_columns_of_kind(Kind.COPY, "extra", not_in_tables=_BY_FIELD),
    },
    "applicant": {
        **_columns_of_kind(Kind.NAME, "first_name surname"),
        **_columns_of_kind(Kind.FIRM, "entity_name"),
        **_columns_of_kind(Kind.DOCUMENT, "stir passport pinfl"),
        **_columns_of_kind(Kind.PHONE, "phone"),
        **_columns_of_kind(Kind.BIRTH, "born_on"),
        **_columns_of_kind(Kind.COPY, "search_key sex"),
    },
    "appeal_step": _columns_of_kind(Kind.TEXT, "text") | _columns_of_kind(Kind.COPY, "detail"),
    "appeal_wording": _columns_of_kind(Kind.COPY, "values"),
    "call_form_wording": _columns_of_kind(Kind.COPY, "values"),
    "consultation": _columns_of_kind(Kind.TEXT, "result"),
    "answer_draft": _columns_of_kind(Kind.NOTE, "text"),
    "draft": _columns_of_kind(Kind.COPY, "values"),
    "refused_form": _columns_of_kind(Kind.COPY, "values"),
    "field_value": _columns_of_kind(Kind.CHOICE, "code"),
    "mahalla": _columns_of_kind(
        Kind.ADDRESS, "name_uz_latn name_uz_cyrl name_ru search_key"
    ),  # those that operators typed
    "message": _columns_of_kind(Kind.PHONE, "recipient")
    | _columns_of_kind(Kind.COPY, "text payload")
    | _columns_of_kind(Kind.NOTE, "trouble_text"),
    "ministry_event": _columns_of_kind(Kind.TEXT, "text"),
    "ministry_package": _columns_of_kind(Kind.COPY, "body"),  # emptied when its receipt arrives
    "sms_rating": _columns_of_kind(Kind.PHONE, "number"),
    "number_note": _columns_of_kind(Kind.PHONE, "number") | _columns_of_kind(Kind.NOTE, "text"),
    "scheduled_callback": _columns_of_kind(Kind.PHONE, "number")
    | _columns_of_kind(Kind.NOTE, "note"),
    "follow_up": _columns_of_kind(Kind.NOTE, "note"),
    "follow_up_mark": _columns_of_kind(Kind.NOTE, "note"),
    "legal_hold": _columns_of_kind(Kind.NOTE, "why"),
    "evidence_pack": _columns_of_kind(Kind.NOTE, "reason error")
    | _columns_of_kind(Kind.FILE, "file"),
    "appeal_reveal": _columns_of_kind(Kind.NOTE, "reason"),
    "listening": _columns_of_kind(Kind.NOTE, "reason"),
    "announcement": _columns_of_kind(Kind.NOTE, "text"),
    "article_miss": _columns_of_kind(Kind.NOTE, "text") | _columns_of_kind(Kind.COPY, "key"),
    "data_request": {
        **_columns_of_kind(Kind.NAME, "person"),
        **_columns_of_kind(Kind.PHONE, "phone"),
        **_columns_of_kind(Kind.DOCUMENT, "proof"),
        **_columns_of_kind(Kind.NOTE, "what"),
        **_columns_of_kind(Kind.TEXT, "answer"),
    },
    "issued_report": _columns_of_kind(Kind.COPY, "cells"),
    "issued_file": _columns_of_kind(Kind.FILE, "file"),
    "search_entry": _columns_of_kind(Kind.COPY, "title names about text"),
    "search_word": _columns_of_kind(Kind.COPY, "word"),
    "search_text": _columns_of_kind(Kind.COPY, "names text"),
}


def personal_columns_of(table: type[Model]) -> Mapping[str, PersonalColumn]:
    """Return the personal columns of a table by name."""
    return PERSONAL.get(table._meta.table_name, {})


def column_names(table: type[Model], *kinds: Kind) -> tuple[str, ...]:
    """Return the names of a table's personal columns of the given kinds, or of all kinds."""
    return tuple(
        name
        for name, column in personal_columns_of(table).items()
        if not kinds or column.kind in kinds
    )


def hidden_values(table: type[Model]) -> dict[str, Any]:
    """Return the values that replace the columns hidden from users who may not read an appeal."""
    return {
        name: empty_value(table, name)
        for name, column in personal_columns_of(table).items()
        if not column.not_hidden
    }


def applicant_columns(table: type[Model]) -> tuple[str, ...]:
    """Return the columns that are exported under `applicant` with a single appeal, in order."""
    columns = personal_columns_of(table).items()
    return tuple(name for name, column in columns if not column.not_under_applicant)


def ministry_columns(table: type[Model], *kinds: Kind) -> tuple[str, ...]:
    """Return the columns in the ministry's document, of the given kinds, or of all kinds."""
    columns = personal_columns_of(table)
    return tuple(name for name in column_names(table, *kinds) if not columns[name].not_for_ministry)


def masked_values(table: type[Model], *excluded_kinds: Kind) -> dict[str, Any]:
    """Return the values after masking of the columns that are masked, by name.

    Columns of `excluded_kinds` are left out, as well as those that masking never changes.
    """
    columns = personal_columns_of(table).items()
    return {
        name: empty_value(table, name)
        for name, column in columns
        if column.kind not in (*_STAYING_KINDS, *excluded_kinds)
    }


def is_identifying(table: type[Model], field: str) -> bool:
    """Return True if a form's field identifies a person, according to its column.

    The column of a field with a date has the suffix `_on`.
    """
    return any(column.kind in IDENTIFYING for column in _field_columns(table, field))


def is_in_tables(table: type[Model], field: str) -> bool:
    """Return True if tables of many records may contain a form's field."""
    return not any(column.not_in_tables for column in _field_columns(table, field))


def has_identifying_text(row: Model, field: str) -> bool:
    """Return True if a text that may identify a person was typed instead of the field's code."""
    name = f"{field}_text"
    column = personal_columns_of(type(row)).get(name)
    return column is not None and column.kind in IDENTIFYING and bool(getattr(row, name))


def column_values(table: type[Model], row: Any, *kinds: Kind) -> Iterator[str]:
    """Yield a row's non-empty values in its columns of the given kinds."""
    yield from (str(value) for name in column_names(table, *kinds) if (value := getattr(row, name)))


def identifies_person(row: Model) -> bool:
    """Return True if a row has a value that identifies a person, so it was not masked yet."""
    return any(column_values(type(row), row, *IDENTIFYING))


def empty_value(table: type[Model], name: str) -> Any:
    """Return the empty value of a column."""
    field = table._meta.fields[name]
    if field.null:
        return None
    return field.default() if callable(field.default) else ""


def _field_columns(table: type[Model], field: str) -> list[PersonalColumn]:
    """Return the personal columns of a form's field: `field` and the date column `field`_on."""
    columns = personal_columns_of(table)
    return [columns[name] for name in (field, f"{field}_on") if name in columns]
