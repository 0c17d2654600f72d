"""What each operator's time went into."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from peewee import Expression, Field, fn

from appliance.core.intervals import Interval, total, without
from appliance.models import Call, Gap, QueueVisit, Ring, Talk
from appliance.people import presence
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.kpi import Rate

# Login → (call, from, to) of talks; one with gaps is in pieces.
type Pieces = dict[str, list[tuple[str, dt.datetime, dt.datetime]]]
AT_HAND = ("ready", presence.WRAP_UP)  # the queue's own wrap-up is part of being ready


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
    pause_seconds: float
    pauses: int
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
        """Ready, and in no talk."""
        return max(0.0, self.ready_seconds - self.busy_seconds)

    @property
    def occupancy(self) -> Rate:
        """Per cent: handling / (handling + available); pauses are out."""
        whole = self.handling_seconds + self.available_seconds
        return Rate(100 * self.handling_seconds / whole if whole else None, self.calls)


def count(call_filter: CallFilter, until: dt.datetime) -> tuple[Workload, ...]:
    """Everybody who spoke, placed a call or chose a state, by login.

    `until`: this moment; a state that holds is counted up to it. Only the filter's period counts.
    """
    whole = call_filter.with_(**dict.fromkeys(call_filter.asked))
    talks, outgoing, missed = _talks(whole), _outgoing(whole), _missed(whole)
    states = presence.intervals(whole.period.begin, min(whole.period.end, until))
    made = []
    for login in sorted({*talks, *outgoing, *missed, *states}):
        spoken, placed = talks.get(login, []), outgoing.get(login, [])
        ready = [(one.begin, one.end) for one in states.get(login, []) if one.state in AT_HAND]
        pauses = [(one.begin, one.end) for one in states.get(login, []) if one.state == "pause"]
        spans = [(begin, end) for _, begin, end in spoken]
        called = [(begin, end) for _, begin, end in placed]
        made.append(
            Workload(
                operator=login,
                calls=len({call for call, _, _ in spoken}),
                talk_seconds=total(spans),
                outgoing=len({call for call, _, _ in placed}),
                outgoing_seconds=total(called),
                ready_seconds=total(ready),
                busy_seconds=_shared(sorted([*spans, *called]), ready),
                pause_seconds=total(pauses),
                pauses=len(pauses),
                missed_rings=missed.get(login, 0),
            )
        )
    return tuple(made)


def _talks(call_filter: CallFilter) -> Pieces:
    """Login → every talk that has ended, in order."""
    which = (*conditions_of(call_filter), Talk.party == "operator", Talk.ended_at.is_null(False))
    return _pieces(Talk.who, *which)


def _outgoing(call_filter: CallFilter) -> Pieces:
    which = (
        Call.arrived_at >= call_filter.period.begin,
        Call.arrived_at < call_filter.period.end,
        Call.direction == "outbound",
        ~Call.synthetic,
        Call.by.is_null(False),
        Talk.party == "outside",
        Talk.ended_at.is_null(False),
    )
    return _pieces(Call.by, *which)


def _pieces(who: Field, *which: Expression) -> Pieces:
    """Whose → such talks, in order, without their gaps."""
    gaps: dict[int, list[Interval]] = defaultdict(list)
    away = Gap.select(Gap.talk, Gap.started_at, Gap.ended_at).join(Talk).join(Call)
    for talk, *gap in away.where(*which, Gap.ended_at.is_null(False)).tuples():
        gaps[talk].append((gap[0], gap[1]))
    found: Pieces = defaultdict(list)
    rows = Talk.select(who, Talk.id, Talk.call, Talk.started_at, Talk.ended_at).join(Call)
    for name, talk, call, *whole in (
        rows.where(*which).order_by(Talk.started_at).tuples().iterator()
    ):
        pieces = without([whole], gaps[talk]) if talk in gaps else [whole]
        found[name] += [(call, begin, end) for begin, end in pieces]
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
