"""Billable talk of a period, call by call, and added up by trunk, number and tariff."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from peewee import SQL, Case, Expression, fn

from appliance.core import clock
from appliance.core.db import raw
from appliance.core.settings import Settings
from appliance.models import Call, Tariff
from appliance.reports import call_filters, kpi, tariffs
from appliance.reports.balance import Others
from appliance.reports.counting import others
from appliance.reports.periods import Period
from appliance.telephony import calls
from appliance.telephony.calls import Balance

_UP = ("second", "minute")  # what a talk is rounded up to

type Stretch = tuple[dt.date, dt.date]  # from one day to another, both included


@dataclass(frozen=True)
class Row:
    """One call of the ledger that is billed; without a tariff it costs nobody knows what."""

    id: str
    arrived_at: dt.datetime
    direction: str
    trunk: str
    number: str  # that the citizen dialled; "" of an outgoing call
    talk_seconds: float
    tariff: Tariff | None

    @property
    def billed_seconds(self) -> int:
        return tariffs.billed_seconds(
            self.talk_seconds, self.tariff.rounding if self.tariff else "second"
        )

    @property
    def amount(self) -> int | None:
        """Tiyin."""
        return tariffs.amount(self.tariff, self.talk_seconds) if self.tariff else None


@dataclass(frozen=True)
class Line:
    """The calls of one direction, trunk, number and tariff."""

    direction: str
    trunk: str
    number: str
    tariff: Tariff | None
    calls: int
    talk_seconds: float
    billed_seconds: int
    amount: int | None
    days: tuple[Stretch, ...] = ()  # of the period, on which such calls fall under its tariff


@dataclass(frozen=True)
class MinutesReport:
    """The act, and what it stands on."""

    locale: str
    period: Period
    made_at: dt.datetime
    formulas: str
    balance: Balance
    others: Others  # for the balance
    lines: tuple[Line, ...]

    @property
    def total(self) -> Line:
        """The sum; its amount is of the lines that have a tariff, None when no call has one."""
        known = [line.amount for line in self.lines if line.amount is not None]
        return Line(
            direction="",
            trunk="",
            number="",
            tariff=None,
            calls=sum(line.calls for line in self.lines),
            talk_seconds=sum(line.talk_seconds for line in self.lines),
            billed_seconds=sum(line.billed_seconds for line in self.lines),
            amount=sum(known) if known or not self.lines else None,
        )

    @property
    def unpriced(self) -> int:
        """Calls that no tariff holds for."""
        return sum(line.calls for line in self.lines if line.tariff is None)


def build(settings: Settings, period: Period, locale: str) -> MinutesReport:
    """Add up the period's billable calls."""
    known = tariffs.every()
    sums: dict[tuple[str, str, str, int], Line] = {}
    for one in _lines(period, known):
        key = (one.direction, one.trunk, one.number, one.tariff.id if one.tariff else 0)
        sums[key] = _together(sums[key], one) if key in sums else one
    return MinutesReport(
        locale=locale,
        period=period,
        made_at=clock.now(),
        formulas=kpi.FORMULAS,
        balance=calls.balance(period.begin, period.end),
        others=others(period),
        lines=tuple(
            replace(sums[key], days=_days(known, period, sums[key])) for key in sorted(sums)
        ),
    )


def _together(one: Line, other: Line) -> Line:
    """Two parts of a line."""
    return replace(
        one,
        calls=one.calls + other.calls,
        talk_seconds=one.talk_seconds + other.talk_seconds,
        billed_seconds=one.billed_seconds + other.billed_seconds,
        amount=None if one.amount is None else one.amount + (other.amount or 0),
    )


def _lines(period: Period, known: Sequence[Tariff]) -> Iterator[Line]:
    """The calls in one pass, parted so that all of a part fall under one tariff."""
    valid = [one for one in known if one.valid_from <= period.last]
    valid = [one for one in valid if one.valid_to is None or one.valid_to >= period.first]
    stretches = _stretches(valid, period)
    edges = [(Call.arrived_at < one.end, n) for n, one in enumerate(stretches[:-1])]
    stretch = Case(None, edges, len(stretches) - 1) if edges else SQL("0")
    inbound = Call.direction == "inbound"
    parts = stretch, Call.direction, Call.trunk, Case(None, [(inbound, call_filters.number())], "")
    roundings = {rounding: fn.SUM(tariffs.billed(Call.talk_seconds, rounding)) for rounding in _UP}
    prices = {(one.rounding, one.price): tariffs.amounts(one, Call.talk_seconds) for one in valid}
    sums = fn.COUNT(SQL("*")), fn.SUM(Call.talk_seconds), *roundings.values(), *prices.values()
    named = [part.alias(f"part_{number}") for number, part in enumerate(parts)]
    by = [SQL(f"part_{number}") for number in range(len(parts))]
    rows = Call.select(*named, *sums).where(*_billable(period)).group_by(*by)
    for place, direction, trunk, number, count, talk, *found in raw(rows):
        line = (direction, trunk or "", number or "")
        tariff = tariffs.find(valid, stretches[place].first, *line)
        billed = dict(zip(roundings, found, strict=False))
        amounts = dict(zip(prices, found[len(roundings) :], strict=True))
        yield Line(
            *line,
            tariff,
            count,
            round(talk, 6),  # a sum of whole microseconds
            billed["minute" if tariff and tariff.rounding == "minute" else "second"],
            amounts[tariff.rounding, tariff.price] if tariff else None,
        )


def _stretches(valid: Sequence[Tariff], period: Period) -> list[Period]:
    """The period in parts within which no tariff begins or ends."""
    day = dt.timedelta(days=1)
    begins = {one.valid_from for one in valid} | {
        one.valid_to + day for one in valid if one.valid_to
    }
    firsts = sorted({period.first, *(one for one in begins if period.first < one <= period.last)})
    lasts = [*(first - day for first in firsts[1:]), period.last]
    return [Period(*edges, period.tz) for edges in zip(firsts, lasts, strict=True)]


def _billable(period: Period) -> tuple[Expression, ...]:
    """Accepted and outgoing calls with talk; test calls are not billed."""
    return (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        Call.direction.in_(tariffs.DIRECTIONS),
        Call.outcome == "answered",
        ~Call.synthetic,
    )


def _days(known: Sequence[Tariff], period: Period, line: Line) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for day in period.days:
        if tariffs.find(known, day, line.direction, line.trunk, line.number) != line.tariff:
            continue
        if found and found[-1][1] + dt.timedelta(days=1) == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)


def rows(period: Period, known: Sequence[Tariff] | None = None) -> Iterator[Row]:
    """The calls that are billed, oldest first.

    `known`: the tariffs, when they are at hand.
    """
    known = tariffs.every() if known is None else known
    dialled = call_filters.number()
    found = (
        Call.select(
            Call.id, Call.arrived_at, Call.direction, Call.trunk, dialled, Call.talk_seconds
        )
        .where(*_billable(period))
        .order_by(Call.arrived_at, Call.id)
        .tuples()
        .iterator()
    )
    remembered: dict[tuple[dt.date, str, str, str], Tariff | None] = {}
    for call_id, arrived_at, direction, trunk, number, talk in found:
        day = arrived_at.astimezone(period.tz).date()
        key = (day, direction, trunk or "", (number or "") if direction == "inbound" else "")
        if key not in remembered:
            remembered[key] = tariffs.find(known, *key)
        yield Row(call_id, arrived_at, *key[1:], talk, remembered[key])
