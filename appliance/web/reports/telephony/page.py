"""The page of the telephony report, with filters and tables, and the report as a file."""

from typing import Any

from flask import Response, abort, render_template, request
from flask_babel import gettext

from appliance.casework import catalogs
from appliance.core import audit, clock, i18n
from appliance.people import accounts
from appliance.reports import (
    balance,
    call_filters,
    charts,
    counting,
    files,
    kpi,
    report_texts,
    telephony,
)
from appliance.reports.call_filters import KINDS, RESULTS, CallFilter
from appliance.reports.periods import Period
from appliance.reports.shares import percentage, percentage_shares
from appliance.reports.telephony import (
    build_telephony_report,
    callers,
    lines,
    queues,
    report_charts,
    workload,
)
from appliance.reports.telephony import labels as texts
from appliance.reports.telephony.columns import COLUMNS
from appliance.reports.telephony.waits import SERVICE_LEVEL_THRESHOLDS_SECONDS
from appliance.telephony import calls, line_quality, routing
from appliance.web.reports.forms import file_response
from appliance.web.reports.telephony.blueprint import screen
from appliance.web.reports.telephony.requested import (
    calls_url,
    can_read_numbers,
    filter_arguments,
    requested_filter,
)
from appliance.web.shared.figure_links import FigureLinks
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

TABS = (
    *call_filters.DIMENSION_NAMES,
    "day",
    "hour",
    "queue",
    "wait",
    "callers",
    "transfers",
    "workload",
    "states",
    "rating",
)


@screen.get("")
@may("report.read")
@long_running
def show_telephony_report() -> str:
    """Show the report of the days from `from` to `to`, with the table that `by` selects.

    The other parameters of the URL are conditions that select some of the calls. By default the
    table groups the calls by topic.
    """
    call_filter, is_invalid = requested_filter()
    table_key = request.args.get("by", "")
    own_fields = lines.added_field_names(locale())
    tabs = {
        code: gettext(texts.TABLES[code])
        for code in TABS
        if code != "callers" or can_read_numbers()
    }
    tabs |= {key: own_fields[key] for key in lines.reported_field_keys(call_filter)}
    table_key = table_key if table_key in tabs else "topic"
    overview = telephony.count_overview(site(), call_filter)
    total = overview.total
    level = overview.level
    return render_template(
        "analytics/page.html",
        call_filter=call_filter,
        doubt=is_invalid,
        by=table_key,
        seen=overview,
        total=total,
        part_of=percentage,
        **_charts_context(call_filter.period, overview),
        within=overview.waits.service_level(level, total.accepted),
        table=_tab_table(overview, table_key),
        heard=line_quality.lines_worst_first(call_filter.period.begin, call_filter.period.end)
        if table_key == "workload"
        else [],
        tabs_of=tabs,
        result_labels=RESULTS,
        transfer_labels=KINDS,
        visit_results=queues.VISIT_RESULTS,
        transfer_ends=queues.TRANSFER_RESULTS,
        queue_title=lambda name: routing.queue_title(name, gettext),
        names={code: gettext(name) for code, name in texts.FIGURES.items()},
        columns=COLUMNS,
        reasons={code: gettext(name) for code, name in texts.PAUSE_REASONS.items()}
        | catalogs.labels_by_code(catalogs.PAUSES, locale()),
        targets=(kpi.ASA_TARGET_SECONDS, kpi.SERVICE_LEVEL_TARGET_PERCENT),
        few=kpi.FEW_CASES,
        weekdays=report_texts.load_texts(locale()).weekdays,
        offered=call_filters.offered_filters(call_filter.period, locale()),
        operators=accounts.operator_names(locale()),
        levels=sorted({*SERVICE_LEVEL_THRESHOLDS_SECONDS, level}),
        **_balance_context(call_filter),
        text=report_texts.load_texts(locale()),
        ministry_locale="uz_Cyrl",
        link=calls_url,
        address=filter_arguments,
        kinds=files.MIME_TYPES,
        rows_of=_tally_rows,
        is_parted=_is_grouping_key,
    )


