"""Finds the records that belong to one call, and derives the call's row in the ledger from them."""

import datetime as dt
import functools
import logging
from collections.abc import Callable

from peewee import OperationalError, fn

from appliance.core import clock
from appliance.core.db import database
from appliance.core.settings import Calls, Settings
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Call, EventRow, MergedCall, Recording, Talk
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import (
    ClockStep,
    calls_without_beginning,
    correct_clock_steps,
    interpret_call,
    oldest_linkedid,
    root_linkedids,
)
from appliance.telephony import calls, followups
from appliance.telephony.calls import CallFacts, Damage

log = logging.getLogger(__name__)

MAX_TALK = dt.timedelta(hours=4)  # a talk that seems to last longer has lost its end
CLOCK_STEP_RANGE = dt.timedelta(days=2)  # within which steps of the clock can affect a call
_END_TOLERANCE = dt.timedelta(seconds=2)  # between the ends of a phone's two joined calls
_NEXT_BOOT = PreparedQuery(
    lambda: (
        EventRow.select(EventRow.at)
        .where(EventRow.begins == "BOOT", EventRow.at > query_parameter("since"))
        .order_by(EventRow.at)
        .limit(1)
    )
)


def call_projector(settings: Settings) -> Callable[[str], None]:
    """Return `project_call` with the rules from the settings."""
    return functools.partial(project_call, rules=settings.calls)


def project_call(linkedid: str, rules: Calls) -> None:
    """Interpret the call that this linkedid's records belong to, and write it into the ledger.

    A phone's second call belongs to the call that waits during it, and is projected with it. A call
    that cannot be interpreted keeps its former row, and is set aside until it can.
    """
    name = linkedid.encode("utf-8", "replace")
    try:
        with database.atomic():
            _project_family(linkedid, rules)
    except OperationalError:  # not the call's fault: the database is busy, or its disk is full
        raise
    except Exception:  # the boundary of a call: all others are projected
        log.exception("call %s cannot be told", linkedid)
        calls.quarantine_pieces("", [Damage("untold", 0, name, linkedid=linkedid)])
    else:
        calls.release_piece("untold", name)


def _project_family(linkedid: str, rules: Calls) -> None:
    """Project the calls to which the records of this linkedid belong."""
    events = _family_records({linkedid})
    if not events:
        return
    for name, at in calls_without_beginning(events).items():
        calls.record_seen_call(name, "from-trunk", at)
    linkedids = {event.linkedid for event in events}
    arrived_ids = {event.linkedid for event in events if event.begins == "from-trunk"}
    if not arrived_ids:
        for waiting in sorted(_waiting_calls(events) | _merged_into(linkedids) - linkedids):
            _project_family(waiting, rules)
        if _merged_into(linkedids) - linkedids:
            return
    for root in root_linkedids(events):
        _store_call(root, events, rules)


def channel_ids(linkedid: str) -> set[str]:
    """Return the ids of all channels of this linkedid's call."""
    return {event.uniqueid for event in _family_records({linkedid})}


def calls_open_at(boot: dt.datetime) -> set[str]:
    """Return the calls that had no end in the log when Asterisk started at `boot`."""
    previous_boots = EventRow.select(EventRow.at).where(
        EventRow.begins == "BOOT", EventRow.at < boot
    )
    since = previous_boots.order_by(EventRow.at.desc()).limit(1).scalar()
    begun_calls = EventRow.select(EventRow.linkedid).where(
        EventRow.event == "CHAN_START", EventRow.at < boot
    )
    ended_calls = EventRow.select(EventRow.linkedid).where(EventRow.event == "LINKEDID_END")
    if since:
        begun_calls, ended_calls = (
            rows.where(EventRow.at >= since) for rows in (begun_calls, ended_calls)
        )
    return {
        row.linkedid for row in begun_calls.where(EventRow.linkedid.not_in(ended_calls)).distinct()
    }


def boots_after(moment: dt.datetime) -> set[dt.datetime]:
    """Return the next start of Asterisk after `moment`, as a set of at most one.

    A late record can change what that start cut.
    """
    boot = _next_boot(moment)
    return {boot} if boot else set()


def calls_across_step(event: Event) -> set[str]:
    """Return the calls during which the clock was stepped, and those recorded near that time."""
    step = _step_from_event(event)
    near = EventRow.at.between(event.at - _END_TOLERANCE, event.at + _END_TOLERANCE)
    rows = EventRow.select(EventRow.linkedid).where(near).distinct()
    has_begun = Call.arrived_at.between(step.before - MAX_TALK, step.before)
    has_lasted = Call.ended_at.is_null() | (Call.ended_at >= step.before)
    overlapping = Call.select(Call.id).where(has_begun, has_lasted)
    return {row.linkedid for row in rows} | {call.id for call in overlapping}


