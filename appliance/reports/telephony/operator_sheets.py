"""The tables of operators: what their time went into, how they are heard."""

from decimal import Decimal
from typing import Any

from appliance.core.i18n import N_
from appliance.reports import figures, kpi
from appliance.reports.plain import Sheet
from appliance.reports.telephony.report import TelephonyReport
from appliance.reports.telephony.words import REASONS
from appliance.reports.xlsx import Seconds
from appliance.reports.xlsx.book import Plain


def workload(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    """Calls, handling, pauses and occupancy of each operator."""
    rows = tuple(
        (
            report.names.get(w.operator, w.operator),
            w.calls,
            length(w.handling),
            w.outgoing,
            Seconds(w.handling_seconds),
            Seconds(w.ready_seconds),
            Seconds(w.pause_seconds),
            w.pauses,
            tenth(w.occupancy),
            w.missed_rings,
        )
        for w in report.workload
    )
    heads = (
        names["operator"],
        _(N_("Calls")),
        _(N_("Handling, average")),
        _(N_("Outgoing")),
        _(N_("Handling in all")),
        _(N_("Ready")),
        _(N_("Pause")),
        _(N_("Pauses")),
        names["occupancy"],
        _(N_("Missed rings")),
    )
    return Sheet("workload", _(N_("Workload of the operators")), heads, rows)


def heard(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    """How the phones in the page were heard, the bad lines first."""
    rows = tuple(
        (
            report.names.get(line.operator, line.operator),
            line.talks,
            Decimal(f"{line.loss:.1f}"),
            Decimal(f"{line.jitter:.1f}"),
            figures.NONE if line.delay is None else Decimal(f"{line.delay:.1f}"),
            _(N_("Bad line")) if line.is_bad else _(N_("good")),
        )
        for line in report.heard
    )
    heads = (
        names["operator"],
        _(N_("Talks")),
        _(N_("Lost on the way, %")),
        _(N_("Jitter, ms")),
        _(N_("There and back, ms")),
        _(N_("Quality of the line")),
    )
    return Sheet("line_quality", _(N_("Phones in the page")), heads, rows)


def states(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    """What the time of each operator went into, pauses by reason."""
    told = {reason for w in report.workload for reason in w.pause_reasons}
    every = {code: _(name) for code, name in REASONS.items()} | dict(report.reasons)
    reasons = {code: name for code, name in every.items() if code in told}
    rows = tuple(
        (
            report.names.get(w.operator, w.operator),
            Seconds(w.ready_seconds),
            Seconds(w.busy_seconds),
            Seconds(w.wrap_up_seconds),
            *(Seconds(w.pause_reasons.get(reason, 0.0)) for reason in reasons),
            Seconds(w.pause_seconds),
            Seconds(w.back_office_seconds),
            Seconds(w.planned_seconds) if w.shifts else figures.NONE,
            tenth(w.adherence),
        )
        for w in report.workload
    )
    heads = (
        names["operator"],
        _(N_("Ready")),
        _(N_("of it in a talk")),
        names["wrap_up"],
        *reasons.values(),
        _(N_("Pauses in all")),
        _(N_("Off the queue")),
        _(N_("Shifts")),
        names["adherence"],
    )
    return Sheet("states", names["states"], heads, rows)


def tenth(rate: kpi.Rate) -> Plain:
    """A rate with one decimal; "–" where there is none."""
    return figures.NONE if rate.value is None else Decimal(f"{rate.value:.1f}")


def length(rate: kpi.Rate) -> Plain:
    """A mean length in seconds; "–" where there is none."""
    return figures.NONE if rate.value is None else Seconds(rate.value)
