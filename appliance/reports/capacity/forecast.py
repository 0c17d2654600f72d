"""The operators and channels that the calls of a period need, by half-hour of one weekday.

"On demand" figures are for a day with ON_DEMAND_CALLS_PER_DAY calls
(terms of reference, T10).
"""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from peewee import fn

from appliance.core import clock
from appliance.core.db import raw_rows
from appliance.core.intervals import merge_intervals
from appliance.models import Call
from appliance.people import presence
from appliance.reports import kpi, wallclock
from appliance.reports.capacity import erlang, half_hours
from appliance.reports.capacity.half_hours import SLOT_SECONDS, HalfHourTally
from appliance.reports.periods import Period

SLOTS_PER_DAY = 86_400 // SLOT_SECONDS
MAX_REFUSED_SHARE = 0.01  # share of calls that may find no channel free
TRUNK_CHANNELS = 50  # terms of reference, T9
ON_DEMAND_CALLS_PER_DAY = 1250  # 1,000, and a quarter more on demand (T10)
MIN_CALLS_FOR_OWN_MEAN = 20  # with fewer calls, the mean duration of a half-hour is not reliable

type WeekSlot = tuple[int, int]  # weekday 1-7, half-hour 0-47


@dataclass(frozen=True)
class OperatorNeed:
    """The number of operators needed to answer a number of calls in a half-hour."""

    load: float  # of the operators, in erlangs
    for_speed: int  # operators needed to reach the target of the mean time to answer
    for_level: int  # operators needed to reach the target of the service level

    @property
    def operators(self) -> int:
        """The number of operators needed to reach both targets."""
        return max(self.for_speed, self.for_level)


@dataclass(frozen=True)
class HalfHour:
    """One half-hour of the weekday: average calls, operators needed, average operators present."""

    begins: dt.time
    calls: float  # average number that joined a queue
    handling_seconds: float  # average handling time (AHT), including wrap-up, seconds
    need: OperatorNeed
    on_shift: float  # average operators at work, including those on a pause
    on_demand: OperatorNeed  # the same half-hour of a day with ON_DEMAND_CALLS_PER_DAY calls

    @property
    def filter_value(self) -> str:
        """The half-hour as a value of the call filter's condition `time`: "08:00-08:30"."""
        ends = (self.begins.hour * 3600 + self.begins.minute * 60 + SLOT_SECONDS) % 86_400
        return f"{self.begins:%H:%M}-{ends // 3600:02}:{ends % 3600 // 60:02}"

    @property
    def is_understaffed(self) -> bool:
        """True if fewer operators were present than needed."""
        return round(self.on_shift) < self.need.operators


@dataclass(frozen=True)
class Capacity:
    """The operators and channels that a period's calls require."""

    period: Period
    weekday: int  # 1-7, the weekday of `half_hours`
    calls_by_weekday: Mapping[int, float]  # average calls of a day that joined a queue, by weekday
    half_hours: tuple[HalfHour, ...]
    handling_seconds: float  # AHT of the whole period, seconds
    patience: float | None  # mean seconds until a caller hangs up, if anybody did
    level: float  # threshold of the service level, seconds
    busiest_half_hour_calls: float  # incoming calls in the busiest half-hour of the period
    mean_channel_seconds: float  # mean seconds for which a call occupies a channel
    channels: int  # needed for the busiest half-hour
    channels_on_demand: int
    peak_calls: int  # the highest number of concurrent calls in the period

    @property
    def peak_operators(self) -> int:
        """The operators needed in the busiest half-hour of the weekday."""
        return max(half.need.operators for half in self.half_hours)

    @property
    def operator_hours(self) -> float:
        """The operator hours needed on one such weekday: the sum over its half-hours."""
        return sum(half.need.operators for half in self.half_hours) * SLOT_SECONDS / 3600

    @property
    def on_demand_operators(self) -> int:
        """The operators needed in the busiest half-hour of a day on demand.

        That is a day with ON_DEMAND_CALLS_PER_DAY calls.
        """
        return max(half.on_demand.operators for half in self.half_hours)

    @property
    def on_demand_hours(self) -> float:
        """The operator hours needed on a day with ON_DEMAND_CALLS_PER_DAY calls."""
        return sum(half.on_demand.operators for half in self.half_hours) * SLOT_SECONDS / 3600


