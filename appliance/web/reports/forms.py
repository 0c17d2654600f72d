"""Report forms №2 (monthly) and №1 (quarterly): their pages, and the files for download."""

import contextlib

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from appliance.casework import identity
from appliance.core import audit, i18n, script
from appliance.core.refusals import Refused
from appliance.people import rights
from appliance.reports import balance, files, formatting, kpi, monthly, paper, periods, report_texts
from appliance.reports.periods import Period, PeriodError
from appliance.reports.quarterly import QuarterlyReport, wording
from appliance.web.shared.figure_links import FigureLinks
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale

screen = Blueprint("reports", __name__)

MONTHS_BACK = 24
QUARTERS_BACK = 8


def interval_conditions(report: QuarterlyReport) -> list[str]:
    """Return the value of the filter "time" that selects the calls of each interval of table 2.

    Table 2 of the quarterly report counts calls by interval: a shift, such as "08:00-16:00", or the
    rest of the day, which has no hours and for which all shifts are excluded ("!").
    """
    shifts = [f"{row.opens}-{row.closes}" for row in report.intervals if row.opens]
    return [
        f"{row.opens}-{row.closes}" if row.opens else f"!{','.join(shifts)}"
        for row in report.intervals
    ]


@screen.get("/reports")
@may("report.read")
@long_running
def show_monthly_report() -> str:
    """Show the five tables of a month (`month=2026-10`), until the date `upto` if it is given."""
    period, is_invalid = requested_period("monthly")
    monthly_report = files.build_report("monthly", site(), period, locale())
    disclosure.log_shown("appeal", [row.number for row in monthly_report.consultations])
    return render_template(
        "reports/page.html",
        report=monthly_report,
        text=report_texts.load_texts(locale()),
        balance=paper.balance_footer(monthly_report),
        sums=FigureLinks(period).balance_links(
            monthly_report.balance, balance.count_excluded(monthly_report.inbound.groups)
        ),
        unobserved=paper.unobserved_text(monthly_report),
        counting_note=monthly.counting_note(monthly_report),
        may_decide=rights.has_right(me(), "report.issue"),
        in_script=script.transliterate_for_locale,
        few=kpi.FEW_CASES,
        behind=FigureLinks(period),
        chosen=f"{period.first:%Y-%m}",
        choices=month_choices(),
        upto=request.args.get("upto", ""),
        doubt=is_invalid,
    )


@screen.post("/reports/counted")
@may("report.issue")
def store_counting_rule() -> ResponseReturnValue:
    """Store what tables 1, 3 and 4 of the monthly report count, and show the month again."""
    try:
        monthly.store_rule(request.form.get("counted", ""), me().login)
    except Refused:
        abort(400)
    return redirect(url_for(".show_monthly_report", month=request.form.get("month")))


@screen.get("/reports/quarterly")
@may("report.read")
@long_running
def show_quarterly_report() -> str:
    """Show the three tables of a quarter (`quarter=2026-Q3`), until the date `upto` if given."""
    period, is_invalid = requested_period("quarterly")
    quarterly_report = files.build_report("quarterly", site(), period, locale())
    text = report_texts.load_texts(locale())
    return render_template(
        "reports/quarterly.html",
        report=quarterly_report,
        text=text,
        form=text.quarterly,
        balance=paper.balance_footer(quarterly_report),
        sums=FigureLinks(period).balance_links(
            quarterly_report.balance, balance.count_excluded(quarterly_report.inbound.groups)
        ),
        wording=wording,
        length=formatting.format_duration,
        behind=FigureLinks(period),
        among=interval_conditions(quarterly_report),
        chosen=periods.quarter_name(period.first),
        choices=quarter_choices(),
        upto=request.args.get("upto", ""),
        doubt=is_invalid,
    )


@screen.get("/reports/<any(monthly, quarterly, daily):name>.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@long_running
def download_report(name: str, kind: str) -> Response:
    """Send a report as a file in the language `lang`; the download is recorded in the audit."""
    period, is_invalid = requested_period(name)
    language = request.args.get("lang", "uz_Cyrl")
    if is_invalid or language not in i18n.LOCALES:
        abort(400)
    report = files.build_report(name, site(), period, language)
    file = files.file_name(name, report, kind)
    audit.record_entry(me().login, "report.download", name, file=file)
    return file_response(files.render_file(name, report, kind), kind, file)


@screen.app_template_global("report_title")
def report_title(name: str) -> str:
    """Return the title of a report; `name` is a key of files.FORMS."""
    return str(gettext(files.FORMS[name].name))


def file_response(content: bytes, kind: str, name: str) -> Response:
    """Return a response that the browser saves as a file; `kind` is a key of files.MIME_TYPES."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=files.MIME_TYPES[kind], headers=disposition)


def requested_period(name: str) -> tuple[Period, bool]:
    """Return the period that the URL requests for a report, and True if the request was invalid.

    `name` is "monthly", "quarterly" or "daily", and the URL's `month`, `quarter` or `day` gives the
    period, by default the current one; `upto` makes it end at an earlier date. If `upto` is
    invalid, the whole period is returned; if the period is invalid, the current one.
    """
    tz, current_day = site().tz, today()
    field, current = {
        "monthly": ("month", f"{current_day:%Y-%m}"),
        "quarterly": ("quarter", periods.quarter_name(current_day)),
        "daily": ("day", f"{current_day}"),
    }[name]
    parse = files.FORMS[name].parse_period
    text = request.args.get(field) or current
    upto = request.args.get("upto", "").strip()
    day = identity.parse_plausible_date(upto) if upto else None
    exact = day.isoformat() if day else None
    for until, is_inexact in ((exact, bool(upto) and not day), (None, True)):
        with contextlib.suppress(PeriodError):  # the next attempt is less exact
            return parse(text, tz, until), is_inexact
    return parse(current, tz, None), True


def month_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the months to choose from, newest first; a code is like 2026-10."""
    current_day = today()
    month_names = report_texts.load_texts(locale()).months
    number = current_day.year * 12 + current_day.month - 1
    pairs = (divmod(n, 12) for n in range(number, number - MONTHS_BACK, -1))
    return [(f"{year}-{month + 1:02}", f"{month_names[month]} {year}") for year, month in pairs]


def quarter_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the quarters to choose from, newest first; a code is like 2026-Q3."""
    current_day = today()
    form = report_texts.load_texts(locale()).quarterly
    number = current_day.year * 4 + (current_day.month - 1) // 3
    pairs = (divmod(n, 4) for n in range(number, number - QUARTERS_BACK, -1))
    return [(f"{y}-Q{q + 1}", form.quarter.format(year=y, quarter=q + 1)) for y, q in pairs]
