"""What each operator's time went into."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from peewee import JOIN, Expression, Field, fn

from appliance.core.clock import microseconds, moment
from appliance.core.db import raw
from appliance.core.intervals import merged, without
from appliance.models import Call, Gap, QueueVisit, Ring, Talk
from appliance.people import presence, staff_records
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.kpi import Rate
from appliance.telephony.calls.wrapping import wrap_ups

type Stretch = tuple[int, int]  # microseconds since 1970; the end is no part of it


@dataclass(slots=True)
class Spoken:
    """Talks of an operator, in order."""

    calls: set[str] = field(default_factory=set)
    wholes: list[Stretch] = field(default_factory=list)
    pieces: list[Stretch] = field(default_factory=list)  # without their gaps


@dataclass(frozen=True)
class Workload:
    """One operator's period. Seconds; his handling is of the calls that arrived in the period."""

    operator: str  # login
    calls: int  # incoming ones in which he spoke
    talk_seconds: float  # of those, holding included
    outgoing: int  # calls that he placed and that were answered
    outgoing_seconds: float
    ready_seconds: float
    busy_seconds: float  # of the ready ones, in a talk
    wrap_up_seconds: float  # of the ready ones, after a talk; more time that was asked for too
    pause_seconds: float
    pauses: int
    pause_reasons: dict[str, float]  # reason → seconds; "" where none was told
    back_office_seconds: float
    planned_seconds: float  # of his shifts
    kept_seconds: float  # of those, at work
    shifts: int
    missed_rings: int  # attempts

    @property
    def handling_seconds(self) -> float:
        return self.talk_seconds + self.outgoing_seconds

    @property
    def handling(self) -> Rate:
        """AHT of an incoming call."""
        return Rate(self.talk_seconds / self.calls if self.calls else None, self.calls)

    @property
    def available_seconds(self) -> float:
        """Ready, in no talk and in no wrap-up."""
        return max(0.0, self.ready_seconds - self.busy_seconds - self.wrap_up_seconds)

    @property
    def occupancy(self) -> Rate:
        """Per cent: handling / (handling + available), wrap-up being handling; pauses are out."""
        handling = self.handling_seconds + self.wrap_up_seconds
        whole = handling + self.available_seconds
        return Rate(100 * handling / whole if whole else None, self.calls)

    @property
    def adherence(self) -> Rate:
        """Per cent of his shifts in which he was at work, whatever he did there."""
        whole = self.planned_seconds
        return Rate(100 * self.kept_seconds / whole if whole else None, self.shifts)


def count(
    call_filter: CallFilter, until: dt.datetime, wrap_up: Callable[[dt.datetime], float]
) -> tuple[Workload, ...]:
    """Everybody who spoke, placed a call or chose a state, by login.

    `until`: this moment; a state that holds is counted up to it. `wrap_up`: see routing.wrap_ups.
    Only the filter's period counts.
    """
    whole = call_filter.with_(**dict.fromkeys(call_filter.conditions))
    begin, end = whole.period.begin, min(whole.period.end, until)
    talks, outgoing, missed = _talks(whole), _outgoing(whole), _missed(whole)
    states = presence.stretches(begin, end)
    shifts = staff_records.planned(begin, end, whole.period.tz)

    def wrapped(spoken: Spoken, placed: Spoken, ready: Sequence[Stretch]) -> list[Stretch]:
        return wrap_ups(
            spoken.wholes,
            placed.wholes,
            ready,
            lambda at: round(wrap_up(moment(at)) * 10**6),
            microseconds(end),
        )

    made = []
    for login in sorted({*talks, *outgoing, *missed, *states}):
        spoken, placed = talks.get(login, Spoken()), outgoing.get(login, Spoken())
        own = states.get(login, [])
        planned = [
            (microseconds(since), microseconds(till)) for since, till in shifts.get(login, [])
        ]
        ready, wrapping, away = (
            [(since, till) for state, _, since, till in own if state == wanted]
            for wanted in ("ready", presence.WRAP_UP, "back_office")
        )
        at_hand = sorted([*ready, *wrapping])
        reasons = _reasons(own)
        at_work = merged((since, till) for state, _, since, till in own if state != "off")
        speaking = sorted([*spoken.pieces, *placed.pieces])
        rests = wrapped(spoken, placed, ready)
        made.append(
            Workload(
                operator=login,
                calls=len(spoken.calls),
                talk_seconds=_seconds(spoken.pieces),
                outgoing=len(placed.calls),
                outgoing_seconds=_seconds(placed.pieces),
                ready_seconds=_seconds(at_hand),
                busy_seconds=_shared(speaking, at_hand),
                wrap_up_seconds=_seconds(rests) + _seconds(wrapping) - _shared(speaking, wrapping),
                pause_seconds=sum(reasons.values()),
                pauses=sum(state == "pause" for state, *_ in own),
                pause_reasons=reasons,
                back_office_seconds=_seconds(away),
                planned_seconds=_seconds(planned),
                kept_seconds=_shared(planned, at_work),
                shifts=len(planned),
                missed_rings=missed.get(login, 0),
            )
        )
    return tuple(made)