def forecast_capacity(
    period: Period, service_level_seconds: float, wrap_up: float = 0.0, weekday: int | None = None
) -> Capacity:
    """Return the operators and channels needed, judged by a period's calls.

    `service_level_seconds` is the threshold of the service level. `wrap_up` are the seconds that an
    operator needs after each talk. The half-hours are those of an average `weekday` (1 is Monday);
    if it is None or not a weekday, of the one with most calls.
    """
    tally_of_half_hour = half_hours.count_half_hours(period, service_level_seconds)
    tally_of_slot = _tallies_by_slot(tally_of_half_hour)
    total = sum(tally_of_half_hour.values(), HalfHourTally())
    days_of_weekday = _days_by_weekday(period)
    calls_per_day = _calls_per_weekday(tally_of_slot, days_of_weekday)
    shown_weekday = (
        weekday
        if weekday in days_of_weekday
        else max(calls_per_day, key=lambda day: calls_per_day[day])
    )
    shown_days, shown_calls = days_of_weekday[shown_weekday], calls_per_day[shown_weekday]
    mean_handling_seconds = (total.handling.value or 0.0) + wrap_up
    presence_of_slot = _operators_by_slot(period)
    demand_factor = ON_DEMAND_CALLS_PER_DAY / shown_calls if shown_calls else 0.0
    day = tuple(
        _build_half_hour(
            number,
            tally_of_slot.get((shown_weekday, number), HalfHourTally()),
            shown_days,
            mean_handling_seconds,
            wrap_up,
            service_level_seconds,
            presence_of_slot[shown_weekday, number] / shown_days,
            demand_factor,
        )
        for number in range(SLOTS_PER_DAY)
    )
    busiest = max((half.calls for half in tally_of_half_hour.values()), default=0)
    channel_seconds = (
        int(total.call_microseconds) / 10**6 / total.ended_calls if total.ended_calls else 0.0
    )
    peak_share = max((half.calls for half in day), default=0.0) / (shown_calls or 1.0)
    return Capacity(
        period=period,
        weekday=shown_weekday,
        calls_by_weekday=calls_per_day,
        half_hours=day,
        handling_seconds=mean_handling_seconds,
        patience=total.patience,
        level=service_level_seconds,
        busiest_half_hour_calls=busiest,
        mean_channel_seconds=channel_seconds,
        channels=erlang.required_channels(
            busiest * channel_seconds / SLOT_SECONDS, MAX_REFUSED_SHARE
        ),
        channels_on_demand=erlang.required_channels(
            ON_DEMAND_CALLS_PER_DAY * peak_share * channel_seconds / SLOT_SECONDS,
            MAX_REFUSED_SHARE,
        ),
        peak_calls=_peak_concurrent_calls(period),
    )


def operator_need(
    calls: float, mean_handling_seconds: float, service_level_seconds: float
) -> OperatorNeed:
    """Return the operators needed for a number of calls within a half-hour.

    The targets are ASA_TARGET_SECONDS for the mean time to answer, and that
    SERVICE_LEVEL_TARGET_PERCENT of the calls are answered within `service_level_seconds`.
    `mean_handling_seconds` is the mean handling time of a call.
    """
    load = calls * mean_handling_seconds / SLOT_SECONDS
    return OperatorNeed(
        load,
        erlang.operators_for_speed(load, mean_handling_seconds, kpi.ASA_TARGET_SECONDS),
        erlang.operators_for_level(
            load,
            mean_handling_seconds,
            service_level_seconds,
            kpi.SERVICE_LEVEL_TARGET_PERCENT / 100,
        ),
    )


