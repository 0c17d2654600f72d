"""Queries for what is old enough to be removed, and the forecast of removals by month.

Recordings are kept at least 2 months, appeals at least 2 years (report form №1, table 3). Nothing
on hold is removed, nor a recording of a call about an appeal that is still open.
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

UNSENT_STATES = ("pending", "claimed", "held")  # states of a message that is not sent yet


@dataclass(frozen=True)
class UpcomingRemovals:
    """How many recordings and appeals are removed from `day` on, until the next entry's day."""

    day: dt.date
    recordings: int
    appeals: int


def retention_cutoff(settings: Settings, months: int, day: dt.date | None = None) -> dt.datetime:
    """Return the time `months` before a day (default today); anything older has reached that age.

    Months count as the longest possible: the report's "two months" are 62 days, never 59.
    """
    now = clock.now().astimezone(settings.tz)
    day = day or now.date()
    before = min(add_months(day, -months), day - months * dt.timedelta(days=31))
    return dt.datetime.combine(before, now.time(), settings.tz).astimezone(dt.UTC)


def due_recordings(before: dt.datetime) -> Any:
    """Select recordings whose known times are all before `before`; not held, not yet removed."""
    ended = fn.COALESCE(Call.ended_at, Call.arrived_at)
    return (
        Recording.select()
        .left_outer_join(Call, on=(Recording.call_id == Call.id))
        .where(
            Recording.written_at.is_null(False) | ended.is_null(False),
            Recording.written_at.is_null() | (Recording.written_at < before),
            ended.is_null() | (ended < Call.ended_at.db_value(before)),
            ~fn.EXISTS(matching_removals("recording", Recording.file)),
            *_unheld_conditions(Recording.call_id),
        )
    )


def due_appeals(before: dt.datetime) -> Any:
    """Select closed appeals that have not changed since `before`; not held, not yet masked."""
    return (
        Appeal.select()
        .join(Handling)
        .where(
            ~Handling.is_open,
            Handling.changed_at < before,
            Appeal.registered_at < before,
            Appeal.number.not_in(_held_subjects("appeal")),
            ~fn.EXISTS(matching_removals("appeal", Appeal.number)),
        )
    )


def partially_masked(table: type[Appeal | CallForm], extent: int) -> Any:
    """Select rows that an earlier release masked to a lower extent than `extent`."""
    kind = "appeal" if table is Appeal else "call_form"
    removals = Removal.select().where(
        Removal.kind.in_((kind, f"{kind}_person")),
        Removal.subject == table.number,
        Removal.extent < extent,
    )
    return table.select().where(fn.EXISTS(removals))


def has_masked_since(since: dt.datetime) -> bool:
    """Whether a citizen was masked since the given time."""
    kinds = ("appeal", "appeal_person", "call_form", "call_form_person", "data_request")
    removals = Removal.select().where(Removal.at >= since, Removal.kind.in_(kinds))
    return bool(removals.exists())


def due_masked_recordings(before: dt.datetime) -> Any:
    """Select the due recordings of calls whose citizen was masked on request."""
    return due_recordings(before).where(
        fn.EXISTS(matching_removals("call_person", Recording.call_id))
    )


def due_messages(before: dt.datetime) -> Any:
    """Select finished messages whose personal data are due for removal.

    They are those that were unsent when their appeal was masked, and those created before `before`
    that belong neither to an appeal nor to a call that is kept.
    """
    has_content = (Message.payload != {}) | (Message.text != "") | (Message.recipient != "")
    is_appeal_cause = (
        (Appeal.number == Message.cause)
        | (Appeal.call_id == Message.cause)
        | (Appeal.token == Message.cause)
    )
    unmasked_appeals = Appeal.select().where(
        is_appeal_cause, ~fn.EXISTS(matching_removals("appeal", Appeal.number))
    )
    is_unrelated = (Message.created_at < before) & ~fn.EXISTS(unmasked_appeals)
    for condition in _unheld_conditions(Message.cause):
        is_unrelated &= condition
    is_due = fn.EXISTS(matching_removals("appeal", Message.cause)) | is_unrelated
    for kind in ("appeal_person", "call_person", "data_request"):
        is_due |= fn.EXISTS(matching_removals(kind, Message.cause))
    joined_messages = Message.select().left_outer_join(Call, on=(Message.cause == Call.id))
    return joined_messages.where(Message.state.not_in(UNSENT_STATES), has_content, is_due)


def due_call_forms(before: dt.datetime) -> Any:
    """Select forms №2 of calls registered before `before`; not held, not yet masked.

    A form that belongs to an appeal is masked with the appeal.
    """
    joined_forms = CallForm.select().left_outer_join(Call, on=(CallForm.call_id == Call.id))
    return joined_forms.where(
        CallForm.registered_at < before,
        CallForm.appeal_number == "",
        ~fn.EXISTS(matching_removals("call_form", CallForm.number)),
        *_unheld_conditions(CallForm.call_id),
    )


