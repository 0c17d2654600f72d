"""The one place where a report becomes a file: whatever report, whatever kind of file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.reports import (
    accesses,
    daily,
    minutes,
    monthly,
    pdf,
    periods,
    quarterly,
    telephony,
    xlsx,
)
from appliance.reports.call_filters import CallFilter
from appliance.reports.paper import Made
from appliance.reports.periods import Period

KINDS = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
}


class FileError(RuntimeError):
    """A report cannot be printed; the message says what is missing."""


@dataclass(frozen=True)
class Form:
    """A report that is made: what it is called, how it is counted, what it looks like."""

    name: str  # in English: pages translate it
    short: str  # begins the file's name
    period: Callable[[str, ZoneInfo, str | None], Period]  # of "2026-10"; raises PeriodError
    build: Callable[[Settings, Period, str], Any]
    as_json: Callable[[Any], dict[str, Any]]
    as_csv: Callable[[Any], str]
    as_book: Callable[[Any], xlsx.Book]
    as_page: Callable[[Any], str]
    right: str = "report.read"  # that reading it asks for
    going_on: Callable[[Any], int] = lambda report: report.balance.open  # calls without an end yet


def _telephony(settings: Settings, period: Period, locale: str) -> Any:
    return telephony.build(settings, CallFilter(period), locale)


def _kinds(room: Any) -> dict[str, Any]:
    """What the package of a report makes of it."""
    return {name: getattr(room, name) for name in ("as_json", "as_csv", "as_book", "as_page")}


FORMS = {
    "monthly": Form(
        N_("Monthly report, form №2"),
        "hisobot-2",
        periods.month,
        monthly.build,
        **_kinds(monthly),
    ),
    "minutes": Form(
        N_("Act of the minutes of talk"),
        "daqiqalar",
        periods.month,
        minutes.build,
        **_kinds(minutes),
    ),
    "telephony": Form(
        N_("Telephony report"),
        "telefoniya",
        periods.month,
        _telephony,
        **_kinds(telephony),
    ),
    "accesses": Form(
        N_("Who looked at whom"),
        "korishlar",
        periods.month,
        accesses.build,
        right="access_report.read",
        going_on=lambda report: 0,  # it is of no calls
        **_kinds(accesses),
    ),
    "quarterly": Form(
        N_("Quarterly report, form №1"),
        "hisobot-1",
        periods.quarter,
        quarterly.build,
        **_kinds(quarterly),
    ),
    "daily": Form(
        N_("Daily summary"),
        "kunlik",
        periods.day,
        daily.build,
        **_kinds(daily),
    ),
}


def build(name: str, settings: Settings, period: Period, locale: str) -> Any:
    """Count the report `name` (of FORMS) of a period, with names in a language."""
    return FORMS[name].build(settings, period, locale)


def render(name: str, report: Made, kind: str) -> bytes:
    """A report as a file of one of KINDS, in the language that it was built in.

    Raises FileError when it cannot be printed.
    """
    form = FORMS[name]
    if kind == "json":
        return (json.dumps(form.as_json(report), ensure_ascii=False, indent=1) + "\n").encode()
    if kind == "csv":
        return form.as_csv(report).encode("utf-8-sig")  # the mark tells office programs what it is
    if kind == "xlsx":
        return xlsx.write(form.as_book(report))
    try:
        return pdf.write(form.as_page(report))
    except pdf.PdfError as error:
        raise FileError(str(error)) from error


def file_name(name: str, report: Made, kind: str) -> str:
    """hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.pdf"""
    period = report.period
    return f"{FORMS[name].short}_{period.first}_{period.last}_{report.locale}.{kind}"
