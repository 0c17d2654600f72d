"""All kinds of reports, and the functions that turn any of them into a file."""

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
from appliance.reports.paper import PrintableReport
from appliance.reports.periods import Period

MIME_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
}


class ReportFileError(RuntimeError):
    """A report cannot be printed; the message gives the reason."""


@dataclass(frozen=True)
class ReportForm:
    """A kind of report: its name, how it is counted and how it is rendered."""

    name: str  # in English; pages translate it
    file_prefix: str  # the beginning of the file's name
    # from a text, the time zone and the last date; see periods.parse_month(); raises PeriodError
    parse_period: Callable[[str, ZoneInfo, str | None], Period]
    build: Callable[[Settings, Period, str], Any]  # from settings, period and locale to a report
    # the functions from a report to its files
    as_json: Callable[[Any], dict[str, Any]]
    as_csv: Callable[[Any], str]
    as_workbook: Callable[[Any], xlsx.Workbook]
    as_page: Callable[[Any], str]  # HTML for the PDF
    permission: str = "report.read"  # needed to read the report
    # the number of calls in progress; the report is issued only when it is 0
    open_calls: Callable[[Any], int] = lambda report: report.balance.open


def _build_telephony(settings: Settings, period: Period, locale: str) -> Any:
    """Build the telephony report of all incoming calls of a period."""
    return telephony.build_telephony_report(settings, CallFilter(period), locale)


def _output_functions(package: Any) -> dict[str, Any]:
    """Return the output functions of a report's package, as keyword arguments of ReportForm."""
    return {
        name: getattr(package, name) for name in ("as_json", "as_csv", "as_workbook", "as_page")
    }


FORMS = {
    "monthly": ReportForm(
        N_("Monthly report, form №2"),
        "hisobot-2",
        periods.parse_month,
        monthly.build_monthly_report,
        **_output_functions(monthly),
    ),
    "minutes": ReportForm(
        N_("Statement of talk minutes"),
        "daqiqalar",
        periods.parse_month,
        minutes.build_minutes_report,
        **_output_functions(minutes),
    ),
    "telephony": ReportForm(
        N_("Telephony report"),
        "telefoniya",
        periods.parse_month,
        _build_telephony,
        **_output_functions(telephony),
    ),
    "accesses": ReportForm(
        N_("Who viewed what"),
        "korishlar",
        periods.parse_month,
        accesses.build_access_report,
        permission="access_report.read",
        open_calls=lambda report: 0,  # it does not count calls
        **_output_functions(accesses),
    ),
    "quarterly": ReportForm(
        N_("Quarterly report, form №1"),
        "hisobot-1",
        periods.parse_quarter,
        quarterly.build_quarterly_report,
        **_output_functions(quarterly),
    ),
    "daily": ReportForm(
        N_("Daily summary"),
        "kunlik",
        periods.parse_day,
        daily.build_daily_report,
        **_output_functions(daily),
    ),
}


def build_report(name: str, settings: Settings, period: Period, locale: str) -> Any:
    """Build the report whose key in FORMS is `name` for a period, in the language of `locale`."""
    return FORMS[name].build(settings, period, locale)


def render_file(name: str, report: PrintableReport, kind: str) -> bytes:
    """Render a report as a file, in the language that it was built in.

    `name` is a key of FORMS, `kind` a key of MIME_TYPES. Raises ReportFileError if the PDF cannot
    be printed.
    """
    form = FORMS[name]
    if kind == "json":
        return (json.dumps(form.as_json(report), ensure_ascii=False, indent=1) + "\n").encode()
    if kind == "csv":
        return form.as_csv(report).encode("utf-8-sig")  # so office programs recognize UTF-8
    if kind == "xlsx":
        return xlsx.write_workbook(form.as_workbook(report))
    try:
        return pdf.write_pdf(form.as_page(report))
    except pdf.PdfError as error:
        raise ReportFileError(str(error)) from error


def file_name(name: str, report: PrintableReport, kind: str) -> str:
    """Return the file's name, such as hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.pdf.

    `name` is a key of FORMS, `kind` a key of MIME_TYPES.
    """
    period = report.period
    return f"{FORMS[name].file_prefix}_{period.first}_{period.last}_{report.locale}.{kind}"