@screen.get("/telephony.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@long_running
def download_telephony_report(kind: str) -> Response:
    """Send the complete report as a file in the language `lang`.

    The download is recorded in the audit.
    """
    call_filter, is_invalid = requested_filter()
    language = request.args.get("lang", "uz_Cyrl")
    if is_invalid or language not in i18n.LOCALES:
        abort(400)
    telephony_report = build_telephony_report(site(), call_filter, language)
    file = files.file_name("telephony", telephony_report, kind)
    audit.record_entry(
        me().login, "report.download", "telephony", file=file, asked=dict(call_filter.conditions)
    )
    return file_response(files.render_file("telephony", telephony_report, kind), kind, file)


def _tab_table(overview: telephony.Overview, table_key: str) -> Any:
    """Return the data of the table `table_key`; None if the overview has its data already.

    `table_key` is one of TABS, or the key of an added form field. Returns None as well for the
    table of callers if the user may not read their numbers. That callers' numbers are shown is
    recorded in the audit.
    """
    call_filter, level = overview.call_filter, overview.level
    if _is_grouping_key(table_key):
        return lines.count_lines(call_filter, level, table_key, locale())
    if table_key == "day":
        return overview.hours.by_day.items()
    if table_key == "hour":
        return sorted(overview.hours.by_hour_of_day.items())
    if table_key == "queue":
        return queues.summarize_visits(call_filter)
    if table_key == "transfers":
        return queues.summarize_transfers(call_filter)
    if table_key in ("workload", "states"):
        return workload.count_workload(call_filter, clock.now(), routing.wrap_up_rule(site()))
    if table_key == "callers":
        if not can_read_numbers():
            return None
        caller_counts = callers.count_callers(call_filter)
        disclosure.log_shown(
            "number", [caller.number for caller in caller_counts.top], call_filter.conditions
        )
        return caller_counts
    return None


def _is_grouping_key(table_key: str) -> bool:
    """Return True if a table groups the calls by a property, such as topic or region.

    A key that is not in TABS is that of an added form field, by whose values calls are grouped.
    """
    return table_key in call_filters.DIMENSION_NAMES or table_key not in TABS


def _tally_rows(
    table: Any, table_key: str, call_filter: CallFilter
) -> list[tuple[str, Any, Any, CallFilter]]:
    """Return (name, share, tally, filter) of each line of a table that counts calls.

    `table` is the data that _tab_table returns for `table_key`: a table that groups calls, or that
    of days or hours. The share is a percentage of the calls of all lines; the filter selects the
    calls that the line counts.
    """
    if _is_grouping_key(table_key):
        return [
            (
                line.name,
                line.share,
                line.tally,
                call_filter.with_conditions(**{table_key: line.key}),
            )
            for line in table
        ]
    tallies = list(table)
    parts = percentage_shares([tally.incoming for _, tally in tallies])
    if table_key == "day":
        keys = [(f"{day:%d.%m.%Y}", call_filter.with_days(day, day)) for day, _ in tallies]
    else:
        keys = [(f"{hour:02}:00", call_filter.with_conditions(hour=hour)) for hour, _ in tallies]
    return [
        (name, share, tally, part)
        for (name, part), share, (_, tally) in zip(keys, parts, tallies, strict=True)
    ]


def _charts_context(period: Period, overview: telephony.Overview) -> dict[str, object]:
    """Return the template context of the report's charts, and of the shades of its heat map."""
    return {
        "shade": report_charts.heat_shading(overview.hours.by_weekday_and_hour.values()),
        "days": report_charts.calls_chart(period, overview.hours, gettext, charts.WIDE_CHART_WIDTH),
        "answers": report_charts.accepted_waits_chart(overview.waits, overview.level, gettext),
        "abandons": report_charts.abandon_chart(overview.waits, gettext),
    }


def _balance_context(call_filter: CallFilter) -> dict[str, object]:
    """Return the template context of the balance of all inbound calls of the period.

    The balance compares the total with the sum of the calls by outcome. The context has its texts,
    links to the calls of the total and of each summand, and the difference, 0 if nothing is lost.
    """
    counts = calls.ledger_balance(call_filter.period.begin, call_filter.period.end)
    text = report_texts.load_texts(locale()).balance
    excluded = counting.count_excluded_calls(call_filter.period)
    return {
        "balance": balance.describe_call_balance(
            counts, excluded, clock.now(), call_filter.period.tz, text
        ),
        "sums": FigureLinks(call_filter.period).balance_links(counts, excluded),
        "difference": counts.difference,
    }
