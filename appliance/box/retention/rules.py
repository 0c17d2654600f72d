"""What is old enough to go: queries, and what goes in the months to come.

Recordings at least 2 months, appeals at least 2 years (report form №1, table 3). Nothing goes of
what is on hold, nor a recording of a call about an appeal that is still open.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from peewee import fn

from appliance.casework.appeals.deadlines import add_months
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import (
    Appeal,
    Call,
    CallForm,
    Draft,
    FollowUp,
    FollowUpMark,
    Handling,
    LegalHold,
    Message,
    NumberNote,
    Recording,
    Removal,
    ScheduledCallback,
)

ON_ITS_WAY = ("pending", "claimed", "held")  # states of a message that has still to go out


@dataclass(frozen=True)
class Coming:
    """How many recordings and appeals go from a day on, up to the next one on the list."""

    day: dt.date
    recordings: int
    appeals: int


def cutoff(settings: Settings, months: int, day: dt.date | None = None) -> dt.datetime:
    """The moment before which something is older than so many months; on a day, else now.

    Months are the longest there are: the report's "two months" are 62 days, never 59.
    """
    now = clock.now().astimezone(settings.tz)
    day = day or now.date()
    before = min(add_months(day, -months), day - months * dt.timedelta(days=31))
    return dt.datetime.combine(before, now.time(), settings.tz).astimezone(dt.UTC)


def recordings(before: dt.datetime) -> Any:
    """Recordings, all known moments of which lie before one; not held, not yet removed."""
    ended = fn.COALESCE(Call.ended_at, Call.arrived_at)
    return (
        Recording.select()
        .left_outer_join(Call, on=(Recording.call_id == Call.id))
        .where(
            Recording.written_at.is_null(False) | ended.is_null(False),
            Recording.written_at.is_null() | (Recording.written_at < before),
            ended.is_null() | (ended < Call.ended_at.db_value(before)),
            ~fn.EXISTS(removed("recording", Recording.file)),
            *_free(Recording.call_id),
        )
    )


def appeals(before: dt.datetime) -> Any:
    """Closed appeals with which nothing was done since a moment; not held, not yet masked."""
    return (
        Appeal.select()
        .join(Handling)
        .where(
            ~Handling.is_open,
            Handling.changed_at < before,
            Appeal.registered_at < before,
            Appeal.number.not_in(_held("appeal")),
            ~fn.EXISTS(removed("appeal", Appeal.number)),
        )
    )


def half_masked(table: type[Appeal | CallForm], extent: int) -> Any:
    """Rows that were masked by a release that took less out than now (`proof.EXTENT`)."""
    kind = "appeal" if table is Appeal else "call_form"
    removals = Removal.select().where(
        Removal.kind.in_((kind, f"{kind}_person")),
        Removal.subject == table.number,
        Removal.extent < extent,
    )
    return table.select().where(fn.EXISTS(removals))


def masked_since(moment: dt.datetime) -> bool:
    """Whether a citizen was masked since a moment."""
    kinds = ("appeal", "appeal_person", "call_form", "call_form_person", "data_request")
    return Removal.select().where(Removal.at >= moment, Removal.kind.in_(kinds)).exists()


def asked_away(before: dt.datetime) -> Any:
    """Recordings of calls whose citizen asked to be masked, older than the least that is kept."""
    return recordings(before).where(fn.EXISTS(removed("call_person", Recording.call_id)))


def messages(before: dt.datetime) -> Any:
    """What had still to go out about an appeal when it was masked and has ended since, and what
    was written before a moment about no appeal, nor about a call that is kept."""
    says = (Message.payload != {}) | (Message.text != "") | (Message.recipient != "")
    of_appeal = (
        (Appeal.number == Message.cause)
        | (Appeal.call_id == Message.cause)
        | (Appeal.token == Message.cause)
    )
    about = Appeal.select().where(of_appeal, ~fn.EXISTS(removed("appeal", Appeal.number)))
    of_none = (Message.created_at < before) & ~fn.EXISTS(about)
    for nothing_keeps in _free(Message.cause):
        of_none &= nothing_keeps
    due = fn.EXISTS(removed("appeal", Message.cause)) | of_none
    for kind in ("appeal_person", "call_person", "data_request"):
        due |= fn.EXISTS(removed(kind, Message.cause))
    of_call = Message.select().left_outer_join(Call, on=(Message.cause == Call.id))
    return of_call.where(Message.state.not_in(ON_ITS_WAY), says, due)


def call_forms(before: dt.datetime) -> Any:
    """Forms №2 of calls registered before a moment; not held, not yet masked.

    One that an appeal made goes with the appeal.
    """
    of_call = CallForm.select().left_outer_join(Call, on=(CallForm.call_id == Call.id))
    return of_call.where(
        CallForm.registered_at < before,
        CallForm.appeal_number == "",
        ~fn.EXISTS(removed("call_form", CallForm.number)),
        *_free(CallForm.call_id),
    )


def drafts(before: dt.datetime) -> Any:
    """Drafts that nobody has touched since a moment; not those of a call that is held."""
    of_call = Draft.select().left_outer_join(Call, on=(Draft.call_id == Call.id))
    return of_call.where(Draft.updated_at < before, *_free(Draft.call_id))


def notes(before: dt.datetime) -> Any:
    """Notes with which tasks of missed callers were written off before a moment; not held ones."""
    its_task = (FollowUp.number == FollowUpMark.number) & (FollowUp.closed_at == FollowUpMark.at)
    return (
        FollowUpMark.select()
        .left_outer_join(FollowUp, on=its_task)
        .left_outer_join(Call, on=(FollowUp.call_id == Call.id))
        .where(FollowUpMark.at < before, FollowUpMark.note != "", *_free(FollowUp.call_id))
    )


def number_notes(before: dt.datetime) -> Any:
    """Notes of numbers that nobody has written or corrected since a moment."""
    unchanged = NumberNote.changed_at.is_null() | (NumberNote.changed_at < before)
    return NumberNote.select().where(NumberNote.at < before, unchanged, NumberNote.text != "")


def callbacks(before: dt.datetime) -> Any:
    """Calls promised that were done before a moment; not those of a call that is held."""
    of_call = ScheduledCallback.select().left_outer_join(
        Call, on=(ScheduledCallback.call_id == Call.id)
    )
    free = _free(ScheduledCallback.call_id)
    return of_call.where(ScheduledCallback.done_at < before, ScheduledCallback.number != "", *free)


def is_held(call_id: str) -> bool:
    """Whether a call must be kept, or an appeal that it is about."""
    call = Call.get_or_none(Call.id == call_id)
    return any(rows.exists() for rows in _holding(call_id, call.serves if call else None))


def is_on_hold(kind: str, subject: str) -> bool:
    """Whether a call or an appeal is held by itself."""
    held = (LegalHold.kind == kind, LegalHold.subject == subject, LegalHold.ended_at.is_null())
    return LegalHold.select().where(*held).exists()


def removed(kind: str, subject: Any) -> Any:
    """The removal of a row of the query around, by its own index: there are many after years."""
    return Removal.select().where(Removal.kind == kind, Removal.subject == subject)


def coming(settings: Settings, months: int = 6) -> list[Coming]:
    """What goes today, and in each of the months to come, as it stands now."""
    kept, today = settings.retention, clock.now().astimezone(settings.tz).date()
    found, before = [], (0, 0)
    for number in range(months + 1):
        day = add_months(today, number)
        counts = (
            recordings(cutoff(settings, kept.recordings_months, day)).count(),
            appeals(cutoff(settings, kept.appeals_years * 12, day)).count(),
        )
        found.append(Coming(day, counts[0] - before[0], counts[1] - before[1]))
        before = counts
    return found


def _free(call_id: Any) -> list[Any]:
    """Conditions of a query that joins Call: nothing keeps the call."""
    return [~fn.EXISTS(rows) for rows in _holding(call_id, Call.serves)]


def _holding(call_id: Any, serves: Any) -> tuple[Any, ...]:
    """What keeps a call: a hold on it, an appeal on hold, an open appeal.

    An appeal is about the call that it came with, and about those placed for it: they serve its
    number, or its call while it had no number yet.
    """
    about = Appeal.call_id.in_([call_id, serves]) | (Appeal.number == serves)
    of_call = (LegalHold.kind == "call", LegalHold.subject.in_([call_id, serves]))
    return (
        LegalHold.select().where(*of_call, LegalHold.ended_at.is_null()),
        Appeal.select().where(about, Appeal.number.in_(_held("appeal"))),
        Appeal.select().join(Handling).where(about, Handling.is_open),
    )


def _held(kind: str) -> Any:
    return LegalHold.select(LegalHold.subject).where(
        LegalHold.kind == kind, LegalHold.ended_at.is_null()
    )
