"""Snapshots: where they go, how old, verified or not, the restore drill, the recovery sheet."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import audit, i18n
from appliance.reports import pdf
from appliance.snapshots import SnapshotError, continuous, log, sheet, verifying
from appliance.web.access import may
from appliance.web.context import me, site

screen = Blueprint("backups", __name__, url_prefix="/backups")

KINDS: dict[str, LazyString] = {
    "create": _l("Snapshot"),
    "verify": _l("Verification"),
    "drill": _l("Restore drill"),
}
# state: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "asked": (_l("Waits"), "", "hourglass"),
    "running": (_l("Running"), "accent", "hourglass"),
    "done": (_l("Verified"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
}
TROUBLES: dict[str, LazyString] = {
    "absent": _l("There is no repository: is the disk or the share mounted?"),
    "key": _l("The key does not open it: compare it with the recovery sheet."),
    "locked": _l("Another snapshot or restore was going on; try again."),
    "full": _l("A disk is full: make room, or keep fewer snapshots."),
    "denied": _l("The box may not write or read there: check the rights of the share."),
    "unreachable": _l("The server cannot be reached: look at the link."),
    "damaged": _l("It is damaged: look at that disk, and make a new snapshot elsewhere."),
    "unknown": _l("There is no such snapshot."),
    "setting": _l("Something is missing in the settings."),
    "failed": _l("It did not end well; try again."),
}


@screen.get("")
@may("technician", "backup")
def page() -> str:
    """Where snapshots go, what was done, what can be started."""
    return render_template("backups/page.html", **_shown())


@screen.get("/list")
@may("technician", "backup")
def table() -> str:
    """The same, as a piece of the open page."""
    return render_template("backups/list.html", **_shown())


@screen.post("/ask/<any(create, verify, drill):kind>")
@may("technician", "backup")
def ask(kind: str) -> BaseResponse:
    """Have a snapshot made, verified or tried out by `appliance jobs`."""
    name = request.form.get("repository", "")
    if name and name not in [backup.name for backup in site().backups]:
        abort(404)
    if log.ask(kind, name, me().login):
        flash(_("It begins within seconds."))
    else:
        flash(_("It is going on already."))
    return redirect(url_for("backups.page"))


@screen.post("/sheet.pdf")
@may("technician", "backup")
def recovery_sheet() -> Response | tuple[str, int]:
    """The recovery sheet with the keys; that it was taken is written down."""
    language = request.form.get("lang", "ru")
    if language not in i18n.LOCALES:
        abort(400)
    try:
        printed = pdf.write(sheet.page(site(), language))
    except SnapshotError:
        return render_template("backups/page.html", **_shown(str(TROUBLES["setting"]))), 409
    audit.record(me().login, "snapshot.sheet")
    return Response(
        printed,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": 'attachment; filename="recovery-sheet.pdf"',
            "Cache-Control": "no-store",
        },
    )


def _shown(trouble: str = "") -> dict[str, Any]:
    settings = site()
    return {
        "standing": verifying.standing(settings),
        "runs": log.newest(),
        "drill": log.latest("drill"),
        "replica": settings.snapshots.replica,
        "replica_at": continuous.last_change(settings) if settings.snapshots.replica else None,
        "kinds": KINDS,
        "states": STATES,
        "troubles": TROUBLES,
        "trouble": trouble,
    }
