"""How each operator spent their time: talking, ready for calls, in wrap-up, on pauses.

Wrap-up is the time after a talk in which an operator gets no call.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from peewee import JOIN, Expression, Field, fn

from appliance.core.clock import datetime_from_microseconds, microseconds_since_epoch
from appliance.core.db import raw_rows
from appliance.core.intervals import merge_intervals, subtract_intervals
from appliance.models import Call, Gap, QueueVisit, Ring, Talk
from appliance.people import presence, staff_records
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.kpi import Rate, mean_rate
from appliance.reports.shares import percentage
from appliance.telephony.calls import wrap_up_intervals

type MicrosecondInterval = tuple[int, int]  # microseconds since 1970; the end is exclusive


@dataclass(slots=True)
class OperatorTalks:
    """The talks of an operator, in order."""

    call_ids: set[str] = field(default_factory=set)
    talk_intervals: list[MicrosecondInterval] = field(default_factory=list)
    # the talks without their gaps, in which the operator was away (after the loss of the page or
    # phone) while the caller waited
    speaking_intervals: list[MicrosecondInterval] = field(default_factory=list)


@dataclass(frozen=True)
class Workload:
    """How one operator spent a period; the calls are those that arrived in the period."""

    operator: str  # login
    calls: int  # incoming calls in which they talked
    talk_seconds: float  # of those calls, including time on hold
    outgoing: int  # calls that they placed and that were answered
    outgoing_seconds: float
    ready_seconds: float
    busy_seconds: float  # the part of the ready seconds in a talk
    wrap_up_seconds: float  # the part of the ready seconds in wrap-up, including extra time taken
    pause_seconds: float
    pauses: int
    pause_reasons: dict[str, float]  # seconds by reason; "" if no reason was given
    back_office_seconds: float
    planned_seconds: float  # of their shifts
    kept_seconds: float  # the part of the planned seconds in which they were at work
    shifts: int
    missed_rings: int  # how often their phone rang without an answer

    @property
    def total_handling_seconds(self) -> float:
        """The sum of the talk seconds of all incoming and outgoing calls."""
        return self.talk_seconds + self.outgoing_seconds

    @property
    def handling(self) -> Rate:
        """Average handling time (AHT) of incoming calls: seconds of talk and hold, no wrap-up."""
        return mean_rate(self.talk_seconds, self.calls)

    @property
    def available_seconds(self) -> float:
        """Ready seconds except those in a talk or in wrap-up."""
        return max(0.0, self.ready_seconds - self.busy_seconds - self.wrap_up_seconds)

    @property
    def occupancy(self) -> Rate:
        """The percentage handling / (handling + available seconds).

        Here handling includes wrap-up. Pauses are in neither.
        """
        handling = self.total_handling_seconds + self.wrap_up_seconds
        return Rate(percentage(handling, handling + self.available_seconds), self.calls)

    @property
    def adherence(self) -> Rate:
        """The percentage of the shift time that was spent at work, in any state except "off"."""
        return Rate(percentage(self.kept_seconds, self.planned_seconds), self.shifts)


def count_workload(
    call_filter: CallFilter, until: dt.datetime, wrap_up_seconds_at: Callable[[dt.datetime], float]
) -> tuple[Workload, ...]:
    """Return the workload of each operator who talked, missed a ring or set a state.

    They are sorted by login. Only the period of the filter is used. A state that has not ended is
    counted up to `until`, the current time. `wrap_up_seconds_at` is the result of
    routing.wrap_up_rule(), a function from a time to the seconds of wrap-up after a talk that ends
    then.
    """
    unfiltered = call_filter.without_conditions()
    begin, end = unfiltered.period.begin, min(unfiltered.period.end, until)
    incoming, outgoing = _incoming_talks(unfiltered), _outgoing_talks(unfiltered)
    missed = _missed_rings_by_login(unfiltered)
    states = presence.intervals_by_login(begin, end)
    shifts = staff_records.planned_intervals(begin, end, unfiltered.period.tz)

    def automatic_wrap_up(
        incoming_talks: OperatorTalks,
        outgoing_talks: OperatorTalks,
        ready: Sequence[MicrosecondInterval],
    ) -> list[MicrosecondInterval]:
        """Return the intervals of one operator's wrap-up that the rule gives after their talks."""
        return wrap_up_intervals(
            incoming_talks.talk_intervals,
            outgoing_talks.talk_intervals,
            ready,
            lambda at: round(wrap_up_seconds_at(datetime_from_microseconds(at)) * 10**6),
            microseconds_since_epoch(end),
        )

    return tuple(
        _operator_workload(
            login,
            incoming.get(login, OperatorTalks()),
            outgoing.get(login, OperatorTalks()),
            states.get(login, []),
            [
                (microseconds_since_epoch(since), microseconds_since_epoch(ended))
                for since, ended in shifts.get(login, [])
            ],
            missed.get(login, 0),
            automatic_wrap_up,
        )
        for login in sorted({*incoming, *outgoing, *missed, *states})
    )


