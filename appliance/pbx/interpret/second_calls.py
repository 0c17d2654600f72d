"""Which calls that a phone placed are second calls in a talk, and so part of the talk's call.

The first caller waits while the phone calls somebody else, to consult them or to hand over.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.call_records import CallRecords
from appliance.pbx.interpret.clock_correction import ClockStep, correct_clock_steps
from appliance.pbx.interpret.linkedids import oldest_linkedid
from appliance.telephony.calls import CallFacts, TalkFacts

MAX_TALK = dt.timedelta(hours=4)  # a talk that seems to last longer has lost its end
END_TOLERANCE = dt.timedelta(seconds=2)  # between the ends of a phone's two joined calls


def second_call_records(
    facts: CallFacts, records: CallRecords, known_ids: Iterable[str]
) -> list[Event]:
    """Return the records of the calls that phones placed during their talks in this call.

    `facts` are those of this call. Placed calls that outlast the talk are left out, and those whose
    linkedids are in `known_ids`, because they are part of the call already. In a call between two
    of the appliance's own phones no citizen waits: it has no second calls.
    """
    seen_ids = set(known_ids)
    second_calls: list[Event] = []
    for talk in facts.talks:
        if not talk.extension or facts.direction == "internal":
            continue
        for call in records.placed_calls:
            if call.linkedid in seen_ids or call.phone != talk.extension:
                continue
            if not _is_placed_during(talk, call.at, records.steps):
                continue
            corrected_events = correct_clock_steps(call.events, facts.arrived_at, records.steps)
            if is_part_of_talk(corrected_events, talk.ended_at):
                second_calls += call.events
                seen_ids |= {event.linkedid for event in call.events}
    return second_calls


def times_to_search(
    since: dt.datetime, until: dt.datetime, steps: Iterable[ClockStep]
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the intervals of recorded times in which something between `since` and `until` can be.

    `since` and `until` are by the clock as it was when the call began. What happened after a step
    of the clock was recorded with the new clock's times.
    """
    intervals = [(since, until)]
    for step in steps:
        if since < step.at_by_old_clock < until:  # the rest has the other clock's times
            intervals.append((step.at - step.time_tolerance, until + step.size))
    return intervals


def _is_placed_during(talk: TalkFacts, at: dt.datetime, steps: Iterable[ClockStep]) -> bool:
    """Return True if a call that was recorded as placed at `at` was placed during a talk."""
    end = talk.ended_at or talk.started_at + MAX_TALK
    return any(
        since <= at <= until for since, until in times_to_search(talk.started_at, end, steps)
    )


def is_part_of_talk(second_call: Sequence[Event], ended_at: dt.datetime | None) -> bool:
    """Return True if a phone's second call is part of a talk that ended at `ended_at`.

    Without `ended_at`, the talk goes on. A second call that outlasts the talk is a call of its own:
    its operator released the first caller. So is a call from a trunk: a phone places a second call.
    """
    if any(event.begins == "from-trunk" for event in second_call):
        return False
    root = oldest_linkedid({event.linkedid for event in second_call})
    hung_up_at = next(
        (e.at for e in second_call if e.uniqueid == root and e.type == "HANGUP"), None
    )
    return ended_at is None or (hung_up_at is not None and hung_up_at <= ended_at + END_TOLERANCE)
