"""Issued reports: when each was issued, its files, and how its figures have changed since."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from appliance.casework import identity
from appliance.core import audit, clock
from appliance.core.i18n import LOCALES
from appliance.people import accounts, rights
from appliance.reports import files, issuing, periods, report_texts, runs
from appliance.reports.periods import PeriodError
from appliance.web.reports import forms
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import IssuedReport

screen = Blueprint("issued", __name__)

MAX_CHANGES_SHOWN = 500  # changed cells on the page; the others are only counted
NEWS_PERIOD = dt.timedelta(days=14)  # for which a new report is announced


@screen.get("/reports/issued")
@may("report.read")
def list_issued_reports() -> str:
    """Show the issued reports that the user may read, and the runs that are not finished yet."""
    return render_template(
        "reports/issued.html",
        **_issued_list_context(),
        months=forms.month_choices(),
        quarters=forms.quarter_choices(),
    )


@screen.get("/reports/issued/list")
@may("report.read")
def show_issued_list() -> str:
    """Show the issued reports and unfinished runs, as a fragment of the open page."""
    return render_template("reports/issued_list.html", **_issued_list_context())


@screen.post("/reports/issued")
@may("report.issue")
def request_report() -> Response:
    """Request that a report be issued: its `name`, its month or quarter, until the date `upto`.

    The process `appliance jobs` makes it. If the period is invalid, the page says so.
    """
    name = request.form.get("name", "")
    if name not in ("monthly", "quarterly"):
        abort(400)
    period_text = request.form.get("month" if name == "monthly" else "quarter", "")
    upto = request.form.get("upto", "").strip()
    day = identity.parse_plausible_date(upto) if upto else None
    try:
        if upto and not day:
            raise PeriodError(upto)
        until = day.isoformat() if day else ""
        files.FORMS[name].parse_period(period_text, site().tz, until or None)
    except PeriodError:
        flash(_("There is no such date in this period: nothing was submitted."))
    else:
        runs.request_run(name, period_text, until, me().login)
        flash(_("The report is being made; it appears here within a minute."))
    return redirect(url_for("issued.list_issued_reports"))  # type: ignore[return-value]


@screen.post("/reports/runs/<int:id>/retry")
@may("report.issue")
def retry_run(id: int) -> Response:
    """Make a waiting or failed run of a report due at once, instead of at its next attempt."""
    runs.retry_run(runs.find_run(id) or abort(404))
    return redirect(url_for("issued.list_issued_reports"))  # type: ignore[return-value]


@screen.get("/reports/issued/<int:id>")
@may("report.read")
@long_running
def show_issued_report(id: int) -> str:
    """Show a report as it was issued, and which of its figures have changed.

    They are compared with the next edition (the report of this period as issued again later), or
    with the current figures if there is no such edition.
    """
    report = _report_or_404(id)
    editions = issuing.all_editions(report)
    newer = next((e for e in editions if e.edition == report.edition + 1), None)
    changes = (
        issuing.changes_between(report, newer, locale())
        if newer
        else issuing.changes_since_issue(site(), report, locale())
    )
    return render_template(
        "reports/issued_one.html",
        report=report,
        name=forms.report_title(report.name),
        period=period_name(report),
        editions=editions,
        newer=newer,
        changed=changes[:MAX_CHANGES_SHOWN],
        more=max(0, len(changes) - MAX_CHANGES_SHOWN),
        files=issuing.files_by_kind(report),
        kinds=files.MIME_TYPES,
        whole=issuing.is_intact(site(), report),
        by=accounts.display_names(locale()).get(report.by),
        live=_current_report_url(report),
    )


@screen.get("/reports/issued/<int:id>/<lang>.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
def download_issued_file(id: int, lang: str, kind: str) -> Response:
    """Send a file of an issued report; abort with 404 if it is missing or damaged."""
    issued_file = issuing.files_by_kind(_report_or_404(id)).get((lang, kind))
    content = issuing.file_content(site(), issued_file) if issued_file else None
    if not issued_file or content is None:
        abort(404)
    audit.record_entry(
        me().login, "report.download", issued_file.report.name, file=issued_file.file, issued=id
    )
    return forms.file_response(content, kind, issued_file.file)


def recent_issued_report() -> "tuple[IssuedReport, str, str] | None":
    """Return the report to be announced on the ministry's start page, with its title and period.

    It is the newest monthly or quarterly report issued within NEWS_PERIOD, if there is one.
    """
    since = clock.now() - NEWS_PERIOD
    newest = next(
        (
            r
            for r in issuing.issued_reports(20)
            if r.name not in ("daily", "accesses") and r.issued_at > since and not r.withdrawn_at
        ),
        None,
    )
    return (newest, forms.report_title(newest.name), period_name(newest)) if newest else None


@screen.app_context_processor
def _issued_report_context() -> dict[str, object]:
    """Give templates `announced()`, the report to be announced on the start page."""
    return {"announced": recent_issued_report}


def _current_report_url(report: "IssuedReport") -> str:
    """Return the address of the page with the current figures of a report's period.

    For a daily report, this is the telephony report of that day.
    """
    last_date = f"{report.last:%d.%m.%Y}"
    if report.name == "monthly":
        return url_for("reports.show_monthly_report", month=f"{report.first:%Y-%m}", upto=last_date)
    if report.name == "quarterly":
        return url_for(
            "reports.show_quarterly_report",
            quarter=periods.quarter_name(report.first),
            upto=last_date,
        )
    if report.name == "accesses":
        return url_for("accesses.show_accesses", month=f"{report.first:%Y-%m}")
    days: dict[str, Any] = {"from": last_date, "to": last_date}
    return url_for("analytics.show_telephony_report", **days)


def _report_or_404(id: int) -> "IssuedReport":
    """Return an issued report; abort with 404 if it does not exist or the user may not read it."""
    report = issuing.find_report(id)
    return report if report and _can_read(report.name) else abort(404)


def _can_read(name: str) -> bool:
    """Return True if the user may read the reports with this name, a key of files.FORMS."""
    return rights.has_right(me(), files.FORMS[name].permission)


def _issued_list_context() -> dict[str, object]:
    """Return the template context of the list: issued reports, and runs not finished yet.

    `own` is True for managers, who may run a report again.
    """
    is_manager = me().role == "manager"
    return {
        "lines": [
            (report, forms.report_title(report.name), period_name(report))
            for report in issuing.issued_reports()
            if _can_read(report.name)
        ],
        "waiting": [
            (run, forms.report_title(run.name))
            for run in runs.unfinished_runs()
            if _can_read(run.name)
        ],
        "people": accounts.display_names(locale()),
        "locales": LOCALES,
        "own": is_manager,
    }


def period_name(report: "IssuedReport") -> str:
    """Return the period of an issued report as text, with its last date if it is incomplete."""
    text = report_texts.load_texts(locale())
    last_date = f"{report.last:%d.%m.%Y}"
    if report.name == "daily":
        return last_date
    if report.name == "quarterly":
        quarter = periods.quarter_name(report.first)[-1]
        period = text.quarterly.quarter.format(year=report.first.year, quarter=quarter)
        full_period = files.FORMS["quarterly"].parse_period(
            periods.quarter_name(report.first), site().tz, None
        )
    else:
        period = f"{text.months[report.first.month - 1]} {report.first.year}"
        full_period = files.FORMS["monthly"].parse_period(f"{report.first:%Y-%m}", site().tz, None)
    if full_period.last == report.last:
        return period
    return f"{period} {text.quarterly.to_date.format(date=last_date)}"