def due_drafts(before: dt.datetime) -> Any:
    """Select drafts not changed since `before`, except those of a call that is kept."""
    joined_drafts = Draft.select().left_outer_join(Call, on=(Draft.call_id == Call.id))
    return joined_drafts.where(Draft.updated_at < before, *_unheld_conditions(Draft.call_id))


def due_notes(before: dt.datetime) -> Any:
    """Select notes of missed callers' tasks closed before `before`, unless the call is kept."""
    is_marked_task = (FollowUp.number == FollowUpMark.number) & (
        FollowUp.closed_at == FollowUpMark.at
    )
    return (
        FollowUpMark.select()
        .left_outer_join(FollowUp, on=is_marked_task)
        .left_outer_join(Call, on=(FollowUp.call_id == Call.id))
        .where(
            FollowUpMark.at < before, FollowUpMark.note != "", *_unheld_conditions(FollowUp.call_id)
        )
    )


def due_number_notes(before: dt.datetime) -> Any:
    """Select notes on numbers that were not changed since `before`."""
    unchanged = NumberNote.changed_at.is_null() | (NumberNote.changed_at < before)
    return NumberNote.select().where(NumberNote.at < before, unchanged, NumberNote.text != "")


def due_callbacks(before: dt.datetime) -> Any:
    """Select scheduled callbacks done before `before`, except those of a call that is kept."""
    joined_callbacks = ScheduledCallback.select().left_outer_join(
        Call, on=(ScheduledCallback.call_id == Call.id)
    )
    conditions = _unheld_conditions(ScheduledCallback.call_id)
    return joined_callbacks.where(
        ScheduledCallback.done_at < before, ScheduledCallback.number != "", *conditions
    )


def is_call_kept(call_id: str) -> bool:
    """Whether a call, or an appeal that it is about, must be kept."""
    call = Call.get_or_none(Call.id == call_id)
    return any(rows.exists() for rows in _hold_queries(call_id, call.serves if call else None))


def is_on_hold(kind: str, subject: str) -> bool:
    """Whether a call or an appeal is itself on hold."""
    is_active_hold = (
        LegalHold.kind == kind,
        LegalHold.subject == subject,
        LegalHold.ended_at.is_null(),
    )
    return bool(LegalHold.select().where(*is_active_hold).exists())


def matching_removals(kind: str, subject: Any) -> Any:
    """Select the removals of a subject. There may be many: as a subquery it uses their index."""
    return Removal.select().where(Removal.kind == kind, Removal.subject == subject)


def upcoming_removals(settings: Settings, months: int = 6) -> list[UpcomingRemovals]:
    """Return the removals due today and in each of the coming months, as of now."""
    limits, today = settings.retention, clock.now().astimezone(settings.tz).date()
    upcoming, previous_counts = [], (0, 0)
    for number in range(months + 1):
        day = add_months(today, number)
        counts = (
            due_recordings(retention_cutoff(settings, limits.recordings_months, day)).count(),
            due_appeals(retention_cutoff(settings, limits.appeals_years * 12, day)).count(),
        )
        upcoming.append(
            UpcomingRemovals(day, counts[0] - previous_counts[0], counts[1] - previous_counts[1])
        )
        previous_counts = counts
    return upcoming


def _unheld_conditions(call_id: Any) -> list[Any]:
    """Return the conditions that nothing keeps a call, for a query that joins Call."""
    return [~fn.EXISTS(rows) for rows in _hold_queries(call_id, Call.serves)]


def _hold_queries(call_id: Any, serves: Any) -> tuple[Any, ...]:
    """Return queries for what keeps a call: a hold on it, an appeal on hold, an open appeal.

    An appeal is about the call in which it was made and about the calls placed for it. `serves` of
    such a call is the appeal's number, or the id of its first call if it had no number yet.
    """
    is_about_call = Appeal.call_id.in_([call_id, serves]) | (Appeal.number == serves)
    is_call_hold = (LegalHold.kind == "call", LegalHold.subject.in_([call_id, serves]))
    return (
        LegalHold.select().where(*is_call_hold, LegalHold.ended_at.is_null()),
        Appeal.select().where(is_about_call, Appeal.number.in_(_held_subjects("appeal"))),
        Appeal.select().join(Handling).where(is_about_call, Handling.is_open),
    )


def _held_subjects(kind: str) -> Any:
    """Select the subjects of the active holds of a kind."""
    return LegalHold.select(LegalHold.subject).where(
        LegalHold.kind == kind, LegalHold.ended_at.is_null()
    )
