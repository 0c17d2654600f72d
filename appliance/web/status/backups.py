"""The backups page: snapshots and their verification, restore tests (drills), recovery sheet."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box.snapshots import continuous, log, recovery_sheet, sealing, verifying
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, i18n
from appliance.reports import pdf
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site

screen = Blueprint("backups", __name__, url_prefix="/backups")

KINDS: dict[str, LazyString] = {
    "create": _l("Snapshot"),
    "verify": _l("Verification"),
    "drill": _l("Restore test"),
    log.COPY_DRILL_KIND: _l("Restore test of the continuous copy"),
}
# By state of a run: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "asked": (_l("Pending"), "", "hourglass"),
    "running": (_l("Running"), "accent", "hourglass"),
    "done": (_l("Verified"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
}
TROUBLES: dict[str, LazyString] = {
    "absent": _l("There is no repository: is the disk or the share mounted?"),
    "key": _l("The key does not fit: compare it with the recovery sheet."),
    "locked": _l("Another snapshot or restore was running; try again."),
    "full": _l("A disk is full: free some space, or keep fewer snapshots."),
    "denied": _l("The server may not write or read there: check the permissions of the share."),
    "unreachable": _l("The server cannot be reached: check the connection."),
    "damaged": _l("It is damaged: check that disk, and make a new snapshot elsewhere."),
    "unknown": _l("There is no such snapshot."),
    "setting": _l("Something is missing in the settings."),
    "failed": _l("It was not successful; try again."),
    "unprinted": _l("Print the recovery sheet first: the key of the secrets is stored only here."),
}


@screen.get("")
@may("snapshot.keep")
def show_backups() -> str:
    """Show where snapshots are stored, the past runs, and the actions that can be started."""
    return render_template("backups/page.html", **_backups_context())


@screen.get("/list")
@may("snapshot.keep")
def show_backup_list() -> str:
    """Show the repositories and past runs, as a fragment of the open page."""
    return render_template("backups/list.html", **_backups_context())


@screen.post("/ask/<any(create, verify, drill):kind>")
@may("snapshot.keep")
def request_action(kind: str) -> BaseResponse:
    """Request that the process `appliance jobs` make, verify or test-restore a snapshot.

    The field `repository` limits that to one repository. Aborts with 404 if there is no such one.
    """
    name = request.form.get("repository", "")
    if name and name not in [backup.name for backup in site().backups]:
        abort(404)
    if log.request_run(kind, name, me().login):
        flash(_("It starts within seconds."))
    else:
        flash(_("It is already running."))
    return redirect(url_for("backups.show_backups"))


@screen.post("/sheet.pdf")
@may("snapshot.keep")
@long_running
def download_recovery_sheet() -> BaseResponse:
    """Send the recovery sheet, which has the keys, as a PDF; that is recorded in the audit."""
    language = request.form.get("lang", "ru")
    if language not in i18n.LOCALES:
        abort(400)
    try:
        pdf_bytes = pdf.write_pdf(
            recovery_sheet.render_sheet(site(), language, log.bytes_to_restore())
        )
    except SnapshotError:
        return refusals.redirect_back(url_for(".show_backups"), "setting")
    audit.record_entry(me().login, sealing.SHEET_PRINTED_ACTION)
    return Response(
        pdf_bytes,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": 'attachment; filename="recovery-sheet.pdf"',
            "Cache-Control": "no-store",
        },
    )


@screen.post("/remove-key")
@may("snapshot.keep")
def remove_keys() -> BaseResponse:
    """Remove the keys that decrypt the secrets and the disk from the appliance.

    This is refused until the recovery sheet, which has them on paper, was printed. Nothing happens
    if they were removed already.
    """
    if not sealing.keys_on_box(site()):
        return redirect(url_for("backups.show_backups"))
    try:
        sealing.remove_paper_keys(site(), me().login)
    except SnapshotError as error:
        return refusals.redirect_back(url_for(".show_backups"), error.code)
    flash(_("The keys are now only on paper."))
    return redirect(url_for("backups.show_backups"))


def _backups_context() -> dict[str, Any]:
    """Return the template context of the page and of its list.

    `standing` has, by repository, its last good snapshot, verification and failure. `drill` and
    `copy_drill` are the last restore tests of a snapshot and of the continuous copy; `replica_at`
    is when that copy last changed, None if the site has no such copy or it is empty. `key_is_here`:
    keys that belong on paper only are still on the appliance; it is known only if `reaches_keys`.
    """
    settings = site()
    return {
        "standing": verifying.repository_standings(settings),
        "runs": log.recent_snapshot_runs(),
        "drill": log.latest_snapshot_run("drill"),
        "reaches_keys": sealing.can_access_keys(settings),
        "key_is_here": bool(sealing.keys_on_box(settings)),
        "copy_drill": log.latest_snapshot_run(log.COPY_DRILL_KIND),
        "replica": settings.snapshots.replica,
        "replica_at": continuous.last_change_at(settings) if settings.snapshots.replica else None,
        "kinds": KINDS,
        "states": STATES,
        "troubles": TROUBLES,
        "trouble": TROUBLES.get(refusals.latest_refusal().trouble),
    }
