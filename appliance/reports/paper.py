"""What printed reports have in common: templates, titles, workbooks, the balance of calls."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Protocol

import jinja2

from appliance.core import script
from appliance.core.i18n import locale_translations
from appliance.reports import balance, formatting, kpi, report_texts, xlsx
from appliance.reports.balance import CallBalanceDescription, ExcludedCallCounts
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.telephony.calls import Balance


class PrintableReport(Protocol):
    """The properties of every printed report."""

    @property
    def locale(self) -> str: ...
    @property
    def period(self) -> Period: ...
    @property
    def made_at(self) -> dt.datetime: ...


class BalancedReport(PrintableReport, Protocol):
    """A report with the balance of the incoming calls."""

    @property
    def balance(self) -> Balance: ...


class CallReport(BalancedReport, Protocol):
    """The properties that a report of calls needs in order to be printed."""

    @property
    def inbound(self) -> Arrivals: ...


jinja_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(report_texts.TEMPLATES_DIRECTORY),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
jinja_environment.filters |= {
    "number": formatting.format_number,
    "decimal": formatting.format_decimal,
    "date": formatting.format_date,
}
jinja_environment.filters["script"] = script.transliterate_for_locale


def render_page(template: str, report: CallReport, title: str, **context: Any) -> str:
    """Return a report with its balance as HTML for pdf.write_pdf.

    `template` is the name of a template that extends paper.html, `context` its further variables.
    """
    return render_template(
        template,
        report,
        title,
        balance=balance_footer(report),
        unobserved=unobserved_text(report),
        **context,
    )


def render_template(template: str, report: PrintableReport, title: str, **context: Any) -> str:
    """Return a report as HTML for pdf.write_pdf, without adding the balance.

    `template` is the name of a template that extends paper.html, `context` its further variables.
    For a report that counts calls, one of them is `balance`, such as balance_footer().
    """
    tz = report.period.tz
    return jinja_environment.get_template(template).render(
        report=report,
        words=report_texts.load_texts(report.locale),
        title=title,
        few=kpi.FEW_CASES,
        made_at=report.made_at.astimezone(tz).isoformat(timespec="seconds"),
        **context,
    )


def dated_title(name: str, report: PrintableReport) -> str:
    """Return the translated name of a report with the first and the last day of its period.

    `name` is a message id.
    """
    first, last = (formatting.format_date(day) for day in (report.period.first, report.period.last))
    return f"{locale_translations(report.locale).gettext(name)}, {first}–{last}"


def build_workbook(
    report: PrintableReport, title: str, sheets: Sequence[xlsx.Sheet]
) -> xlsx.Workbook:
    """Return the workbook of a report with these sheets, to be written by xlsx.write_workbook."""
    texts = report_texts.load_texts(report.locale)
    return xlsx.Workbook(
        title=title,
        author=texts.author,
        language=texts.language,
        made_at=report.made_at,
        tz=report.period.tz,
        sheets=sheets,
        duration_format=_duration_number_format(texts.length),
    )


def balance_footer(report: CallReport) -> CallBalanceDescription:
    """Return the balance of calls as text, for a report that has its inbound calls in groups."""
    return balance_footer_from_counts(report, balance.count_excluded(report.inbound.groups))


def balance_footer_from_counts(
    report: BalancedReport, excluded: ExcludedCallCounts
) -> CallBalanceDescription:
    """Return the balance of a report's calls as text for its footer.

    `excluded` are the numbers of calls that the report's tables or rates exclude.
    """
    texts, tz = report_texts.load_texts(report.locale).balance, report.period.tz
    return balance.describe_call_balance(report.balance, excluded, report.made_at, tz, texts)


def footer_text(footer: CallBalanceDescription, locale: str) -> str:
    """Return the footer with the balance as a single text."""
    title = report_texts.load_texts(locale).balance.title
    return f"{title} {footer.total}; {footer.difference}. {footer.explanation_text}"


def footer_cells(report: CallReport) -> list[tuple[str, object]]:
    """Return (name, value) of the last rows of a report's CSV.

    They are the balance, the version of the formulas and the time at which the report was made.
    """
    plain_values = balance.as_json(report.balance, report.period.tz)
    outcomes = plain_values.pop("outcomes")
    plain_values["unobserved"] = unobserved_text(report)
    counts = [(f"outcome {outcome}", count) for outcome, count in outcomes.items()]
    made_at = report.made_at.astimezone(report.period.tz).isoformat(timespec="seconds")
    return [
        *plain_values.items(),
        *counts,
        ("formulas", kpi.FORMULAS_VERSION),
        ("made_at", made_at),
    ]


def unobserved_text(report: CallReport) -> str:
    """Return the intervals in which calls were not observed, as text; "" if there are no such."""
    return balance.unobserved_intervals_text(report.balance.unobserved, report.period.tz)


def _duration_number_format(template: str) -> str:
    """Convert a text like "{minutes} min. {seconds} sec." into a spreadsheet number format."""
    codes = {"{minutes}": "[m]", "{seconds}": "s"}
    parts = re.split(r"(\{minutes\}|\{seconds\})", template)
    return "".join(codes.get(part) or f'"{part}"' for part in parts if part)
