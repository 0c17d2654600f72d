"""Report form №2 on paper and as a workbook."""

import statistics
from collections.abc import Sequence
from decimal import Decimal

from appliance.casework.changes import summary
from appliance.core import script
from appliance.reports import annex, capacity, figures, paper, words, xlsx
from appliance.reports.monthly.report import MonthlyReport
from appliance.reports.plain import written
from appliance.reports.services import AGREED, Drill
from appliance.reports.tables import CountTable, Split, WeekdayTable
from appliance.reports.words import AnnexWords, Words
from appliance.reports.xlsx import SUM, Table, Value

_WEEKDAYS = (5, 24, 17, 12, 17, 12)  # widths of columns, in letters
_COUNTS = (5, 56, 13, 13)
_LIST = (5, 13, 48, 30)


def title(report: MonthlyReport) -> str:
    """The file's title."""
    return words.load(report.locale).monthly.title.format(**_dates(report))


def as_page(report: MonthlyReport) -> str:
    """The paper as HTML, to be printed by pdf.write."""
    text = words.load(report.locale)
    return paper.page(
        "monthly.html",
        report,
        title(report),
        heading=_heading(report),
        hours=annex.hours(report, text.annex),
        waits=annex.waits(report, text.annex),
        no_calls=text.annex.no_calls if report.observed else text.unknown,
        rows=_rows(report, text),
        explained=annex.explained(report, text, distribution=True),
        change_heads=[getattr(text.changes, name) for name in summary.FIGURES],
        change_total=summary.total(report.change_requests),
        **_capacity(report),
    )


def as_book(report: MonthlyReport) -> xlsx.Book:
    """A sheet for each of the five tables, and those of the annex."""
    text = words.load(report.locale)
    form = text.monthly
    unseen = paper.unobserved(report)
    tables = (
        _weekdays(text, report.appeals_by_weekday, (form.appeals_inside, form.appeals_outside)),
        _weekdays(text, report.calls_by_weekday, (form.calls_inside, form.calls_outside)),
        _counts(text, form.region, report.appeals_by_region),
        _counts(text, form.direction, report.appeals_by_direction),
        _consultations(text, report),
    )
    titles = (
        form.appeals_by_weekday,
        form.calls_by_weekday,
        form.by_region,
        form.by_direction,
        form.consultations,
    )
    notes = {2: (form.calls_unobserved.format(stretches=unseen),)} if unseen else {}
    sheets = [
        xlsx.Sheet(
            name=text.table.format(number=number),
            tables=(Table(heads, rows, total, one_line(title), text.table.format(number=number)),),
            widths=widths,
            heading=[one_line(part) for part in _heading(report)],
            notes=(*notes.get(number, ()), paper.foot_line(paper.foot(report), report.locale)),
        )
        for number, (title, (widths, heads, rows, total)) in enumerate(
            zip(titles, tables, strict=True), 1
        )
    ]
    annexes = [_annex(text, report), _change_requests(text, report), *_half_hours(report)]
    return paper.book(report, title(report), [*sheets, *annexes])


def one_line(text: str) -> str:
    """A heading without the line breaks that the paper needs."""
    return " ".join(text.split())


type _Rows = tuple[
    tuple[float, ...],
    Sequence[Sequence[Value]],
    Sequence[Sequence[Value]],
    Sequence[Value] | None,
]


def _weekdays(text: Words, table: WeekdayTable, halves: tuple[str, str]) -> _Rows:
    inside, outside = halves
    head = ("№", text.weekday, inside, text.share, outside, text.share)
    rows = [
        (number, text.weekdays[number - 1], *_cells(text, split))
        for number, split in enumerate(table.days, 1)
    ]
    sums = _cells(text, table.total)
    total = [SUM if isinstance(value, (int, Decimal)) else value for value in sums]
    return _WEEKDAYS, (head,), rows, (xlsx.Cell(text.total, across=2), *total)


def _cells(text: Words, split: Split) -> tuple[Value, Value, Value, Value]:
    return (
        text.unknown if split.inside is None else split.inside,
        _share(split.inside_share),
        text.unknown if split.outside is None else split.outside,
        _share(split.outside_share),
    )


def _counts(text: Words, name: str, table: CountTable) -> _Rows:
    rows = [
        (number if row.code else None, row.name, row.count, _share(row.share))
        for number, row in enumerate(table.rows, 1)
    ]
    share: Value = SUM if table.total else figures.NONE
    total = (xlsx.Cell(text.total, across=2), SUM, share)
    return _COUNTS, (("№", name, text.count, text.share),), rows, total