def _operator_workload(
    login: str,
    incoming: OperatorTalks,
    outgoing: OperatorTalks,
    states: Sequence[tuple[str, str, int, int]],
    planned: Sequence[MicrosecondInterval],
    missed_rings: int,
    automatic_wrap_up: Callable[
        [OperatorTalks, OperatorTalks, Sequence[MicrosecondInterval]], list[MicrosecondInterval]
    ],
) -> Workload:
    """Return the workload of one operator.

    `states` are (state, reason, begin, end), `planned` the shifts; times are in microseconds since
    1970. `automatic_wrap_up` returns the wrap-up intervals that the rule gives, from the incoming
    talks, the outgoing talks and the ready intervals. Operators can also choose the state wrap-up,
    for extra time; it counts as wrap-up except while they talk.
    """
    ready, chosen_wrap_up, back_office = (
        [(since, ended) for state, _, since, ended in states if state == state_name]
        for state_name in ("ready", presence.WRAP_UP, "back_office")
    )
    ready_or_wrap_up = sorted([*ready, *chosen_wrap_up])
    reasons = _pause_seconds_by_reason(states)
    at_work = merge_intervals((since, ended) for state, _, since, ended in states if state != "off")
    speaking = sorted([*incoming.speaking_intervals, *outgoing.speaking_intervals])
    return Workload(
        operator=login,
        calls=len(incoming.call_ids),
        talk_seconds=_total_seconds(incoming.speaking_intervals),
        outgoing=len(outgoing.call_ids),
        outgoing_seconds=_total_seconds(outgoing.speaking_intervals),
        ready_seconds=_total_seconds(ready_or_wrap_up),
        busy_seconds=_overlap_seconds(speaking, ready_or_wrap_up),
        wrap_up_seconds=_total_seconds(automatic_wrap_up(incoming, outgoing, ready))
        + _total_seconds(chosen_wrap_up)
        - _overlap_seconds(speaking, chosen_wrap_up),
        pause_seconds=sum(reasons.values()),
        pauses=sum(state == "pause" for state, *_ in states),
        pause_reasons=reasons,
        back_office_seconds=_total_seconds(back_office),
        planned_seconds=_total_seconds(planned),
        kept_seconds=_overlap_seconds(planned, at_work),
        shifts=len(planned),
        missed_rings=missed_rings,
    )


def _pause_seconds_by_reason(states: Iterable[tuple[str, str, int, int]]) -> dict[str, float]:
    """Return the seconds of pause by reason ("" if no reason was given).

    `states` are (state, reason, begin, end), with times in microseconds.
    """
    microseconds_by_reason: dict[str, int] = defaultdict(int)
    for state, reason, begin, end in states:
        if state == "pause":
            microseconds_by_reason[reason] += end - begin
    return {reason: length / 10**6 for reason, length in microseconds_by_reason.items()}