def _store_call(root: str, events: list[Event], rules: Calls) -> None:
    """Store one call; other calls that turn out to belong to it are stored with it only."""
    steps = _nearby_steps(events)
    facts = interpret_call(_log_records(events), _cut_at(root, events), root, steps)
    while facts and (second_calls := _second_call_records(facts, events, steps)):
        events = events + second_calls
        facts = interpret_call(_log_records(events), _cut_at(root, events), root, steps)
    linkedids = {event.linkedid for event in events}
    if not facts:
        calls.delete_calls(linkedids)
        return
    calls.store_call(facts, rules)
    if facts.ended_at or facts.talks:
        followups.update_tasks(facts.arrived_at, facts.caller, facts.callee)
    merged_ids = linkedids - set(root_linkedids(events))
    calls.delete_calls(merged_ids)
    rows = MergedCall.select(MergedCall.linkedid).where(MergedCall.call_id == root)
    former_ids = {row.linkedid for row in rows}
    for linkedid in merged_ids - former_ids:
        MergedCall.replace(linkedid=linkedid, call_id=root).execute()
    for linkedid in former_ids - merged_ids:
        MergedCall.delete().where(MergedCall.linkedid == linkedid).execute()
        _project_family(linkedid, rules)


def _log_records(events: list[Event]) -> list[Event]:
    """Return the records written by Asterisk: not those of its missing calls (`_vanished_at`)."""
    return [event for event in events if event.type != "GONE"]


def _merged_into(linkedids: set[str]) -> set[str]:
    """Return the calls with which these are merged."""
    if not linkedids:
        return set()
    rows = MergedCall.select(MergedCall.call_id).where(MergedCall.linkedid.in_(linkedids))
    return {row.call_id for row in rows}


def _family_records(linkedids: set[str]) -> list[Event]:
    """Return all records of these linkedids, and of those that share a channel with them.

    When calls are joined, Asterisk continues to write the younger one's channels under the older
    one's linkedid.
    """
    seen_ids = set(linkedids)
    events = _stored_records(seen_ids)
    while True:
        channels = {event.uniqueid for event in events}
        rows = EventRow.select(EventRow.linkedid).where(
            EventRow.uniqueid.in_(channels), EventRow.linkedid.not_in(seen_ids)
        )
        new_ids = {row.linkedid for row in rows.distinct()}
        if not new_ids:
            return events
        seen_ids |= new_ids
        events += _stored_records(new_ids)


def _stored_records(linkedids: set[str]) -> list[Event]:
    """Return the stored records of these linkedids."""
    rows = EventRow.select().where(EventRow.linkedid.in_(linkedids))
    return [eventlog.event_from_row(row) for row in rows if "EventTime" in row.fields]


def _nearby_steps(events: list[Event]) -> list[ClockStep]:
    """Return the steps of the clock near the time of these records."""
    moments = [event.at for event in events]
    rows = EventRow.select().where(
        EventRow.begins == "CLOCK",
        EventRow.at.between(min(moments) - CLOCK_STEP_RANGE, max(moments) + CLOCK_STEP_RANGE),
    )
    return [_step_from_event(eventlog.event_from_row(row)) for row in rows.order_by(EventRow.at)]


def _step_from_event(event: Event) -> ClockStep:
    """Return the step of the clock that a CLOCK record describes."""
    return ClockStep(event.at, dt.timedelta(seconds=float(event.extra["by"])))


def _second_call_records(
    facts: CallFacts, events: list[Event], steps: list[ClockStep]
) -> list[Event]:
    """Return the records of the calls that a phone placed during its talk in this one."""
    seen_ids = {event.linkedid for event in events}
    records: list[Event] = []
    for talk in facts.talks:
        if not talk.extension or facts.direction == "internal":
            continue
        begin, end = talk.started_at, talk.ended_at or talk.started_at + MAX_TALK
        within = EventRow.at.between(begin, end)
        for step in steps:
            if begin < step.before < end:  # the rest has the other clock's times
                within |= EventRow.at.between(step.at - step.slack, end + step.by)
        placed_calls = EventRow.select(EventRow.linkedid).where(
            EventRow.phone == talk.extension, within
        )
        for row in placed_calls:
            if row.linkedid not in seen_ids:
                family = _family_records({row.linkedid})
                if _is_within(correct_clock_steps(family, facts.arrived_at, steps), talk.ended_at):
                    records += family
                    seen_ids |= {event.linkedid for event in family}
    return records


