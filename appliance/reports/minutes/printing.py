"""The statement of minutes on paper, as workbook, CSV and JSON.

The workbook and the CSV file list every call.
"""

from decimal import Decimal
from typing import Any

from appliance.core import phone_numbers, spreadsheets
from appliance.core.i18n import N_, locale_translations
from appliance.models import Tariff
from appliance.reports import balance, formatting, paper, report_texts, xlsx
from appliance.reports.json_values import period_as_json
from appliance.reports.minutes.report import (
    BilledCall,
    BillingLine,
    MinutesReport,
    iterate_billed_calls,
)
from appliance.reports.xlsx import SUM, CellValue, PlainValue, Seconds

DIRECTION_LABELS = {"inbound": N_("Incoming calls"), "outbound": N_("Outgoing calls")}
ROUNDING_LABELS = {
    "second": N_("per second"),
    "minute": N_("rounded up to the minute"),
    "call": N_("per call"),
}
_TABLE_HEADS = (
    N_("Calls"),
    N_("Trunk"),
    N_("Number"),
    N_("Rounding"),
    N_("Price, soʻm"),
    N_("Number of calls"),
    N_("Talk"),
    N_("Billed"),
    N_("Sum, soʻm"),
)
_CSV_COLUMNS = (
    *("id", "arrived_at", "direction", "trunk", "number", "talk_seconds"),
    *("billed_seconds", "tariff", "amount_tiyin"),
)


def report_title(report: MinutesReport) -> str:
    """Return the title of the report's files."""
    return paper.dated_title(N_("Statement of talk minutes"), report)


def as_page(report: MinutesReport) -> str:
    """Return the statement as HTML for pdf.write_pdf."""
    gettext = locale_translations(report.locale).gettext
    return paper.render_template(
        "minutes.html",
        report,
        report_title(report),
        balance=paper.balance_footer_from_counts(report, report.excluded_calls),
        heads=[gettext(head) for head in _TABLE_HEADS],
        lines=[
            [value_text(value) for value in line_values(line, gettext)] for line in report.lines
        ],
        total=total_texts(report, gettext),
        unpriced=unpriced_warning(report),
    )


def as_workbook(report: MinutesReport) -> xlsx.Workbook:
    """Return a workbook: a sheet with the statement, and a sheet with every call in it."""
    gettext = locale_translations(report.locale).gettext
    texts = report_texts.load_texts(report.locale)
    heads = tuple(gettext(head) for head in _TABLE_HEADS)
    statement_table = xlsx.Table(
        (heads,),
        [line_values(line, gettext) for line in report.lines],
        (xlsx.Cell(texts.total, column_span=5), SUM, SUM, SUM, _amount_sum(report)),
    )
    call_rows = [
        (
            row.id,
            row.arrived_at,
            gettext(DIRECTION_LABELS[row.direction]),
            row.trunk,
            row.number,
            Seconds(row.talk_seconds),
            Seconds(row.billed_seconds),
            None if row.tariff is None else row.tariff.id,
            tiyin_to_som(row.amount),
        )
        for row in iterate_billed_calls(report.period)
    ]
    # The heads that both tables have: direction, trunk and number; talk, billed time, cost.
    calls_table = xlsx.Table(
        (
            (
                gettext(N_("Identifier")),
                gettext(N_("Arrived")),
                *heads[:3],
                *(heads[6], heads[7], gettext(N_("Tariff")), heads[8]),
            ),
        ),
        call_rows,
        (xlsx.Cell(texts.total, column_span=5), SUM, SUM, None, _amount_sum(report))
        if call_rows
        else None,
    )
    footer = paper.footer_text(
        paper.balance_footer_from_counts(report, report.excluded_calls), report.locale
    )
    notes = [note for note in (unpriced_warning(report), footer) if note]
    sheets = [
        xlsx.Sheet(
            gettext(N_("Statement")),
            (statement_table,),
            (20, 14, 18, 18, 14, 12, 23, 23, 18),
            (report_title(report),),
            notes,
            landscape=True,
        ),
        xlsx.Sheet(
            gettext(N_("Calls")),
            (calls_table,),
            (30, 18, 18, 14, 18, 23, 23, 9, 18),
            landscape=True,
        ),
    ]
    return paper.build_workbook(report, report_title(report), sheets)


