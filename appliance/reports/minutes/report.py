"""Billable talk of a period, call by call, and added up by trunk, number and tariff."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Call, Tariff
from appliance.reports import call_filters, kpi, tariffs
from appliance.reports.balance import Others
from appliance.reports.periods import Period
from appliance.reports.telephony.report import others
from appliance.telephony import calls
from appliance.telephony.calls import Balance

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
    for row in rows(period, known):
        key = (row.direction, row.trunk, row.number, row.tariff.id if row.tariff else 0)
        so_far = sums.get(key)
        sums[key] = Line(
            row.direction,
            row.trunk,
            row.number,
            row.tariff,
            (so_far.calls if so_far else 0) + 1,
            (so_far.talk_seconds if so_far else 0.0) + row.talk_seconds,
            (so_far.billed_seconds if so_far else 0) + row.billed_seconds,
            None if row.amount is None else ((so_far.amount or 0) if so_far else 0) + row.amount,
        )
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
    """Accepted and outgoing calls with talk, oldest first; test calls are not billed.

    `known`: the tariffs, when they are at hand.
    """
    known = tariffs.every() if known is None else known
    dialled = call_filters.number()
    found = (
        Call.select(
            Call.id, Call.arrived_at, Call.direction, Call.trunk, dialled, Call.talk_seconds
        )
        .where(
            Call.arrived_at >= period.begin,
            Call.arrived_at < period.end,
            Call.direction.in_(tariffs.DIRECTIONS),
            Call.outcome == "answered",
            ~Call.synthetic,
        )
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
