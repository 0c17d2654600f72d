"""Which records belong to one call, and its row in the ledger from all of them."""

import datetime as dt
import functools
import logging
from collections.abc import Callable

from peewee import OperationalError, fn

from appliance.core import clock
from appliance.core.db import database
from appliance.core.settings import Calls, Settings
from appliance.core.statements import Question, value
from appliance.models import Call, EventRow, MergedCall, Recording, Talk
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import (
    Step,
    calls_without_beginning,
    interpret,
    oldest,
    roots,
    straightened,
)
from appliance.telephony import calls, followups
from appliance.telephony.calls import CallFacts, Damage

log = logging.getLogger(__name__)

LONGEST = dt.timedelta(hours=4)  # a talk that seems to last longer has lost its end
NEAR = dt.timedelta(days=2)  # steps of the clock that can matter to a call
_APART = dt.timedelta(seconds=2)  # between the ends of a phone's two calls that belong together
_BOOT = Question(
    lambda: (
        EventRow.select(EventRow.at)
        .where(EventRow.begins == "BOOT", EventRow.at > value("since"))
        .order_by(EventRow.at)
        .limit(1)
    )
)


def projector(settings: Settings) -> Callable[[str], None]:
    """project() as the settings of a site want it."""
    return functools.partial(project, rules=settings.calls)


def project(linkedid: str, rules: Calls) -> None:
    """Interpret the call that this linkedid's records belong to and write it into the ledger.

    A phone's second call belongs to the call that waits meanwhile, and is told with it. A call of
    which nothing can be made stays as it was told before, and is set aside until it can.
    """
    name = linkedid.encode("utf-8", "replace")
    try:
        with database.atomic():
            _project(linkedid, rules)
    except OperationalError:  # not the call's fault: the database is busy, or its disk is full
        raise
    except Exception:  # the boundary of a call: all others are told
        log.exception("call %s cannot be told", linkedid)
        calls.set_aside("", [Damage("untold", 0, name, linkedid=linkedid)])
    else:
        calls.release("untold", name)


def _project(linkedid: str, rules: Calls) -> None:
    events = _family({linkedid})
    if not events:
        return
    for name, at in calls_without_beginning(events).items():
        calls.write_down(name, "from-trunk", at)
    linkedids = {event.linkedid for event in events}
    arrived = {event.linkedid for event in events if event.begins == "from-trunk"}
    if not arrived:
        for waiting in sorted(_waiting_for(events) | _merged(linkedids) - linkedids):
            _project(waiting, rules)
        if _merged(linkedids) - linkedids:
            return
    for root in roots(events):
        _write(root, events, rules)


def channels(linkedid: str) -> set[str]:
    """The channels that this linkedid's call has had."""
    return {event.uniqueid for event in _family({linkedid})}


def open_at(boot: dt.datetime) -> set[str]:
    """Calls that had no end in the log when Asterisk started at `boot`."""
    former = EventRow.select(EventRow.at).where(EventRow.begins == "BOOT", EventRow.at < boot)
    since = former.order_by(EventRow.at.desc()).limit(1).scalar()
    began = EventRow.select(EventRow.linkedid).where(
        EventRow.event == "CHAN_START", EventRow.at < boot
    )
    ended = EventRow.select(EventRow.linkedid).where(EventRow.event == "LINKEDID_END")
    if since:
        began, ended = (rows.where(EventRow.at >= since) for rows in (began, ended))
    return {row.linkedid for row in began.where(EventRow.linkedid.not_in(ended)).distinct()}


def boots_after(moment: dt.datetime) -> set[dt.datetime]:
    """The next start of Asterisk after a moment: a late record can change what it cut."""
    first = _boot_after(moment)
    return {first} if first else set()


def across(event: Event) -> set[str]:
    """Calls that this step of the clock fell into, and those told just before it was noticed."""
    step = _step(event)
    near = EventRow.at.between(event.at - _APART, event.at + _APART)
    rows = EventRow.select(EventRow.linkedid).where(near).distinct()
    began = Call.arrived_at.between(step.before - LONGEST, step.before)
    lasted = Call.ended_at.is_null() | (Call.ended_at >= step.before)
    calls_then = Call.select(Call.id).where(began, lasted)
    return {row.linkedid for row in rows} | {call.id for call in calls_then}


