"""Report form №1 as a workbook: a sheet a table, and the months."""

from appliance.reports import figures, paper, words, xlsx
from appliance.reports.quarterly import wording
from appliance.reports.quarterly.report import QuarterlyReport
from appliance.reports.words import Words
from appliance.reports.xlsx import SUM, Cell, Formula, Plain, Seconds, Table, Value

_CALLS = (20, 20, 20, 20, 26, 24, 18)
_STAFF = (22, 17, 14, 14, 14, 24, 16, 12, 20, 20)
_ACTIVITY = (24, 24, 24, 28, 30, 30)
_MONTHS = (18, 16, 16, 18, 12, 18, 12)


def as_book(report: QuarterlyReport) -> xlsx.Book:
    """Numbers as numbers, lengths as lengths, sums as formulas."""
    text = words.load(report.locale)
    tables = (
        (_CALLS, _calls(report, text)),
        (_STAFF, _staff(report, text)),
        (_ACTIVITY, _activity(report, text)),
        (_MONTHS, _months(report, text)),
    )
    names = (*(text.table.format(number=number) for number in (1, 2, 3)), text.annex.title)
    sheets = [
        xlsx.Sheet(
            name=name,
            tables=(table,),
            widths=widths,
            heading=[" ".join(part.split()) for part in wording.heading(report)],
            notes=(paper.foot_line(paper.foot(report), report.locale),),
            landscape=True,
        )
        for name, (widths, table) in zip(names, tables, strict=True)
    ]
    return paper.book(report, wording.title(report), sheets)


def _calls(report: QuarterlyReport, text: Words) -> Table:
    form, calls = text.quarterly, report.calls
    average: Value = figures.NONE if report.observed else text.unknown
    if calls.average_seconds is not None:
        average = Formula("=E{row}/C{row}", Seconds(calls.average_seconds))
    total = text.unknown if calls.talk_seconds is None else Seconds(calls.talk_seconds)
    return Table(
        heads=(
            (
                form.quarter.format(**wording.dates(report)),
                *(form.incoming, form.accepted, form.missed),
                *(form.talk_total, form.talk_average, form.outgoing),
            ),
        ),
        rows=(
            (
                None,
                _number_or_unknown(calls.incoming, text),
                _number_or_unknown(calls.accepted, text),
                _number_or_unknown(calls.missed, text),
                total,
                average,
                _number_or_unknown(calls.outgoing, text),
            ),
        ),
        label=text.table.format(number=1),
        notes=wording.call_notes(report),
    )


def _staff(report: QuarterlyReport, text: Words) -> Table:
    form, staff = text.quarterly, report.qualification
    whole: tuple[Plain, ...] = (
        staff.operators,
        _number_or_unknown(staff.incomplete_higher, text),
        _number_or_unknown(staff.secondary, text),
        _number_or_unknown(staff.upskilled, text),
        _number_or_unknown(staff.disciplined, text),
    )
    height = len(report.intervals)
    rows: list[list[Value]] = []
    for number, row in enumerate(report.intervals):
        own: list[Value] = [None] * 6
        if not number:
            own = [Cell(value, down=height) for value in (", ".join(report.numbers), *whole)]
        rows.append(
            [
                *own,
                wording.interval(row, report),
                _number_or_unknown(row.staff, text) if row.opens or height == 1 else figures.NONE,
                _number_or_unknown(row.incoming, text),
                _number_or_unknown(row.accepted, text),
            ]
        )
    calls = report.calls
    return Table(
        heads=(
            (
                Cell(form.numbers, down=2),
                Cell(form.operators, down=2),
                Cell(form.education, across=3),
                Cell(form.disciplined, down=2),
                Cell(form.shifts, across=2),
                Cell(form.shift_calls, across=2),
            ),
            (
                *(None, None, form.incomplete_higher, form.secondary, form.upskilled, None),
                *(form.interval, form.staff, form.shift_incoming, form.shift_accepted),
            ),
        ),
        rows=rows,
        total=(
            text.total,
            *whole,
            form.day,
            text.unknown if report.staff_total is None else SUM,
            _number_or_unknown(calls.incoming, text) if not _adds_up(report) else SUM,
            _number_or_unknown(calls.accepted, text) if not _adds_up(report) else SUM,
        ),
        title=" ".join(form.staff_heading.split()),
        label=text.table.format(number=2),
        notes=wording.staff_notes(report),
    )


def _activity(report: QuarterlyReport, text: Words) -> Table:
    form = text.quarterly
    notes = wording.activity_notes(report)
    return Table(
        heads=(
            (
                *(form.hours, form.callback, form.telegram_bot),
                *(form.published, form.recordings_kept, form.appeals_kept),
            ),
        ),
        rows=([f"{cell} ({note})" for cell, note in wording.activity_cells(report)],),
        title=" ".join(form.activity_heading.split()),
        label=text.table.format(number=3),
        notes=[f"({number}) {note}" for number, note in enumerate(notes, 1)],
    )


def _months(report: QuarterlyReport, text: Words) -> Table:
    form = text.quarterly
    share, later = "=IF(B{row}=0,0,D{row}/B{row}*100)", "=IF(D{row}=0,0,F{row}/D{row}*100)"
    rows: list[list[Value]] = []
    for row in report.months:
        found = row.recovery
        rows.append(
            [
                text.months[row.first.month - 1],
                row.incoming,
                row.accepted,
                found.missed,
                Formula(share, _percent(found.missed, row.incoming)),
                found.recovered,
                Formula(later, _percent(found.recovered, found.missed)),
            ]
        )
    whole, calls = report.recovery, report.calls
    return Table(
        heads=(
            (
                *(form.month, form.month_incoming, form.month_accepted, form.month_missed),
                *(form.month_share, form.month_recovered, form.month_share),
            ),
        ),
        rows=rows,
        total=(
            *(text.total, SUM, SUM, SUM),
            Formula(share, _percent(whole.missed, calls.incoming or 0)),
            SUM,
            Formula(later, _percent(whole.recovered, whole.missed)),
        ),
        title=text.annex.heading,
    )


def _adds_up(report: QuarterlyReport) -> bool:
    known = all(row.incoming is not None for row in report.intervals)
    return report.parted and known


def _number_or_unknown(value: int | None, text: Words) -> Plain:
    return text.unknown if value is None else value


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
