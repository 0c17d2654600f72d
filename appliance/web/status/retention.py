"""The retention page: when data will be removed, what was removed, what a hold protects from it."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import retention
from appliance.box.retention import disks
from appliance.core import audit, spreadsheets
from appliance.core.refusals import Refused
from appliance.reports.periods import Period, PeriodError
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, today
from appliance.web.shell.requested_days import requested_days

if TYPE_CHECKING:
    from appliance.models import Removal

screen = Blueprint("retention", __name__, url_prefix="/retention")

COLUMNS = ("at", "kind", "subject", "rule", "call", "sha256", "bytes")
KINDS: dict[str, LazyString] = {"call": _l("Call"), "appeal": _l("Appeal")}
REMOVAL_KINDS: dict[str, LazyString] = {
    "recording": _l("Recording"),
    "appeal": _l("Personal data in an appeal"),
    "draft": _l("Draft"),
    "call_form": _l("Registered call, personal data"),
    "note": _l("Note on a missed caller"),
    "appeal_person": _l("Whose appeal it is, at their request"),
    "call_form_person": _l("Whose registered call it is, at their request"),
    "call_person": _l("Recordings to be removed at a citizen's request"),
    "data_request": _l("Who asked about their data"),
    "stray": _l("File without a recording"),
}
DISK_LABELS: dict[str, LazyString] = {
    "database": _l("Disk of the database"),
    "recordings": _l("Disk of the recordings"),
}
TROUBLES: dict[str, LazyString] = {
    "why": _l("Enter the reason for the protection."),
    "subject": _l("There is no such call or appeal."),
}


@screen.get("")
@may("retention.read")
def show_retention() -> str:
    """Show the coming and the last removals, how full the disks will be, and the holds.

    A hold protects a call or an appeal from removal.
    """
    previous = refusals.latest_refusal()
    return render_template(
        "retention/page.html",
        kept=site().retention,
        coming=retention.upcoming_removals(site()),
        forecasts=[retention.disk_forecast(site(), disk) for disk in disks.disk_folders(site())],
        disks=DISK_LABELS,
        holds=retention.active_holds(),
        kinds=KINDS,
        removals=retention.recent_removals(),
        removed=REMOVAL_KINDS,
        doubt=retention.clock_gap(),
        period=_current_month(),
        kept_monthly=max((backup.keep_monthly for backup in site().backups), default=0),
        trouble=TROUBLES.get(previous.trouble),
        sent=previous.values,
    )


@screen.get("/removals.csv")
@may("retention.read")
@long_running
def download_removals() -> Response:
    """Send the removals from the day `from` to the day `to` as a CSV file.

    By default, these are the days of the current month; the download is recorded in the audit.
    """
    period = _requested_period()
    file = f"ochirilganlar_{period.first}_{period.last}.csv"
    audit.record_entry(me().login, "retention.export", file)
    return Response(
        stream_with_context(_csv_pieces(period)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@screen.post("/holds")
@may("hold.change")
def add_hold() -> BaseResponse:
    """Add a hold, which protects a call or an appeal from removal, whatever its age."""
    form = {name: request.form.get(name, "") for name in ("kind", "subject", "why")}
    try:
        retention.set_hold(form["kind"], form["subject"], form["why"], by=me().login)
    except Refused as error:
        return refusals.redirect_back(url_for(".show_retention"), error.code)
    return _redirect_saved()


@screen.post("/holds/<int:id>/end")
@may("hold.change")
def end_hold(id: int) -> BaseResponse:
    """End a hold; from then on its call or appeal may be removed."""
    if not retention.end_hold(id, me().login):
        abort(404)
    return _redirect_saved()


def _current_month() -> Period:
    """Return the period from the first day of this month to today."""
    return Period(today().replace(day=1), today(), site().tz)


def _requested_period() -> Period:
    """Return the period that the URL requests, by default the current month until today.

    Aborts with 400 if a day is invalid.
    """
    default = _current_month()
    try:
        return requested_days(lambda first, last: (first or default.first, last or default.last))
    except PeriodError:
        abort(400)


def _csv_pieces(period: Period) -> Iterator[str]:
    """Return the text of the CSV file of the removals of a period in pieces."""
    removals = retention.removals_between(period.begin, period.end)
    cells = (_removal_cells(removal, period.tz) for removal in removals)
    return spreadsheets.csv_file_pieces(COLUMNS, cells, delimiter=",")


def _removal_cells(removal: "Removal", tz: dt.tzinfo) -> list[object]:
    """Return the cells of a removal in the CSV file; None for a detail that it does not have."""
    values = {"at": removal.at.astimezone(tz).isoformat(timespec="seconds")} | {
        name: getattr(removal, name) for name in ("kind", "subject", "rule")
    }
    return [values.get(name, removal.detail.get(name)) for name in COLUMNS]


def _redirect_saved() -> BaseResponse:
    """Show the message that the form was saved, and redirect to the page."""
    flash(_("Saved."))
    return redirect(url_for("retention.show_retention"))
