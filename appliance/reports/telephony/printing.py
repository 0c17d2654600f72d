"""The telephony report as tables of plain values, and these as paper, workbook and CSV.

In the functions for the tables, `names` are translated labels by code (of tables, figures, results
and kinds of transfers, added fields), and `_` is gettext.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from appliance.core import spreadsheets
from appliance.core.i18n import N_, locale_translations
from appliance.reports import formatting, paper, report_texts, xlsx
from appliance.reports.call_filters import KINDS, RESULTS, Reader, describe_conditions
from appliance.reports.counting import CallTally
from appliance.reports.plain_tables import PlainTable, plain_text
from appliance.reports.shares import percentage_shares
from appliance.reports.sums import MARKS
from appliance.reports.telephony import operator_sheets, queues, report_charts
from appliance.reports.telephony.columns import COLUMNS, Column
from appliance.reports.telephony.labels import FIGURES, TABLES
from appliance.reports.telephony.operator_sheets import mean_duration, one_decimal
from appliance.reports.telephony.report import TelephonyReport
from appliance.reports.telephony.report_charts import range_label
from appliance.reports.telephony.waits import SERVICE_LEVEL_THRESHOLDS_SECONDS
from appliance.reports.xlsx import PlainValue, Seconds
from appliance.telephony import routing


def report_tables(report: TelephonyReport) -> tuple[PlainTable, ...]:
    """Return all tables of the report, in the order of the printed report."""
    _ = locale_translations(report.locale).gettext
    names = {code: _(name) for code, name in (TABLES | FIGURES | RESULTS | KINDS).items()}
    names |= report.added_fields
    return (
        _figures_table(report, names, _),
        *_calendar_tables(report, names, _),
        *(
            _tallies_table(
                code, names, [(line.name, line.share, line.tally) for line in lines], report, _
            )
            for code, lines in report.lines.items()
        ),
        _waits_table(report, names, _),
        _service_levels_table(report, names, _),
        _ratings_table(report, names, _),
        _queues_table(report, names, _),
        _transfers_table(report, names, _),
        _callers_table(report, _),
        operator_sheets.workload_table(report, names, _),
        *([operator_sheets.line_quality_table(report, names, _)] if report.phone_lines else []),
        operator_sheets.states_table(report, names, _),
    )


def _column_width(table: PlainTable, column: int) -> float:
    """Return a column's width in characters; it is wider for durations, which may be long."""
    rows = (*table.rows, *([table.total] if table.total else []))
    return 23.0 if any(isinstance(row[column], Seconds) for row in rows) else 14.0


def report_title(report: TelephonyReport) -> str:
    """Return the title of the report's files."""
    return paper.dated_title(N_("Telephony"), report)


def as_workbook(report: TelephonyReport) -> xlsx.Workbook:
    """Return a workbook with a sheet for each table."""
    book_sheets = []
    footer = paper.footer_text(
        paper.balance_footer_from_counts(report, report.excluded_calls), report.locale
    )
    for table in report_tables(report):
        widths = (34.0, *(_column_width(table, column) for column in range(1, len(table.heads))))
        sheet_table = xlsx.Table((table.heads,), table.rows, table.total)
        book_sheets.append(
            xlsx.Sheet(
                table.title,
                (sheet_table,),
                widths,
                (f"{report_title(report)}: {table.title}",),
                (footer,),
                landscape=len(table.heads) > 6,
            )
        )
    return paper.build_workbook(report, report_title(report), book_sheets)


def as_csv(report: TelephonyReport) -> str:
    """Return all tables below one another; each row begins with the code of its table."""
    lines: list[tuple[object, ...]] = []
    for table in report_tables(report):
        lines.append((table.code, *table.heads))
        for row in (*table.rows, *([table.total] if table.total else [])):
            lines.append((table.code, *(_machine_value(value) for value in row)))
    return spreadsheets.csv_text(lines)


def as_page(report: TelephonyReport) -> str:
    """Return the printed report as HTML for pdf.write_pdf."""
    _ = locale_translations(report.locale).gettext
    return paper.render_template(
        "telephony.html",
        report,
        report_title(report),
        balance=paper.balance_footer_from_counts(report, report.excluded_calls),
        sheets=report_tables(report),
        written=plain_text,
        charts={
            "day": [report_charts.calls_chart(report.period, report.hours, _)],
            "wait": [
                report_charts.accepted_waits_chart(report.waits, report.level, _),
                report_charts.abandon_chart(report.waits, _),
            ],
        },
        codes={_(name): code for code, name in FIGURES.items()},
        shade=report_charts.heat_shading(report.hours.by_weekday_and_hour.values()),
        asked=", ".join(
            f"{label}: {value}"
            for label, value in describe_conditions(
                report.call_filter, Reader(user=None, locale=report.locale, tz=report.period.tz)
            )
        ),
    )


# ── the tables ──────────────────────────────────────────────────────────────────


