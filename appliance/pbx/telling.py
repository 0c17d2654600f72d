"""Which records belong to one call, and its row in the ledger from all of them."""

import datetime as dt

from appliance import calls, followups
from appliance.calls import CallFacts
from appliance.models import Call, EventRow, Folded, Recording, Talk
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import interpret, oldest, roots

_LONGEST = dt.timedelta(hours=4)  # a talk that seems to last longer has lost its end
_APART = dt.timedelta(seconds=2)  # between the ends of a phone's two calls that belong together


def tell(linkedid: str, short_abandon: float) -> None:
    """Interpret the call that this linkedid's records belong to and write it into the ledger.

    A phone's second call belongs to the call that waits meanwhile, and is told with it.
    """
    events = _family({linkedid})
    if not events:
        return
    linkedids = {event.linkedid for event in events}
    arrived = {event.linkedid for event in events if event.begins == "from-trunk"}
    if not arrived:
        for waiting in sorted(_waiting_for(events) | _folded(linkedids) - linkedids):
            tell(waiting, short_abandon)
        if _folded(linkedids) - linkedids:
            return
    for root in roots(events):
        _write(root, events, short_abandon)


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


def _write(root: str, events: list[Event], short_abandon: float) -> None:
    """Tell one call; what turns out to belong to it is told with it, and nowhere else."""
    facts = interpret(events, _cut(root, events), root)
    while facts and (more := _second_calls(facts, events)):
        events = events + more
        facts = interpret(events, _cut(root, events), root)
    linkedids = {event.linkedid for event in events}
    if not facts:
        calls.forget(linkedids)
        return
    calls.store(facts, short_abandon)
    if facts.ended_at or facts.talks:
        followups.follow(facts.arrived_at, facts.caller, facts.callee)
    parts = linkedids - set(roots(events))
    calls.forget(parts)
    rows = Folded.select(Folded.linkedid).where(Folded.call_id == root)
    former = {row.linkedid for row in rows}
    for linkedid in parts - former:
        Folded.replace(linkedid=linkedid, call_id=root).execute()
    for linkedid in former - parts:
        Folded.delete().where(Folded.linkedid == linkedid).execute()
        tell(linkedid, short_abandon)


def _folded(linkedids: set[str]) -> set[str]:
    """The calls with which these are told."""
    if not linkedids:
        return set()
    rows = Folded.select(Folded.call_id).where(Folded.linkedid.in_(linkedids))
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
    rows = EventRow.select(EventRow.fields).where(EventRow.linkedid.in_(linkedids))
    return [eventlog.from_fields(row.fields) for row in rows]


def _second_calls(facts: CallFacts, events: list[Event]) -> list[Event]:
    """Records of the calls that a phone placed while it spoke in this one."""
    known = {event.linkedid for event in events}
    found: list[Event] = []
    for talk in facts.talks:
        if not talk.extension or facts.direction == "internal":
            continue
        placed = EventRow.select(EventRow.linkedid).where(
            EventRow.phone == talk.extension,
            EventRow.at > talk.started_at,
            EventRow.at < (talk.ended_at or talk.started_at + _LONGEST),
        )
        for row in placed:
            if row.linkedid not in known:
                family = _family({row.linkedid})
                if _is_within(family, talk.ended_at):
                    found += family
                    known |= {event.linkedid for event in family}
    return found


def _waiting_for(events: list[Event]) -> set[str]:
    """The call in which the phone that places this one speaks at that moment."""
    linkedids = {event.linkedid for event in events}
    first = next((e for e in events if e.phone and e.linkedid == oldest(linkedids)), None)
    if not first:
        return set()
    speaks = (
        Talk.select(Talk.call, Talk.ended_at)
        .join(Call)
        .where(
            Talk.extension == first.phone,
            Talk.started_at < first.at,
            Talk.started_at > first.at - _LONGEST,
            (Talk.ended_at > first.at) | Talk.ended_at.is_null(),
            Call.direction != "internal",
            Call.id.not_in(linkedids),
        )
    )
    row = speaks.order_by(Talk.started_at.desc()).first()
    return {row.call_id} if row and _is_within(events, row.ended_at) else set()


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
    started = _boot_after(min(event.at for event in events))
    if not started:
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


def _boot_after(moment: dt.datetime) -> dt.datetime | None:
    boot = EventRow.select(EventRow.at).where(EventRow.begins == "BOOT", EventRow.at > moment)
    return boot.order_by(EventRow.at).limit(1).scalar()
