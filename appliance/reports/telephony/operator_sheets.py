"""The tables of operators: how they spent their time, and the quality of their connections."""

from decimal import Decimal
from typing import Any

from appliance.core.i18n import N_
from appliance.reports import formatting, kpi
from appliance.reports.plain_tables import PlainTable
from appliance.reports.telephony.labels import PAUSE_REASONS
from appliance.reports.telephony.report import TelephonyReport
from appliance.reports.xlsx import PlainValue, Seconds


def workload_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of each operator's calls, handling times, pauses and occupancy.

    `names` are the translated labels of telephony/labels.py by code, and `_` is gettext.
    """
    rows = tuple(
        (
            report.names.get(operator_workload.operator, operator_workload.operator),
            operator_workload.calls,
            mean_duration(operator_workload.handling),
            operator_workload.outgoing,
            Seconds(operator_workload.total_handling_seconds),
            Seconds(operator_workload.ready_seconds),
            Seconds(operator_workload.pause_seconds),
            operator_workload.pauses,
            one_decimal(operator_workload.occupancy),
            operator_workload.missed_rings,
        )
        for operator_workload in report.workload
    )
    heads = (
        names["operator"],
        _(N_("Calls")),
        _(N_("Average handling time")),
        _(N_("Outgoing")),
        _(N_("Total handling time")),
        _(N_("Ready")),
        _(N_("Pause")),
        _(N_("Pauses")),
        names["occupancy"],
        _(N_("Unanswered rings")),
    )
    return PlainTable("workload", _(N_("Workload of the operators")), heads, rows)


def line_quality_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of the connection quality of operators' browser phones, the worst first.

    `names` are the translated labels of telephony/labels.py by code, and `_` is gettext.
    """
    rows = tuple(
        (
            report.names.get(line.operator, line.operator),
            line.talks,
            Decimal(f"{line.loss:.1f}"),
            Decimal(f"{line.jitter:.1f}"),
            formatting.NO_VALUE if line.delay is None else Decimal(f"{line.delay:.1f}"),
            _(N_("Poor line")) if line.is_bad else _(N_("good")),
        )
        for line in report.phone_lines
    )
    heads = (
        names["operator"],
        _(N_("Conversations")),
        _(N_("Packet loss, %")),
        _(N_("Jitter, ms")),
        _(N_("Round trip, ms")),
        _(N_("Quality of the line")),
    )
    return PlainTable("line_quality", _(N_("Phones in the page")), heads, rows)


def states_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of each operator's time in each state, with pauses divided by reason.

    `names` are the translated labels of telephony/labels.py by code, and `_` is gettext. Reasons
    without a pause have no column.
    """
    used_reasons = {
        reason
        for operator_workload in report.workload
        for reason in operator_workload.pause_reasons
    }
    all_reasons = {code: _(name) for code, name in PAUSE_REASONS.items()} | dict(
        report.pause_reason_names
    )
    reasons = {code: name for code, name in all_reasons.items() if code in used_reasons}
    rows = tuple(
        (
            report.names.get(operator_workload.operator, operator_workload.operator),
            Seconds(operator_workload.ready_seconds),
            Seconds(operator_workload.busy_seconds),
            Seconds(operator_workload.wrap_up_seconds),
            *(Seconds(operator_workload.pause_reasons.get(reason, 0.0)) for reason in reasons),
            Seconds(operator_workload.pause_seconds),
            Seconds(operator_workload.back_office_seconds),
            Seconds(operator_workload.planned_seconds)
            if operator_workload.shifts
            else formatting.NO_VALUE,
            one_decimal(operator_workload.adherence),
        )
        for operator_workload in report.workload
    )
    heads = (
        names["operator"],
        _(N_("Ready")),
        _(N_("of which in a conversation")),
        names["wrap_up"],
        *reasons.values(),
        _(N_("Total pauses")),
        _(N_("Working off the queue")),
        _(N_("Shifts")),
        names["adherence"],
    )
    return PlainTable("states", names["states"], heads, rows)


def one_decimal(rate: kpi.Rate) -> PlainValue:
    """Return the value of a rate for a table, with one decimal; "–" if it has no value."""
    return formatting.NO_VALUE if rate.value is None else Decimal(f"{rate.value:.1f}")


def mean_duration(rate: kpi.Rate) -> PlainValue:
    """Return the value of a rate that is a mean in seconds for a table; "–" if it has no value."""
    return formatting.NO_VALUE if rate.value is None else Seconds(rate.value)
