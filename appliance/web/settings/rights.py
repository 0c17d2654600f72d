"""Rights, to whoever grants them: who may do what with which records, what goes by the person."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import departments
from appliance.casework.appeals import personal
from appliance.core.i18n import named
from appliance.people import accounts, rights
from appliance.telephony import recordings
from appliance.web.person.account import ROLES
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("rights", __name__, url_prefix="/rights")


@screen.get("")
@may("right.read")
def page() -> str:
    """The table: each action, and with which records each role may do it."""
    return _page()


@screen.get("/<int:number>")
@may("right.read")
def person(number: int) -> str:
    """The table beside what goes by one person."""
    return _page(accounts.find(number) or abort(404))


@screen.post("/<int:number>/recordings")
@may("recording.grant")
def recording(number: int) -> BaseResponse:
    """Give somebody the right to hear recordings, or take it, whichever he has not."""
    user = accounts.find(number) or abort(404)
    if not recordings.may_be_allowed(user):
        abort(404)
    recordings.allow(user, not recordings.is_allowed(user), by=me().login)
    flash(_("Saved: %(name)s", name=accounts.named(user, locale())))
    return redirect(url_for(".person", number=number))


def _page(one: "User | None" = None) -> str:
    return render_template(
        "rights/page.html",
        one=one,
        people=[user for user in accounts.everybody() if user.active],
        roles=ROLES,
        rows=[
            (
                _(right.thing) + (f": {_(right.done)}" if right.done else ""),
                {role: right.scopes.get(role, rights.NONE) for role in ROLES},
            )
            for right in rights.RIGHTS
        ],
        scopes={scope: _(name) for scope, name in rights.SCOPES.items()},
        **(_own(one) if one else {}),
    )


def _own(one: "User") -> dict[str, Any]:
    """What goes by the person."""
    names = {d.id: named(d, locale()) for d in departments.departments(active=False)}
    return {
        "department": names.get(accounts.department_of(one) or 0),
        "by_department": rights.scope_of(one, "appeal.read") == rights.DEPARTMENT,
        "listens": recordings.is_allowed(one) if recordings.may_be_allowed(one) else None,
        "listening": rights.scope_of(one, "recording.listen"),
        "may_grant": rights.has(me(), "recording.grant"),
        "named_for": [reader.appeal.number for reader in personal.named_for(one.login)],
    }
