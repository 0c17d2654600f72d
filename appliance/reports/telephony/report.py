"""The telephony report: everything about the calls of some days, counted once."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from appliance import calls, clock
from appliance.calls import Balance
from appliance.models import Call
from appliance.reports import cuts, kpi
from appliance.reports.counting import Counted
from appliance.reports.cuts import Cut
from appliance.reports.periods import Period
from appliance.reports.telephony import callers, hours, lines, queues, waits, workload
from appliance.reports.telephony.callers import Callers
from appliance.reports.telephony.hours import Hours
from appliance.reports.telephony.lines import Line
from appliance.reports.telephony.queues import Handed, Queue
from appliance.reports.telephony.waits import Waits
from appliance.reports.telephony.workload import Workload
from appliance.settings import Settings


@dataclass(frozen=True)
class Overview:
    """What stands on the page whatever table is open."""

    cut: Cut
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
    cut: Cut
    level: float
    short_abandon: float
    made_at: dt.datetime
    formulas: str
    balance: Balance
    shorts: int  # short abandons and test calls of the whole period, for the balance
    synthetic: int
    hours: Hours
    waits: Waits
    lines: Mapping[str, tuple[Line, ...]]  # by cuts.KEYS
    callers: Callers
    queues: tuple[Queue, ...]
    handed: tuple[Handed, ...]
    workload: tuple[Workload, ...]
    names: Mapping[str, str]  # operators' logins → names

    @property
    def period(self) -> Period:
        return self.cut.period

    @property
    def total(self) -> Counted:
        return self.hours.total


def overview(settings: Settings, cut: Cut) -> Overview:
    """Count what the page shows first."""
    level = settings.calls.service_level
    return Overview(cut, level, hours.count(cut, level), waits.count(cut, level))


def build(settings: Settings, cut: Cut, locale: str) -> TelephonyReport:
    """Count everything of a cut; the workload and the balance are of all calls of its period."""
    level, period = settings.calls.service_level, cut.period
    made_at = clock.now()
    shorts, synthetic = beside(period)
    return TelephonyReport(
        locale=locale,
        cut=cut,
        level=level,
        short_abandon=settings.calls.short_abandon,
        made_at=made_at,
        formulas=kpi.FORMULAS,
        balance=calls.balance(period.begin, period.end),
        shorts=shorts,
        synthetic=synthetic,
        hours=hours.count(cut, level),
        waits=waits.count(cut, level),
        lines={key: lines.lines(cut, level, key, locale) for key in cuts.KEYS},
        callers=callers.count(cut),
        queues=queues.visits(cut),
        handed=queues.handed(cut),
        workload=workload.count(cut, made_at),
        names=lines.names("operator", locale),
    )


def beside(period: Period) -> tuple[int, int]:
    """Short abandons and test calls among all inbound calls, as the balance names them."""
    within = (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        Call.direction == "inbound",
    )
    return (
        Call.select().where(*within, Call.short).count(),
        Call.select().where(*within, Call.synthetic).count(),
    )