def _figures_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of the figures of all the report's calls together: service level, rating …

    `names` are translated labels by code, and `_` is gettext.
    """
    total = report.total
    service_level_label = _(N_("Service level within {seconds} s, %")).format(
        seconds=f"{report.level:g}"
    )
    rows: tuple[tuple[PlainValue, ...], ...] = (
        (names["incoming"], total.incoming),
        (names["accepted"], total.accepted),
        (names["missed"], total.missed),
        (_(N_("Still in progress")), total.open),
        (names["answer_speed"], one_decimal(total.answer_speed)),
        (names["answer_speed_from_arrival"], one_decimal(total.answer_speed_from_arrival)),
        (service_level_label, one_decimal(total.service_level)),
        (names["abandon_rate"], one_decimal(total.abandon_rate)),
        (_(N_("Short abandons")), total.short),
        (names["talk_total"], Seconds(total.talk_seconds)),
        (names["talk"], mean_duration(total.talk)),
        (names["rating"], one_decimal(total.rating)),
        (names["rating_response"], one_decimal(total.rating_response)),
        (names["registered"], total.registered),
        (names["transferred"], total.transferred),
    )
    return PlainTable("figures", _(N_("Figures")), (_(N_("Figure")), _(N_("Value"))), rows)


def _calendar_tables(
    report: TelephonyReport, names: dict[str, str], _: Any
) -> tuple[PlainTable, ...]:
    """Return the tables of calls by weekday and hour, by day (or month), and by hour of the day."""
    weekdays = report_texts.load_texts(report.locale).weekdays
    tally_of_hour = report.hours.by_weekday_and_hour
    heat_rows: list[tuple[PlainValue, ...]] = []
    sums = [0] * 25
    for number, weekday in enumerate(weekdays, 1):
        calls = [
            tally_of_hour[number, hour].incoming if (number, hour) in tally_of_hour else 0
            for hour in range(24)
        ]
        calls.append(sum(calls))
        heat_rows.append((weekday, *calls))
        sums = [
            hour_sum + calls_in_hour for hour_sum, calls_in_hour in zip(sums, calls, strict=True)
        ]
    total_label = _(N_("Total"))
    heads = (
        report_texts.load_texts(report.locale).weekday,
        *(f"{hour:02}" for hour in range(24)),
        total_label,
    )
    tally_of_date = (
        report.hours.by_day
        if report_charts.is_shown_daily(report.period)
        else report.hours.by_month
    )
    days = [(formatting.format_date(day), tally) for day, tally in tally_of_date.items()]
    hours = [
        (f"{hour:02}:00", tally) for hour, tally in sorted(report.hours.by_hour_of_day.items())
    ]
    return (
        PlainTable(
            "heat",
            _(N_("Calls by weekday and hour")),
            heads,
            tuple(heat_rows),
            (total_label, *sums),
        ),
        _tallies_table("day", names, _with_shares(days), report, _),
        _tallies_table("hour", names, _with_shares(hours), report, _),
    )


def _with_shares(
    tallies: Sequence[tuple[str, CallTally]],
) -> list[tuple[str, Decimal | None, CallTally]]:
    """Return (name, share, tally) for each (name, tally); the shares add up to 100.0.

    A share is the percentage of the incoming calls of all rows, if there were any.
    """
    part_shares = percentage_shares([tally.incoming for _, tally in tallies])
    return [(name, share, tally) for (name, tally), share in zip(tallies, part_shares, strict=True)]


def _tallies_table(
    code: str,
    names: dict[str, str],
    tallies: Sequence[tuple[str, Decimal | None, CallTally]],
    report: TelephonyReport,
    _: Any,
) -> PlainTable:
    """Return a table with a row of COLUMNS for each (name, share in per cent, tally).

    `code` is the table's code, and its label in `names` is the title. The last row is the tally of
    the whole report.
    """
    share_sum = sum((share for _n, share, _t in tallies if share is not None), Decimal(0))
    return PlainTable(
        code,
        names[code],
        (names[code], *(names[column.figure] for column in COLUMNS)),
        tuple((name, *_tally_cells(tally, share)) for name, share, tally in tallies),
        (_(N_("Total")), *_tally_cells(report.total, share_sum if tallies else None)),
    )


def _tally_cells(tally: CallTally, share: Decimal | None) -> tuple[PlainValue, ...]:
    """Return the cells of one row, in the order of COLUMNS; `share` is in per cent."""
    return tuple(_tally_cell(column, tally, share) for column in COLUMNS)


def _tally_cell(column: Column, tally: CallTally, share: Decimal | None) -> PlainValue:
    """Return one cell of a row; "–" if the figure has no value."""
    match column.kind:
        case "share":
            return formatting.NO_VALUE if share is None else share
        case "count":
            return int(getattr(tally, column.figure))
        case "length":
            return mean_duration(getattr(tally, column.figure))
    return one_decimal(getattr(tally, column.figure))


def _waits_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of how many calls were answered, hung up or left after each waiting time.

    The last column is the abandon curve; the last range of waits has no upper bound, so no value.
    """
    heads = (
        _(N_("Seconds of waiting")),
        _(N_("Answered")),
        _(N_("Gave up in the queue")),
        _(N_("Left the queue otherwise")),
        names["curve"],
    )
    curve: list[PlainValue] = [one_decimal(rate) for _edge, rate in report.waits.abandon_curve()]
    rows = [
        (
            range_label(bucket.low, bucket.high),
            bucket.answered,
            bucket.abandoned,
            bucket.left_otherwise,
            hung_up,
        )
        for bucket, hung_up in zip(report.waits.buckets, [*curve, None], strict=True)
    ]
    sums = (sum(bucket.answered for bucket in report.waits.buckets), report.waits.abandoned_total)
    left_otherwise = sum(bucket.left_otherwise for bucket in report.waits.buckets)
    return PlainTable(
        "wait",
        _(N_("Waiting times")),
        heads,
        tuple(rows),
        (_(N_("Total")), *sums, left_otherwise, None),
    )


