"""The telephony report: its page with filters, the lists of calls that its figures count, files."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext

from appliance.casework import catalogs
from appliance.casework.appeals import queries
from appliance.core import audit, clock, i18n
from appliance.people import accounts, rights
from appliance.reports import (
    balance,
    call_filters,
    charts,
    counting,
    files,
    kpi,
    periods,
    report_texts,
    telephony,
)
from appliance.reports.call_filters import KINDS, RESULTS, CallFilter, Reader
from appliance.reports.periods import Period
from appliance.reports.shares import percentage, percentage_shares
from appliance.reports.telephony import (
    build_telephony_report,
    call_workbook,
    callers,
    lines,
    queues,
    report_charts,
    workload,
)
from appliance.reports.telephony import calls as figure_calls
from appliance.reports.telephony import labels as texts
from appliance.reports.telephony.columns import COLUMNS
from appliance.reports.telephony.waits import SERVICE_LEVEL_THRESHOLDS_SECONDS
from appliance.telephony import calls, line_quality, routing
from appliance.web.reports.forms import file_response
from appliance.web.shared.figure_links import FigureLinks
from appliance.web.shared.telephony_labels import OUTBOUND_OUTCOMES, OUTCOMES
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, today
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count
from appliance.web.shell.requested_days import requested_days

screen = Blueprint("analytics", __name__, url_prefix="/analytics")

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
CALLS_PER_PAGE = 50


@screen.get("")
@may("report.read")
@long_running
def show_telephony_report() -> str:
    """Show the report of the days from `from` to `to`, with the table that `by` selects.

    The other parameters of the URL are conditions that select some of the calls. By default the
    table groups the calls by topic.
    """
    call_filter, is_invalid = _requested_filter()
    table_key = request.args.get("by", "")
    own_fields = lines.added_field_names(locale())
    tabs = {
        code: gettext(texts.TABLES[code])
        for code in TABS
        if code != "callers" or _can_read_numbers()
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
        link=_calls_url,
        address=_filter_arguments,
        kinds=files.MIME_TYPES,
        rows_of=_tally_rows,
        is_parted=_is_grouping_key,
    )


@screen.get("/calls")
@may("report.read")
@long_running
def list_figure_calls() -> str:
    """Show the calls that a figure counts, newest first; the URL has the figure's filter."""
    call_filter, _ = _requested_filter(allow_outgoing=True)
    number = max(1, request.args.get("page", 1, parse_count))
    count = figure_calls.count_calls(call_filter)
    rows = figure_calls.calls_page(call_filter, CALLS_PER_PAGE, (number - 1) * CALLS_PER_PAGE)
    if _can_read_numbers():
        disclosure.log_shown("call", [row.call.id for row in rows], call_filter.conditions)
    return render_template(
        "analytics/calls.html",
        call_filter=call_filter,
        count=count,
        page=number,
        pages=max(1, -(-count // CALLS_PER_PAGE)),
        rows=rows,
        cards=queries.viewable_call_ids(me(), [row.call.id for row in rows]),
        names=call_filters.dimension_names("operator", locale()),
        topics=call_filters.dimension_names("topic", locale()),
        regions=call_filters.dimension_names("region", locale()),
        outcomes=OUTCOMES | OUTBOUND_OUTCOMES,
        call_languages=CALL_LANGUAGES,
        asked=call_filters.describe_conditions(
            call_filter, Reader(me(), locale(), call_filter.period.tz)
        ),
        whole=_can_read_numbers(),
        link=_calls_url,
        address=_filter_arguments,
    )


@screen.get("/telephony.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@long_running
def download_telephony_report(kind: str) -> Response:
    """Send the complete report as a file in the language `lang`.

    The download is recorded in the audit.
    """
    call_filter, is_invalid = _requested_filter()
    language = request.args.get("lang", "uz_Cyrl")
    if is_invalid or language not in i18n.LOCALES:
        abort(400)
    telephony_report = build_telephony_report(site(), call_filter, language)
    file = files.file_name("telephony", telephony_report, kind)
    audit.record_entry(
        me().login, "report.download", "telephony", file=file, asked=dict(call_filter.conditions)
    )
    return file_response(files.render_file("telephony", telephony_report, kind), kind, file)


@screen.get("/calls.csv")
@may("report.read")
@long_running
def export_calls() -> Response:
    """Send the calls that the URL selects as a CSV file for programs, with codes.

    The file is sent while the calls are read.
    """
    call_filter, columns, file = _begin_calls_export("csv")

    def csv_chunks() -> Iterator[bytes]:
        """Yield the chunks of the file, encoded as UTF-8."""
        yield "\ufeff".encode()  # the byte order mark by which office programs recognise UTF-8
        for piece in figure_calls.as_csv(call_filter, columns):
            yield piece.encode()

    return Response(
        stream_with_context(csv_chunks()),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@screen.get("/calls.xlsx")
@may("report.read")
@long_running
def export_calls_workbook() -> Response:
    """Send the calls that the URL selects as a workbook, in words in the user's language."""
    call_filter, columns, file = _begin_calls_export("xlsx")
    content = call_workbook.as_workbook(call_filter, columns, locale())
    return file_response(content, "xlsx", file)


def _begin_calls_export(kind: str) -> tuple[CallFilter, list[str], str]:
    """Record the export of the calls that the URL selects; return what it contains.

    That is the filter of the calls, the columns that the user may see, and the name of the file,
    which ends with `kind`. Aborts with 400 if the URL's days are invalid.
    """
    call_filter, is_invalid = _requested_filter(allow_outgoing=True)
    if is_invalid:
        abort(400)
    file = f"qongiroqlar_{call_filter.period.first}_{call_filter.period.last}.{kind}"
    audit.record_entry(me().login, "calls.export", file, asked=dict(call_filter.conditions))
    columns = [
        column
        for column in figure_calls.COLUMNS
        if _can_read_numbers() or column not in figure_calls.PERSONAL_COLUMNS
    ]
    return call_filter, columns, file


def _can_read_numbers() -> bool:
    """Return True if the user may read the numbers of callers."""
    return rights.has_right(me(), "number.read")


def _requested_filter(*, allow_outgoing: bool = False) -> tuple[CallFilter, bool]:
    """Return the filter that the URL gives, and True if its days are invalid.

    Conditions on callers' numbers are ignored if the user may not read these. Conditions that
    select outgoing calls are ignored unless `allow_outgoing` is True: the report counts incoming
    calls, but a list or an export of calls may have both.
    """
    period, is_invalid = _requested_period()
    refused_names = {
        definition.name
        for definition in call_filters.FILTERS.values()
        if (definition.is_personal and not _can_read_numbers())
        or (definition.selects_outgoing and not allow_outgoing)
    }
    args = [
        (name, value)
        for name, value in request.args.items()
        if name not in ("from", "to") and name not in refused_names
    ]
    calendar = catalogs.working_calendar(site())
    return call_filters.filter_from_query(period, args, calendar), is_invalid


def _requested_period() -> tuple[Period, bool]:
    """Return the period that the URL gives, and True if its days are invalid.

    If the days are missing or invalid, it is the current month until today.
    """
    current_day = today()

    def complete_days(first: dt.date | None, last: dt.date | None) -> tuple[dt.date, dt.date]:
        """Return both days, a missing one replaced: from the first of the month, until today."""
        first = first or (last or current_day).replace(day=1)
        return first, last or max(first, current_day)

    try:
        return requested_days(complete_days), False
    except periods.PeriodError:
        return Period(current_day.replace(day=1), current_day, site().tz), True


def _filter_arguments(call_filter: CallFilter, **more: Any) -> dict[str, Any]:
    """Return the arguments of a URL that gives this filter, with the further arguments `more`."""
    days = {
        "from": f"{call_filter.period.first:%d.%m.%Y}",
        "to": f"{call_filter.period.last:%d.%m.%Y}",
    }
    return days | dict(call_filter.conditions) | more


def _calls_url(call_filter: CallFilter, **conditions: Any) -> str:
    """Return the address of the list of the calls that a figure counts.

    They are the calls of the filter to which `conditions` apply as well.
    """
    return url_for(
        "analytics.list_figure_calls",
        **_filter_arguments(call_filter.with_conditions(**conditions)),
    )


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
        if not _can_read_numbers():
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
