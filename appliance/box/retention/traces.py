"""Rows that name a citizen and belong to none of their records: what staff wrote or searched.

They are searched before anything is masked, without the write lock, and changed under it.
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

from appliance.box.retention import proof
from appliance.box.retention.identity import Identity
from appliance.box.retention.turns import Turns
from appliance.core import script
from appliance.core.db import in_pieces
from appliance.core.i18n import fold
from appliance.models import (
    Announcement,
    Appeal,
    AppealReveal,
    ArticleMiss,
    Call,
    DataRequest,
    Draft,
    EvidencePack,
    FollowUp,
    FollowUpMark,
    LegalHold,
    Listening,
    Message,
    NumberNote,
    RefusedForm,
    ScheduledCallback,
    personal_columns,
)
from appliance.models.personal_columns import Kind

type Change = Callable[[], object]

_APOSTROPHE = re.compile("[ʻʼ'‘’`]")
_ENDINGS = "aeiouyаеёиоуўыэюяй"  # what a name is declined by
_SHORT = 4  # letters of a name of which no end is left out

# Free text of staff about anybody: what names the citizen is cut out of it.
_NOTES: tuple[tuple[Any, Field], ...] = (
    (Announcement, Announcement.text),
    (NumberNote, NumberNote.text),
    (ScheduledCallback, ScheduledCallback.note),
    (FollowUp, FollowUp.note),
    (FollowUpMark, FollowUpMark.note),
    (LegalHold, LegalHold.why),
    (EvidencePack, EvidencePack.reason),
    (AppealReveal, AppealReveal.reason),
    (Listening, Listening.reason),
)


def find(who: Identity) -> list[Change]:
    """The changes that remove a citizen from rows that belong to none of their records."""
    changes: list[Change] = [*_drafts(who), *_refused_forms(who), *_misses(who), *_messages(who)]
    is_named = functools.cache(who.is_named)  # reasons are often the same words
    for table, column in _NOTES:
        for piece in in_pieces(table.select().where(column != ""), table.id):
            changes += [
                _changed(row, {column.name: who.cut(text)})
                for row in piece
                if is_named(text := getattr(row, column.name))
            ]
    return changes + list(_requests(who))


def blank_of_records(numbers: set[str], calls: set[str]) -> None:
    """Blank what staff wrote about some records, in a write transaction: reasons."""
    of_both = [*numbers, *calls]
    appeals = Appeal.select().where(Appeal.number.in_(numbers))
    for table, about in (
        (LegalHold, LegalHold.subject.in_(of_both) & LegalHold.ended_at.is_null(False)),
        (EvidencePack, EvidencePack.appeal.in_(numbers) | EvidencePack.call_id.in_(calls)),
        (Listening, Listening.call_id.in_(calls)),
        (AppealReveal, AppealReveal.appeal.in_(appeals)),
    ):
        names = personal_columns.names(table, Kind.NOTE)
        table.update(dict.fromkeys(names, "")).where(about).execute()


def aged(turns: Turns, before: dt.datetime, rule: str) -> int:
    """Blank staff texts from before a moment that belong to no record; returns how many rows."""
    count = 0
    for table, at, where in _AGED:
        blank = personal_columns.blanks(table)
        has_text = functools.reduce(operator.or_, (table._meta.fields[n] != "" for n in blank))

        def remove(row: Any, table: Any = table, blank: dict[str, Any] = blank) -> bool:
            proof.write_down("note", f"{table._meta.table_name}:{row.id}", rule)
            table.update(blank).where(table.id == row.id).execute()
            return True

        due = table.select().where(at < before, has_text, *where)
        count += turns.each(due, table.id, remove)
    return count


_AGED: tuple[tuple[Any, Field, tuple[Expression, ...]], ...] = (
    (Announcement, Announcement.sent_at, ()),
    (ArticleMiss, ArticleMiss.at, ()),
    (Listening, Listening.at, ()),
    (EvidencePack, EvidencePack.asked_at, (EvidencePack.state.in_(("gone", "failed")),)),
    (AppealReveal, AppealReveal.at, ()),
    (LegalHold, LegalHold.ended_at, (LegalHold.ended_at.is_null(False),)),
    (DataRequest, DataRequest.done_at, (DataRequest.done_at.is_null(False),)),
)


def _changed(row: Any, columns: dict[str, Any]) -> Change:
    return type(row).update(columns).where(type(row).id == row.id).execute


def _drafts(who: Identity) -> Iterator[Change]:
    """Drafts of any operator, except for a current call, whose appeal is not registered yet."""
    for draft in Draft.select():
        call = Call.get_or_none(Call.id == draft.call_id) if draft.call_id else None
        if call and call.ended_at is None:
            continue
        if draft.call_id in who.records or _is_his_form(who, draft.values):
            yield Draft.delete().where(Draft.id == draft.id).execute


def _refused_forms(who: Identity) -> Iterator[Change]:
    for form in RefusedForm.select():
        if who.is_his(form.address) or _is_his_form(who, form.values):
            yield RefusedForm.delete().where(RefusedForm.token == form.token).execute


def _misses(who: Identity) -> Iterator[Change]:
    """Searches that found nothing: how often they were made is counted, so the rows stay."""
    for miss in ArticleMiss.select().where(ArticleMiss.text != ""):
        if who.is_named(miss.text):
            text = who.cut(miss.text)
            yield _changed(miss, {"text": text, "key": fold(text)})


def _messages(who: Identity) -> Iterator[Change]:
    """Messages about another cause that name the citizen, if they are no longer sent."""
    words = {*who.phones, *who.alert.documents, *(word for pair in who.people for word in pair)}
    for word in sorted(words):
        mentions = [
            column.contains(spelling)
            for spelling in sorted(_spellings(word))
            for column in (Message.text, fn.COALESCE(Message.payload, ""))
        ]
        for message in Message.select().where(functools.reduce(operator.or_, mentions)):
            if who.is_his(f"{message.text} {json.dumps(message.payload, ensure_ascii=False)}"):
                blank = Message.update(personal_columns.blanks(Message))
                yield blank.where(Message.id == message.id, Message.ended_at.is_null(False)).execute


def _spellings(word: str) -> set[str]:
    """What each spelling of a word has in it: in both scripts, without the end that is declined.

    SQLite takes small and capital letters for the same in ASCII only.
    """
    found = set()
    for text in (word, script.latin(word), alifbo.to_cyrillic(word).text):
        stem = max(_APOSTROPHE.split(text), key=len)
        stem = stem.rstrip(_ENDINGS) if len(stem) > _SHORT else stem
        found |= {stem, stem.lower(), stem.upper(), stem.capitalize()}
    return found - {""}


def _requests(who: Identity) -> Iterator[Change]:
    """Answered requests about own data: the citizen's, and others that name the citizen."""
    for request in DataRequest.select().where(DataRequest.state != "open"):
        columns = {name: getattr(request, name) for name in personal_columns.names(DataRequest)}
        numbers = {
            n for kind in ("named", "appeal", "call_form") for n in request.records.get(kind) or ()
        }
        if numbers & who.records or who.is_his(_joined(columns)):
            answer = {"answer": who.cut(request.answer)}
            yield _changed(request, personal_columns.blanks(DataRequest) | answer)


def _is_his_form(who: Identity, values: dict[str, Any]) -> bool:
    """Whether a form that was not sent is his. One with other documents is a namesake's."""
    text = _joined(values)
    documents = (values.get(name) for name in personal_columns.names(Appeal, Kind.DOCUMENT))
    return who.is_his(text) and (not any(documents) or who.has_number(text))


def _joined(values: dict[str, Any]) -> str:
    """The texts of a form, surname and name at its beginning, each parted from the next."""
    texts = (text if isinstance(text, str) else " ; ".join(text) for text in values.values())
    return " ; ".join(filter(None, texts))
