"""The daily summary on paper, as a workbook, as CSV and JSON."""

from typing import Any

from appliance.core import spreadsheets
from appliance.reports import annex, balance, formatting, paper, report_texts, xlsx
from appliance.reports.daily.report import DailyReport
from appliance.reports.json_values import period_as_json, round_to_thousandths
from appliance.reports.tables import CountTable
from appliance.reports.xlsx import SUM, Cell, CellValue, Table


def report_title(report: DailyReport) -> str:
    """Return the title of the report's files."""
    texts = report_texts.load_texts(report.locale).daily
    return texts.title.format(date=formatting.format_date(report.period.last))


def as_page(report: DailyReport) -> str:
    """Return the printed report as HTML for pdf.write_pdf."""
    texts = report_texts.load_texts(report.locale)
    return paper.render_page(
        "daily.html",
        report,
        report_title(report),
        hours=annex.hours_chart(report, texts.annex),
        no_calls=texts.annex.no_calls if report.is_observed else texts.unknown,
        rows=annex.figure_rows(report, texts),
        explained=annex.explanatory_notes(report, texts),
        audit_head=_audit_head_text(report),
    )


def as_workbook(report: DailyReport) -> xlsx.Workbook:
    """Return a workbook of one sheet: the figures, the appeals by direction and by region."""
    texts = report_texts.load_texts(report.locale)
    figures_table = Table(
        heads=((texts.annex.figure, texts.annex.value, texts.annex.target),),
        rows=[
            (row.label, f"{row.value}{' *' if row.few else ''}", row.target)
            for row in annex.figure_rows(report, texts)
        ],
        notes=(f"* {texts.few}", *annex.explanatory_notes(report, texts)),
    )
    tables = (
        figures_table,
        _counts_table(texts, texts.monthly.direction, report.appeals_by_direction),
        _counts_table(texts, texts.monthly.region, report.appeals_by_region),
    )
    sheet = xlsx.Sheet(
        name=formatting.format_date(report.period.last),
        tables=tables,
        widths=(58, 24, 18),
        heading=(report_title(report),),
        notes=(
            _audit_head_text(report),
            paper.footer_text(paper.balance_footer(report), report.locale),
        ),
    )
    return paper.build_workbook(report, report_title(report), (sheet,))


def as_json(report: DailyReport) -> dict[str, Any]:
    """Return the summary as plain values for JSON: seconds, percentages, None for unknown."""
    tally, is_observed = report.inbound.tally, report.is_observed
    return {
        "period": period_as_json(report.period),
        "formulas": report.formulas,
        "audit_head": report.audit_head,
        "balance": balance.as_json(report.balance, report.period.tz),
        "answering": {
            "incoming": tally.incoming if is_observed else None,
            "accepted": tally.accepted if is_observed else None,
            "missed": tally.missed if is_observed else None,
            "answer_speed": round_to_thousandths(tally.answer_speed.value),
            "answer_speed_from_arrival": round_to_thousandths(
                tally.answer_speed_from_arrival.value
            ),
            "service_level": round_to_thousandths(tally.service_level.value),
            "abandon_rate": round_to_thousandths(tally.abandon_rate.value),
            "rating": round_to_thousandths(tally.rating.value),
            "rating_response": round_to_thousandths(tally.rating_response.value),
        },
        "appeals_by_region": [
            {"soato": row.code, "name": row.name, "count": row.count}
            for row in report.appeals_by_region.rows
        ],
        "appeals_by_direction": [
            {"code": row.code, "name": row.name, "count": row.count}
            for row in report.appeals_by_direction.rows
        ],
    }


def as_csv(report: DailyReport) -> str:
    """Return one line per figure: table, code, name, value. An unknown value is empty."""
    report_json = as_json(report)
    labels = [
        row.label for row in annex.figure_rows(report, report_texts.load_texts(report.locale))
    ]
    # The ninth row on paper is about the marks, so its label does not fit the ninth value.
    names = dict(zip(report_json["answering"], labels, strict=True)) | {
        "rating_response": "rating_response"
    }
    rows: list[tuple[object, ...]] = [("table", "code", "name", "value")]
    for code, value in report_json["answering"].items():
        rows.append(("answering", code, names[code], value))
    for table, key in (("appeals_by_region", "soato"), ("appeals_by_direction", "code")):
        rows += [(table, row[key], row["name"], row["count"]) for row in report_json[table]]
    rows.append(("audit", "head", "", report.audit_head))
    rows += [("balance", code, "", value) for code, value in paper.footer_cells(report)]
    return spreadsheets.csv_text(rows)


def _audit_head_text(report: DailyReport) -> str:
    """Return the text with the head of the audit chain, a hash that people can compare later."""
    return report_texts.load_texts(report.locale).daily.audit.format(
        head=report.audit_head or formatting.NO_VALUE
    )


def _counts_table(texts: report_texts.ReportTexts, name_head: str, table: CountTable) -> Table:
    """Return a table with the count and the share of each row, and their sums.

    `name_head` is the head of the first column, which contains the names of the rows.
    """
    rows: list[list[CellValue]] = [
        [row.name, row.count, formatting.NO_VALUE if row.share is None else row.share]
        for row in table.rows
    ]
    share: CellValue = SUM if table.total else formatting.NO_VALUE
    return Table(
        heads=((name_head, texts.count, texts.share),),
        rows=rows,
        total=(Cell(texts.total), SUM, share),
    )
