"""What is kept for how long: what goes when, what is held back, what was removed."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import retention
from appliance.retention import disks
from appliance.web.access import may
from appliance.web.context import me, site

screen = Blueprint("retention", __name__, url_prefix="/retention")

KINDS: dict[str, LazyString] = {"call": _l("Call"), "appeal": _l("Appeal")}
REMOVED: dict[str, LazyString] = {
    "recording": _l("Recording"),
    "appeal": _l("Personal data of an appeal"),
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
@may("manager")
def page() -> str:
    """What goes in the months to come, the disks, the holds, the last removals."""
    return _page()


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
        trouble=trouble,
        sent=sent or {},
    )


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("retention.page"))