def _write(root: str, events: list[Event], rules: Calls) -> None:
    """Tell one call; what turns out to belong to it is told with it, and nowhere else."""
    steps = _steps(events)
    facts = interpret(_log(events), _cut(root, events), root, steps)
    while facts and (more := _second_calls(facts, events, steps)):
        events = events + more
        facts = interpret(_log(events), _cut(root, events), root, steps)
    linkedids = {event.linkedid for event in events}
    if not facts:
        calls.forget(linkedids)
        return
    calls.store(facts, rules)
    if facts.ended_at or facts.talks:
        followups.follow(facts.arrived_at, facts.caller, facts.callee)
    parts = linkedids - set(roots(events))
    calls.forget(parts)
    rows = MergedCall.select(MergedCall.linkedid).where(MergedCall.call_id == root)
    former = {row.linkedid for row in rows}
    for linkedid in parts - former:
        MergedCall.replace(linkedid=linkedid, call_id=root).execute()
    for linkedid in former - parts:
        MergedCall.delete().where(MergedCall.linkedid == linkedid).execute()
        _project(linkedid, rules)


def _log(events: list[Event]) -> list[Event]:
    """What Asterisk wrote; that it knows a call no more is only noted beside (`_vanished`)."""
    return [event for event in events if event.type != "GONE"]


def _merged(linkedids: set[str]) -> set[str]:
    """The calls with which these are told."""
    if not linkedids:
        return set()
    rows = MergedCall.select(MergedCall.call_id).where(MergedCall.linkedid.in_(linkedids))
    return {row.call_id for row in rows}


def _family(linkedids: set[str]) -> list[Event]:
    """All records of these linkedids, and of those that share a channel with them.

    When calls become one, Asterisk goes on writing the younger one's channels under the elder's
    linkedid.
    """
    known = set(linkedids)
    events = _records(known)
    while True:
        channels = {event.uniqueid for event in events}
        rows = EventRow.select(EventRow.linkedid).where(
            EventRow.uniqueid.in_(channels), EventRow.linkedid.not_in(known)
        )
        more = {row.linkedid for row in rows.distinct()}
        if not more:
            return events
        known |= more
        events += _records(more)


def _records(linkedids: set[str]) -> list[Event]:
    rows = EventRow.select().where(EventRow.linkedid.in_(linkedids))
    return [eventlog.from_row(row) for row in rows if "EventTime" in row.fields]


def _steps(events: list[Event]) -> list[Step]:
    """Steps of the clock about the time of these records."""
    moments = [event.at for event in events]
    rows = EventRow.select().where(
        EventRow.begins == "CLOCK",
        EventRow.at.between(min(moments) - NEAR, max(moments) + NEAR),
    )
    return [_step(eventlog.from_row(row)) for row in rows.order_by(EventRow.at)]


def _step(event: Event) -> Step:
    return Step(event.at, dt.timedelta(seconds=float(event.extra["by"])))


def _second_calls(facts: CallFacts, events: list[Event], steps: list[Step]) -> list[Event]:
    """Records of the calls that a phone placed while it spoke in this one."""
    known = {event.linkedid for event in events}
    found: list[Event] = []
    for talk in facts.talks:
        if not talk.extension or facts.direction == "internal":
            continue
        begin, end = talk.started_at, talk.ended_at or talk.started_at + LONGEST
        within = EventRow.at.between(begin, end)
        for step in steps:
            if begin < step.before < end:  # the rest of the talk is written by another clock
                within |= EventRow.at.between(step.at - step.slack, end + step.by)
        placed = EventRow.select(EventRow.linkedid).where(EventRow.phone == talk.extension, within)
        for row in placed:
            if row.linkedid not in known:
                family = _family({row.linkedid})
                if _is_within(straightened(family, facts.arrived_at, steps), talk.ended_at):
                    found += family
                    known |= {event.linkedid for event in family}
    return found