def _incoming_talks(call_filter: CallFilter) -> dict[str, OperatorTalks]:
    """Return the ended talks of operators in the incoming calls that pass a filter, by login."""
    conditions = (
        *sql_conditions(call_filter),
        Talk.party == "operator",
        Talk.ended_at.is_null(False),
    )
    return _talks_by_operator(Talk.who, call_filter.period.begin, *conditions)


def _outgoing_talks(call_filter: CallFilter) -> dict[str, OperatorTalks]:
    """Return the ended talks of the outgoing calls in the filter's period, by login.

    The login is that of the operator who placed the call.
    """
    conditions = (
        Call.arrived_at >= call_filter.period.begin,
        Call.arrived_at < call_filter.period.end,
        Call.direction == "outbound",
        ~Call.synthetic,
        Call.by.is_null(False),
        Talk.party == "outside",
        Talk.ended_at.is_null(False),
    )
    return _talks_by_operator(Call.by, call_filter.period.begin, *conditions)


def _talks_by_operator(
    operator_column: Field, gaps_from: dt.datetime, *conditions: Expression
) -> dict[str, OperatorTalks]:
    """Return the talks that meet the conditions, by the login in `operator_column`.

    The conditions must include the period, because `gaps_from`, its beginning, only limits which
    gaps are read. A gap is an interval of a talk in which the operator was away.
    """
    gaps: dict[int, list[MicrosecondInterval]] = defaultdict(list)
    gap_query = Gap.select(Gap.talk, Gap.started_at, Gap.ended_at).where(
        Gap.started_at >= gaps_from, Gap.ended_at.is_null(False)
    )
    for talk, begin, end in raw_rows(gap_query):
        gaps[talk].append((begin, end))
    talks: dict[str, OperatorTalks] = defaultdict(OperatorTalks)
    rows = Talk.select(Talk.started_at, Talk.ended_at, operator_column, Talk.id, Talk.call).join(
        Call
    )
    for begin, end, login, talk, call in sorted(raw_rows(rows.where(*conditions))):
        operator_talks, talk_interval = talks[login], (begin, end)
        operator_talks.call_ids.add(call)
        operator_talks.talk_intervals.append(talk_interval)
        if talk in gaps:
            operator_talks.speaking_intervals += subtract_intervals([talk_interval], gaps[talk])
        else:
            operator_talks.speaking_intervals.append(talk_interval)
    return talks


def _missed_rings_by_login(call_filter: CallFilter) -> dict[str, int]:
    """Return how often each operator's phone rang without an answer, by login.

    Only rings for calls that pass the filter are counted.
    """
    # A cross join keeps its order. Otherwise the database would start from all rings ever recorded.
    rows = (
        Call.select(Ring.operator, fn.COUNT(Ring.id))
        .join(QueueVisit, JOIN.CROSS)
        .join(Ring, JOIN.CROSS)
        .where(
            *sql_conditions(call_filter),
            QueueVisit.call == Call.id,
            Ring.visit == QueueVisit.id,
            Ring.result == "no_answer",
        )
        .group_by(Ring.operator)
    )
    return dict(raw_rows(rows))


def _total_seconds(intervals: Iterable[MicrosecondInterval]) -> float:
    """Return the total seconds of intervals; time in several intervals counts several times."""
    length = sum(end - begin for begin, end in intervals)
    return length / 10**6 if length else 0  # an integer 0 if there are no intervals, as exported


def _overlap_seconds(
    first_list: Sequence[MicrosecondInterval], second_list: Sequence[MicrosecondInterval]
) -> float:
    """Return the seconds that are in intervals of both lists; each list is in order of time."""
    first_candidate = length = 0
    for begin, end in first_list:
        while first_candidate < len(second_list) and second_list[first_candidate][1] <= begin:
            first_candidate += 1
        position = first_candidate
        while position < len(second_list) and second_list[position][0] < end:
            length += min(end, second_list[position][1]) - max(begin, second_list[position][0])
            position += 1
    return length / 10**6 if length else 0
