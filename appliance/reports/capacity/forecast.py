"""What the calls of a period need, half-hour by half-hour of one weekday."""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from peewee import fn

from appliance.core import clock
from appliance.core.db import raw
from appliance.core.intervals import merged
from appliance.models import Call
from appliance.people import presence
from appliance.reports import kpi, wallclock
from appliance.reports.capacity import erlang, half_hours
from appliance.reports.capacity.half_hours import SLOT, Calls
from appliance.reports.periods import Period

SLOTS = 86_400 // SLOT
REFUSED = 0.01  # share of calls that may find no channel free
CHANNELS = 50  # of the trunk (terms of reference, T9)
ON_DEMAND = 1250  # calls a day: 1,000, and a quarter more on demand (T10)
FEW = 20  # calls of a half-hour; on fewer its own mean length says little

type Slot = tuple[int, int]  # weekday 1-7, half-hour 0-47


@dataclass(frozen=True)
class Need:
    """What a number of calls in a half-hour needs."""

    load: float  # erlangs on the operators
    for_speed: int  # operators, so that the mean answer keeps the target
    for_level: int  # operators, so that the service level keeps the target

    @property
    def operators(self) -> int:
        return max(self.for_speed, self.for_level)


@dataclass(frozen=True)
class HalfHour:
    """One half-hour of the weekday: what came on average, what it needs, who was there."""

    begins: dt.time
    calls: float  # that joined a queue, on average
    length: float  # AHT, seconds
    need: Need
    on_shift: float  # operators at work, on average; pauses included
    on_demand: Need  # the same hour of a day with ON_DEMAND calls

    @property
    def span(self) -> str:
        """As a condition of a filter: "08:00-08:30"."""
        ends = (self.begins.hour * 3600 + self.begins.minute * 60 + SLOT) % 86_400
        return f"{self.begins:%H:%M}-{ends // 3600:02}:{ends % 3600 // 60:02}"

    @property
    def short(self) -> bool:
        """Whether fewer operators were there than are needed."""
        return round(self.on_shift) < self.need.operators


@dataclass(frozen=True)
class Capacity:
    """What a period's calls say about operators and channels."""

    period: Period
    weekday: int  # 1-7, whose half-hours these are
    weekdays: Mapping[int, float]  # calls that joined a queue on such a day, on average
    half_hours: tuple[HalfHour, ...]
    length: float  # AHT of the whole period, seconds
    patience: float | None  # mean seconds after which a caller gives up; None: nobody did
    level: float  # the service level's seconds
    busiest: float  # calls in the busiest half-hour of the period, all lines together
    holding: float  # mean seconds that a call keeps a channel
    channels: int  # needed for the busiest half-hour
    channels_on_demand: int
    peak: int  # calls at once, the most that there were

    @property
    def peak_operators(self) -> int:
        return max(half.need.operators for half in self.half_hours)

    @property
    def operator_hours(self) -> float:
        """Of one such day."""
        return sum(half.need.operators for half in self.half_hours) * SLOT / 3600

    @property
    def on_demand_operators(self) -> int:
        return max(half.on_demand.operators for half in self.half_hours)

    @property
    def on_demand_hours(self) -> float:
        return sum(half.on_demand.operators for half in self.half_hours) * SLOT / 3600


