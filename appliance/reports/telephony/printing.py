"""The telephony report as tables of plain values: for paper, workbook and CSV alike."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from appliance.core import spreadsheets
from appliance.core.i18n import translations
from appliance.reports import figures, kpi, paper, words, xlsx
from appliance.reports.counting import Counted
from appliance.reports.plain import Sheet, written
from appliance.reports.shares import shares
from appliance.reports.telephony import operator_sheets, pictures, queues
from appliance.reports.telephony.columns import COLUMNS, Column
from appliance.reports.telephony.operator_sheets import length, tenth
from appliance.reports.telephony.pictures import between
from appliance.reports.telephony.report import TelephonyReport
from appliance.reports.telephony.waits import LEVELS
from appliance.reports.telephony.words import (
    FIGURES,
    KINDS,
    N_,
    RESULTS,
    TABLES,
)
from appliance.reports.xlsx import Seconds
from appliance.reports.xlsx.book import Plain
from appliance.telephony import routing


def sheets(report: TelephonyReport) -> tuple[Sheet, ...]:
    """Every table of the report, in the order of the paper."""
    _ = translations(report.locale).gettext
    names = {code: _(name) for code, name in (TABLES | FIGURES | RESULTS | KINDS).items()}
    names |= report.own_fields
    return (
        _figures(report, names, _),
        *_calendar(report, names, _),
        *(
            _parts(code, names, [(line.name, line.share, line.tally) for line in found], report, _)
            for code, found in report.lines.items()
        ),
        _waits(report, names, _),
        _levels(report, names, _),
        _ratings(report, names, _),
        _queues(report, names, _),
        _handed(report, names, _),
        _callers(report, _),
        operator_sheets.workload(report, names, _),
        *([operator_sheets.heard(report, names, _)] if report.heard else []),
        operator_sheets.states(report, names, _),
    )


def _width(sheet: Sheet, column: int) -> float:
    """In letters; a length of many hours is long in words."""
    rows = (*sheet.rows, *([sheet.total] if sheet.total else []))
    return 23.0 if any(isinstance(row[column], Seconds) for row in rows) else 14.0


def title(report: TelephonyReport) -> str:
    """The file's title."""
    gettext = translations(report.locale).gettext
    first, last = (figures.date(day) for day in (report.period.first, report.period.last))
    return f"{gettext(N_('Telephony'))}, {first}–{last}"


def as_book(report: TelephonyReport) -> xlsx.Book:
    """A workbook: a sheet for each table."""
    made = []
    foot_line = paper.foot_line(paper.foot_with(report, report.others), report.locale)
    for sheet in sheets(report):
        widths = (34.0, *(_width(sheet, column) for column in range(1, len(sheet.heads))))
        table = xlsx.Table((sheet.heads,), sheet.rows, sheet.total)
        made.append(
            xlsx.Sheet(
                sheet.title,
                (table,),
                widths,
                (f"{title(report)}: {sheet.title}",),
                (foot_line,),
                landscape=len(sheet.heads) > 6,
            )
        )
    return paper.book(report, title(report), made)


def as_csv(report: TelephonyReport) -> str:
    """All tables below one another, each row led by its table's code."""
    lines: list[tuple[object, ...]] = []
    for sheet in sheets(report):
        lines.append((sheet.code, *sheet.heads))
        for row in (*sheet.rows, *([sheet.total] if sheet.total else [])):
            lines.append((sheet.code, *(_machine(value) for value in row)))
    return spreadsheets.written(lines)


def as_page(report: TelephonyReport) -> str:
    """The paper as HTML, to be printed by pdf.write."""
    _ = translations(report.locale).gettext
    return paper.render(
        "telephony.html",
        report,
        title(report),
        balance=paper.foot_with(report, report.others),
        sheets=sheets(report),
        written=written,
        charts={
            "day": [pictures.days(report.period, report.hours, _)],
            "wait": [
                pictures.answers(report.waits, report.level, _),
                pictures.abandons(report.waits, _),
            ],
        },
        codes={_(name): code for code, name in FIGURES.items()},
        shade=pictures.shading(report.hours.weekdays.values()),
        asked=", ".join(
            f"{name}: {value}" for name, value in report.call_filter.conditions.items()
        ),
    )


