"""Issued reports that contain a masked citizen's texts.

Such texts are the consultations of the monthly report, entries typed in place of a code, and the
reasons of staff for opening a record.
"""

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

# The report modules are loaded only where needed: the disk checks do not require them.


@dataclass(frozen=True)
class Withdrawal:
    """The reports with a text of an appeal or call, and a test for the texts to be removed."""

    reports: list[IssuedReport]
    is_citizen_text: Callable[[str], bool]


def find_reports(
    settings: Settings, row: Appeal | CallForm, citizen: Identity | None = None
) -> Withdrawal:
    """Return the issued reports that contain a text of an appeal or a registered call.

    If `citizen` is given, reports with other texts that certainly name them are found as well.
    """
    from appliance.reports import issuing

    reasons = {text.strip() for text in _access_reasons(row) if text.strip()}
    texts = reasons.union(text.strip() for text in _report_texts(row) if text.strip())

    def is_citizen_text(text: str) -> bool:
        return text in texts or bool(citizen and citizen.is_certain_mention(text))

    if not texts and not citizen:
        return Withdrawal([], is_citizen_text)
    day = row.received_at.astimezone(settings.tz).date()
    records = {row.number, row.call_id or ""} | (citizen.records if citizen else set())
    is_mention = citizen.is_certain_mention if citizen else None
    with_reasons = bool(citizen or reasons)
    reports = issuing.find_reports_about_citizen(
        settings, is_citizen_text, day, records, is_mention, with_access_reports=with_reasons
    )
    return Withdrawal(reports, is_citizen_text)


def withdraw_reports(withdrawal: Withdrawal, by: str, *, remake: bool = False) -> None:
    """Withdraw the reports, within a write transaction; `remake`: request new ones."""
    from appliance.reports import issuing, runs

    for report in withdrawal.reports:
        issuing.withdraw_report(report, withdrawal.is_citizen_text, by)
        run = ReportRun.get_or_none(ReportRun.report == report)
        if remake and run:
            runs.request_run(run.name, run.period, run.upto, "jobs")


def remove_withdrawn_files(settings: Settings) -> int:
    """Remove the files of withdrawn reports; returns how many."""
    from appliance.reports import issuing

    return issuing.remove_files(settings)


def _access_reasons(row: Appeal | CallForm) -> Iterator[str]:
    """Yield the reasons for which users listened to the call or opened the appeal."""
    if row.call_id:
        for listening in Listening.select().where(Listening.call_id == row.call_id):
            yield listening.reason
    if isinstance(row, Appeal):
        for reveal in AppealReveal.select().where(AppealReveal.appeal == row):
            yield reveal.reason


def _report_texts(row: Appeal | CallForm) -> Iterator[str]:
    """Yield entries that were typed in place of a code, and the texts of a consultation."""
    for name in personal_columns.column_names(type(row), Kind.CHOICE):
        if (value := getattr(row, name)) and not catalogs.is_code(name, value):
            yield value
    if isinstance(row, Appeal) and row.consultation:
        yield from personal_columns.column_values(Appeal, row, Kind.TEXT)
        for wording in AppealWording.select().where(AppealWording.appeal == row):
            names = personal_columns.column_names(Appeal, Kind.TEXT)
            yield from (str(wording.values.get(name, "")) for name in names)