def count(
    period: Period, level: float, wrap_up: float = 0.0, weekday: int | None = None
) -> Capacity:
    """Forecast from a period's calls; `weekday` None: the one with most calls.

    `level`: the service level's seconds; `wrap_up`: seconds that follow each talk.
    """
    halves = half_hours.count(period, level)
    slots, whole = _slots(halves), sum(halves.values(), Calls())
    days = _days(period)
    per_day = {
        number: sum(_queued(t) for (day, _), t in slots.items() if day == number) / days[number]
        for number in days
    }
    shown = weekday if weekday in days else max(per_day, key=lambda day: per_day[day])
    length = (whole.handling.value or 0.0) + wrap_up
    present = _present(period)
    scale = ON_DEMAND / per_day[shown] if per_day[shown] else 0.0
    day = tuple(
        _half_hour(
            number,
            slots.get((shown, number), Calls()),
            days[shown],
            length,
            wrap_up,
            level,
            present[shown, number] / days[shown],
            scale,
        )
        for number in range(SLOTS)
    )
    busiest = max((half.calls for half in halves.values()), default=0)
    holding = int(whole.lasted) / 10**6 / whole.over if whole.over else 0.0
    share = max((half.calls for half in day), default=0.0) / (per_day[shown] or 1.0)
    return Capacity(
        period=period,
        weekday=shown,
        weekdays=per_day,
        half_hours=day,
        length=length,
        patience=whole.patience,
        level=level,
        busiest=busiest,
        holding=holding,
        channels=erlang.channels_for(busiest * holding / SLOT, REFUSED),
        channels_on_demand=erlang.channels_for(ON_DEMAND * share * holding / SLOT, REFUSED),
        peak=_peak(period),
    )


def need(calls: float, length: float, level: float) -> Need:
    """What so many calls of a mean length (seconds) within a half-hour need."""
    load = calls * length / SLOT
    return Need(
        load,
        erlang.operators_for_speed(load, length, kpi.ASA_TARGET),
        erlang.operators_for_level(load, length, level, kpi.SERVICE_TARGET / 100),
    )


def _half_hour(
    number: int,
    found: Calls,
    days: int,
    usual: float,
    wrap_up: float,
    level: float,
    on_shift: float,
    scale: float,
) -> HalfHour:
    calls = _queued(found) / days
    own = found.handling
    length = own.value + wrap_up if own.value is not None and own.cases >= FEW else usual
    return HalfHour(
        begins=dt.time(number * SLOT // 3600, number * SLOT % 3600 // 60),
        calls=calls,
        length=length,
        need=need(calls, length, level),
        on_shift=on_shift,
        on_demand=need(calls * scale, length, level),
    )


def _queued(tally: Calls) -> int:
    """Calls that joined a queue, those too that left it at once."""
    return tally.joined + tally.short


def _slots(halves: Mapping[int, Calls]) -> dict[Slot, Calls]:
    """(weekday, half-hour) → tally."""
    slots: dict[Slot, Calls] = {}
    for number, tally in halves.items():
        day, half = divmod(number, SLOTS)
        key = (_weekday(day), half)
        slots[key] = slots.get(key, Calls()) + tally
    return slots


def _weekday(day: int) -> int:
    """Of a day since 1970; 1 is Monday."""
    return (day + 3) % 7 + 1  # 1970-01-01 was a Thursday


def _days(period: Period) -> dict[int, int]:
    """Weekday → how many there were up to today; at least one, so that nothing is divided by 0."""
    today = clock.now().astimezone(period.tz).date()
    found: dict[int, int] = dict.fromkeys(range(1, 8), 0)
    for day in period.days:
        found[day.isoweekday()] += day <= today
    return {day: max(1, count) for day, count in found.items()}


def _present(period: Period) -> dict[Slot, float]:
    """(weekday, half-hour) → operators at work, added up over the period's days."""
    found: dict[Slot, int] = defaultdict(int)
    width = SLOT * 10**6
    for states in presence.stretches(period.begin, min(period.end, clock.now())).values():
        at_work = merged((begin, end) for state, _, begin, end in states if state != "off")
        for begin, end in wallclock.shown(period, at_work):
            while begin < end:
                number = begin // width
                until = min(end, (number + 1) * width)
                day, half = divmod(number, SLOTS)
                found[_weekday(day), half] += until - begin
                begin = until
    return defaultdict(float, {slot: length / width for slot, length in found.items()})


def _peak(period: Period) -> int:
    """The most calls that there were at once, whatever their direction."""
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
    going: list[int] = []  # when they end, in microseconds
    most = 0
    for arrived, ended in raw(rows):
        while going and going[0] <= arrived:
            heapq.heappop(going)
        heapq.heappush(going, ended)
        most = max(most, len(going))
    return most
