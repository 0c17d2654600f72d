"""Rows that name a citizen but are not their records: texts and searches of staff.

They are searched before anything is masked, outside the write lock, and changed under it.
"""

import datetime as dt
import functools
import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import alifbo
from peewee import Expression, Field, fn

from appliance.box.retention import removal_log
from appliance.box.retention.identity import Identity
from appliance.box.retention.removal_batches import RemovalBatches
from appliance.core import script
from appliance.core.db import row_batches
from appliance.core.i18n import fold_text
from appliance.models import (
    TABLES,
    Announcement,
    Appeal,
    AppealReveal,
    ArticleMiss,
    Call,
    DataRequest,
    Draft,
    EvidencePack,
    LegalHold,
    Listening,
    Message,
    RefusedForm,
    personal_columns,
)
from appliance.models.personal_columns import Kind

type Change = Callable[[], object]

_APOSTROPHE = re.compile("[ʻʼ'‘’`]")
_INFLECTED_ENDINGS = "aeiouyаеёиоуўыэюяй"  # vowels in which inflected forms of a name differ
_MAX_UNINFLECTED_LETTERS = 4  # a name this short keeps its ending

_OWN_FUNCTIONS = (ArticleMiss, DataRequest, Message)  # tables with functions of their own below
# Free texts of staff about anyone: the citizen's data are cut out of them.
_NOTE_COLUMNS: tuple[tuple[Any, Field], ...] = tuple(
    (table, table._meta.fields[name])
    for table in TABLES
    if table not in _OWN_FUNCTIONS
    for name in personal_columns.column_names(table, Kind.NOTE)
)


def trace_changes(citizen: Identity) -> list[Change]:
    """Return the changes that remove a citizen from rows that are not their records.

    The caller calls them later, under the write lock.
    """
    changes: list[Change] = [
        *_draft_deletions(citizen),
        *_refused_form_deletions(citizen),
        *_miss_changes(citizen),
        *_message_changes(citizen),
    ]
    is_possible_mention = functools.cache(citizen.is_possible_mention)  # the same reasons recur
    for table, column in _NOTE_COLUMNS:
        for rows in row_batches(table.select().where(column != ""), table.id):
            changes += [
                functools.partial(_redact_note, citizen, row, column)
                for row in rows
                if is_possible_mention(getattr(row, column.name))
            ]
    return changes + list(_request_changes(citizen))


def blank_record_notes(numbers: set[str], calls: set[str]) -> None:
    """Blank what staff noted about records, within a write transaction.

    `numbers` are those of appeals, `calls` the ids of calls.
    """
    subjects = [*numbers, *calls]
    appeals = Appeal.select().where(Appeal.number.in_(numbers))
    for table, is_about_records in (
        (LegalHold, LegalHold.subject.in_(subjects) & LegalHold.ended_at.is_null(False)),
        (EvidencePack, EvidencePack.appeal.in_(numbers) | EvidencePack.call_id.in_(calls)),
        (Listening, Listening.call_id.in_(calls)),
        (AppealReveal, AppealReveal.appeal.in_(appeals)),
    ):
        names = personal_columns.column_names(table, Kind.NOTE)
        table.update(dict.fromkeys(names, "")).where(is_about_records).execute()


def blank_old_notes(batches: RemovalBatches, before: dt.datetime, rule: str) -> int:
    """Blank staff texts from before `before` that belong to no record; returns the row count."""
    count = 0
    for table, time_column, conditions in _AGING_TABLES:
        blank = personal_columns.masked_values(table)
        has_text = functools.reduce(
            operator.or_, (table._meta.fields[name] != "" for name in blank)
        )

        def blank_note_row(row: Any, table: Any = table, blank: dict[str, Any] = blank) -> bool:
            removal_log.record_removal("note", f"{table._meta.table_name}:{row.id}", rule)
            table.update(blank).where(table.id == row.id).execute()
            return True

        due = table.select().where(time_column < before, has_text, *conditions)
        count += batches.remove_rows(due, table.id, blank_note_row)
    return count


_AGING_TABLES: tuple[tuple[Any, Field, tuple[Expression, ...]], ...] = (
    (Announcement, Announcement.sent_at, ()),
    (ArticleMiss, ArticleMiss.at, ()),
    (Listening, Listening.at, ()),
    (EvidencePack, EvidencePack.asked_at, (EvidencePack.state.in_(("gone", "failed")),)),
    (AppealReveal, AppealReveal.at, ()),
    (LegalHold, LegalHold.ended_at, (LegalHold.ended_at.is_null(False),)),
    (DataRequest, DataRequest.done_at, (DataRequest.done_at.is_null(False),)),
)


