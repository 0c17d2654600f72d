"""The telephony report: everything about the calls of some days, counted once."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peewee import Node

from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.reports import call_filters, counting, kpi
from appliance.reports.balance import Others
from appliance.reports.call_filters import CallFilter
from appliance.reports.counting import Counted
from appliance.reports.periods import Period
from appliance.reports.telephony import callers, hours, lines, queues, waits, workload
from appliance.reports.telephony.callers import Callers
from appliance.reports.telephony.hours import Hours
from appliance.reports.telephony.lines import Line
from appliance.reports.telephony.queues import Handed, Queue
from appliance.reports.telephony.waits import Waits
from appliance.reports.telephony.workload import Workload
from appliance.telephony import calls, line_quality, routing
from appliance.telephony.calls import Balance

# the lines' keys; those of few values are counted together
_TOGETHER = (
    ("topic", "call_type"),
    ("call_direction", "trunk", "number", "language"),
    ("region",),
    ("operator",),
)


@dataclass(frozen=True)
class Overview:
    """What stands on the page whatever table is open."""

    call_filter: CallFilter
    level: float  # the service level's seconds
    hours: Hours
    waits: Waits

    @property
    def total(self) -> Counted:
        return self.hours.total


@dataclass(frozen=True)
class TelephonyReport:
    """Everything that the paper, the workbook and the exports print."""

    locale: str
    call_filter: CallFilter
    level: float
    made_at: dt.datetime
    formulas: str
    balance: Balance
    others: Others  # of the whole period, for the balance
    hours: Hours
    waits: Waits
    lines: Mapping[str, tuple[Line, ...]]  # by call_filters.key()
    own_fields: Mapping[str, str]  # keys of the added fields → names
    callers: Callers
    queues: tuple[Queue, ...]
    handed: tuple[Handed, ...]
    workload: tuple[Workload, ...]
    heard: tuple[line_quality.Line, ...]  # phones in the page, of all calls of the period
    names: Mapping[str, str]  # operators' logins → names
    reasons: Mapping[str, str]  # of pauses: codes → names
    site_url: str  # for links to what a figure means

    @property
    def period(self) -> Period:
        return self.call_filter.period

    @property
    def total(self) -> Counted:
        return self.hours.total


def overview(settings: Settings, call_filter: CallFilter) -> Overview:
    """Count what the page shows first."""
    level = settings.calls.service_level
    return Overview(
        call_filter, level, hours.count(call_filter, level), waits.count(call_filter, level)
    )


def build(settings: Settings, call_filter: CallFilter, locale: str) -> TelephonyReport:
    """Count everything of a filter; the workload and the balance are of all calls of its period."""
    level, period = settings.calls.service_level, call_filter.period
    made_at = clock.now()
    shown = (*call_filters.KEYS, *lines.shown_of(call_filter))
    parts = _parts(call_filter, level, shown)
    return TelephonyReport(
        locale=locale,
        call_filter=call_filter,
        level=level,
        made_at=made_at,
        formulas=kpi.FORMULAS,
        balance=calls.balance(period.begin, period.end),
        others=counting.others(period),
        hours=hours.of(parts["hour"]),
        waits=waits.count(call_filter, level),
        lines={name: lines.of(parts[name], name, locale) for name in shown},
        own_fields=lines.own_fields(locale),
        callers=callers.count(call_filter),
        queues=queues.visits(call_filter),
        handed=queues.handed(call_filter),
        workload=workload.count(call_filter, made_at, routing.wrap_ups(settings)),
        heard=tuple(line_quality.worst_first(period.begin, period.end)),
        names=lines.names("operator", locale),
        reasons=catalogs.labels(catalogs.PAUSES, locale),
        site_url=settings.web.url,
    )


def _parts(
    call_filter: CallFilter, level: float, shown: Iterable[str]
) -> dict[str, dict[Any, Counted]]:
    """The tallies by the hour and by each of the lines' keys."""

    def keys(first: call_filters.First) -> list[dict[str, Node]]:
        own = [(name,) for name in shown if name not in call_filters.KEYS]
        parted = [
            {name: call_filters.key(name, first) for name in together}
            for together in (*_TOGETHER, *own)
        ]
        return [{"hour": call_filters.hour(call_filter.period)}, *parted]

    return counting.parted(call_filter, level, keys)