def as_csv(report: MinutesReport) -> str:
    """Return one line for each call in the statement."""
    return spreadsheets.csv_text(
        [_CSV_COLUMNS, *(_csv_cells(row, report) for row in iterate_billed_calls(report.period))]
    )


def _csv_cells(row: BilledCall, report: MinutesReport) -> tuple[object, ...]:
    """Return the cells of a call, one for each of _CSV_COLUMNS, with the cost in tiyin."""
    arrived_at = row.arrived_at.astimezone(report.period.tz).isoformat(timespec="milliseconds")
    cells = (row.id, arrived_at, row.direction, row.trunk, row.number)
    tariff = None if row.tariff is None else row.tariff.id
    return (*cells, round(row.talk_seconds, 3), row.billed_seconds, tariff, row.amount)


def as_json(report: MinutesReport) -> dict[str, Any]:
    """Return the statement as plain values, with money in tiyin."""
    return {
        "period": period_as_json(report.period),
        "formulas": report.formulas,
        "balance": balance.as_json(report.balance, report.period.tz),
        "lines": [_line_as_json(line) for line in report.lines],
        "total": _line_as_json(report.total),
        "calls_without_tariff": report.unpriced_calls,
    }


def line_values(line: BillingLine, gettext: Any) -> tuple[PlainValue, ...]:
    """Return the cells of a line, in the order of _TABLE_HEADS.

    `gettext` translates into the language of the statement or the page.
    """
    tariff = line.tariff
    return (
        gettext(DIRECTION_LABELS[line.direction]) if line.direction else "",
        line.trunk or formatting.NO_VALUE,
        phone_numbers.grouped_number(line.number) if line.number else formatting.NO_VALUE,
        gettext(ROUNDING_LABELS[tariff.rounding]) if tariff else gettext(N_("no tariff")),
        tiyin_to_som(tariff.price) if tariff else None,
        line.calls,
        Seconds(line.talk_seconds),
        Seconds(line.billed_seconds),
        tiyin_to_som(line.amount),
    )


def total_texts(report: MinutesReport, gettext: Any) -> list[str]:
    """Return the texts of the totals: number of calls, talk, billed time, cost.

    The cost is "unknown" if no tariff applies to any of the calls.
    """
    # the first five columns describe the calls of a line
    *counts, amount = line_values(report.total, gettext)[5:]
    unknown = report_texts.load_texts(report.locale).unknown
    return [*map(value_text, counts), unknown if amount is None else value_text(amount)]


def _amount_sum(report: MinutesReport) -> CellValue:
    """Return the total cost: the sum of the column, or "unknown" if no call has a tariff."""
    return report_texts.load_texts(report.locale).unknown if report.total.amount is None else SUM


def unpriced_warning(report: MinutesReport) -> str:
    """Return a warning if no tariff applies to some calls; "" if every call has a tariff."""
    if not report.unpriced_calls:
        return ""
    text = locale_translations(report.locale).gettext(
        N_("Calls without a tariff, not included in the sum: {count}.")
    )
    return text.format(count=formatting.format_number(report.unpriced_calls))


def tiyin_to_som(tiyin: int | None) -> Decimal | None:
    """Convert tiyin, the hundredth of a soʻm, to soʻm with two decimals; None stays None."""
    return None if tiyin is None else Decimal(tiyin).scaleb(-2)


def value_text(value: PlainValue) -> str:
    """Return the text of a cell on paper and on the page; a Decimal is an amount in soʻm."""
    match value:
        case None:
            return formatting.NO_VALUE
        case Decimal():
            return formatting.format_money(int(value.scaleb(2)))
        case int():
            return formatting.format_number(value)
        case Seconds(seconds):
            return formatting.format_clock(seconds)
    return str(value)


def _line_as_json(line: BillingLine) -> dict[str, Any]:
    """Return a line or the totals as plain values; None for an empty direction, trunk or number."""
    return {
        "direction": line.direction or None,
        "trunk": line.trunk or None,
        "number": line.number or None,
        "tariff": _tariff_as_json(line.tariff),
        "calls": line.calls,
        "talk_seconds": round(line.talk_seconds, 3),
        "billed_seconds": line.billed_seconds,
        "amount_tiyin": line.amount,
    }


def _tariff_as_json(tariff: Tariff | None) -> dict[str, Any] | None:
    """Return a tariff, if any, as plain values, with the price in tiyin."""
    if tariff is None:
        return None
    return {"id": tariff.id, "rounding": tariff.rounding, "price_tiyin": tariff.price}
