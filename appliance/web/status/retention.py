"""What is kept for how long: what goes when, what is held back, what was removed."""

import datetime as dt
from collections.abc import Iterator
from itertools import chain
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
from appliance.casework import identity
from appliance.core import audit, clock, spreadsheets
from appliance.reports.periods import Period, PeriodError
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site

if TYPE_CHECKING:
    from appliance.models import Removal

screen = Blueprint("retention", __name__, url_prefix="/retention")

COLUMNS = ("at", "kind", "subject", "rule", "call", "sha256", "bytes")
KINDS: dict[str, LazyString] = {"call": _l("Call"), "appeal": _l("Appeal")}
REMOVED: dict[str, LazyString] = {
    "recording": _l("Recording"),
    "appeal": _l("Personal data of an appeal"),
    "draft": _l("Draft"),
    "call_form": _l("Registered call, personal data"),
    "note": _l("Note at a missed caller"),
    "appeal_person": _l("Who an appeal is of, at his request"),
    "call_form_person": _l("Who a registered call is of, at his request"),
    "call_person": _l("Recordings to go at a citizen's request"),
    "data_request": _l("Who asked about own data"),
    "stray": _l("File of no recording"),
}
DISKS: dict[str, LazyString] = {
    "database": _l("Disk of the database"),
    "recordings": _l("Disk of the recordings"),
}
TROUBLES: dict[str, LazyString] = {
    "why": _l("Write why it is held."),
    "subject": _l("There is no such call or appeal."),
}


@screen.get("")
@may("retention.read")
def page() -> str:
    """What goes in the months to come, the disks, the holds, the last removals."""
    was = refusals.latest()
    return render_template(
        "retention/page.html",
        kept=site().retention,
        coming=retention.coming(site()),
        forecasts=[retention.forecast(site(), disk) for disk in disks.folders(site())],
        disks=DISKS,
        holds=retention.holds(),
        kinds=KINDS,
        removals=retention.removals(),
        removed=REMOVED,
        doubt=retention.doubt(),
        period=_this_month(),
        kept_monthly=max((backup.keep_monthly for backup in site().backups), default=0),
        trouble=TROUBLES.get(was.trouble),
        sent=was.values,
    )


@screen.get("/removals.csv")
@may("retention.read")
@heavy
def download() -> Response:
    """Every removal from one day to another (`from`, `to`: the running month) as CSV."""
    period = _period()
    file = f"ochirilganlar_{period.first}_{period.last}.csv"
    audit.record(me().login, "retention.export", file)
    return Response(
        stream_with_context(_written(period)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@screen.post("/holds")
@may("hold.change")
def hold() -> BaseResponse:
    """Keep something whatever its age."""
    sent = {name: request.form.get(name, "") for name in ("kind", "subject", "why")}
    try:
        retention.hold(**sent, by=me().login)
    except retention.HoldError as error:
        return refusals.back(url_for(".page"), error.code)
    return _saved()


@screen.post("/holds/<int:id>/end")
@may("hold.change")
def end(id: int) -> BaseResponse:
    """End a hold."""
    if not retention.end(id, me().login):
        abort(404)
    return _saved()


def _this_month() -> Period:
    today = clock.now().astimezone(site().tz).date()
    return Period(today.replace(day=1), today, site().tz)


def _period() -> Period:
    """The days that the address asks for; 400 for what are none."""
    usual = _this_month()
    first, last = (
        identity.day(text) if (text := request.args.get(name, "").strip()) else day
        for name, day in (("from", usual.first), ("to", usual.last))
    )
    if not first or not last or first > last:
        abort(400)
    try:
        return Period(first, last, usual.tz)
    except PeriodError:
        abort(400)


def _written(period: Period) -> Iterator[str]:
    removed = retention.removed_between(period.begin, period.end)
    yield spreadsheets.MARK
    yield from spreadsheets.pieces(chain([COLUMNS], (_cells(one, period.tz) for one in removed)))


def _cells(removal: "Removal", tz: dt.tzinfo) -> list[object]:
    told = {"at": removal.at.astimezone(tz).isoformat(timespec="seconds")} | {
        name: getattr(removal, name) for name in ("kind", "subject", "rule")
    }
    return [told.get(name, removal.detail.get(name)) for name in COLUMNS]


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("retention.page"))
