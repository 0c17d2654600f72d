"""Who listened to what, and who looked at whom: paper, workbook, CSV line by line, JSON."""

import datetime as dt
from typing import Any

from appliance.core import spreadsheets
from appliance.core.audit import words as audit_words
from appliance.core.i18n import N_, translations
from appliance.reports import figures, paper, xlsx
from appliance.reports.accesses.report import Access, Accesses, Reader

TITLE = N_("Who listened to what, and who looked at whom")
PRINTED = 300  # lines of each table on paper; the workbook and the table have all
READERS = (
    N_("Who"),
    N_("Different records"),
    N_("Opened"),
    N_("Recordings heard"),
    N_("Lists looked at"),
    N_("Searches"),
    N_("Files"),
    N_("Opened for a reason"),
    N_("Unusual reading"),
)
LINES = (
    *(N_("Who"), N_("What was done"), N_("Record"), N_("Times")),
    *(N_("First"), N_("Last"), N_("Reason")),
)
_COLUMNS = ("who", "what", "record", "times", "first", "last", "reason")


def title(report: Accesses) -> str:
    """The file's title."""
    first, last = (figures.date(day) for day in (report.period.first, report.period.last))
    return f"{translations(report.locale).gettext(TITLE)}, {first}–{last}"


def as_page(report: Accesses) -> str:
    """The paper as HTML, to be printed by pdf.write."""
    gettext = translations(report.locale).gettext
    reasoned = [one for one in report.seen if one.reason]
    tables = [
        (gettext(N_("Who listened to what")), report.heard),
        (gettext(N_("Opened for a reason")), reasoned),
    ]
    left_out = gettext(N_("{more} more lines stand in the workbook and in the table (CSV)."))
    return paper.render(
        "accesses.html",
        report,
        title(report),
        how_much=gettext(N_("Who read how much")),
        heads=[gettext(head) for head in READERS],
        readers=[_cells(one, report) for one in report.readers],
        line_heads=[gettext(head) for head in LINES],
        tables=[
            (
                name,
                [_written(one, report) for one in lines[:PRINTED]],
                left_out.format(more=figures.number(len(lines) - PRINTED))
                if len(lines) > PRINTED
                else "",
            )
            for name, lines in tables
        ],
        nothing=gettext(N_("No such entries")),
        seen=gettext(
            N_("Records opened without a reason being asked: {count}. Each is in the workbook.")
        ).format(count=figures.number(len(report.seen) - len(reasoned))),
    )


def as_book(report: Accesses) -> xlsx.Book:
    """A sheet of readers, one of what was heard, one of what was opened."""
    gettext = translations(report.locale).gettext
    readers = xlsx.Table(
        (tuple(gettext(head) for head in READERS),),
        [_cells(one, report) for one in report.readers],
    )
    sheets = [
        xlsx.Sheet(
            gettext(N_("Who read how much")),
            (readers,),
            (36, *[16] * 8),
            (title(report),),
            landscape=True,
        )
    ]
    for name, lines in ((N_("Recordings heard"), report.heard), (N_("Opened"), report.seen)):
        table = xlsx.Table(
            (tuple(gettext(head) for head in LINES),),
            [(*_words(one, report), one.times, one.first, one.last, one.reason) for one in lines],
        )
        sheets.append(
            xlsx.Sheet(gettext(name), (table,), (36, 30, 24, 9, 18, 18, 40), landscape=True)
        )
    return paper.book(report, title(report), sheets)


def as_csv(report: Accesses) -> str:
    """A line for each record of each person, in words of the audit."""
    rows = (
        (
            *(one.who, one.what, one.record, one.times),
            *(_stamp(at, report) for at in (one.first, one.last)),
            one.reason,
        )
        for one in (*report.heard, *report.seen)
    )
    return spreadsheets.written([_COLUMNS, *rows])


def as_json(report: Accesses) -> dict[str, Any]:
    """The report as plain values."""
    period = report.period
    return {
        "period": {"from": period.first.isoformat(), "to": period.last.isoformat()},
        "formulas": report.formulas,
        "readers": [
            {"code": one.who, "name": report.names.get(one.who, one.who)} | _counts(one)
            for one in report.readers
        ],
        "heard": [_line(one, report) for one in report.heard],
        "seen": [_line(one, report) for one in report.seen],
    }


def _counts(one: Reader) -> dict[str, int]:
    return {
        "records": len(one.records),
        "opened": one.opened,
        "heard": one.listened,
        "lists": one.lists,
        "searches": one.searches,
        "files": one.files,
        "for_reason": one.for_reason,
        "unusual": one.unusual,
    }


def _cells(one: Reader, report: Accesses) -> tuple[str | int, ...]:
    return (report.names.get(one.who, one.who), *_counts(one).values())


def _words(one: Access, report: Accesses) -> tuple[str, str, str]:
    """Who, what was done, to which record, in the report's language."""
    gettext = translations(report.locale).gettext
    thing, done = audit_words.named(one.what)
    what = f"{gettext(thing)}: {gettext(done)}" if done else gettext(thing)
    return report.names.get(one.who, one.who), what, one.record


def _written(one: Access, report: Accesses) -> list[str]:
    """A line on paper."""
    at = (f"{when.astimezone(report.period.tz):%d.%m.%Y %H:%M}" for when in (one.first, one.last))
    return [*_words(one, report), figures.number(one.times), *at, one.reason or figures.NONE]


def _line(one: Access, report: Accesses) -> dict[str, Any]:
    return {
        "who": one.who,
        "what": one.what,
        "record": one.record,
        "times": one.times,
        "first": _stamp(one.first, report),
        "last": _stamp(one.last, report),
        "reason": one.reason,
    }


def _stamp(at: dt.datetime, report: Accesses) -> str:
    return at.astimezone(report.period.tz).isoformat(timespec="seconds")