def _reasons(states: Iterable[tuple[str, str, int, int]]) -> dict[str, float]:
    """Reason → seconds of pause."""
    found: dict[str, int] = defaultdict(int)
    for state, reason, begin, end in states:
        if state == "pause":
            found[reason] += end - begin
    return {reason: length / 10**6 for reason, length in found.items()}


def _talks(call_filter: CallFilter) -> dict[str, Spoken]:
    """Login → every talk that has ended."""
    which = (*conditions_of(call_filter), Talk.party == "operator", Talk.ended_at.is_null(False))
    return _spoken(Talk.who, call_filter, *which)


def _outgoing(call_filter: CallFilter) -> dict[str, Spoken]:
    which = (
        Call.arrived_at >= call_filter.period.begin,
        Call.arrived_at < call_filter.period.end,
        Call.direction == "outbound",
        ~Call.synthetic,
        Call.by.is_null(False),
        Talk.party == "outside",
        Talk.ended_at.is_null(False),
    )
    return _spoken(Call.by, call_filter, *which)


def _spoken(who: Field, call_filter: CallFilter, *which: Expression) -> dict[str, Spoken]:
    """Whose → such talks, in order."""
    gaps: dict[int, list[Stretch]] = defaultdict(list)
    away = Gap.select(Gap.talk, Gap.started_at, Gap.ended_at).where(
        Gap.started_at >= call_filter.period.begin, Gap.ended_at.is_null(False)
    )
    for talk, begin, end in raw(away):
        gaps[talk].append((begin, end))
    found: dict[str, Spoken] = defaultdict(Spoken)
    rows = Talk.select(Talk.started_at, Talk.ended_at, who, Talk.id, Talk.call).join(Call)
    for begin, end, name, talk, call in sorted(raw(rows.where(*which))):
        own, whole = found[name], (begin, end)
        own.calls.add(call)
        own.wholes.append(whole)
        if talk in gaps:
            own.pieces += without([whole], gaps[talk])
        else:
            own.pieces.append(whole)
    return found


def _missed(call_filter: CallFilter) -> dict[str, int]:
    """Login → how often his phone rang in vain, per attempt."""
    # A cross join keeps its order: the database would begin with every ring there ever was.
    rows = (
        Call.select(Ring.operator, fn.COUNT(Ring.id))
        .join(QueueVisit, JOIN.CROSS)
        .join(Ring, JOIN.CROSS)
        .where(
            *conditions_of(call_filter),
            QueueVisit.call == Call.id,
            Ring.visit == QueueVisit.id,
            Ring.result == "no_answer",
        )
        .group_by(Ring.operator)
    )
    return dict(raw(rows))


def _seconds(stretches: Iterable[Stretch]) -> float:
    """Of all of them, those that overlap counted twice."""
    length = sum(end - begin for begin, end in stretches)
    return length / 10**6 if length else 0  # none at all is written as such


def _shared(talks: Sequence[Stretch], ready: Sequence[Stretch]) -> float:
    """Seconds that are in both; each list is in order."""
    first = length = 0
    for begin, end in talks:
        while first < len(ready) and ready[first][1] <= begin:
            first += 1
        place = first
        while place < len(ready) and ready[place][0] < end:
            length += min(end, ready[place][1]) - max(begin, ready[place][0])
            place += 1
    return length / 10**6 if length else 0
