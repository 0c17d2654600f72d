"""Issued reports: what was given when, its files, and what is known since."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from appliance.casework import identity
from appliance.core import audit, clock
from appliance.core.i18n import LOCALES
from appliance.people import accounts, rights
from appliance.reports import files, issuing, periods, runs, words
from appliance.reports.periods import PeriodError
from appliance.web.reports import forms
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import IssuedReport

screen = Blueprint("issued", __name__)

SHOWN = 500  # changed cells
NEWS = dt.timedelta(days=14)


@screen.get("/reports/issued")
@may("report.read")
def page() -> str:
    """All issued reports, and what the timetable has not made yet."""
    return render_template(
        "reports/issued.html", **_listed(), months=forms.months(), quarters=forms.quarters()
    )


@screen.get("/reports/issued/list")
@may("report.read")
def listed() -> str:
    """The same list, as a piece of the open page."""
    return render_template("reports/issued_list.html", **_listed())


@screen.post("/reports/issued")
@may("report.issue")
def ask() -> Response:
    """Have a report issued: `name`, its period, `upto` a date."""
    name = request.form.get("name", "")
    if name not in ("monthly", "quarterly"):
        abort(400)
    text = request.form.get("month" if name == "monthly" else "quarter", "")
    upto = request.form.get("upto", "").strip()
    day = identity.day(upto) if upto else None
    try:
        if upto and not day:
            raise PeriodError(upto)
        until = day.isoformat() if day else ""
        files.FORMS[name].period(text, site().tz, until or None)
    except PeriodError:
        flash(_("No such date in this period: nothing was issued."))
    else:
        runs.ask(name, text, until, me().login)
        flash(_("The report is being made; it appears here in a minute."))
    return redirect(url_for("issued.page"))  # type: ignore[return-value]


@screen.post("/reports/runs/<int:id>/retry")
@may("report.issue")
def retry(id: int) -> Response:
    """Try at once what failed."""
    runs.retry(runs.run(id) or abort(404))
    return redirect(url_for("issued.page"))  # type: ignore[return-value]


@screen.get("/reports/issued/<int:id>")
@may("report.read")
@heavy
def one(id: int) -> str:
    """A report as it was issued, and what it would say now (or the edition after it says)."""
    report = _report(id)
    editions = issuing.editions(report)
    newer = next((e for e in editions if e.edition == report.edition + 1), None)
    changed = (
        issuing.changes_between(report, newer, locale())
        if newer
        else issuing.changes(site(), report, locale())
    )
    return render_template(
        "reports/issued_one.html",
        report=report,
        name=forms.title(report.name),
        period=named(report),
        editions=editions,
        newer=newer,
        changed=changed[:SHOWN],
        more=max(0, len(changed) - SHOWN),
        files=issuing.files_of(report),
        kinds=files.KINDS,
        whole=issuing.whole(site(), report),
        by=accounts.names(locale()).get(report.by),
        live=_live(report),
    )


@screen.get("/reports/issued/<int:id>/<lang>.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
def file(id: int, lang: str, kind: str) -> Response:
    """A file as it was issued; 404 when it is damaged, for a wrong one must not be given out."""
    kept = issuing.files_of(_report(id)).get((lang, kind))
    content = issuing.content(site(), kept) if kept else None
    if not kept or content is None:
        abort(404)
    audit.record(me().login, "report.download", kept.report.name, file=kept.file, issued=id)
    return forms.given(content, kind, kept.file)


def announced() -> "tuple[IssuedReport, str, str] | None":
    """The newest form that was issued in the last days, for the page where the ministry begins."""
    since = clock.now() - NEWS
    newest = next(
        (
            r
            for r in issuing.issued(20)
            if r.name not in ("daily", "accesses") and r.issued_at > since and not r.withdrawn_at
        ),
        None,
    )
    return (newest, forms.title(newest.name), named(newest)) if newest else None


@screen.app_context_processor
def _announced() -> dict[str, object]:
    return {"announced": announced}


def _live(report: "IssuedReport") -> str:
    """The page where the report's figures, as they are now, open their calls."""
    upto = f"{report.last:%d.%m.%Y}"
    if report.name == "monthly":
        return url_for("reports.page", month=f"{report.first:%Y-%m}", upto=upto)
    if report.name == "quarterly":
        return url_for("reports.quarterly", quarter=periods.quarter_of(report.first), upto=upto)
    if report.name == "accesses":
        return url_for("accesses.page", month=f"{report.first:%Y-%m}")
    days: dict[str, Any] = {"from": upto, "to": upto}
    return url_for("analytics.page", **days)


def _report(id: int) -> "IssuedReport":
    found = issuing.report(id)
    return found if found and _reads(found.name) else abort(404)


def _reads(name: str) -> bool:
    """Whether who asks may read the reports of that name."""
    return rights.has(me(), files.FORMS[name].right)


def _listed() -> dict[str, object]:
    own = me().role == "manager"
    return {
        "lines": [
            (report, forms.title(report.name), named(report))
            for report in issuing.issued()
            if _reads(report.name)
        ],
        "waiting": [(run, forms.title(run.name)) for run in runs.unfinished() if _reads(run.name)],
        "people": accounts.names(locale()),
        "locales": LOCALES,
        "own": own,
    }


def named(report: "IssuedReport") -> str:
    """The period as people call it."""
    text = words.load(locale())
    last = f"{report.last:%d.%m.%Y}"
    if report.name == "daily":
        return last
    if report.name == "quarterly":
        quarter = periods.quarter_of(report.first)[-1]
        period = text.quarterly.quarter.format(year=report.first.year, quarter=quarter)
        whole = files.FORMS["quarterly"].period(periods.quarter_of(report.first), site().tz, None)
    else:
        period = f"{text.months[report.first.month - 1]} {report.first.year}"
        whole = files.FORMS["monthly"].period(f"{report.first:%Y-%m}", site().tz, None)
    if whole.last == report.last:
        return period
    return f"{period} {text.quarterly.to_date.format(date=last)}"
