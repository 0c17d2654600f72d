"""The act for the invoice: paper, workbook with the calls behind it, CSV call by call, JSON."""

from decimal import Decimal
from typing import Any

from appliance.core import phone_numbers, spreadsheets
from appliance.core.i18n import N_, translations
from appliance.models import Tariff
from appliance.reports import balance, figures, paper, words, xlsx
from appliance.reports.minutes.report import Line, MinutesReport, Row, rows
from appliance.reports.xlsx import SUM, Seconds
from appliance.reports.xlsx.book import Plain, Value

DIRECTIONS = {"inbound": N_("Incoming calls"), "outbound": N_("Outgoing calls")}
ROUNDINGS = {
    "second": N_("by the second"),
    "minute": N_("up to the minute"),
    "call": N_("by the call"),
}
_HEADS = (
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
_CALLS = (
    *("id", "arrived_at", "direction", "trunk", "number", "talk_seconds"),
    *("billed_seconds", "tariff", "amount_tiyin"),
)


def title(report: MinutesReport) -> str:
    """The file's title."""
    gettext = translations(report.locale).gettext
    first, last = (figures.date(day) for day in (report.period.first, report.period.last))
    return f"{gettext(N_('Act of the minutes of talk'))}, {first}–{last}"


def as_page(report: MinutesReport) -> str:
    """The act as HTML, to be printed by pdf.write."""
    gettext = translations(report.locale).gettext
    return paper.render(
        "minutes.html",
        report,
        title(report),
        balance=paper.foot_with(report, report.others),
        heads=[gettext(head) for head in _HEADS],
        lines=[[written(value) for value in values(line, gettext)] for line in report.lines],
        total=total(report, gettext),
        unpriced=unpriced(report),
    )


def as_book(report: MinutesReport) -> xlsx.Book:
    """The act, and a sheet with every call that it adds up."""
    gettext = translations(report.locale).gettext
    text = words.load(report.locale)
    heads = tuple(gettext(head) for head in _HEADS)
    act = xlsx.Table(
        (heads,),
        [values(line, gettext) for line in report.lines],
        (xlsx.Cell(text.total, across=5), SUM, SUM, SUM, _sum(report)),
    )
    listed = [
        (
            row.id,
            row.arrived_at,
            gettext(DIRECTIONS[row.direction]),
            row.trunk,
            row.number,
            Seconds(row.talk_seconds),
            Seconds(row.billed_seconds),
            None if row.tariff is None else row.tariff.id,
            som(row.amount),
        )
        for row in rows(report.period)
    ]
    calls = xlsx.Table(
        (
            (
                gettext(N_("Identifier")),
                gettext(N_("Arrived")),
                *heads[:3],
                *(heads[6], heads[7], gettext(N_("Tariff")), heads[8]),
            ),
        ),
        listed,
        (xlsx.Cell(text.total, across=5), SUM, SUM, None, _sum(report)) if listed else None,
    )
    foot_line = paper.foot_line(paper.foot_with(report, report.others), report.locale)
    notes = [note for note in (unpriced(report), foot_line) if note]
    sheets = [
        xlsx.Sheet(
            gettext(N_("Act")),
            (act,),
            (20, 14, 18, 18, 14, 12, 23, 23, 18),
            (title(report),),
            notes,
            landscape=True,
        ),
        xlsx.Sheet(
            gettext(N_("Calls")), (calls,), (30, 18, 18, 14, 18, 23, 23, 9, 18), landscape=True
        ),
    ]
    return paper.book(report, title(report), sheets)


def as_csv(report: MinutesReport) -> str:
    """Call by call: what the act adds up."""
    return spreadsheets.written([_CALLS, *(_cells(row, report) for row in rows(report.period))])


def _cells(row: Row, report: MinutesReport) -> tuple[object, ...]:
    arrived = row.arrived_at.astimezone(report.period.tz).isoformat(timespec="milliseconds")
    cells = (row.id, arrived, row.direction, row.trunk, row.number)
    tariff = None if row.tariff is None else row.tariff.id
    return (*cells, round(row.talk_seconds, 3), row.billed_seconds, tariff, row.amount)


def as_json(report: MinutesReport) -> dict[str, Any]:
    """The act as plain values; money in tiyin."""
    return {
        "period": {
            "from": report.period.first.isoformat(),
            "to": report.period.last.isoformat(),
        },
        "formulas": report.formulas,
        "balance": balance.as_json(report.balance, report.period.tz),
        "lines": [_line(line) for line in report.lines],
        "total": _line(report.total),
        "calls_without_tariff": report.unpriced,
    }


def values(line: Line, gettext: Any) -> tuple[Plain, ...]:
    """A line's cells, in the order of the heads."""
    tariff = line.tariff
    return (
        gettext(DIRECTIONS[line.direction]) if line.direction else "",
        line.trunk or figures.NONE,
        phone_numbers.grouped(line.number) if line.number else figures.NONE,
        gettext(ROUNDINGS[tariff.rounding]) if tariff else gettext(N_("no tariff")),
        som(tariff.price) if tariff else None,
        line.calls,
        Seconds(line.talk_seconds),
        Seconds(line.billed_seconds),
        som(line.amount),
    )


def total(report: MinutesReport, gettext: Any) -> list[str]:
    """The last line's figures on paper and page: calls, talk, billed, sum."""
    *known, amount = values(report.total, gettext)[5:]
    unknown = words.load(report.locale).unknown
    return [*map(written, known), unknown if amount is None else written(amount)]


def _sum(report: MinutesReport) -> Value:
    return words.load(report.locale).unknown if report.total.amount is None else SUM


def unpriced(report: MinutesReport) -> str:
    """A warning when calls have no price; "" when all have one."""
    if not report.unpriced:
        return ""
    text = translations(report.locale).gettext(
        N_("Calls without a tariff, not in the sum: {count}.")
    )
    return text.format(count=figures.number(report.unpriced))


def som(tiyin: int | None) -> Decimal | None:
    """Tiyin as soʻm with two decimals."""
    return None if tiyin is None else Decimal(tiyin).scaleb(-2)


def written(value: Plain) -> str:
    """A cell on paper and page."""
    match value:
        case None:
            return figures.NONE
        case Decimal():
            return figures.money(int(value.scaleb(2)))
        case int():
            return figures.number(value)
        case Seconds(seconds):
            return figures.clock(seconds)
    return str(value)


def _line(line: Line) -> dict[str, Any]:
    return {
        "direction": line.direction or None,
        "trunk": line.trunk or None,
        "number": line.number or None,
        "tariff": _tariff(line.tariff),
        "calls": line.calls,
        "talk_seconds": round(line.talk_seconds, 3),
        "billed_seconds": line.billed_seconds,
        "amount_tiyin": line.amount,
    }


def _tariff(tariff: Tariff | None) -> dict[str, Any] | None:
    if tariff is None:
        return None
    return {"id": tariff.id, "rounding": tariff.rounding, "price_tiyin": tariff.price}
