"""Issuing a report: its files are written once, with their hashes, and never changed."""

import hashlib
import os
from collections.abc import Callable

from peewee import fn

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.files import replacement_file
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.core.statements import find_row
from appliance.models import IssuedFile, IssuedReport, ReportRun
from appliance.reports import files
from appliance.reports.issuing import cells
from appliance.reports.periods import Period


class PeriodNotClosedError(RuntimeError):
    """The period or one of its calls has not ended, so that the figures would still change."""


class IssueStoppedError(RuntimeError):
    """Making the report was stopped, or another process took it over; nothing was issued."""


def issue_report(
    settings: Settings,
    name: str,
    period: Period,
    login: str,
    run: ReportRun | None = None,
    should_continue: Callable[[], bool] = lambda: True,
) -> IssuedReport:
    """Make a report in every language and kind of file, and store it as the newest edition.

    `name` is a key of files.FORMS, `login` that of the user who issues it. An edition is one issue
    of the report for a period. `run` is the claimed run of the report (runs.py), if it has one,
    which is marked as done in the same transaction.

    Raises PeriodNotClosedError if the period or one of its calls has not ended, IssueStoppedError
    if `should_continue`, which is called before each file, returns False or another process claimed
    the run, files.ReportFileError if a file cannot be printed.
    """
    if period.end > clock.now():
        raise PeriodNotClosedError(f"the period ends on {period.last}")
    content_of_file = {}
    for locale in LOCALES:
        report = files.build_report(name, settings, period, locale)
        if open_calls := files.FORMS[name].open_calls(report):
            raise PeriodNotClosedError(f"{open_calls} calls of the period go on")
        for kind in files.MIME_TYPES:
            if not should_continue():
                raise IssueStoppedError
            content_of_file[locale, kind] = files.render_file(name, report, kind)
        if locale == "uz_Cyrl":  # cells are stored once, with the names of the ministry's form
            report_json = files.FORMS[name].as_json(report)
            values, formulas = cells.report_cells(report_json, locale), report_json["formulas"]
    with write_transaction():
        edition = 1 + (_last_edition_query(name, period).scalar() or 0)
        issued_report: IssuedReport = IssuedReport.create(
            name=name,
            first=period.first,
            last=period.last,
            edition=edition,
            issued_at=clock.now(),
            by=login,
            formulas=formulas,
            cells=values,
        )
        if run and not _finish_run(run, issued_report):
            raise IssueStoppedError
        for (locale, kind), content in content_of_file.items():
            _write_file(settings, issued_report, locale, kind, content)
        audit.record_entry(login, "report.issue", name, period=f"{period.first}..{period.last}")
        live.publish_topics("reports")
    return issued_report


def file_content(settings: Settings, file: IssuedFile) -> bytes | None:
    """Return the bytes of an issued file, unless it is missing or was changed."""
    path = settings.paths.issued_reports / file.file
    data = path.read_bytes() if path.is_file() else b""
    return data if hashlib.sha256(data).hexdigest() == file.sha256 else None


def is_intact(settings: Settings, report: IssuedReport) -> bool:
    """Return True if every file of the report is unchanged since it was issued.

    A withdrawn report has no files and is intact.
    """
    files = [] if report.withdrawn_at else report.files
    return all(file_content(settings, file) is not None for file in files)


def issued_reports(limit: int = 100) -> list[IssuedReport]:
    """Return the newest `limit` issued reports, the newest first."""
    return list(IssuedReport.select().order_by(IssuedReport.id.desc()).limit(limit))


def find_report(number: int) -> IssuedReport | None:
    """Return the issued report with this id, if it exists."""
    return find_row(IssuedReport, id=number)


def files_by_kind(report: IssuedReport) -> dict[tuple[str, str], IssuedFile]:
    """Return the files of an issued report by (locale, kind); empty if it was withdrawn.

    The kind is a key of files.MIME_TYPES.
    """
    if report.withdrawn_at:
        return {}
    return {(file.locale, file.kind): file for file in report.files}


def all_editions(report: IssuedReport) -> list[IssuedReport]:
    """Return all editions of the same report and period, the first edition first."""
    same_report = (
        IssuedReport.name == report.name,
        IssuedReport.first == report.first,
        IssuedReport.last == report.last,
    )
    return list(IssuedReport.select().where(*same_report).order_by(IssuedReport.edition))


def report_period(settings: Settings, report: IssuedReport) -> Period:
    """Return the period for which a report was issued."""
    return Period(report.first, report.last, settings.tz)


def _last_edition_query(name: str, period: Period):  # type: ignore[no-untyped-def]  # peewee's query
    """Return the query for the number of the last edition; its value is None without editions."""
    return IssuedReport.select(fn.MAX(IssuedReport.edition)).where(
        IssuedReport.name == name,
        IssuedReport.first == period.first,
        IssuedReport.last == period.last,
    )


def _finish_run(run: ReportRun, report: IssuedReport) -> bool:
    """Mark a run as done if it is still claimed; return True if it was."""
    still_claimed = (
        ReportRun.id == run.id,
        ReportRun.state == "running",
        ReportRun.claim == run.claim,
    )
    update = ReportRun.update(state="done", error="", report=report).where(*still_claimed)
    return bool(update.execute())


def _write_file(
    settings: Settings, report: IssuedReport, locale: str, kind: str, content: bytes
) -> None:
    """Write a read-only file of an issued report to the disk, and create its row with the hash.

    `locale` and `kind`, a key of files.MIME_TYPES, are parts of the file's name.
    """
    prefix = files.FORMS[report.name].file_prefix
    file_name = f"{prefix}_{report.first}_{report.last}_{report.edition}_{locale}.{kind}"
    path = settings.paths.issued_reports / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacement_file(path) as new_file:
        with new_file.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        new_file.chmod(0o440)
    IssuedFile.create(
        report=report,
        locale=locale,
        kind=kind,
        file=file_name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