def _redact_note(citizen: Identity, row: Any, column: Field) -> None:
    """Cut the citizen's data out of the current text, which its author may have continued."""
    current_row = type(row).get_or_none(type(row).id == row.id)
    if current_row:
        text = citizen.redact_shared_text(getattr(current_row, column.name))
        _row_update(row, {column.name: text})()


def _row_update(row: Any, columns: dict[str, Any]) -> Change:
    """Return the update of one row, to be executed later."""
    change: Change = type(row).update(columns).where(type(row).id == row.id).execute
    return change


def _draft_deletions(citizen: Identity) -> Iterator[Change]:
    """Yield the deletions of the citizen's drafts, except of those for a current call.

    The appeal of a current call is not registered yet.
    """
    for draft in Draft.select():
        call = Call.get_or_none(Call.id == draft.call_id) if draft.call_id else None
        if call and call.ended_at is None:
            continue
        if draft.call_id in citizen.records or _is_citizen_form(citizen, draft.values):
            yield Draft.delete().where(Draft.id == draft.id).execute


def _refused_form_deletions(citizen: Identity) -> Iterator[Change]:
    """Yield the deletions of the refused forms that the citizen filled in."""
    for form in RefusedForm.select():
        if citizen.is_certain_mention(form.address) or _is_citizen_form(citizen, form.values):
            yield RefusedForm.delete().where(RefusedForm.token == form.token).execute


def _miss_changes(citizen: Identity) -> Iterator[Change]:
    """Yield changes to searches that found nothing; the rows stay, because they are counted."""
    for miss in ArticleMiss.select().where(ArticleMiss.text != ""):
        if citizen.is_possible_mention(miss.text):
            text = citizen.redact_shared_text(miss.text)
            yield _row_update(miss, {"text": text, "key": fold_text(text)})


def _message_changes(citizen: Identity) -> Iterator[Change]:
    """Yield changes that blank finished messages which name the citizen, whatever their cause."""
    words = {
        *citizen.phones,
        *citizen.alert.documents,
        *(word for pair in citizen.people for word in pair),
    }
    for word in sorted(words):
        mentions = [
            column.contains(spelling)
            for spelling in sorted(_spelling_variants(word))
            for column in (Message.text, fn.COALESCE(Message.payload, ""))
        ]
        for message in Message.select().where(functools.reduce(operator.or_, mentions)):
            if citizen.is_certain_mention(
                f"{message.text} {json.dumps(message.payload, ensure_ascii=False)}"
            ):
                blank = Message.update(personal_columns.masked_values(Message))
                yield blank.where(Message.id == message.id, Message.ended_at.is_null(False)).execute


def _spelling_variants(word: str) -> set[str]:
    """Return the stems of a word's spellings, in both scripts and without inflected endings.

    They are in several cases, because SQLite ignores case in ASCII only.
    """
    variants = set()
    for text in (word, script.transliterate_to_latin(word), alifbo.to_cyrillic(word).text):
        stem = max(_APOSTROPHE.split(text), key=len)
        stem = stem.rstrip(_INFLECTED_ENDINGS) if len(stem) > _MAX_UNINFLECTED_LETTERS else stem
        variants |= {stem, stem.lower(), stem.upper(), stem.capitalize()}
    return variants - {""}


def _request_changes(citizen: Identity) -> Iterator[Change]:
    """Yield changes to answered data requests: the citizen's own, and others that name them."""
    for request in DataRequest.select().where(DataRequest.state != "open"):
        columns = {
            name: getattr(request, name) for name in personal_columns.column_names(DataRequest)
        }
        numbers = {
            number
            for kind in ("named", "appeal", "call_form")
            for number in request.records.get(kind) or ()
        }
        if numbers & citizen.records or citizen.is_certain_mention(_join_texts(columns)):
            answer = {"answer": citizen.redact_shared_text(request.answer)}
            yield _row_update(request, personal_columns.masked_values(DataRequest) | answer)


def _is_citizen_form(citizen: Identity, values: dict[str, Any]) -> bool:
    """Whether an unsent form is the citizen's; one with other documents is a namesake's."""
    text = _join_texts(values)
    documents = (values.get(name) for name in personal_columns.column_names(Appeal, Kind.DOCUMENT))
    return citizen.is_certain_mention(text) and (
        not any(documents) or citizen.has_citizen_number(text)
    )


def _join_texts(values: dict[str, Any]) -> str:
    """Join the texts of a form, surname and name first, with separators between them."""
    texts = (text if isinstance(text, str) else " ; ".join(text) for text in values.values())
    return " ; ".join(filter(None, texts))
