"""Report form №2 on paper and as a workbook."""

import statistics
from collections.abc import Sequence
from decimal import Decimal

from appliance.casework.changes import summary
from appliance.core import script
from appliance.reports import annex, capacity, formatting, paper, report_texts, xlsx
from appliance.reports.box_services import AGREED_RATE_MBIT, RestoreDrill
from appliance.reports.monthly.report import MonthlyReport
from appliance.reports.plain_tables import plain_text
from appliance.reports.report_texts import AnnexTexts, ReportTexts
from appliance.reports.tables import CountTable, HoursSplit, WeekdayTable
from appliance.reports.xlsx import SUM, CellValue, Table

_WEEKDAY_TABLE_WIDTHS = (5, 24, 17, 12, 17, 12)  # widths of columns, in characters
_COUNT_TABLE_WIDTHS = (5, 56, 13, 13)
_CONSULTATION_TABLE_WIDTHS = (5, 13, 48, 30)


def report_title(report: MonthlyReport) -> str:
    """Return the title of the report's files."""
    return report_texts.load_texts(report.locale).monthly.title.format(**_title_dates(report))


def counting_note(report: MonthlyReport) -> str:
    """Return what tables 1, 3 and 4 count, and by which version of the manager's rule."""
    texts = report_texts.load_texts(report.locale).monthly
    note = texts.counted_requests if report.counts_requests else texts.counted_appeals
    if not report.rule:
        return note
    day = formatting.format_date(report.rule.decided_at.astimezone(report.period.tz).date())
    return f"{note} {texts.counting_rule.format(version=report.rule.id, date=day)}"


def as_page(report: MonthlyReport) -> str:
    """Return the printed report as HTML for pdf.write_pdf."""
    texts = report_texts.load_texts(report.locale)
    return paper.render_page(
        "monthly.html",
        report,
        report_title(report),
        heading=_report_heading(report),
        hours=annex.hours_chart(report, texts.annex),
        waits=annex.accepted_waits_chart(report, texts.annex),
        no_calls=texts.annex.no_calls if report.is_observed else texts.unknown,
        rows=_annex_rows(report, texts),
        explained=annex.explanatory_notes(report, texts, has_waits_chart=True),
        counted=counting_note(report),
        change_heads=[getattr(texts.changes, name) for name in summary.FIGURES],
        change_total=summary.total_figures(report.change_requests),
        **_capacity_context(report),
    )


def as_workbook(report: MonthlyReport) -> xlsx.Workbook:
    """Return a workbook: a sheet for each of the report's five tables, and the annex's sheets."""
    texts = report_texts.load_texts(report.locale)
    form_texts = texts.monthly
    unobserved_stretches = paper.unobserved_text(report)
    tables = (
        _weekday_table(
            texts,
            report.counted.by_weekday,
            (form_texts.appeals_inside, form_texts.appeals_outside),
        ),
        _weekday_table(
            texts, report.calls_by_weekday, (form_texts.calls_inside, form_texts.calls_outside)
        ),
        _count_table(texts, form_texts.region, report.counted.by_region),
        _count_table(texts, form_texts.direction, report.counted.by_direction),
        _consultation_table(texts, report),
    )
    titles = (
        form_texts.appeals_by_weekday,
        form_texts.calls_by_weekday,
        form_texts.by_region,
        form_texts.by_direction,
        form_texts.consultations,
    )
    counted_note = (counting_note(report),)
    notes = {1: counted_note, 3: counted_note, 4: counted_note}  # by the number of the table
    if unobserved_stretches:
        notes[2] = (form_texts.calls_unobserved.format(stretches=unobserved_stretches),)
    sheets = [
        xlsx.Sheet(
            name=texts.table.format(number=number),
            tables=(
                Table(heads, rows, total, join_lines(title), texts.table.format(number=number)),
            ),
            widths=widths,
            heading=[join_lines(part) for part in _report_heading(report)],
            notes=(
                *notes.get(number, ()),
                paper.footer_text(paper.balance_footer(report), report.locale),
            ),
        )
        for number, (title, (widths, heads, rows, total)) in enumerate(
            zip(titles, tables, strict=True), 1
        )
    ]
    annexes = [
        _annex_sheet(texts, report),
        _change_requests_sheet(texts, report),
        *_capacity_sheets(report),
    ]
    return paper.build_workbook(report, report_title(report), [*sheets, *annexes])