def _build_half_hour(
    number: int,
    tally: HalfHourTally,
    days: int,
    overall_handling_seconds: float,
    wrap_up: float,
    service_level_seconds: float,
    on_shift: float,
    demand_factor: float,
) -> HalfHour:
    """Return the half-hour `number` (0 to 47) of the weekday.

    `tally` is the sum over the `days` of that weekday in the period. `overall_handling_seconds` is
    the mean handling time of all calls, wrap-up included; it is used if this half-hour had too few.
    `on_shift` is the average number of operators at work, `wrap_up` the seconds that an operator
    needs after each talk. The day on demand is this weekday with `demand_factor` times its calls,
    as many as the terms of reference demand (ON_DEMAND_CALLS_PER_DAY).
    """
    calls = _queued_calls(tally) / days
    handling = tally.handling
    handling_seconds = (
        handling.value + wrap_up
        if handling.value is not None and handling.cases >= MIN_CALLS_FOR_OWN_MEAN
        else overall_handling_seconds
    )
    return HalfHour(
        begins=dt.time(number * SLOT_SECONDS // 3600, number * SLOT_SECONDS % 3600 // 60),
        calls=calls,
        handling_seconds=handling_seconds,
        need=operator_need(calls, handling_seconds, service_level_seconds),
        on_shift=on_shift,
        on_demand=operator_need(calls * demand_factor, handling_seconds, service_level_seconds),
    )


def _queued_calls(tally: HalfHourTally) -> int:
    """Return the number of calls that joined a queue, including short abandons."""
    return tally.joined + tally.short


def _tallies_by_slot(
    tally_of_half_hour: Mapping[int, HalfHourTally],
) -> dict[WeekSlot, HalfHourTally]:
    """Return the tallies added up over all days of a weekday, by (weekday, half-hour of the day).

    The keys of `tally_of_half_hour` count half-hours since 1970, in local time.
    """
    slots: dict[WeekSlot, HalfHourTally] = {}
    for number, tally in tally_of_half_hour.items():
        day, half = divmod(number, SLOTS_PER_DAY)
        key = (_weekday_of_day(day), half)
        slots[key] = slots.get(key, HalfHourTally()) + tally
    return slots


def _calls_per_weekday(
    tally_of_slot: Mapping[WeekSlot, HalfHourTally], days_of_weekday: Mapping[int, int]
) -> dict[int, float]:
    """Return the mean number of queued calls on a day of each weekday, by weekday."""
    return {
        number: sum(
            _queued_calls(tally) for (day, _), tally in tally_of_slot.items() if day == number
        )
        / days
        for number, days in days_of_weekday.items()
    }


def _weekday_of_day(day: int) -> int:
    """Return the weekday (1 is Monday) of a day given by its number, counted from 1970-01-01."""
    return (day + 3) % 7 + 1  # 1970-01-01 was a Thursday


def _days_by_weekday(period: Period) -> dict[int, int]:
    """Return the number of the period's days up to today, by weekday.

    It is at least 1, to avoid a division by 0.
    """
    today = clock.now().astimezone(period.tz).date()
    days_of_weekday: dict[int, int] = dict.fromkeys(range(1, 8), 0)
    for day in period.days:
        days_of_weekday[day.isoweekday()] += day <= today
    return {day: max(1, count) for day, count in days_of_weekday.items()}


def _operators_by_slot(period: Period) -> dict[WeekSlot, float]:
    """Return the mean number of operators at work in each half-hour, by (weekday, half-hour).

    The means are summed over the days of that weekday in the period; other keys give 0. Operators
    on a pause are at work.
    """
    microseconds_of_slot: dict[WeekSlot, int] = defaultdict(int)
    width = SLOT_SECONDS * 10**6
    for states in presence.intervals_by_login(period.begin, min(period.end, clock.now())).values():
        at_work = merge_intervals((begin, end) for state, _, begin, end in states if state != "off")
        for begin, end in wallclock.wall_clock_intervals(period, at_work):
            while begin < end:
                number = begin // width
                until = min(end, (number + 1) * width)
                day, half = divmod(number, SLOTS_PER_DAY)
                microseconds_of_slot[_weekday_of_day(day), half] += until - begin
                begin = until
    return defaultdict(
        float, {slot: length / width for slot, length in microseconds_of_slot.items()}
    )


def _peak_concurrent_calls(period: Period) -> int:
    """Return the highest number of concurrent calls, incoming and outgoing together.

    They are the calls that arrived in the period; those in progress last until now.
    """
    now = Call.arrived_at.db_value(clock.now())
    rows = (
        Call.select(Call.arrived_at, fn.COALESCE(Call.ended_at, now))
        .where(
            Call.arrived_at >= period.begin,
            Call.arrived_at < period.end,
            Call.direction != "internal",
            ~Call.synthetic,
        )
        .order_by(Call.arrived_at)
    )
    ends: list[int] = []  # end times, in microseconds
    peak = 0
    for arrived_at, ended_at in raw_rows(rows):
        while ends and ends[0] <= arrived_at:
            heapq.heappop(ends)
        heapq.heappush(ends, ended_at)
        peak = max(peak, len(ends))
    return peak
