"""Active sessions: the user's own, and for the technician those of all; each can be ended."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.people import accounts, sessions
from appliance.web.shell.access import anyone, may
from appliance.web.shell.context import me
from appliance.web.shell.labels import ROLE_NAMES
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import Session

screen = Blueprint("sessions", __name__)
own_screen = Blueprint("my_sessions", __name__, url_prefix="/account/sessions")

# Names of browsers and systems by their marks in a User-Agent. The order matters: a User-Agent also
# has the marks of those that come later here.
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


@screen.app_template_filter("agent")
def browser_and_system(text: str) -> str:
    """Return the browser and its system from a User-Agent, such as "Firefox, Windows".

    Returns "" if neither is recognised.
    """
    names = [
        next((name for mark, name in marks.items() if mark in text), "")
        for marks in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in names if name)


@own_screen.get("")
@anyone
def list_own_sessions() -> str:
    """Show where the user is signed in."""
    return render_template(
        "sessions/mine.html",
        sessions=sessions.user_sessions(me()),
        here=current_user.session,
        whose=False,  # the user's name is left out: all sessions are their own
    )


@own_screen.post("/<int:number>/end")
@anyone
def end_own_session(number: int) -> BaseResponse:
    """End one of the user's own sessions, even the current one; abort with 404 for another's."""
    user_session = _session_or_404(number)
    if user_session.user != me():
        abort(404)
    sessions.end_session(user_session, me().login)
    if user_session != current_user.session:
        flash(_("Signed out there."))
    return redirect(url_for("my_sessions.list_own_sessions"))


@own_screen.post("/end-others")
@anyone
def end_other_sessions() -> BaseResponse:
    """End all of the user's own sessions except the current one."""
    ended_count = sessions.end_other_sessions(current_user.session)
    flash(ngettext("Signed out on %(num)s device.", "Signed out on %(num)s devices.", ended_count))
    return redirect(url_for("my_sessions.list_own_sessions"))


@screen.get("/sessions")
@may("session.end")
def list_sessions() -> str:
    """Show everybody who is signed in."""
    return render_template("sessions/page.html", **_session_list_context())


@screen.get("/sessions/list")
@may("session.end")
def show_session_list() -> str:
    """Show the list of everybody who is signed in, as a fragment of the open page."""
    return render_template("sessions/every.html", **_session_list_context())


@screen.post("/sessions/<int:number>/end")
@may("session.end")
def end_session(number: int) -> BaseResponse:
    """End a session of any user; its open pages are notified at once."""
    user_session = _session_or_404(number)
    sessions.end_session(user_session, me().login)
    flash(_("Signed out: %(name)s", name=accounts.display_name(user_session.user, locale())))
    return redirect(url_for("sessions.list_sessions"))


def _session_or_404(number: int) -> "Session":
    """Return the session with this id, of any user; abort with 404 if there is no such session."""
    return sessions.find_session(number) or abort(404)


def _session_list_context() -> dict[str, Any]:
    """Return the context of the list of all valid sessions; `whose`: it names their users."""
    return {
        "sessions": sessions.valid_sessions(),
        "here": current_user.session,
        "whose": True,
        "roles": ROLE_NAMES,
    }
