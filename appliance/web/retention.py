"""What is kept for how long: what goes when, what is held back, what was removed."""

import csv
import datetime as dt
import io
from collections.abc import Iterator

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

from appliance import audit, clock, identity, retention
from appliance.models import Removal
from appliance.reports import figures
from appliance.reports.periods import Period
from appliance.retention import disks
from appliance.web.access import may
from appliance.web.context import me, site

screen = Blueprint("retention", __name__, url_prefix="/retention")

READERS = ("manager", "technician")  # only the manager holds back and lets go
COLUMNS = ("at", "kind", "subject", "rule", "call", "sha256", "bytes")
CHUNK = 500  # rows sent at once
KINDS: dict[str, LazyString] = {"call": _l("Call"), "appeal": _l("Appeal")}
REMOVED: dict[str, LazyString] = {
    "recording": _l("Recording"),
    "appeal": _l("Personal data of an appeal"),
    "draft": _l("Draft"),
    "note": _l("Note at a missed caller"),
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
@may(*READERS)
def page() -> str:
    """What goes in the months to come, the disks, the holds, the last removals."""
    return _page()


@screen.get("/removals.csv")
@may(*READERS)
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
@may("manager")
def hold() -> BaseResponse | tuple[str, int]:
    """Keep something whatever its age."""
    sent = {name: request.form.get(name, "") for name in ("kind", "subject", "why")}
    try:
        retention.hold(**sent, by=me().login)
    except retention.HoldError as error:
        return _page(str(TROUBLES[error.code]), sent), 422
    return _saved()


@screen.post("/holds/<int:id>/end")
@may("manager")
def end(id: int) -> BaseResponse:
    """End a hold."""
    if not retention.end(id, me().login):
        abort(404)
    return _saved()


def _page(trouble: str = "", sent: dict[str, str] | None = None) -> str:
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
        trouble=trouble,
        sent=sent or {},
    )


def _this_month() -> Period:
    today = clock.now().astimezone(site().tz).date()
    return Period(today.replace(day=1), today, site().tz)


def _period() -> Period:
    """The days that the address asks for; 400 for what are none."""
    usual = _this_month()
    first, last = (
        identity.born(text) if (text := request.args.get(name, "").strip()) else day
        for name, day in (("from", usual.first), ("to", usual.last))
    )
    if not first or not last or first > last:
        abort(400)
    return Period(first, last, usual.tz)


def _written(period: Period) -> Iterator[str]:
    piece = io.StringIO("\ufeff")  # tells office programs what it is
    piece.seek(0, io.SEEK_END)
    writer = csv.writer(piece, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number, removal in enumerate(retention.removed_between(period.begin, period.end), 1):
        writer.writerow(_cells(removal, period.tz))
        if number % CHUNK == 0:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def _cells(removal: Removal, tz: dt.tzinfo) -> list[str]:
    told = {"at": removal.at.astimezone(tz).isoformat(timespec="seconds")} | {
        name: getattr(removal, name) for name in ("kind", "subject", "rule")
    }
    cells = (told.get(name, removal.detail.get(name)) for name in COLUMNS)
    return ["" if cell is None else figures.harmless(str(cell)) for cell in cells]


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("retention.page"))
