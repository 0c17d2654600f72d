"""Sign-ins that hold: a person's own, and everybody's for the technician; each can be ended."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.people import accounts, sessions
from appliance.web.person.account import ROLES
from appliance.web.shell.access import anyone, may
from appliance.web.shell.context import me
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import Session

screen = Blueprint("sessions", __name__)
own = Blueprint("my_sessions", __name__, url_prefix="/account/sessions")

# How a browser and a system name themselves, the telling ones first: each claims to be others too.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "YaBrowser/": "Yandex",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def init_app(app: Flask) -> None:
    """Give templates the filter `agent`."""
    app.jinja_env.filters["agent"] = agent


def agent(text: str) -> str:
    """A browser and its system, short, by what it calls itself; "" when it tells neither."""
    found = [
        next((name for sign, name in signs.items() if sign in text), "")
        for signs in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in found if name)


@own.get("")
@anyone
def own_page() -> str:
    """Where whoever asks is signed in."""
    return render_template(
        "sessions/mine.html", sessions=sessions.of(me()), here=current_user.session, whose=False
    )


@own.post("/<int:number>/end")
@anyone
def end_mine(number: int) -> BaseResponse:
    """End one of one's own, perhaps the one that asks."""
    one = _session(number)
    if one.user != me():
        abort(404)
    sessions.end(one, me().login)
    if one != current_user.session:
        flash(_("Signed out there."))
    return redirect(url_for("my_sessions.own_page"))


@own.post("/end-others")
@anyone
def end_others() -> BaseResponse:
    """End all of one's own but the one that asks."""
    over = sessions.end_others(current_user.session)
    flash(ngettext("Signed out on %(num)s device.", "Signed out on %(num)s devices.", over))
    return redirect(url_for("my_sessions.own_page"))


@screen.get("/sessions")
@may("session.end")
def page() -> str:
    """Everybody who is signed in."""
    return render_template("sessions/page.html", **_every())


@screen.get("/sessions/list")
@may("session.end")
def table() -> str:
    """The same, as a piece of the open page."""
    return render_template("sessions/every.html", **_every())


@screen.post("/sessions/<int:number>/end")
@may("session.end")
def end(number: int) -> BaseResponse:
    """End anybody's; its open pages are told at once."""
    one = _session(number)
    sessions.end(one, me().login)
    flash(_("Signed out: %(name)s", name=accounts.named(one.user, locale())))
    return redirect(url_for("sessions.page"))


def _session(number: int) -> "Session":
    return sessions.find(number) or abort(404)


def _every() -> dict[str, Any]:
    return {
        "sessions": sessions.every(),
        "here": current_user.session,
        "whose": True,
        "roles": ROLES,
    }
