"""The access report on paper, as workbook, CSV and JSON."""

import datetime as dt
from typing import Any

from appliance.core import spreadsheets
from appliance.core.audit import labels as audit_words
from appliance.core.i18n import N_, locale_translations
from appliance.reports import formatting, paper, xlsx
from appliance.reports.accesses.report import AccessReport, ReaderActivity, RecordAccess
from appliance.reports.json_values import period_as_json

TITLE = N_("Who listened to what, and who viewed what")
MAX_PRINTED_LINES = 300  # per table on paper; workbook and CSV have all lines
READER_HEADS = (
    N_("Who"),
    N_("Distinct records"),
    N_("Opened"),
    N_("Recordings played"),
    N_("Lists viewed"),
    N_("Searches"),
    N_("Files"),
    N_("Opened with a reason"),
    N_("Unusual viewing"),
)
ACCESS_HEADS = (
    *(N_("Who"), N_("What was done"), N_("Record"), N_("Times")),
    *(N_("First"), N_("Last time"), N_("Reason")),
)
_CSV_COLUMNS = ("who", "what", "record", "times", "first", "last", "reason")


def report_title(report: AccessReport) -> str:
    """Return the title of the report's files."""
    return paper.dated_title(TITLE, report)


def as_page(report: AccessReport) -> str:
    """Return the printed report as HTML for pdf.write_pdf.

    Records that were opened without a reason are only counted on paper: the workbook lists them.
    """
    gettext = locale_translations(report.locale).gettext
    with_reason = [access for access in report.opened_records if access.reason]
    tables = [
        (gettext(N_("Who listened to what")), report.played_recordings),
        (gettext(N_("Opened with a reason")), with_reason),
    ]
    omitted_note = gettext(N_("{more} more lines are in the workbook and in the table (CSV)."))
    return paper.render_template(
        "accesses.html",
        report,
        report_title(report),
        how_much=gettext(N_("How much each user read")),
        heads=[gettext(head) for head in READER_HEADS],
        readers=[_reader_cells(access, report) for access in report.readers],
        line_heads=[gettext(head) for head in ACCESS_HEADS],
        tables=[
            (
                name,
                [_access_cells(access, report) for access in lines[:MAX_PRINTED_LINES]],
                omitted_note.format(more=formatting.format_number(len(lines) - MAX_PRINTED_LINES))
                if len(lines) > MAX_PRINTED_LINES
                else "",
            )
            for name, lines in tables
        ],
        nothing=gettext(N_("No such entries")),
        seen=gettext(
            N_(
                "Records opened without asking for a reason: {count}. All of them are listed in "
                "the workbook."
            )
        ).format(count=formatting.format_number(len(report.opened_records) - len(with_reason))),
    )


def as_workbook(report: AccessReport) -> xlsx.Workbook:
    """Return a sheet of readers, one of recordings played, and one of records opened."""
    gettext = locale_translations(report.locale).gettext
    readers = xlsx.Table(
        (tuple(gettext(head) for head in READER_HEADS),),
        [_reader_cells(access, report) for access in report.readers],
    )
    sheets = [
        xlsx.Sheet(
            gettext(N_("How much each user read")),
            (readers,),
            (36, *[16] * 8),
            (report_title(report),),
            landscape=True,
        )
    ]
    for name, lines in (
        (N_("Recordings played"), report.played_recordings),
        (N_("Opened"), report.opened_records),
    ):
        table = xlsx.Table(
            (tuple(gettext(head) for head in ACCESS_HEADS),),
            [
                (
                    *_access_description(access, report),
                    access.times,
                    access.first,
                    access.last,
                    access.reason,
                )
                for access in lines
            ],
        )
        sheets.append(
            xlsx.Sheet(gettext(name), (table,), (36, 30, 24, 9, 18, 18, 40), landscape=True)
        )
    return paper.build_workbook(report, report_title(report), sheets)


def as_csv(report: AccessReport) -> str:
    """Return CSV with one line for each person, action (as named in the audit) and record."""
    rows = (
        (
            *(access.who, access.what, access.record, access.times),
            *(_iso_datetime(moment, report) for moment in (access.first, access.last)),
            access.reason,
        )
        for access in (*report.played_recordings, *report.opened_records)
    )
    return spreadsheets.csv_text([_CSV_COLUMNS, *rows])


def as_json(report: AccessReport) -> dict[str, Any]:
    """Return the report as plain values."""
    return {
        "period": period_as_json(report.period),
        "formulas": report.formulas,
        "readers": [
            {"code": entry.who, "name": report.names.get(entry.who, entry.who)}
            | _reader_counts(entry)
            for entry in report.readers
        ],
        "heard": [_access_as_json(entry, report) for entry in report.played_recordings],
        "seen": [_access_as_json(entry, report) for entry in report.opened_records],
    }


def _reader_counts(reader: ReaderActivity) -> dict[str, int]:
    """Return a reader's counts by their names in JSON, in the order of READER_HEADS."""
    return {
        "records": len(reader.records),
        "opened": reader.opened,
        "heard": reader.listened,
        "lists": reader.lists,
        "searches": reader.searches,
        "files": reader.files,
        "for_reason": reader.for_reason,
        "unusual": reader.unusual,
    }


def _reader_cells(reader: ReaderActivity, report: AccessReport) -> tuple[str | int, ...]:
    """Return a reader's name and counts: a cell for each of READER_HEADS."""
    return (report.names.get(reader.who, reader.who), *_reader_counts(reader).values())


def _access_description(access: RecordAccess, report: AccessReport) -> tuple[str, str, str]:
    """Return the person, the action and the record, in the report's language."""
    gettext = locale_translations(report.locale).gettext
    object_name, action_name = audit_words.action_labels(access.what)
    what = (
        f"{gettext(object_name)}: {gettext(action_name)}" if action_name else gettext(object_name)
    )
    return report.names.get(access.who, access.who), what, access.record


def _access_cells(access: RecordAccess, report: AccessReport) -> list[str]:
    """Return the cells of a line on paper, one for each of ACCESS_HEADS."""
    times_of_access = (
        f"{moment.astimezone(report.period.tz):%d.%m.%Y %H:%M}"
        for moment in (access.first, access.last)
    )
    return [
        *_access_description(access, report),
        formatting.format_number(access.times),
        *times_of_access,
        access.reason or formatting.NO_VALUE,
    ]


def _access_as_json(access: RecordAccess, report: AccessReport) -> dict[str, Any]:
    """Return an access as plain values, with times in the time zone of the report."""
    return {
        "who": access.who,
        "what": access.what,
        "record": access.record,
        "times": access.times,
        "first": _iso_datetime(access.first, report),
        "last": _iso_datetime(access.last, report),
        "reason": access.reason,
    }


def _iso_datetime(moment: dt.datetime, report: AccessReport) -> str:
    return moment.astimezone(report.period.tz).isoformat(timespec="seconds")
