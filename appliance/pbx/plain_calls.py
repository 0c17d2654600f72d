"""Calls that stand by themselves, told many at once; every other call is told by `projection`.

So are all but a few: their channels are in no other call, their phones placed none meanwhile, no
step of the clock and no start of Asterisk is near. What must be asked to know that, and what is
written, is asked and written for all of them together.
"""

import contextlib
import datetime as dt
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from peewee import OperationalError

from appliance.core.clock import microseconds, moment
from appliance.core.db import database
from appliance.core.settings import Calls
from appliance.core.statements import Question, some, value
from appliance.models import EventRow, MergedCall
from appliance.pbx import eventlog, projection
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import interpret
from appliance.telephony import calls, followups
from appliance.telephony.calls import CallFacts

log = logging.getLogger(__name__)


_RECORDS = Question(
    lambda: EventRow.select(
        *(EventRow.hash, EventRow.linkedid, EventRow.at),
        *(EventRow.event, EventRow.uniqueid, EventRow.fields),
    ).where(some(EventRow.linkedid, "ids"))
)
_STEPS = Question(
    lambda: EventRow.select(EventRow.hash).where(
        EventRow.begins == "CLOCK", EventRow.at.between(value("since"), value("until"))
    )
)
_ELSEWHERE = Question(
    lambda: (
        EventRow.select(EventRow.uniqueid)
        .where(some(EventRow.uniqueid, "channels"), ~some(EventRow.linkedid, "ids"))
        .distinct()
    )
)
_MERGED = Question(
    lambda: MergedCall.select(MergedCall.linkedid, MergedCall.call_id).where(
        some(MergedCall.linkedid, "ids") | some(MergedCall.call_id, "ids")
    )
)
_PLACED = Question(
    lambda: EventRow.select(EventRow.phone, EventRow.at, EventRow.linkedid).where(
        some(EventRow.phone, "phones"), EventRow.at.between(value("since"), value("until"))
    )
)
_BOOT = Question(
    lambda: (
        EventRow.select(EventRow.at)
        .where(EventRow.begins == "BOOT", EventRow.at > value("since"))
        .limit(1)
    )
)


def known(linkedids: Collection[str]) -> dict[str, list[Event]]:
    """The records of these linkedids that are written down; of a new one there are none."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for hash, linkedid, at, type, uniqueid, kept in _RECORDS.ask(ids=linkedids):
        fields = json.loads(kept)
        if "EventTime" in fields:
            event = eventlog.written(hash, linkedid, moment(at), type, uniqueid, fields)
            found[linkedid].append(event)
    return found


def facts(records: Mapping[str, Sequence[Event]]) -> dict[str, CallFacts]:
    """What these records alone tell of their calls, as far as they do; asks no database."""
    told: dict[str, CallFacts] = {}
    for linkedid, events in records.items():
        with contextlib.suppress(Exception):  # said when it is told
            if found := interpret(events, None, linkedid):
                told[linkedid] = found
    return told


def project(
    records: Mapping[str, Sequence[Event]],
    rules: Calls,
    known: Mapping[str, CallFacts] | None = None,
) -> None:
    """Tell these calls, each once, from all their records, which are written down already.

    `records`: linkedid → all that is known of it; `known`: facts() of some of them, where they are
    at hand. Call it inside a write transaction.
    """
    told: list[CallFacts] = []
    try:
        with database.atomic():
            told = _store_whole(_plain(records), known or {}, rules)
    except OperationalError:  # no call's fault: the database is busy, or its disk is full
        raise
    except Exception:  # one of them cannot be written: each is tried by itself
        log.exception("%d calls cannot be told together", len(records))
        told = []
    for linkedid in sorted(records.keys() - {facts.id for facts in told}):
        projection.project(linkedid, rules)


def _store_whole(
    records: Mapping[str, Sequence[Event]], known: Mapping[str, CallFacts], rules: Calls
) -> list[CallFacts]:
    """Those of the calls that were written into the ledger."""
    read = ((known.get(name) or _interpreted(name, own), own) for name, own in records.items())
    found = [one for one, own in read if one and (one.ended_at or not _booted_after(own))]
    second = _with_second_calls(found)
    told = [facts for facts in found if facts.id not in second]
    calls.store_all(told, rules)
    concerned: dict[str, dt.datetime] = {}
    for one in told:
        if one.ended_at or one.talks:
            for number in filter(None, (one.caller, one.callee)):
                at = concerned.get(number, one.arrived_at)
                concerned[number] = min(at, one.arrived_at)
    followups.follow_known(concerned, calls.missed(told))
    return told


def _interpreted(linkedid: str, events: Sequence[Event]) -> CallFacts | None:
    try:
        return interpret(events, None, linkedid)
    except Exception:  # the boundary of a call: it is set aside when that is so by itself, too
        log.exception("call %s is tried by itself", linkedid)
        return None


def _booted_after(events: Sequence[Event]) -> bool:
    """Whether Asterisk began anew after these records: it may have died under their call."""
    return bool(_BOOT.ask(since=microseconds(min(event.at for event in events))))


def _plain(records: Mapping[str, Sequence[Event]]) -> dict[str, Sequence[Event]]:
    """Those of which nothing but their own records tells."""
    if _clock_stepped(records):
        return {}
    of_channel: defaultdict[str, set[str]] = defaultdict(set)
    for linkedid, events in records.items():
        for event in events:
            of_channel[event.uniqueid].add(linkedid)
    shared = {uniqueid for uniqueid, owners in of_channel.items() if len(owners) > 1}
    shared |= {name for (name,) in _ELSEWHERE.ask(channels=of_channel, ids=records)}
    entangled = {linkedid for uniqueid in shared for linkedid in of_channel[uniqueid]}
    entangled |= {name for row in _MERGED.ask(ids=records) for name in row}
    entangled |= calls.untold(records)
    return {
        linkedid: events
        for linkedid, events in records.items()
        if linkedid not in entangled
        if any(event.begins == "from-trunk" for event in events)
        if not any(event.type == "GONE" for event in events)
    }


def _clock_stepped(records: Mapping[str, Sequence[Event]]) -> bool:
    moments = [event.at for events in records.values() for event in events]
    since, until = min(moments) - projection.NEAR, max(moments) + projection.NEAR
    return bool(_STEPS.ask(since=microseconds(since), until=microseconds(until)))


def _with_second_calls(found: Sequence[CallFacts]) -> set[str]:
    """The calls in whose talks a phone placed another call."""
    talks = [(facts.id, talk) for facts in found for talk in facts.talks if talk.extension]
    if not talks:
        return set()
    begin = min(talk.started_at for _, talk in talks)
    end = max(talk.ended_at or talk.started_at + projection.LONGEST for _, talk in talks)
    placed: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    phones = {talk.extension or "" for _, talk in talks}
    for phone, at, linkedid in _PLACED.ask(
        phones=phones, since=microseconds(begin), until=microseconds(end)
    ):
        placed[phone].append((at, linkedid))
    return {
        call_id
        for call_id, talk in talks
        for at, linkedid in placed[talk.extension or ""]
        if microseconds(talk.started_at) <= at
        if at <= microseconds(talk.ended_at or talk.started_at + projection.LONGEST)
        if linkedid != call_id
    }
