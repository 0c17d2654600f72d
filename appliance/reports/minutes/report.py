"""The billed calls of a period, one by one, and added up by trunk, number and tariff."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from peewee import SQL, Case, Expression, fn

from appliance.core import clock
from appliance.core.db import raw_rows
from appliance.core.settings import Settings
from appliance.models import Call, Tariff
from appliance.reports import call_filters, kpi, tariffs
from appliance.reports.balance import ExcludedCallCounts
from appliance.reports.counting import count_excluded_calls
from appliance.reports.periods import Period
from appliance.telephony import calls
from appliance.telephony.calls import Balance

_ROUNDING_UNITS = ("second", "minute")  # the units to which talk is rounded up

type DayRange = tuple[dt.date, dt.date]  # first and last day, both included


@dataclass(frozen=True)
class BilledCall:
    """One billed call; if no `tariff` applies to it, its cost is unknown."""

    id: str
    arrived_at: dt.datetime
    direction: str  # "inbound" or "outbound"
    trunk: str  # "" if it is unknown
    number: str  # the number that the citizen dialled; "" for an outgoing call
    talk_seconds: float
    tariff: Tariff | None

    @property
    def billed_seconds(self) -> int:
        """The billed seconds: rounded up as the tariff says, to whole seconds without a tariff."""
        return tariffs.billed_seconds(
            self.talk_seconds, self.tariff.rounding if self.tariff else "second"
        )

    @property
    def amount(self) -> int | None:
        """The cost in tiyin, if there is a tariff."""
        return tariffs.talk_cost(self.tariff, self.talk_seconds) if self.tariff else None


@dataclass(frozen=True)
class BillingLine:
    """The sums over the calls with the same direction, trunk, number and tariff.

    Each of the four is empty in the line of totals.
    """

    direction: str  # "inbound" or "outbound"
    trunk: str  # "" if it is unknown
    number: str  # the number that the citizen dialled; "" for outgoing calls
    tariff: Tariff | None  # if one applies to these calls
    calls: int
    talk_seconds: float
    billed_seconds: int
    amount: int | None  # in tiyin, if a tariff applies
    days: tuple[DayRange, ...] = ()  # days of the period on which the tariff applies to such calls


@dataclass(frozen=True)
class MinutesReport:
    """Everything that the printed statement, the page and the exports contain."""

    locale: str
    period: Period
    made_at: dt.datetime
    formulas: str  # kpi.FORMULAS_VERSION when the report was made
    balance: Balance
    excluded_calls: ExcludedCallCounts  # to explain the balance
    lines: tuple[BillingLine, ...]

    @property
    def total(self) -> BillingLine:
        """The sum of all lines.

        Its amount includes only lines with a tariff; None if there are lines but no tariff.
        """
        amounts = [line.amount for line in self.lines if line.amount is not None]
        return BillingLine(
            direction="",
            trunk="",
            number="",
            tariff=None,
            calls=sum(line.calls for line in self.lines),
            talk_seconds=sum(line.talk_seconds for line in self.lines),
            billed_seconds=sum(line.billed_seconds for line in self.lines),
            amount=sum(amounts) if amounts or not self.lines else None,
        )

    @property
    def unpriced_calls(self) -> int:
        """The number of calls to which no tariff applies."""
        return sum(line.calls for line in self.lines if line.tariff is None)


def build_minutes_report(settings: Settings, period: Period, locale: str) -> MinutesReport:
    """Return the statement of a period's billed calls.

    `settings` is not used: all reports are built by functions with these parameters (files.FORMS).
    """
    tariff_list = tariffs.all_tariffs()
    sums: dict[tuple[str, str, str, int], BillingLine] = {}
    for line in _billing_lines(period, tariff_list):
        key = (line.direction, line.trunk, line.number, line.tariff.id if line.tariff else 0)
        sums[key] = _merge_lines(sums[key], line) if key in sums else line
    return MinutesReport(
        locale=locale,
        period=period,
        made_at=clock.now(),
        formulas=kpi.FORMULAS_VERSION,
        balance=calls.ledger_balance(period.begin, period.end),
        excluded_calls=count_excluded_calls(period),
        lines=tuple(
            replace(sums[key], days=_tariff_days(tariff_list, period, sums[key]))
            for key in sorted(sums)
        ),
    )


def _merge_lines(line: BillingLine, other_line: BillingLine) -> BillingLine:
    """Return the sum of two lines with the same direction, trunk, number and tariff."""
    return replace(
        line,
        calls=line.calls + other_line.calls,
        talk_seconds=line.talk_seconds + other_line.talk_seconds,
        billed_seconds=line.billed_seconds + other_line.billed_seconds,
        amount=None if line.amount is None else line.amount + (other_line.amount or 0),
    )


def _billing_lines(period: Period, tariff_list: Sequence[Tariff]) -> Iterator[BillingLine]:
    """Yield billing lines: sums over groups of billed calls to which the same tariff applies.

    The database sums the calls by direction, trunk, number and part of the period within which no
    tariff begins or ends. A tariff that applies in several parts has a line for each of them.
    """
    valid_tariffs = [
        tariff
        for tariff in tariff_list
        if tariff.valid_from <= period.last
        and (tariff.valid_to is None or tariff.valid_to >= period.first)
    ]
    tariff_periods = _tariff_periods(valid_tariffs, period)
    branches = [
        (Call.arrived_at < tariff_period.end, n)
        for n, tariff_period in enumerate(tariff_periods[:-1])
    ]
    period_index = Case(None, branches, len(tariff_periods) - 1) if branches else SQL("0")
    is_inbound = Call.direction == "inbound"
    key_expressions = (
        period_index,
        Call.direction,
        Call.trunk,
        Case(None, [(is_inbound, call_filters.dialled_number())], ""),
    )
    roundings = {
        rounding: fn.SUM(tariffs.billed_seconds_sql(Call.talk_seconds, rounding))
        for rounding in _ROUNDING_UNITS
    }
    # SQL does not know which tariff applies to a group: it sums the cost at each of the prices.
    costs = {
        (tariff.rounding, tariff.price): tariffs.total_cost_sql(tariff, Call.talk_seconds)
        for tariff in valid_tariffs
    }
    sums = fn.COUNT(SQL("*")), fn.SUM(Call.talk_seconds), *roundings.values(), *costs.values()
    key_columns = [
        expression.alias(f"part_{number}") for number, expression in enumerate(key_expressions)
    ]
    group_columns = [SQL(f"part_{number}") for number in range(len(key_expressions))]
    rows = (
        Call.select(*key_columns, *sums)
        .where(*_billable_conditions(period))
        .group_by(*group_columns)
    )
    for period_number, direction, trunk, number, count, talk_seconds, *values in raw_rows(rows):
        call_key = (direction, trunk or "", number or "")
        tariff = tariffs.matching_tariff(
            valid_tariffs, tariff_periods[period_number].first, *call_key
        )
        billed_by_rounding = dict(zip(roundings, values, strict=False))
        amounts = dict(zip(costs, values[len(roundings) :], strict=True))
        yield BillingLine(
            *call_key,
            tariff,
            count,
            round(talk_seconds, 6),  # a sum of whole microseconds
            billed_by_rounding["minute" if tariff and tariff.rounding == "minute" else "second"],
            amounts[tariff.rounding, tariff.price] if tariff else None,
        )


def _tariff_periods(valid_tariffs: Sequence[Tariff], period: Period) -> list[Period]:
    """Return the period divided into parts within which no tariff begins or ends, in order."""
    day = dt.timedelta(days=1)
    change_days = {tariff.valid_from for tariff in valid_tariffs} | {
        tariff.valid_to + day for tariff in valid_tariffs if tariff.valid_to
    }
    firsts = sorted(
        {
            period.first,
            *(change_day for change_day in change_days if period.first < change_day <= period.last),
        }
    )
    lasts = [*(first - day for first in firsts[1:]), period.last]
    return [Period(first, last, period.tz) for first, last in zip(firsts, lasts, strict=True)]


def _billable_conditions(period: Period) -> tuple[Expression, ...]:
    """Return the conditions for billed calls: answered, incoming or outgoing, no test calls."""
    return (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        Call.direction.in_(tariffs.DIRECTIONS),
        Call.outcome == "answered",
        ~Call.synthetic,
    )


def _tariff_days(
    tariff_list: Sequence[Tariff], period: Period, line: BillingLine
) -> tuple[DayRange, ...]:
    """Return the ranges of days on which the line's tariff applies to calls like those of the line.

    For a line without a tariff, these are the days on which no tariff applies to such calls.
    """
    ranges: list[DayRange] = []
    for day in period.days:
        if (
            tariffs.matching_tariff(tariff_list, day, line.direction, line.trunk, line.number)
            != line.tariff
        ):
            continue
        if ranges and ranges[-1][1] + dt.timedelta(days=1) == day:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return tuple(ranges)


def iterate_billed_calls(
    period: Period, tariff_list: Sequence[Tariff] | None = None
) -> Iterator[BilledCall]:
    """Yield the billed calls of a period, oldest first.

    `tariff_list` must contain all tariffs; by default, they are read from the database.
    """
    tariff_list = tariffs.all_tariffs() if tariff_list is None else tariff_list
    dialled_number = call_filters.dialled_number()
    call_rows = (
        Call.select(
            Call.id, Call.arrived_at, Call.direction, Call.trunk, dialled_number, Call.talk_seconds
        )
        .where(*_billable_conditions(period))
        .order_by(Call.arrived_at, Call.id)
        .tuples()
        .iterator()
    )
    tariff_of_key: dict[tuple[dt.date, str, str, str], Tariff | None] = {}
    for call_id, arrived_at, direction, trunk, number, talk_seconds in call_rows:
        day = arrived_at.astimezone(period.tz).date()
        key = (day, direction, trunk or "", (number or "") if direction == "inbound" else "")
        if key not in tariff_of_key:
            tariff_of_key[key] = tariffs.matching_tariff(tariff_list, *key)
        yield BilledCall(call_id, arrived_at, *key[1:], talk_seconds, tariff_of_key[key])