def join_lines(text: str) -> str:
    """Return a heading in one line; only the printed report needs its line breaks."""
    return " ".join(text.split())


# widths of the columns, rows of heads, other rows, and the row of totals, if the table has one
type _TableParts = tuple[
    tuple[float, ...],
    Sequence[Sequence[CellValue]],
    Sequence[Sequence[CellValue]],
    Sequence[CellValue] | None,
]


def _weekday_table(
    texts: ReportTexts, table: WeekdayTable, count_heads: tuple[str, str]
) -> _TableParts:
    """Return widths, heads, rows and totals of the table of counts by weekday.

    `count_heads` are the heads of the columns inside and outside working hours.
    """
    inside, outside = count_heads
    head = ("№", texts.weekday, inside, texts.share, outside, texts.share)
    rows = [
        (number, texts.weekdays[number - 1], *_split_cells(texts, split))
        for number, split in enumerate(table.days, 1)
    ]
    # numbers become formulas, also the shares, which add up to 100.0; "unknown" and "–" remain
    sums = _split_cells(texts, table.total)
    total = [SUM if isinstance(value, (int, Decimal)) else value for value in sums]
    return _WEEKDAY_TABLE_WIDTHS, (head,), rows, (xlsx.Cell(texts.total, column_span=2), *total)


def _split_cells(
    texts: ReportTexts, split: HoursSplit
) -> tuple[CellValue, CellValue, CellValue, CellValue]:
    """Return the count and the share inside working hours, then those outside working hours."""
    return (
        texts.unknown if split.inside is None else split.inside,
        _share_or_dash(split.inside_share),
        texts.unknown if split.outside is None else split.outside,
        _share_or_dash(split.outside_share),
    )


def _count_table(texts: ReportTexts, name_head: str, table: CountTable) -> _TableParts:
    """Return widths, heads, rows and totals of a table of counts by region or direction.

    `name_head` is the head of the column of names. The row of unlisted codes has no row number.
    """
    rows = [
        (number if row.code else None, row.name, row.count, _share_or_dash(row.share))
        for number, row in enumerate(table.rows, 1)
    ]
    share: CellValue = SUM if table.total else formatting.NO_VALUE
    total = (xlsx.Cell(texts.total, column_span=2), SUM, share)
    return _COUNT_TABLE_WIDTHS, (("№", name_head, texts.count, texts.share),), rows, total


def _consultation_table(texts: ReportTexts, report: MonthlyReport) -> _TableParts:
    """Return widths, heads and rows of the table of consultations, which has no totals."""
    head = ("№", texts.date, texts.monthly.issue, texts.monthly.contacted)
    rows: list[Sequence[CellValue]] = [
        (
            number,
            consultation.date,
            script.transliterate_for_locale(consultation.issue, report.locale),
            script.transliterate_for_locale(consultation.contacted, report.locale)
            or formatting.NO_VALUE,
        )
        for number, consultation in enumerate(report.consultations, 1)
    ]
    no_rows_line = (xlsx.Cell(texts.monthly.no_consultations, column_span=4),)
    return _CONSULTATION_TABLE_WIDTHS, (head,), rows or [no_rows_line], None


def _annex_sheet(texts: ReportTexts, report: MonthlyReport) -> xlsx.Sheet:
    """Return the sheet of the annex's figures; "*" marks a figure based on too few cases."""
    annex_texts = texts.annex
    table = Table(
        heads=((annex_texts.figure, annex_texts.value, annex_texts.target),),
        rows=[
            (row.label, f"{row.value}{' *' if row.few else ''}", row.target)
            for row in _annex_rows(report, texts)
        ],
        title=annex_texts.heading,
        notes=(f"* {texts.few}", *annex.explanatory_notes(report, texts)),
    )
    footer = paper.footer_text(paper.balance_footer(report), report.locale)
    return xlsx.Sheet(annex_texts.title, (table,), (60, 24, 18), notes=(footer,))


