"""Report form №1 as a workbook: a sheet for each table, and a sheet of the months."""

from appliance.reports import formatting, paper, report_texts, xlsx
from appliance.reports.quarterly import wording
from appliance.reports.quarterly.report import QuarterlyReport
from appliance.reports.report_texts import QuarterlyTexts, ReportTexts
from appliance.reports.shares import percentage
from appliance.reports.xlsx import SUM, Cell, CellValue, Formula, PlainValue, Seconds, Table

_CALLS_WIDTHS = (20, 20, 20, 20, 26, 24, 18)
_STAFF_WIDTHS = (22, 17, 14, 14, 14, 24, 16, 12, 20, 20)
_ACTIVITY_WIDTHS = (24, 24, 24, 28, 30, 30)
_MONTHS_WIDTHS = (18, 16, 16, 18, 12, 18, 12)


def as_workbook(report: QuarterlyReport) -> xlsx.Workbook:
    """Return the workbook, in which numbers and durations can be added, and sums are formulas."""
    texts = report_texts.load_texts(report.locale)
    tables = (
        (_CALLS_WIDTHS, _calls_table(report, texts)),
        (_STAFF_WIDTHS, _staff_table(report, texts)),
        (_ACTIVITY_WIDTHS, _activity_table(report, texts)),
        (_MONTHS_WIDTHS, _months_table(report, texts)),
    )
    names = (*(texts.table.format(number=number) for number in (1, 2, 3)), texts.annex.title)
    sheets = [
        xlsx.Sheet(
            name=name,
            tables=(table,),
            widths=widths,
            heading=[" ".join(part.split()) for part in wording.heading_lines(report)],
            notes=(paper.footer_text(paper.balance_footer(report), report.locale),),
            landscape=True,
        )
        for name, (widths, table) in zip(names, tables, strict=True)
    ]
    return paper.build_workbook(report, wording.report_title(report), sheets)


def _calls_table(report: QuarterlyReport, texts: ReportTexts) -> Table:
    """Return table 1, the calls of the quarter in one row."""
    form_texts, calls = texts.quarterly, report.calls
    average: CellValue = formatting.NO_VALUE if report.is_observed else texts.unknown
    if calls.average_seconds is not None:
        # column E: talk in total, C: accepted calls
        average = Formula("=E{row}/C{row}", Seconds(calls.average_seconds))
    total = texts.unknown if calls.talk_seconds is None else Seconds(calls.talk_seconds)
    return Table(
        heads=(
            (
                form_texts.quarter.format(**wording.title_dates(report)),
                *(form_texts.incoming, form_texts.accepted, form_texts.missed),
                *(form_texts.talk_total, form_texts.talk_average, form_texts.outgoing),
            ),
        ),
        rows=(
            (
                None,
                _number_or_unknown(calls.incoming, texts),
                _number_or_unknown(calls.accepted, texts),
                _number_or_unknown(calls.missed, texts),
                total,
                average,
                _number_or_unknown(calls.outgoing, texts),
            ),
        ),
        label=texts.table.format(number=1),
        notes=wording.call_notes(report),
    )


def _staff_table(report: QuarterlyReport, texts: ReportTexts) -> Table:
    """Return table 2: the staff, and the calls of each shift.

    If the calls of the shifts do not add up, the totals are the numbers of table 1, not sums.
    """
    form_texts, qualification, calls = texts.quarterly, report.qualification, report.calls
    staff_figures: tuple[PlainValue, ...] = (
        qualification.operators,
        _number_or_unknown(qualification.incomplete_higher, texts),
        _number_or_unknown(qualification.secondary, texts),
        _number_or_unknown(qualification.upskilled, texts),
        _number_or_unknown(qualification.disciplined, texts),
    )
    return Table(
        heads=_staff_heads(form_texts),
        rows=_interval_rows(report, texts, (", ".join(report.numbers), *staff_figures)),
        total=(
            texts.total,
            *staff_figures,
            form_texts.day,
            texts.unknown if report.staff_total is None else SUM,
            _number_or_unknown(calls.incoming, texts) if not _has_additive_rows(report) else SUM,
            _number_or_unknown(calls.accepted, texts) if not _has_additive_rows(report) else SUM,
        ),
        title=" ".join(form_texts.staff_heading.split()),
        label=texts.table.format(number=2),
        notes=wording.staff_notes(report),
    )


