"""Issued reports in which a masked citizen is: the consultations of the monthly report, what
was typed in place of a code, reasons why somebody was looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.box.retention.identity import Identity
from appliance.casework import catalogs
from appliance.core.settings import Settings
from appliance.models import (
    Appeal,
    AppealReveal,
    AppealWording,
    CallForm,
    IssuedReport,
    Listening,
    ReportRun,
    personal_columns,
)
from appliance.models.personal_columns import Kind

# What makes reports is loaded only where it is needed: a look at the disks needs none of it.


@dataclass(frozen=True)
class Withdrawal:
    """Issued reports that hold a text of an appeal or call, and a test for the citizen's texts."""

    reports: list[IssuedReport]
    is_his: Callable[[str], bool]


def find(settings: Settings, row: Appeal | CallForm, who: Identity | None = None) -> Withdrawal:
    """The issued reports that hold a text of an appeal or a registered call.

    `who`: the citizen, for texts that name them elsewhere; None: only the row's own texts count.
    """
    from appliance.reports import issuing

    reasons = {text.strip() for text in _reasons_of(row) if text.strip()}
    texts = reasons.union(text.strip() for text in _texts_of(row) if text.strip())

    def is_his(text: str) -> bool:
        return text in texts or bool(who and who.is_his(text))

    if not texts and not who:
        return Withdrawal([], is_his)
    day = row.received_at.astimezone(settings.tz).date()
    records = {row.number, row.call_id or ""} | (who.records if who else set())
    names_him = who.is_his if who else None
    long = bool(who or reasons)
    reports = issuing.find(settings, is_his, day, records, names_him, reasons=long)
    return Withdrawal(reports, is_his)


def withdraw(withdrawal: Withdrawal, by: str, *, remake: bool = False) -> None:
    """Withdraw the reports, in a write transaction; `remake`: issue them again without it."""
    from appliance.reports import issuing, runs

    for report in withdrawal.reports:
        issuing.withdraw(report, withdrawal.is_his, by)
        run = ReportRun.get_or_none(ReportRun.report == report)
        if remake and run:
            runs.ask(run.name, run.period, run.upto, "jobs")


def remove_files(settings: Settings) -> int:
    """Remove the files of withdrawn reports; how many there were."""
    from appliance.reports import issuing

    return issuing.remove_files(settings)


def _reasons_of(row: Appeal | CallForm) -> Iterator[str]:
    """Why somebody listened to the call, or opened the appeal."""
    if row.call_id:
        for heard in Listening.select().where(Listening.call_id == row.call_id):
            yield heard.reason
    if isinstance(row, Appeal):
        for revealed in AppealReveal.select().where(AppealReveal.appeal == row):
            yield revealed.reason


def _texts_of(row: Appeal | CallForm) -> Iterator[str]:
    """What was typed in place of a code, and the texts of a consultation."""
    for name in personal_columns.names(type(row), Kind.CHOICE):
        if (value := getattr(row, name)) and not catalogs.is_code(name, value):
            yield value
    if isinstance(row, Appeal) and row.consultation:
        yield from personal_columns.values(Appeal, row, Kind.TEXT)
        for past in AppealWording.select().where(AppealWording.appeal == row):
            names = personal_columns.names(Appeal, Kind.TEXT)
            yield from (str(past.values.get(name, "")) for name in names)