def _change_requests_sheet(texts: ReportTexts, report: MonthlyReport) -> xlsx.Sheet:
    """Return the sheet that counts the ministry's change requests by kind."""
    change_texts = texts.changes
    table = Table(
        heads=((change_texts.kind, *(getattr(change_texts, name) for name in summary.FIGURES)),),
        rows=[(change_texts.kinds[row.kind], *row.figures) for row in report.change_requests],
        total=(texts.total, *(SUM for _ in summary.FIGURES)),
        title=change_texts.title,
        notes=(change_texts.term,),
    )
    widths = (34, *(18 for _ in summary.FIGURES))
    return xlsx.Sheet(change_texts.title, (table,), widths, landscape=True)


def _annex_rows(report: MonthlyReport, texts: ReportTexts) -> list[annex.FigureRow]:
    """Return the rows of this report's table of figures in the annex.

    To the rows that every report has are added: the share of accepted calls for which operators
    filled in the call form, the availability and rate of the internet link if they were measured,
    and the last restore drill (a rehearsed restore) if the site has snapshots.
    """
    rows, annex_texts = annex.figure_rows(report, texts), texts.annex
    registered = report.call_forms.share
    rows.append(annex.percentage_row("call_forms", annex_texts.call_forms, registered))
    internet = next((link for link in report.links if link.link == "internet"), None)
    if internet and internet.share is not None:
        share = formatting.format_decimal(internet.share)
        note = annex_texts.outages.format(value=share, count=internet.outages)
        rows.append(annex.FigureRow("", annex_texts.internet, note))
    if rates := report.rates:
        mean, least = (
            formatting.format_decimal(rate) for rate in (statistics.fmean(rates), min(rates))
        )
        note = annex_texts.mbit.format(value=mean, least=least)
        target = annex_texts.at_least_mbit.format(value=f"{AGREED_RATE_MBIT:g}")
        rows.append(annex.FigureRow("", annex_texts.rate, note, target))
    if report.drill:
        rows.append(annex.FigureRow("", annex_texts.drill, _drill_text(report.drill, annex_texts)))
    return rows


def _drill_text(drill: RestoreDrill, texts: AnnexTexts) -> str:
    """Return the result and the date of a restore drill, or that there was no drill."""
    if not drill.date:
        return texts.drill_none
    outcome = texts.drill_passed if drill.passed else texts.drill_failed
    return outcome.format(date=formatting.format_date(drill.date))


def _capacity_context(report: MonthlyReport) -> dict[str, object]:
    """Return the template's variables about the capacity that the period's calls needed.

    The capacity is the number of operators and of channels on the trunks.
    """
    forecast = capacity.forecast_capacity(report.period, report.rules.service_level, report.wrap_up)
    needed, half_hours = capacity.capacity_tables(forecast, report.locale)
    return {
        "needed": needed,
        "half_hours": half_hours.title,
        "half_hours_chart": capacity.operators_chart(forecast, report.locale),
        "written": plain_text,
    }


def _capacity_sheets(report: MonthlyReport) -> list[xlsx.Sheet]:
    """Return the tables of the capacity forecast (operators and channels needed) as sheets."""
    forecast = capacity.forecast_capacity(report.period, report.rules.service_level, report.wrap_up)
    return [
        xlsx.Sheet(
            name=table.title,
            tables=(Table((table.heads,), table.rows),),
            widths=(44, *(16 for _ in table.heads[1:])),
            heading=(table.title,),
            landscape=len(table.heads) > 2,
        )
        for table in capacity.capacity_tables(forecast, report.locale)
    ]


def _share_or_dash(share: Decimal | None) -> CellValue:
    """Return a share in per cent for a cell; "–" if there is nothing to divide."""
    return formatting.NO_VALUE if share is None else share


def _report_heading(report: MonthlyReport) -> list[str]:
    """Return the heading in parts, each with the line breaks of the printed form."""
    texts = report_texts.load_texts(report.locale).monthly
    return [part.format(**_title_dates(report)) for part in texts.heading]


def _title_dates(report: MonthlyReport) -> dict[str, object]:
    """Return the values for the placeholders {year}, {month} and {day} of titles."""
    last = report.period.last
    months = report_texts.load_texts(report.locale).months
    return {"year": last.year, "month": months[last.month - 1], "day": last.day}
