"""What the calls of a period need, half-hour by half-hour of one weekday."""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from peewee import Case, fn

from appliance.core import clock
from appliance.models import Call
from appliance.people import presence
from appliance.reports import counting, kpi, wallclock
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.capacity import erlang
from appliance.reports.counting import Counted
from appliance.reports.periods import Period

SLOT = 1800  # seconds
SLOTS = 86_400 // SLOT
REFUSED = 0.01  # share of calls that may find no channel free
CHANNELS = 50  # of the trunk (terms of reference, T9)
ON_DEMAND = 1250  # calls a day: 1,000, and a quarter more on demand (T10)
FEW = 20  # calls of a half-hour; on fewer its own mean length says little

_ASKED = ("accepted", "joined", "short", "talk_seconds", "hold_seconds")  # of a half-hour

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
    call_filter = CallFilter(period)
    slots = _slots(call_filter, level)
    days = _days(period)
    per_day = {
        number: sum(_queued(t) for (day, _), t in slots.items() if day == number) / days[number]
        for number in days
    }
    shown = weekday if weekday in days else max(per_day, key=lambda day: per_day[day])
    total = sum(slots.values(), Counted())
    length = (total.handling.value or 0.0) + wrap_up
    present = _present(period)
    scale = ON_DEMAND / per_day[shown] if per_day[shown] else 0.0
    half_hours = tuple(
        _half_hour(
            number,
            slots.get((shown, number), Counted()),
            days[shown],
            length,
            wrap_up,
            level,
            present[shown, number] / days[shown],
            scale,
        )
        for number in range(SLOTS)
    )
    busiest = _busiest(call_filter)
    holding = _holding(call_filter)
    share = max((half.calls for half in half_hours), default=0.0) / (per_day[shown] or 1.0)
    return Capacity(
        period=period,
        weekday=shown,
        weekdays=per_day,
        half_hours=half_hours,
        length=length,
        patience=_patience(call_filter),
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
    found: Counted,
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


def _queued(tally: Counted) -> int:
    """Calls that joined a queue, those too that left it at once."""
    return tally.joined + tally.short


def _slots(call_filter: CallFilter, level: float) -> dict[Slot, Counted]:
    """(weekday, half-hour) → tally."""
    place = wallclock.local(call_filter.period) / (SLOT * 10**6)
    found = counting.by(call_filter, level, place, _ASKED)
    slots: dict[Slot, Counted] = {}
    for number, tally in found.items():
        day, half = divmod(number, SLOTS)
        key = ((day + 3) % 7 + 1, half)  # 1970-01-01 was a Thursday
        slots[key] = slots.get(key, Counted()) + tally
    return slots


def _days(period: Period) -> dict[int, int]:
    """Weekday → how many there were up to today; at least one, so that nothing is divided by 0."""
    today = clock.now().astimezone(period.tz).date()
    found: dict[int, int] = dict.fromkeys(range(1, 8), 0)
    for day in period.days:
        found[day.isoweekday()] += day <= today
    return {day: max(1, count) for day, count in found.items()}


def _present(period: Period) -> dict[Slot, float]:
    """(weekday, half-hour) → operators at work, added up over the period's days."""
    found: dict[Slot, float] = defaultdict(float)
    for states in presence.intervals(period.begin, min(period.end, clock.now())).values():
        for state, _, begin, end in states:
            if state != "off":
                for slot, seconds in _split(begin.astimezone(period.tz), end):
                    found[slot] += seconds / SLOT
    return found


def _split(begin: dt.datetime, end: dt.datetime) -> Iterable[tuple[Slot, float]]:
    """The half-hours of a stretch, each with how many of its seconds are in it."""
    while begin < end:
        into = (begin.hour * 3600 + begin.minute * 60 + begin.second) % SLOT
        into_exactly = into + begin.microsecond / 10**6
        seconds = min(SLOT - into_exactly, (end - begin).total_seconds())
        yield (begin.isoweekday(), (begin.hour * 3600 + begin.minute * 60) // SLOT), seconds
        begin = (begin.astimezone(dt.UTC) + dt.timedelta(seconds=seconds)).astimezone(begin.tzinfo)


def _patience(call_filter: CallFilter) -> float | None:
    """Mean seconds until a caller gives up, those who were answered first taken as cut short."""
    gave_up = fn.SUM(Case(None, [(Call.outcome == "abandoned_queue", 1)], 0))
    query = Call.select(fn.SUM(Call.wait_seconds), gave_up)
    waited, gone = query.where(
        *conditions_of(call_filter), Call.wait_seconds.is_null(False)
    ).tuples()[0]
    return waited / gone if gone else None


def _busiest(call_filter: CallFilter) -> float:
    slot = wallclock.local(call_filter.period) / (SLOT * 10**6)
    counted = (
        Call.select(fn.COUNT(Call.id).alias("calls"))
        .where(*conditions_of(call_filter))
        .group_by(slot)
    )
    return counted.order_by(fn.COUNT(Call.id).desc()).limit(1).scalar() or 0


def _holding(call_filter: CallFilter) -> float:
    """Mean seconds from arrival to the end, of the calls that are over."""
    length = fn.SUM(Call.ended_at - Call.arrived_at)
    query = Call.select(length, fn.COUNT(Call.id)).where(
        *conditions_of(call_filter), Call.ended_at.is_null(False)
    )
    total, calls = query.tuples()[0]
    return int(total) / 10**6 / calls if calls else 0.0


def _peak(period: Period) -> int:
    """The most calls that there were at once, whatever their direction."""
    now = Call.arrived_at.db_value(clock.now())
    rows = (
        Call.select(Call.arrived_at + 0, fn.COALESCE(Call.ended_at + 0, now))
        .where(
            Call.arrived_at >= period.begin,
            Call.arrived_at < period.end,
            Call.direction != "internal",
            ~Call.synthetic,
        )
        .order_by(Call.arrived_at)
        .tuples()
        .iterator()
    )
    going: list[int] = []  # when they end, in microseconds
    most = 0
    for arrived, ended in rows:
        while going and going[0] <= arrived:
            heapq.heappop(going)
        heapq.heappush(going, ended)
        most = max(most, len(going))
    return most
