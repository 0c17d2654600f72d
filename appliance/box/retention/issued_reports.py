"""Issued reports in which a masked citizen stands: the consultations of the monthly report, what
was typed in place of a code, reasons why somebody was looked at."""

from collections.abc import Callable, Iterator

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

# What makes reports is loaded only where it is needed: whoever looks at disks has no need of it.


def texts_of(row: Appeal | CallForm) -> frozenset[str]:
    """The texts of an appeal or a registered call that an issued report may hold."""
    return frozenset(text.strip() for text in _texts_of(row) if text.strip())


def find(
    settings: Settings, row: Appeal | CallForm, is_his: Callable[[str], bool]
) -> list[IssuedReport]:
    """The issued reports in which a text of an appeal or call stands."""
    from appliance.reports import issuing

    day = row.received_at.astimezone(settings.tz).date()
    return issuing.find(settings, is_his, day)


def withdraw(
    reports: list[IssuedReport], is_his: Callable[[str], bool], by: str, *, anew: bool = False
) -> None:
    """Withdraw them, in a write transaction; `anew`: and have them made once more without him."""
    from appliance.reports import issuing, runs

    for report in reports:
        issuing.withdraw(report, is_his, by)
        made = ReportRun.get_or_none(ReportRun.report == report)
        if anew and made:
            runs.ask(made.name, made.period, made.upto, "jobs")


def remove_files(settings: Settings) -> int:
    """Remove the files of withdrawn reports; how many there were."""
    from appliance.reports import issuing

    return issuing.remove_files(settings)


def _texts_of(row: Appeal | CallForm) -> Iterator[str]:
    for name in personal_columns.names(type(row), Kind.CHOICE):
        if (value := getattr(row, name)) and not catalogs.is_code(name, value):
            yield value
    if row.call_id:
        for heard in Listening.select().where(Listening.call_id == row.call_id):
            yield heard.reason
    if not isinstance(row, Appeal):
        return
    for revealed in AppealReveal.select().where(AppealReveal.appeal == row):
        yield revealed.reason
    if row.consultation:
        yield from personal_columns.values(Appeal, row, Kind.TEXT)
        for past in AppealWording.select().where(AppealWording.appeal == row):
            names = personal_columns.names(Appeal, Kind.TEXT)
            yield from (str(past.values.get(name, "")) for name in names)