def _waiting_for(events: list[Event]) -> set[str]:
    """The call in which the phone that places this one speaks at that moment."""
    linkedids = {event.linkedid for event in events}
    first = next((e for e in events if e.phone and e.linkedid == oldest(linkedids)), None)
    if not first:
        return set()
    steps = _steps(events)
    # Talks that began before a step of the clock are told by the clock before it.
    for at in [first.at, *(first.at - step.by for step in steps if step.at <= first.at)]:
        speaks = (
            Talk.select(Talk.call, Talk.started_at, Talk.ended_at)
            .join(Call)
            .where(
                Talk.extension == first.phone,
                Talk.started_at < at,
                Talk.started_at > at - LONGEST,
                (Talk.ended_at > at) | Talk.ended_at.is_null(),
                Call.direction != "internal",
                Call.id.not_in(linkedids),
            )
        )
        row = speaks.order_by(Talk.started_at.desc()).first()
        if row and _is_within(straightened(events, row.started_at, steps), row.ended_at):
            return {row.call_id}
    return set()


def _is_within(second: list[Event], ended_at: dt.datetime | None) -> bool:
    """Whether a phone's second call is part of a talk that ended then, or goes on (None).

    One that outlasts the talk is a call of its own: its operator let the first caller go.
    """
    if any(event.begins == "from-trunk" for event in second):
        return False
    root = oldest({event.linkedid for event in second})
    over = next((e.at for e in second if e.uniqueid == root and e.type == "HANGUP"), None)
    return ended_at is None or (over is not None and over <= ended_at + _APART)


def _cut(root: str, events: list[Event]) -> dt.datetime | None:
    """When Asterisk died under this call: the last sign of life before it started anew.

    Signs are the last record of any call and the last sound written to the call's recording.
    """
    if vanished := _vanished(root, events):
        return vanished
    began = min(event.at for event in events)
    started = _boot_after(began)
    if not started or _is_later(root, began, started):
        return None
    booting = EventRow.select(EventRow.linkedid).where(
        EventRow.begins == "BOOT", EventRow.at == started
    )
    record = EventRow.select(EventRow.at).where(
        EventRow.at < started, EventRow.linkedid.not_in([row.linkedid for row in booting])
    )
    signs = [record.order_by(EventRow.at.desc()).limit(1).scalar()]
    written = Recording.select(Recording.written_at).where(
        Recording.call_id == root, Recording.written_at.is_null(False)
    )
    signs += [row.written_at for row in written if row.written_at < started]
    return max(signs)


def _vanished(root: str, events: list[Event]) -> dt.datetime | None:
    """When the call ended of which Asterisk knew nothing any more; None when it is not one.

    That moment is known to a look's length when the call was seen before. Else nobody looked for
    long: the last sound tells it, or the last moment at which somebody looked.
    """
    own = [event for event in events if event.linkedid == root]
    gone = min((e for e in own if e.type == "GONE"), key=lambda event: event.at, default=None)
    if not gone:
        return None
    last = max(event.at for event in own if event.type != "GONE")
    if not (before := gone.extra.get("before")):
        return max(last, gone.at)
    sound = Recording.select(fn.MAX(Recording.written_at)).where(Recording.call_id == root)
    heard: dt.datetime | None = sound.scalar()
    looked = dt.datetime.fromtimestamp(float(before), dt.UTC)
    return max(last, min(heard or looked, gone.at))


def _boot_after(moment: dt.datetime) -> dt.datetime | None:
    found = _BOOT.ask(since=clock.microseconds(moment))
    return clock.moment(found[0][0]) if found else None


def _is_later(root: str, began: dt.datetime, booted: dt.datetime) -> bool:
    """Whether a call began after that start of Asterisk, by a clock that was set back meanwhile.

    So it is when that start is still to come. A call that the start did cut was told as ended
    before the clock was set back.
    """
    nearby = (EventRow.begins == "CLOCK", EventRow.at.between(began - NEAR, began))
    steps = [_step(eventlog.from_row(row)) for row in EventRow.select().where(*nearby)]
    between = any(step.at <= began < booted <= step.before + step.slack for step in steps)
    ended = Call.select().where(Call.id == root, Call.ended_at.is_null(False))
    return (between or booted > clock.now() + _APART) and not ended.exists()
