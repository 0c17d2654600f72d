"""The columns that identify a citizen: the one list from which all other lists are derived.

Veiling of personal appeals, masking, exports, the ministry's document, alerts and the check of the
forms use it. Each text column is in PERSONAL, in STAYING (personal, with the reason why masking
leaves it) or in IMPERSONAL (with the reason why it holds nobody's data): a new column that is
missing from all three fails a test (tests/models/test_personal_columns.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from peewee import Model


class Kind(StrEnum):
    """What a personal column holds, which determines what masking leaves of it."""

    NAME = "name"
    FIRM = "firm"  # the name of a legal entity
    PHONE = "phone"
    DOCUMENT = "document"  # passport, PINFL, STIR
    BIRTH = "birth"
    ADDRESS = "address"
    # free text of form, step or answer: stays, without the person, where a law requires it
    TEXT = "text"
    NOTE = "note"  # free text of staff that no law requires to be stored
    CHOICE = "choice"  # a code of a list, which is counted, or text typed instead of one
    COUNTED = "counted"  # describes a person, identifies nobody, and is counted: stays
    COPY = "copy"  # derived from other columns, or a copy of everything typed
    FILE = "file"  # the name of a file that holds a person's data


# kinds that identify a person
IDENTIFYING = frozenset((Kind.NAME, Kind.FIRM, Kind.PHONE, Kind.DOCUMENT, Kind.BIRTH, Kind.ADDRESS))
_STAYING_KINDS = (Kind.COUNTED, Kind.CHOICE)


@dataclass(frozen=True)
class PersonalColumn:
    """One personal column.

    `hidden`: only readers of a personal appeal see it. `exported`: it is under `applicant` of an
    appeal that is exported by itself.
    """

    kind: Kind
    hidden: bool = True
    exported: bool = False


def _columns_of_kind(kind: Kind, names: str, **options: bool) -> dict[str, PersonalColumn]:
    return {name: PersonalColumn(kind, **options) for name in names.split()}


# Table → column → what it holds, in the order of exports.
PERSONAL: dict[str, dict[str, PersonalColumn]] = {
    "appeal": {
        **_columns_of_kind(Kind.NAME, "first_name surname", exported=True),
        **_columns_of_kind(Kind.FIRM, "entity_name", exported=True),
        **_columns_of_kind(Kind.DOCUMENT, "stir", exported=True),
        **_columns_of_kind(Kind.COUNTED, "sex", exported=True),
        **_columns_of_kind(Kind.ADDRESS, "address", exported=True),
        **_columns_of_kind(Kind.DOCUMENT, "passport pinfl", exported=True),
        **_columns_of_kind(Kind.PHONE, "phone phone_at_hand", exported=True),
        **_columns_of_kind(Kind.CHOICE, "group employment", exported=True),
        **_columns_of_kind(Kind.CHOICE, "appeal_type call_type direction", hidden=False),
        **_columns_of_kind(Kind.BIRTH, "born_on", exported=True),
        **_columns_of_kind(Kind.BIRTH, "born_text"),
        **_columns_of_kind(Kind.ADDRESS, "mahalla", exported=True),
        **_columns_of_kind(Kind.ADDRESS, "region_text district_text"),
        **_columns_of_kind(Kind.COUNTED, "district warnings"),
        **_columns_of_kind(Kind.TEXT, "gist consultation_issue consultation_contact"),
        **_columns_of_kind(Kind.COPY, "typed extra"),
    },
    "call_form": {
        **_columns_of_kind(Kind.NAME, "surname first_name"),
        **_columns_of_kind(Kind.ADDRESS, "address region_text"),
        **_columns_of_kind(Kind.PHONE, "phone"),
        **_columns_of_kind(Kind.COUNTED, "sex warnings"),
        **_columns_of_kind(Kind.CHOICE, "call_type direction call_direction", hidden=False),
        **_columns_of_kind(Kind.TEXT, "gist operator_answer"),
        **_columns_of_kind(Kind.COPY, "search_key typed extra"),
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

# Reason why masking leaves it → table → its columns.
STAYING: dict[str, dict[str, str]] = {
    "the ledger of calls, from which callers are counted": {
        "call": "caller callee diverted_from",
        "talk": "who",
        "transfer": "to",
        "event_row": "fields phone",
        "event_fragment": "text",
        "quarantined": "beginning",
        "follow_up": "number",
        "follow_up_mark": "number",
    },
    "the list of numbers that want no messages": {"sms_opt_out": "number"},
    "kept for five minutes, for limits": {"send_attempt": "recipient"},
    "the audit, which nobody can change": {"audit_entry": "subject detail"},
}

# Reason why it holds no citizen's data → table → its columns.
IMPERSONAL: dict[str, dict[str, str]] = {
    "of staff and their accounts": {
        "user": "login name name_cyrl role password_hash language theme extension sip_password "
        "phone phone_page phone_session page_password speaks topics",
        "presence": "state reason by",
        "sign_in_attempt": "login address device",
        "session": "hash address agent device factor source challenge",
        "authenticator": "secret",
        "recovery_code": "hash",
        "passkey": "credential public_key",
        "pin": "hash",
        "desk": "device factor",
        "identity": "source subject",
        "staff_record": "education",
        "staff_event": "kind note",
        "shift": "opens closes",
        "employee": "name position department number hours search_key",
        "desk_phone": "make mac token_hash set_up_from book_hash",
        "duty_alert": "taken_by",
        "line_quality": "call_id operator",
        "listening_right": "login",
        "access_key": "name hash hint scopes made_by confirmed_by revoked_by",
        "quarter_answer": "quarter published_note numbers",
        "number_hiding": "by",
        "appeal_reader": "login by",
        "audit_entry": "who action hash address",
    },
    "lists and their names": {
        "region": "soato name_uz_latn name_uz_cyrl name_ru",
        "district": "soato name_uz_latn name_uz_cyrl name_ru aliases search_key",
        "mahalla": "code",
        "catalog": "code name_uz_latn name_uz_cyrl name_ru",
        "catalog_item": "name_uz_latn name_uz_cyrl name_ru catalog code",
        "calendar_day": "name_uz_latn name_uz_cyrl name_ru kind",
        "department": "name_uz_latn name_uz_cyrl name_ru code",
        "direction_route": "direction",
        "pause_limit": "reason",
    },
    "numbers, codes and states of records": {
        "applicant": "kind",
        "appeal": "number call_id applicant_kind openness token",
        "call_form": "number call_id appeal_number token",
        "field_value": "form number call_id field",
        "draft": "token call_id form",
        "refused_form": "token address trouble",
        "answer_draft": "action department",
        "appeal_reveal": "login",
        "appeal_wording": "replaced_by",
        "call_form_wording": "replaced_by",
        "handling": "state holder term",
        "appeal_step": "who action",
        "consultation": "done_by",
        "announcement": "",
        "number_note": "by changed_by removed_by",
        "scheduled_callback": "call_id made_by done_by",
        "follow_up": "kind call_id language topic outcome closed_by claimed_by",
        "follow_up_mark": "outcome by",
        "legal_hold": "kind subject by ended_by",
        "removal": "kind subject rule detail",
        "evidence_pack": "call_id appeal by state sha256",
        "data_request": "kind language by state records done_by",
        "listening": "login call_id",
        "article_miss": "who",
        "sms_rating": "call_id token language how",
        "message": "channel purpose cause key state claimed_by gateway foreign_id trouble",
        "held_message": "former account word",
        "early_report": "gateway foreign_id outcome",
        "send_attempt": "channel",
        "sms_opt_out": "by",
        "search_entry": "kind ref",
        "search_word": "kind",
        "ministry_event": "id number action outcome",
        "ministry_link": "name cursor trouble trouble_text",
        "ministry_package": "way sha256",
        "script_run": "token call_id language result step",
        "script_step": "step how",
        "article_opening": "who locale call_id token",
    },
    "of calls, without a number of a citizen": {
        "call": "id direction hotline_number trunk technology language menu stage outcome ended_by "
        "rating_channel topic sip by reason serves",
        "queue_visit": "queue result why",
        "ring": "operator extension result",
        "talk": "party extension",
        "transfer": "kind by result",
        "dial_attempt": "trunk status cause",
        "merged_call": "linkedid call_id",
        "recording": "file call_id sha256 kept peaks",  # the sound has its own rule
        "event_row": "hash linkedid event uniqueid begins",
        "event_file": "fingerprint",
        "event_fragment": "hash",
        "quarantined": "hash kind file linkedid",
        "seen_call": "linkedid begins",
        "copy_check": "state trouble said counts",
        "sip_refusal": "sip address why",
    },
    "texts of the product and of the site, for everybody": {
        "form_version": "form fields by",
        "script": "code",
        "script_version": "state by decided_by words definition",
        "article": "slug section topics other_words",
        "article_version": "state by decided_by words script title_uz text_uz title_ru text_ru "
        "source law law_number files",
        "article_file": "name kind content who",
        "prompt": "language name trouble",
        "prompt_version": "kind text meant sha256 author",
        "notice_text": "purpose language text",
        "sms_template": "name uz ru",
        "text_approval": "account purpose language text state by",
        "plan_version": "author note document",
    },
    "what the ministry asks to change in the product": {
        "change_request": "kind what why author state responsible",
        "change_step": "who action text",
        "change_file": "name content who",
        "change_link": "who kind ref title before after",
    },
    "the machine, its links and its work": {
        "device": "name kind",
        "live_event": "topic",
        "audit_anchor": "hash signature",
        "tariff": "direction trunk number rounding made_by",
        "issued_report": "name by formulas",
        "issued_file": "locale kind sha256",
        "report_run": "name period upto by state claim error",
        "telegram_chat": "old chat",
        "telegram_bot": "name trouble",
        "disk_reading": "disk",
        "job_run": "name state result holder",
        "sms_health": "account trouble trouble_text",
        "notice_rule": "purpose account",
        "trunk_state": "name state registration error",
        "span_state": "trunk alarm error channels",
        "line_trial": "trunk number by result cause",  # the site's own numbers
        "exchange_look": "name missing",
        "process_state": "name holder version",
        "check_state": "code name state seen advice values",
        "alarm": "code name values",
        "self_test": "kind failed seen steps call_id",
        "link_stretch": "link seen",
        "rate_reading": "trouble",
        "host_address": "name addresses",
        "snapshot_run": "kind repository snapshot state trouble said detail by",
    },
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
    """Return column → value shown to a reader who may not read a personal appeal."""
    return {
        name: empty_value(table, name)
        for name, column in personal_columns_of(table).items()
        if column.hidden
    }


def exported_columns(table: type[Model]) -> tuple[str, ...]:
    """Return the columns that are exported with the applicant, in order."""
    return tuple(name for name, column in personal_columns_of(table).items() if column.exported)


def masked_values(table: type[Model], *excluded_kinds: Kind) -> dict[str, Any]:
    """Return column → value after masking, except counted columns and some kinds."""
    columns = personal_columns_of(table).items()
    return {
        name: empty_value(table, name)
        for name, column in columns
        if column.kind not in (*_STAYING_KINDS, *excluded_kinds)
    }


def is_identifying(table: type[Model], field: str) -> bool:
    """Return True if a form's field identifies a person, by its column or its date column."""
    columns = personal_columns_of(table)
    return any(
        column.kind in IDENTIFYING
        for name in (field, f"{field}_on")
        if (column := columns.get(name))
    )


def column_values(table: type[Model], row: Any, *kinds: Kind) -> Iterator[str]:
    """Yield a row's non-empty values in its columns of the given kinds."""
    yield from (str(value) for name in column_names(table, *kinds) if (value := getattr(row, name)))


def empty_value(table: type[Model], name: str) -> Any:
    """Return the empty value of a column."""
    field = table._meta.fields[name]
    if field.null:
        return None
    return field.default() if callable(field.default) else ""
