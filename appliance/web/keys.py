"""Keys for programs that read and answer appeals: made, shown once, revoked."""

import datetime as dt

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import clock, departments, identity, keys
from appliance.i18n import named
from appliance.models import AccessKey
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.language import locale

screen = Blueprint("keys", __name__, url_prefix="/keys")

KEEPERS = ("technician", "manager")
SCOPES: dict[str, LazyString] = {
    "appeals:read": _l("read appeals, without who the applicant is"),
    "appeals:personal": _l("see who the applicant is"),
    "appeals:write": _l("answer appeals and change their state"),
    "reports:read": _l("read reports"),
}
TROUBLES: dict[str, LazyString] = {
    "name": _l("Write a name that no other key has."),
    "scopes": _l("Choose what the key may do."),
    "ends": _l("Write a date to come, as 31.12.2027."),
}


@screen.get("")
@may(*KEEPERS)
def page() -> str:
    """Every key, and the form for a new one."""
    return _page()


@screen.post("")
@may(*KEEPERS)
def make() -> str | tuple[str, int]:
    """Make a key; its secret is on this answer and nowhere else."""
    department = departments.chosen(request.form.get("department", ""))
    try:
        key, secret = keys.make(
            request.form.get("name", ""),
            tuple(request.form.getlist("scope")),
            department=department and department.id,
            ends_at=_end(),
            by=me().login,
        )
    except keys.KeyRefused as error:
        return _page(trouble=str(TROUBLES[error.code])), 422
    return _page(made=key, secret=secret)


@screen.post("/<int:number>/revoke")
@may(*KEEPERS)
def revoke(number: int) -> BaseResponse:
    """End a key at once."""
    key = next((key for key in keys.every() if key.id == number), None) or abort(404)
    keys.revoke(key, me().login)
    flash(_("The key %(name)s is revoked.", name=key.name))
    return redirect(url_for("keys.page"))


def _page(made: AccessKey | None = None, secret: str = "", trouble: str = "") -> str:
    every = departments.departments(active=False)
    return render_template(
        "keys/page.html",
        keys=keys.every(),
        made=made,
        secret=secret,
        trouble=trouble,
        sent=request.form,
        scopes=SCOPES,
        departments={d.id: named(d, locale()) for d in every},
        now=clock.now(),
    )


def _end() -> dt.datetime | None:
    """The end of the day that was written; None when none was. Raises keys.KeyRefused."""
    text = request.form.get("ends", "").strip()
    if not text:
        return None
    day = identity.born(text)
    if not day:
        raise keys.KeyRefused("ends")
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), site().tz)