def _staff_heads(form_texts: QuarterlyTexts) -> tuple[tuple[CellValue, ...], ...]:
    """Return the two rows of heads of table 2; None is a cell that the one above it covers."""
    return (
        (
            Cell(form_texts.numbers, row_span=2),
            Cell(form_texts.operators, row_span=2),
            Cell(form_texts.education, column_span=3),
            Cell(form_texts.disciplined, row_span=2),
            Cell(form_texts.shifts, column_span=2),
            Cell(form_texts.shift_calls, column_span=2),
        ),
        (
            *(
                None,
                None,
                form_texts.incomplete_higher,
                form_texts.secondary,
                form_texts.upskilled,
                None,
            ),
            *(
                form_texts.interval,
                form_texts.staff,
                form_texts.shift_incoming,
                form_texts.shift_accepted,
            ),
        ),
    )


def _interval_rows(
    report: QuarterlyReport, texts: ReportTexts, staff_values: tuple[PlainValue, ...]
) -> list[list[CellValue]]:
    """Return the rows of table 2: one for each shift, and one for the hours outside all shifts.

    `staff_values` are about the whole staff: each is one cell that spans all rows.
    """
    height = len(report.intervals)
    rows: list[list[CellValue]] = []
    for number, row in enumerate(report.intervals):
        merged_cells: list[CellValue] = [None] * len(staff_values)
        if not number:
            merged_cells = [Cell(value, row_span=height) for value in staff_values]
        rows.append(
            [
                *merged_cells,
                wording.interval_label(row, report),
                _number_or_unknown(row.staff, texts)
                if row.opens or height == 1
                else formatting.NO_VALUE,
                _number_or_unknown(row.incoming, texts),
                _number_or_unknown(row.accepted, texts),
            ]
        )
    return rows


def _activity_table(report: QuarterlyReport, texts: ReportTexts) -> Table:
    """Return table 3, one row of answers, each with the number of the note on its source."""
    form_texts = texts.quarterly
    notes = wording.activity_notes(report)
    return Table(
        heads=(
            (
                *(form_texts.hours, form_texts.callback, form_texts.telegram_bot),
                *(form_texts.published, form_texts.recordings_kept, form_texts.appeals_kept),
            ),
        ),
        rows=([f"{cell} ({note})" for cell, note in wording.activity_cells(report)],),
        title=" ".join(form_texts.activity_heading.split()),
        label=texts.table.format(number=3),
        notes=[f"({number}) {note}" for number, note in enumerate(notes, 1)],
    )


def _months_table(report: QuarterlyReport, texts: ReportTexts) -> Table:
    """Return the annex's table of each month's calls, in which the shares are formulas."""
    form_texts = texts.quarterly
    # columns B: incoming, D: missed, F: recovered calls
    missed_share, recovered_share = (
        "=IF(B{row}=0,0,D{row}/B{row}*100)",
        "=IF(D{row}=0,0,F{row}/D{row}*100)",
    )
    rows: list[list[CellValue]] = []
    for row in report.months:
        recovery = row.recovery
        rows.append(
            [
                texts.months[row.first.month - 1],
                row.incoming,
                row.accepted,
                recovery.missed,
                _share_formula(missed_share, recovery.missed, row.incoming),
                recovery.recovered,
                _share_formula(recovered_share, recovery.recovered, recovery.missed),
            ]
        )
    total_recovery, calls = report.recovery, report.calls
    return Table(
        heads=(
            (
                *(
                    form_texts.month,
                    form_texts.month_incoming,
                    form_texts.month_accepted,
                    form_texts.month_missed,
                ),
                *(form_texts.month_share, form_texts.month_recovered, form_texts.month_share),
            ),
        ),
        rows=rows,
        total=(
            *(texts.total, SUM, SUM, SUM),
            _share_formula(missed_share, total_recovery.missed, calls.incoming or 0),
            SUM,
            _share_formula(recovered_share, total_recovery.recovered, total_recovery.missed),
        ),
        title=texts.annex.heading,
    )


def _share_formula(formula: str, part: int, total: int) -> Formula:
    """Return a formula for a percentage, with its result for programs that do not calculate."""
    return Formula(formula, percentage(part, total) or 0.0)


def _has_additive_rows(report: QuarterlyReport) -> bool:
    """Return True if the calls of the rows of table 2 add up: all are known, no shifts overlap."""
    is_known = all(row.incoming is not None for row in report.intervals)
    return report.has_disjoint_intervals and is_known


def _number_or_unknown(value: int | None, texts: ReportTexts) -> PlainValue:
    """Return a number for a cell, or the text "unknown" without one."""
    return texts.unknown if value is None else value
