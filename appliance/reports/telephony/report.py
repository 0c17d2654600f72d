"""Counts everything that the telephony report contains."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from peewee import Node

from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.reports import call_filters, counting, kpi
from appliance.reports.balance import ExcludedCallCounts
from appliance.reports.call_filters import CallFilter
from appliance.reports.counting import CallTally
from appliance.reports.periods import Period
from appliance.reports.telephony import callers, hours, lines, queues, waits, workload
from appliance.reports.telephony.callers import CallerCounts
from appliance.reports.telephony.hours import HourlyTallies
from appliance.reports.telephony.lines import DimensionLine
from appliance.reports.telephony.queues import QueueSummary, TransferSummary
from appliance.reports.telephony.waits import WaitCounts
from appliance.reports.telephony.workload import Workload
from appliance.telephony import calls, line_quality, routing
from appliance.telephony.calls import Balance

# Each tuple is a key set of counting.count_by_keys(): dimensions with few values are counted
# together, the others alone.
_KEYS_COUNTED_TOGETHER = (
    ("topic", "call_type"),
    ("request_kind",),
    ("call_direction", "trunk", "number", "language"),
    ("region",),
    ("operator",),
)


@dataclass(frozen=True)
class Overview:
    """The figures that the page of the telephony report shows, whichever table is selected."""

    call_filter: CallFilter
    level: float  # threshold of the service level, seconds
    hours: HourlyTallies
    waits: WaitCounts

    @property
    def total(self) -> CallTally:
        """The tally of all calls that pass the filter."""
        return self.hours.total


@dataclass(frozen=True)
class TelephonyReport:
    """Everything that the printed report, the workbook and the exports contain."""

    locale: str
    call_filter: CallFilter
    level: float  # threshold of the service level, seconds
    made_at: dt.datetime
    formulas: str  # kpi.FORMULAS_VERSION when the report was made
    balance: Balance
    excluded_calls: ExcludedCallCounts  # of the whole period, to explain the balance
    hours: HourlyTallies
    waits: WaitCounts
    # by dimension: call_filters.DIMENSION_NAMES and keys of added fields
    lines: Mapping[str, tuple[DimensionLine, ...]]
    added_fields: Mapping[str, str]  # names of the added fields, by key
    callers: CallerCounts
    queues: tuple[QueueSummary, ...]
    transfers: tuple[TransferSummary, ...]
    workload: tuple[Workload, ...]
    phone_lines: tuple[line_quality.LineSummary, ...]  # browser phones, of all calls of the period
    names: Mapping[str, str]  # names of operators, by login
    pause_reason_names: Mapping[str, str]  # names of reasons for a pause, by code
    site_url: str  # for links to the explanation of a figure

    @property
    def period(self) -> Period:
        """The period of the filter."""
        return self.call_filter.period

    @property
    def total(self) -> CallTally:
        """The tally of all calls that pass the filter."""
        return self.hours.total


def count_overview(settings: Settings, call_filter: CallFilter) -> Overview:
    """Count the figures that the page of the report always shows, for calls that pass a filter."""
    service_level_seconds = settings.calls.service_level
    return Overview(
        call_filter,
        service_level_seconds,
        hours.count_hours(call_filter, service_level_seconds),
        waits.count_waits(call_filter, service_level_seconds),
    )


def build_telephony_report(
    settings: Settings, call_filter: CallFilter, locale: str
) -> TelephonyReport:
    """Count everything for the calls that pass a filter, with names in the language of `locale`.

    Only workload, balance and connection quality cover all calls of the filter's period, including
    those that do not pass it: an operator's time cannot be divided by calls, and the balance is
    complete only for all calls.
    """
    service_level_seconds, period = settings.calls.service_level, call_filter.period
    made_at = clock.now()
    dimensions = (*call_filters.DIMENSION_NAMES, *lines.reported_field_keys(call_filter))
    tallies = _count_tallies(call_filter, service_level_seconds, dimensions)
    return TelephonyReport(
        locale=locale,
        call_filter=call_filter,
        level=service_level_seconds,
        made_at=made_at,
        formulas=kpi.FORMULAS_VERSION,
        balance=calls.ledger_balance(period.begin, period.end),
        excluded_calls=counting.count_excluded_calls(period),
        hours=hours.hourly_tallies(tallies["hour"]),
        waits=waits.count_waits(call_filter, service_level_seconds),
        lines={name: lines.build_lines(tallies[name], name, locale) for name in dimensions},
        added_fields=lines.added_field_names(locale),
        callers=callers.count_callers(call_filter),
        queues=queues.summarize_visits(call_filter),
        transfers=queues.summarize_transfers(call_filter),
        workload=workload.count_workload(call_filter, made_at, routing.wrap_up_rule(settings)),
        phone_lines=tuple(line_quality.lines_worst_first(period.begin, period.end)),
        names=call_filters.dimension_names("operator", locale),
        pause_reason_names=catalogs.labels_by_code(catalogs.PAUSES, locale),
        site_url=settings.web.url,
    )


def _count_tallies(
    call_filter: CallFilter, service_level_seconds: float, dimensions: Iterable[str]
) -> dict[str, dict[Any, CallTally]]:
    """Return the tallies of the calls by the name of a key, and then by its values.

    The keys are "hour" (hours since 1970 in local time) and the names of the dimensions. Dimensions
    with few values are counted together, because that is faster.
    """

    def build_key_sets(record_column: call_filters.FirstRecordColumn) -> list[dict[str, Node]]:
        """Return the SQL of the keys by name, a dict for each set that is counted together."""
        together = set(chain(*_KEYS_COUNTED_TOGETHER))
        single_sets = [(name,) for name in dimensions if name not in together]
        dimension_sets = [
            {name: call_filters.key_expression(name, record_column) for name in key_set}
            for key_set in (*_KEYS_COUNTED_TOGETHER, *single_sets)
        ]
        return [{"hour": call_filters.hours_since_epoch(call_filter.period)}, *dimension_sets]

    return counting.count_by_keys(call_filter, service_level_seconds, build_key_sets)