def _consultations(text: Words, report: MonthlyReport) -> _Rows:
    head = ("№", text.date, text.monthly.issue, text.monthly.contacted)
    rows: list[Sequence[Value]] = [
        (
            number,
            one.date,
            script.written(one.issue, report.locale),
            script.written(one.contacted, report.locale) or figures.NONE,
        )
        for number, one in enumerate(report.consultations, 1)
    ]
    none = (xlsx.Cell(text.monthly.no_consultations, across=4),)
    return _LIST, (head,), rows or [none], None


def _annex(text: Words, report: MonthlyReport) -> xlsx.Sheet:
    words_ = text.annex
    table = Table(
        heads=((words_.figure, words_.value, words_.target),),
        rows=[
            (row.label, f"{row.value}{' *' if row.few else ''}", row.target)
            for row in _rows(report, text)
        ],
        title=words_.heading,
        notes=(f"* {text.few}", *annex.explained(report, text)),
    )
    foot = paper.foot_line(paper.foot(report), report.locale)
    return xlsx.Sheet(words_.title, (table,), (60, 24, 18), notes=(foot,))


def _change_requests(text: Words, report: MonthlyReport) -> xlsx.Sheet:
    names = text.changes
    table = Table(
        heads=((names.kind, *(getattr(names, name) for name in summary.FIGURES)),),
        rows=[(names.kinds[row.kind], *row.figures) for row in report.change_requests],
        total=(text.total, *(SUM for _ in summary.FIGURES)),
        title=names.title,
        notes=(names.term,),
    )
    widths = (34, *(18 for _ in summary.FIGURES))
    return xlsx.Sheet(names.title, (table,), widths, landscape=True)


def _rows(report: MonthlyReport, text: Words) -> list[annex.FigureRow]:
    """What all annexes tell, how many calls are on form №2, how the internet was, where it was
    looked at, and whether a restore was tried, where there are snapshots."""
    rows, words_ = annex.rows(report, text), text.annex
    registered = report.call_forms.share
    rows.append(annex.per_cent("call_forms", words_.call_forms, registered))
    internet = next((link for link in report.links if link.link == "internet"), None)
    if internet and internet.share is not None:
        share = figures.decimal(internet.share)
        note = words_.outages.format(value=share, count=internet.outages)
        rows.append(annex.FigureRow("", words_.internet, note))
    if rates := report.rates:
        mean, least = (figures.decimal(rate) for rate in (statistics.fmean(rates), min(rates)))
        note = words_.mbit.format(value=mean, least=least)
        target = words_.at_least_mbit.format(value=f"{AGREED:g}")
        rows.append(annex.FigureRow("", words_.rate, note, target))
    if report.drill:
        rows.append(annex.FigureRow("", words_.drill, _drill(report.drill, words_)))
    return rows


def _drill(drill: Drill, words_: AnnexWords) -> str:
    if not drill.date:
        return words_.drill_none
    outcome = words_.drill_passed if drill.passed else words_.drill_failed
    return outcome.format(date=figures.date(drill.date))


def _capacity(report: MonthlyReport) -> dict[str, object]:
    """The operators and channels that the month's calls needed, for the paper."""
    made = capacity.count(report.period, report.rules.service_level, report.wrap_up)
    needed, half_hours = capacity.tables(made, report.locale)
    return {
        "needed": needed,
        "half_hours": half_hours.title,
        "half_hours_chart": capacity.chart(made, report.locale),
        "written": written,
    }


def _half_hours(report: MonthlyReport) -> list[xlsx.Sheet]:
    """The same as sheets, with every half-hour."""
    made = capacity.count(report.period, report.rules.service_level, report.wrap_up)
    return [
        xlsx.Sheet(
            name=sheet.title,
            tables=(Table((sheet.heads,), sheet.rows),),
            widths=(44, *(16 for _ in sheet.heads[1:])),
            heading=(sheet.title,),
            landscape=len(sheet.heads) > 2,
        )
        for sheet in capacity.tables(made, report.locale)
    ]


def _share(share: Decimal | None) -> Value:
    return figures.NONE if share is None else share


def _heading(report: MonthlyReport) -> list[str]:
    text = words.load(report.locale).monthly
    return [part.format(**_dates(report)) for part in text.heading]


def _dates(report: MonthlyReport) -> dict[str, object]:
    last = report.period.last
    months = words.load(report.locale).months
    return {"year": last.year, "month": months[last.month - 1], "day": last.day}
