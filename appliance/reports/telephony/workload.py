"""What each operator's time went into."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from peewee import Expression, Field, fn

from appliance.core.intervals import Interval, merged, total, without
from appliance.models import Call, Gap, QueueVisit, Ring, Talk
from appliance.people import pauses, presence, staff_records
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.kpi import Rate
from appliance.telephony.calls.wrapping import wrap_ups


class Spoken(NamedTuple):
    """A talk of a call; `pieces`: without its gaps."""

    call: str
    whole: Interval
    pieces: list[Interval]


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
    whole = call_filter.with_(**dict.fromkeys(call_filter.asked))
    begin, end = whole.period.begin, min(whole.period.end, until)
    talks, outgoing, missed = _talks(whole), _outgoing(whole), _missed(whole)
    states = presence.intervals(begin, end)
    shifts = staff_records.planned(begin, end, whole.period.tz)
    made = []
    for login in sorted({*talks, *outgoing, *missed, *states}):
        spoken, placed = talks.get(login, []), outgoing.get(login, [])
        own, planned = states.get(login, []), shifts.get(login, [])
        ready, wrapping, away = (
            [(one.begin, one.end) for one in own if one.state == state]
            for state in ("ready", presence.WRAP_UP, "back_office")
        )
        at_hand = sorted([*ready, *wrapping])
        reasons = pauses.by_reason(own)
        at_work = merged((one.begin, one.end) for one in own if one.state != "off")
        spans = [piece for one in spoken for piece in one.pieces]
        called = [piece for one in placed for piece in one.pieces]
        speaking = sorted([*spans, *called])
        rests = wrap_ups(
            [one.whole for one in spoken], [one.whole for one in placed], ready, wrap_up, end
        )
        made.append(
            Workload(
                operator=login,
                calls=len({one.call for one in spoken}),
                talk_seconds=total(spans),
                outgoing=len({one.call for one in placed}),
                outgoing_seconds=total(called),
                ready_seconds=total(at_hand),
                busy_seconds=_shared(speaking, at_hand),
                wrap_up_seconds=total(rests) + total(wrapping) - _shared(speaking, wrapping),
                pause_seconds=sum(reasons.values()),
                pauses=sum(one.state == "pause" for one in own),
                pause_reasons=reasons,
                back_office_seconds=total(away),
                planned_seconds=total(planned),
                kept_seconds=_shared(planned, at_work),
                shifts=len(planned),
                missed_rings=missed.get(login, 0),
            )
        )
    return tuple(made)


def _talks(call_filter: CallFilter) -> dict[str, list[Spoken]]:
    """Login → every talk that has ended, in order."""
    which = (*conditions_of(call_filter), Talk.party == "operator", Talk.ended_at.is_null(False))
    return _spoken(Talk.who, *which)


def _outgoing(call_filter: CallFilter) -> dict[str, list[Spoken]]:
    which = (
        Call.arrived_at >= call_filter.period.begin,
        Call.arrived_at < call_filter.period.end,
        Call.direction == "outbound",
        ~Call.synthetic,
        Call.by.is_null(False),
        Talk.party == "outside",
        Talk.ended_at.is_null(False),
    )
    return _spoken(Call.by, *which)


def _spoken(who: Field, *which: Expression) -> dict[str, list[Spoken]]:
    """Whose → such talks, in order."""
    gaps: dict[int, list[Interval]] = defaultdict(list)
    away = Gap.select(Gap.talk, Gap.started_at, Gap.ended_at).join(Talk).join(Call)
    for talk, *gap in away.where(*which, Gap.ended_at.is_null(False)).tuples():
        gaps[talk].append((gap[0], gap[1]))
    found: dict[str, list[Spoken]] = defaultdict(list)
    rows = Talk.select(who, Talk.id, Talk.call, Talk.started_at, Talk.ended_at).join(Call)
    for name, talk, call, begin, end in (
        rows.where(*which).order_by(Talk.started_at).tuples().iterator()
    ):
        whole = begin, end
        pieces = without([whole], gaps[talk]) if talk in gaps else [whole]
        found[name].append(Spoken(call, whole, pieces))
    return found


def _missed(call_filter: CallFilter) -> dict[str, int]:
    """Login → how often his phone rang in vain, per attempt."""
    # Not a join: the database would begin it with every ring there ever was.
    visits = QueueVisit.select(QueueVisit.id).join(Call).where(*conditions_of(call_filter))
    rows = (
        Ring.select(Ring.operator, fn.COUNT(Ring.id))
        .where(Ring.visit.in_(visits), Ring.result == "no_answer")
        .group_by(Ring.operator)
        .tuples()
    )
    return dict(rows)


def _shared(talks: Sequence[Interval], ready: Sequence[Interval]) -> float:
    """Seconds that are in both; each list is in order."""
    return total((max(a[0], b[0]), min(a[1], b[1])) for a, b in _meeting(talks, ready))


def _meeting(
    talks: Sequence[Interval], ready: Sequence[Interval]
) -> Iterator[tuple[Interval, ...]]:
    first = 0
    for talk in talks:
        while first < len(ready) and ready[first][1] <= talk[0]:
            first += 1
        for one in ready[first:]:
            if one[0] >= talk[1]:
                break
            yield talk, one