def _service_levels_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of the service level that would result from each of several thresholds."""
    rows = [
        (f"{seconds:g}", one_decimal(report.waits.service_level(seconds, report.total.accepted)))
        for seconds in sorted({*SERVICE_LEVEL_THRESHOLDS_SECONDS, report.level})
    ]
    heads = (_(N_("Answered within, s")), names["service_level"])
    return PlainTable("levels", _(N_("Service level at several thresholds")), heads, tuple(rows))


def _ratings_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of the marks that callers gave: their number and share."""
    marks = report.total.marks
    rows: tuple[tuple[PlainValue, ...], ...] = tuple(
        (str(mark), count, formatting.NO_VALUE if share is None else share)
        for mark, count, share in zip(MARKS, marks, percentage_shares(marks), strict=True)
    )
    total = (_(N_("Total")), sum(marks), Decimal("100.0") if sum(marks) else formatting.NO_VALUE)
    heads = (_(N_("Rating")), _(N_("Calls")), names["share"])
    return PlainTable("rating", names["rating"], heads, rows, total)


def _queues_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of visits to each queue by result; a call may visit several queues."""
    rows = tuple(
        (
            routing.queue_title(queue.name, _),
            queue.visits,
            *(queue.results[code] for code in queues.VISIT_RESULTS),
            queue.open,
            one_decimal(queue.wait),
        )
        for queue in report.queues
    )
    heads = (
        names["queue"],
        _(N_("Visits")),
        *(names[code] for code in queues.VISIT_RESULTS),
        _(N_("Still in progress")),
        names["answer_speed"],
    )
    return PlainTable("queue", _(N_("Visits to the queues")), heads, rows)


def _transfers_table(report: TelephonyReport, names: dict[str, str], _: Any) -> PlainTable:
    """Return the table of attempted transfers of each kind by result."""
    rows: tuple[tuple[PlainValue, ...], ...] = tuple(
        (
            names[transfers.kind],
            transfers.transfers,
            *(transfers.results[code] for code in queues.TRANSFER_RESULTS),
            transfers.open,
            transfers.returned,
        )
        for transfers in report.transfers
    )
    heads = (
        names["transfers"],
        _(N_("Attempts")),
        *(names[code] for code in queues.TRANSFER_RESULTS),
        _(N_("Still in progress")),
        _(N_("Returned to us")),
    )
    return PlainTable("transfers", names["transfers"], heads, rows)


def _callers_table(report: TelephonyReport, _: Any) -> PlainTable:
    """Return the table of how many numbers called how often; `_` is gettext."""
    callers = report.callers
    rows = [
        (_call_count_label(line.low, line.high), line.callers, line.calls)
        for line in callers.frequencies
    ]
    rows.append((_(N_("hidden number")), 0, callers.hidden))
    calls = callers.hidden + sum(line.calls for line in callers.frequencies)
    total = (_(N_("Total")), sum(line.callers for line in callers.frequencies), calls)
    heads = (_(N_("Calls in the period")), _(N_("Numbers")), _(N_("Calls")))
    return PlainTable("callers", _(N_("Repeat callers")), heads, tuple(rows), total)


def _call_count_label(low: int, high: int | None) -> str:
    """Return how often a number called as text: "2", "4–5" or "10+"."""
    if high is None:
        return f"{low}+"
    return f"{low}" if low == high else f"{low}–{high}"


# ── values for programs ─────────────────────────────────────────────────────────


def _machine_value(value: PlainValue) -> Any:
    """Return a value for CSV: a duration as a number of seconds, None in place of "–"."""
    match value:
        case Seconds(seconds):
            return round(seconds, 3)
        case formatting.NO_VALUE:
            return None
    return value
