"""Issuing a report: its files written once, with their hashes, and never again."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from peewee import fn

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.models import IssuedFile, IssuedReport, ReportRun
from appliance.reports import files
from appliance.reports.issuing import cells
from appliance.reports.periods import Period


class NotClosed(RuntimeError):
    """The period still runs, or calls that arrived in it do: its figures would change."""


class Stopped(RuntimeError):
    """The process that makes the report has to end; nothing was issued."""


def issue(
    settings: Settings,
    name: str,
    period: Period,
    by: str,
    run: ReportRun | None = None,
    goes_on: Callable[[], bool] = lambda: True,
) -> IssuedReport:
    """Make a report in every language and kind of file, and keep it as the newest edition.

    `run`: the claimed run that it is made for, ended in the same transaction. Raises NotClosed;
    Stopped when `goes_on` says so or the run was taken by somebody else; files.FileError.
    """
    if period.end > clock.now():
        raise NotClosed(f"the period ends on {period.last}")
    made = {}
    for locale in LOCALES:
        report = files.build(name, settings, period, locale)
        if going_on := files.FORMS[name].going_on(report):
            raise NotClosed(f"{going_on} calls of the period go on")
        for kind in files.KINDS:
            if not goes_on():
                raise Stopped
            made[locale, kind] = files.render(name, report, kind)
        if locale == "uz_Cyrl":
            plain = files.FORMS[name].as_json(report)
            values, formulas = cells.of(plain, locale), plain["formulas"]
    with writing():
        edition = 1 + (_editions(name, period).scalar() or 0)
        issued_report = IssuedReport.create(
            name=name,
            first=period.first,
            last=period.last,
            edition=edition,
            issued_at=clock.now(),
            by=by,
            formulas=formulas,
            cells=values,
        )
        if run and not _ended(run, issued_report):
            raise Stopped
        for (locale, kind), content_ in made.items():
            _write_file(settings, issued_report, locale, kind, content_)
        audit.record(by, "report.issue", name, period=f"{period.first}..{period.last}")
        live.publish("reports")
    return issued_report


def content(settings: Settings, file: IssuedFile) -> bytes | None:
    """The bytes of an issued file; None when they are gone or not what was issued."""
    path = folder(settings) / file.file
    data = path.read_bytes() if path.is_file() else b""
    return data if hashlib.sha256(data).hexdigest() == file.sha256 else None


def whole(settings: Settings, report: IssuedReport) -> bool:
    """Whether every file of the report is still what was issued."""
    files = [] if report.withdrawn_at else report.files
    return all(content(settings, file) is not None for file in files)


def issued(limit: int = 100) -> list[IssuedReport]:
    """The issued reports, the newest first."""
    return list(IssuedReport.select().order_by(IssuedReport.id.desc()).limit(limit))


def report(number: int) -> IssuedReport | None:
    """The issued report with this id; None when there is none."""
    return IssuedReport.get_or_none(IssuedReport.id == number)


def files_of(report: IssuedReport) -> dict[tuple[str, str], IssuedFile]:
    """(locale, kind of files.KINDS) → the file of an issued report; none of a withdrawn one."""
    if report.withdrawn_at:
        return {}
    return {(file.locale, file.kind): file for file in report.files}


def editions(report: IssuedReport) -> list[IssuedReport]:
    """Every edition of the same report and period, the first one first."""
    same = (
        IssuedReport.name == report.name,
        IssuedReport.first == report.first,
        IssuedReport.last == report.last,
    )
    return list(IssuedReport.select().where(*same).order_by(IssuedReport.edition))


def period_of(settings: Settings, report: IssuedReport) -> Period:
    """The period that a report was issued for."""
    return Period(report.first, report.last, settings.tz)


def folder(settings: Settings) -> Path:
    """Where issued reports lie: beside the database."""
    return settings.paths.database.parent / "issued"


def _editions(name: str, period: Period):  # type: ignore[no-untyped-def]  # peewee's query
    return IssuedReport.select(fn.MAX(IssuedReport.edition)).where(
        IssuedReport.name == name,
        IssuedReport.first == period.first,
        IssuedReport.last == period.last,
    )


def _ended(run: ReportRun, report: IssuedReport) -> bool:
    """End the run, unless its claim was lost in the meantime."""
    claimed = (ReportRun.id == run.id, ReportRun.state == "running", ReportRun.claim == run.claim)
    done = ReportRun.update(state="done", error="", report=report).where(*claimed)
    return bool(done.execute())


def _write_file(
    settings: Settings, report: IssuedReport, locale: str, kind: str, made: bytes
) -> None:
    short = files.FORMS[report.name].short
    stamp = f"{short}_{report.first}_{report.last}_{report.edition}_{locale}.{kind}"
    path = folder(settings) / stamp
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(0o440)
    os.replace(fresh, path)
    IssuedFile.create(
        report=report,
        locale=locale,
        kind=kind,
        file=stamp,
        sha256=hashlib.sha256(made).hexdigest(),
        size=len(made),
    )
