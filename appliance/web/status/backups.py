"""Snapshots: where they go, how old, verified or not, the restore drill, the recovery sheet."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box.snapshots import SnapshotError, continuous, log, sealing, sheet, verifying
from appliance.core import audit, i18n
from appliance.reports import pdf
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site

screen = Blueprint("backups", __name__, url_prefix="/backups")

KINDS: dict[str, LazyString] = {
    "create": _l("Snapshot"),
    "verify": _l("Verification"),
    "drill": _l("Restore drill"),
    log.COPY: _l("Drill of the continuous copy"),
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
    "unprinted": _l("Print the recovery sheet first: the key of the secrets is only here."),
}


@screen.get("")
@may("snapshot.keep")
def page() -> str:
    """Where snapshots go, what was done, what can be started."""
    return render_template("backups/page.html", **_context())


@screen.get("/list")
@may("snapshot.keep")
def table() -> str:
    """The same, as a piece of the open page."""
    return render_template("backups/list.html", **_context())


@screen.post("/ask/<any(create, verify, drill):kind>")
@may("snapshot.keep")
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
@may("snapshot.keep")
@heavy
def recovery_sheet() -> BaseResponse:
    """The recovery sheet with the keys; that it was taken is written down."""
    language = request.form.get("lang", "ru")
    if language not in i18n.LOCALES:
        abort(400)
    try:
        printed = pdf.write(sheet.page(site(), language, log.bytes_to_restore()))
    except SnapshotError:
        return refusals.back(url_for(".page"), "setting")
    audit.record(me().login, sealing.PRINTED)
    return Response(
        printed,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": 'attachment; filename="recovery-sheet.pdf"',
            "Cache-Control": "no-store",
        },
    )


@screen.post("/remove-key")
@may("snapshot.keep")
def remove_key() -> BaseResponse:
    """Remove the keys of the secrets and the disk from the box once they are on paper."""
    if not sealing.on_the_box(site()):
        return redirect(url_for("backups.page"))
    try:
        sealing.remove(site(), me().login)
    except SnapshotError as error:
        return refusals.back(url_for(".page"), error.code)
    flash(_("The keys are now only on paper."))
    return redirect(url_for("backups.page"))


def _context() -> dict[str, Any]:
    settings = site()
    return {
        "standing": verifying.standing(settings),
        "runs": log.newest(),
        "drill": log.latest("drill"),
        "reaches_keys": sealing.reaches_keys(settings),
        "key_is_here": bool(sealing.on_the_box(settings)),
        "copy_drill": log.latest(log.COPY),
        "replica": settings.snapshots.replica,
        "replica_at": continuous.last_change(settings) if settings.snapshots.replica else None,
        "kinds": KINDS,
        "states": STATES,
        "troubles": TROUBLES,
        "trouble": TROUBLES.get(refusals.latest().trouble),
    }