# ── the tables ──────────────────────────────────────────────────────────────────


def _figures(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    total = report.total
    within = _(N_("Service level within {seconds} s, %")).format(seconds=f"{report.level:g}")
    rows: tuple[tuple[Plain, ...], ...] = (
        (names["incoming"], total.incoming),
        (names["accepted"], total.accepted),
        (names["missed"], total.missed),
        (_(N_("Still going on")), total.open),
        (names["answer_speed"], tenth(total.answer_speed)),
        (names["answer_speed_from_arrival"], tenth(total.answer_speed_from_arrival)),
        (within, tenth(total.service_level)),
        (names["abandon_rate"], tenth(total.abandon_rate)),
        (_(N_("Short abandons")), total.short),
        (names["talk_total"], Seconds(total.talk_seconds)),
        (names["talk"], length(total.talk)),
        (names["rating"], tenth(total.rating)),
        (names["rating_response"], tenth(total.rating_response)),
        (names["registered"], total.registered),
        (names["transferred"], total.transferred),
    )
    return Sheet("figures", _(N_("Figures")), (_(N_("Figure")), _(N_("Value"))), rows)


def _calendar(report: TelephonyReport, names: dict[str, str], _: Any) -> tuple[Sheet, ...]:
    weekdays = words.load(report.locale).weekdays
    by = report.hours.weekdays
    heat: list[tuple[Plain, ...]] = []
    sums = [0] * 25
    for number, weekday in enumerate(weekdays, 1):
        calls = [by[number, hour].incoming if (number, hour) in by else 0 for hour in range(24)]
        calls.append(sum(calls))
        heat.append((weekday, *calls))
        sums = [one + more for one, more in zip(sums, calls, strict=True)]
    all_ = _(N_("Total"))
    heads = (words.load(report.locale).weekday, *(f"{hour:02}" for hour in range(24)), all_)
    found = report.hours.days if pictures.by_day(report.period) else report.hours.months
    days = [(figures.date(day), tally) for day, tally in found.items()]
    hours = [(f"{hour:02}:00", tally) for hour, tally in sorted(report.hours.hours.items())]
    return (
        Sheet("heat", _(N_("Calls by weekday and hour")), heads, tuple(heat), (all_, *sums)),
        _parts("day", names, _shared(days), report, _),
        _parts("hour", names, _shared(hours), report, _),
    )


def _shared(
    parts: Sequence[tuple[str, Counted]],
) -> list[tuple[str, Decimal | None, Counted]]:
    found = shares([tally.incoming for _, tally in parts])
    return [(name, share, tally) for (name, tally), share in zip(parts, found, strict=True)]


def _parts(
    code: str,
    names: dict[str, str],
    parts: Sequence[tuple[str, Decimal | None, Counted]],
    report: TelephonyReport,
    _: Any,
) -> Sheet:
    whole = sum((share for _n, share, _t in parts if share is not None), Decimal(0))
    return Sheet(
        code,
        names[code],
        (names[code], *(names[column.figure] for column in COLUMNS)),
        tuple((name, *_cells(tally, share)) for name, share, tally in parts),
        (_(N_("Total")), *_cells(report.total, whole if parts else None)),
    )


def _cells(tally: Counted, share: Decimal | None) -> tuple[Plain, ...]:
    return tuple(_cell(column, tally, share) for column in COLUMNS)


def _cell(column: Column, tally: Counted, share: Decimal | None) -> Plain:
    match column.kind:
        case "share":
            return figures.NONE if share is None else share
        case "count":
            return int(getattr(tally, column.figure))
        case "length":
            return length(getattr(tally, column.figure))
    return tenth(getattr(tally, column.figure))


def _waits(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    heads = (
        _(N_("Seconds of wait")),
        _(N_("Answered")),
        _(N_("Hung up in the queue")),
        _(N_("Left otherwise")),
        names["curve"],
    )
    curve: list[Plain] = [tenth(rate) for _edge, rate in report.waits.abandon_curve()]
    rows = [
        (between(b.low, b.high), b.answered, b.abandoned, b.gone, hung_up)
        for b, hung_up in zip(report.waits.buckets, [*curve, None], strict=True)
    ]
    sums = (sum(b.answered for b in report.waits.buckets), report.waits.abandoned)
    gone = sum(b.gone for b in report.waits.buckets)
    return Sheet(
        "wait", _(N_("Waiting times")), heads, tuple(rows), (_(N_("Total")), *sums, gone, None)
    )


def _levels(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    rows = [
        (f"{seconds:g}", tenth(report.waits.level(seconds, report.total.accepted)))
        for seconds in sorted({*LEVELS, report.level})
    ]
    heads = (_(N_("Answered within, s")), names["service_level"])
    return Sheet("levels", _(N_("Service level at several thresholds")), heads, tuple(rows))


def _ratings(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    marks = report.total.marks
    rows: tuple[tuple[Plain, ...], ...] = tuple(
        (str(mark), count, figures.NONE if share is None else share)
        for mark, count, share in zip(kpi.MARKS, marks, shares(marks), strict=True)
    )
    total = (_(N_("Total")), sum(marks), Decimal("100.0") if sum(marks) else figures.NONE)
    heads = (_(N_("Mark")), _(N_("Calls")), names["share"])
    return Sheet("rating", names["rating"], heads, rows, total)


def _queues(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    rows = tuple(
        (
            routing.queue_title(q.name, _),
            q.visits,
            *(q.results[code] for code in queues.RESULTS),
            q.open,
            tenth(q.wait),
        )
        for q in report.queues
    )
    heads = (
        names["queue"],
        _(N_("Visits")),
        *(names[code] for code in queues.RESULTS),
        _(N_("Still going on")),
        names["answer_speed"],
    )
    return Sheet("queue", _(N_("Visits to the queues")), heads, rows)


def _handed(report: TelephonyReport, names: dict[str, str], _: Any) -> Sheet:
    rows: tuple[tuple[Plain, ...], ...] = tuple(
        (names[h.kind], h.transfers, *(h.results[code] for code in queues.ENDS), h.open, h.returned)
        for h in report.handed
    )
    heads = (
        names["transfers"],
        _(N_("Attempts")),
        *(names[code] for code in queues.ENDS),
        _(N_("Still going on")),
        _(N_("Caller came back")),
    )
    return Sheet("transfers", names["transfers"], heads, rows)


def _callers(report: TelephonyReport, _: Any) -> Sheet:
    found = report.callers
    rows = [(_times(line.low, line.high), line.callers, line.calls) for line in found.often]
    rows.append((_(N_("hidden number")), 0, found.hidden))
    calls = found.hidden + sum(line.calls for line in found.often)
    total = (_(N_("Total")), sum(line.callers for line in found.often), calls)
    heads = (_(N_("Calls in the period")), _(N_("Numbers")), _(N_("Calls")))
    return Sheet("callers", _(N_("Repeat callers")), heads, tuple(rows), total)


def _times(low: int, high: int | None) -> str:
    """2, 4–5, 10+"""
    if high is None:
        return f"{low}+"
    return f"{low}" if low == high else f"{low}–{high}"


# ── how a value is written ──────────────────────────────────────────────────────


def _machine(value: Plain) -> Any:
    """For programs: lengths are seconds, "–" is nothing."""
    match value:
        case Seconds(seconds):
            return round(seconds, 3)
        case figures.NONE:
            return None
    return value