def _waiting_calls(events: list[Event]) -> set[str]:
    """Return the call that waits while its phone places this one, as a set of at most one.

    The phone is in a talk of the waiting call at that time.
    """
    linkedids = {event.linkedid for event in events}
    placing = next(
        (e for e in events if e.dialling_phone and e.linkedid == oldest_linkedid(linkedids)), None
    )
    if not placing:
        return set()
    steps = _nearby_steps(events)
    # Talks that began before a step of the clock are recorded by the clock before it.
    for at in [placing.at, *(placing.at - step.by for step in steps if step.at <= placing.at)]:
        talks = (
            Talk.select(Talk.call, Talk.started_at, Talk.ended_at)
            .join(Call)
            .where(
                Talk.extension == placing.dialling_phone,
                Talk.started_at < at,
                Talk.started_at > at - MAX_TALK,
                (Talk.ended_at > at) | Talk.ended_at.is_null(),
                Call.direction != "internal",
                Call.id.not_in(linkedids),
            )
        )
        row = talks.order_by(Talk.started_at.desc()).first()
        if row and _is_within(correct_clock_steps(events, row.started_at, steps), row.ended_at):
            return {row.call_id}
    return set()


def _is_within(second_call: list[Event], ended_at: dt.datetime | None) -> bool:
    """Return True if a phone's second call is part of a talk that ended at `ended_at`.

    None: the talk goes on. A second call that outlasts the talk is a call of its own: its operator
    released the first caller.
    """
    if any(event.begins == "from-trunk" for event in second_call):
        return False
    root = oldest_linkedid({event.linkedid for event in second_call})
    hung_up_at = next(
        (e.at for e in second_call if e.uniqueid == root and e.type == "HANGUP"), None
    )
    return ended_at is None or (hung_up_at is not None and hung_up_at <= ended_at + _END_TOLERANCE)


def _cut_at(root: str, events: list[Event]) -> dt.datetime | None:
    """Return when Asterisk died during this call: the last sign of life before its next start.

    Signs are the last record of any call and the last sound written to the call's recording.
    """
    if vanished_at := _vanished_at(root, events):
        return vanished_at
    began_at = min(event.at for event in events)
    booted_at = _next_boot(began_at)
    if not booted_at or _began_after_boot(root, began_at, booted_at):
        return None
    boot_records = EventRow.select(EventRow.linkedid).where(
        EventRow.begins == "BOOT", EventRow.at == booted_at
    )
    record = EventRow.select(EventRow.at).where(
        EventRow.at < booted_at, EventRow.linkedid.not_in([row.linkedid for row in boot_records])
    )
    signs_of_life = [record.order_by(EventRow.at.desc()).limit(1).scalar()]
    recordings = Recording.select(Recording.written_at).where(
        Recording.call_id == root, Recording.written_at.is_null(False)
    )
    signs_of_life += [row.written_at for row in recordings if row.written_at < booted_at]
    return max(signs_of_life)


def _vanished_at(root: str, events: list[Event]) -> dt.datetime | None:
    """Return when a call ended that is no longer in Asterisk; None for any other call.

    If the call was observed before, the time is exact to one poll. Otherwise nothing was observed
    for long: the time is that of the last sound, or the last time at which Asterisk was observed.
    """
    records = [event for event in events if event.linkedid == root]
    gone_event = min(
        (e for e in records if e.type == "GONE"), key=lambda event: event.at, default=None
    )
    if not gone_event:
        return None
    last_record_at = max(event.at for event in records if event.type != "GONE")
    if not (observed_text := gone_event.extra.get("before")):
        return max(last_record_at, gone_event.at)
    sound = Recording.select(fn.MAX(Recording.written_at)).where(Recording.call_id == root)
    last_sound_at: dt.datetime | None = sound.scalar()
    observed_at = dt.datetime.fromtimestamp(float(observed_text), dt.UTC)
    return max(last_record_at, min(last_sound_at or observed_at, gone_event.at))


def _next_boot(moment: dt.datetime) -> dt.datetime | None:
    """Return the time of Asterisk's next start after `moment`, or None."""
    rows = _NEXT_BOOT.fetch_tuples(since=clock.microseconds_since_epoch(moment))
    return clock.datetime_from_microseconds(rows[0][0]) if rows else None


def _began_after_boot(root: str, began_at: dt.datetime, booted_at: dt.datetime) -> bool:
    """Return True if a call began after a start of Asterisk, by a clock set back in between.

    This is the case if that start is still in the future. A call that the start did cut was
    recorded as ended before the clock was set back.
    """
    nearby = (
        EventRow.begins == "CLOCK",
        EventRow.at.between(began_at - CLOCK_STEP_RANGE, began_at),
    )
    steps = [
        _step_from_event(eventlog.event_from_row(row)) for row in EventRow.select().where(*nearby)
    ]
    is_between = any(step.at <= began_at < booted_at <= step.before + step.slack for step in steps)
    ended_calls = Call.select().where(Call.id == root, Call.ended_at.is_null(False))
    return (is_between or booted_at > clock.now() + _END_TOLERANCE) and not ended_calls.exists()
