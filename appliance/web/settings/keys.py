"""Keys for programs that read and answer appeals: made, shown once, confirmed, revoked."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import departments, identity
from appliance.core import clock
from appliance.core.i18n import named
from appliance.people import keys, rights
from appliance.web.shell import refusals
from appliance.web.shell.access import may, shown_when
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import AccessKey

screen = Blueprint("keys", __name__, url_prefix="/keys")

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
    "rights": _l("Only the manager makes keys, and nobody gives a right that he has not."),
}


def has_work() -> bool:
    """Whether the reader has anything to do here: keys are his to keep, or one waits for him."""
    return rights.has(me(), "key.revoke") or bool(keys.waiting_for(me()))


@screen.get("")
@may("key.read")
@shown_when(has_work)
def page() -> str:
    """Every key, and the form for a new one; for who keeps none, what waits for his word."""
    return _page()


@screen.post("")
@may("key.make")
def make() -> BaseResponse | str:
    """Make a key; its secret is on this answer and nowhere else."""
    department = departments.chosen(request.form.get("department", ""))
    try:
        key, secret = keys.make(
            request.form.get("name", ""),
            tuple(request.form.getlist("scope")),
            department=department and department.id,
            ends_at=_end(),
            by=me(),
        )
    except keys.KeyRefused as error:
        return refusals.back(url_for(".page"), error.code)
    return _page(made=key, secret=secret)


@screen.post("/<int:number>/confirm")
@may("key.confirm")
def confirm(number: int) -> BaseResponse:
    """Put a key in force that somebody else has made."""
    key = keys.key(number) or abort(404)
    try:
        keys.confirm(key, me())
    except keys.KeyRefused:
        abort(403)
    flash(_("The key %(name)s is in force.", name=key.name))
    return redirect(url_for("keys.page"))


@screen.post("/<int:number>/revoke")
@may("key.revoke")
def revoke(number: int) -> BaseResponse:
    """End a key at once."""
    key = keys.key(number) or abort(404)
    keys.revoke(key, me().login)
    flash(_("The key %(name)s is revoked.", name=key.name))
    return redirect(url_for("keys.page"))


def _page(made: "AccessKey | None" = None, secret: str = "") -> str:
    was = refusals.latest()
    every = departments.departments(active=False)
    keeps = rights.has(me(), "key.revoke")
    waiting = keys.waiting_for(me())
    return render_template(
        "keys/page.html",
        keys=keys.every() if keeps else waiting,
        keeps=keeps,
        makes=rights.has(me(), "key.make"),
        mine={key.id for key in waiting},
        made=made,
        secret=secret,
        trouble=TROUBLES.get(was.trouble),
        sent=was.values,
        scopes=SCOPES,
        departments={d.id: named(d, locale()) for d in every},
        now=clock.now(),
    )


def _end() -> dt.datetime | None:
    """The end of the day that was written; None when none was. Raises keys.KeyRefused."""
    text = request.form.get("ends", "").strip()
    if not text:
        return None
    day = identity.day(text)
    if not day:
        raise keys.KeyRefused("ends")
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), site().tz)
