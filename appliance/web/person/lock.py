"""A page that is covered while nobody sits before it, and the PIN that uncovers it."""

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit
from appliance.people import pins, sessions, sign_ins
from appliance.people.accounts import StaffError
from appliance.web.person.login import knows_password, knows_pin
from appliance.web.shell import refusals
from appliance.web.shell.access import anyone, at_step
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import ours

screen = Blueprint("lock", __name__, url_prefix="/lock")


def init_app(app: Flask) -> None:
    """Give every page what its cover needs."""

    @app.context_processor
    def words() -> dict[str, object]:
        return {"lock_minutes": site().sign_in.lock_minutes, "has_pin": _has_pin}


@screen.get("")
@anyone
@at_step("unlock")
def page() -> BaseResponse | str:
    """The cover as a page of its own, for whoever opens or reloads one while it is locked."""
    if not current_user.session.locked_at:
        return redirect(_onward())
    return _page()


@screen.post("")
@anyone
@at_step("unlock")
def close() -> Response:
    """Lock every page of this session."""
    sessions.lock(current_user.session)
    return Response(status=204)


@screen.post("/open")
@anyone
@at_step("unlock")
def uncover() -> BaseResponse | tuple[str, int]:
    """Unlock by the PIN, or the password: 204 to a cover, to the page asked for from the page."""
    session, typed = current_user.session, request.form.get("password", "")
    by_pin = typed.isdecimal() and _has_pin()
    try:
        known = knows_pin(me(), typed, session.device) if by_pin else knows_password(typed)
    except sign_ins.TooMany:
        return _end()
    except sign_ins.Busy:
        abort(503)
    if known:
        sessions.unlock(session)
        return Response(status=204) if _is_cover() else redirect(_onward())
    audit.record(me().login, "session.unlock.failed", address=request.remote_addr)
    if _is_cover():
        return Response(status=422)
    return _page(_("That is wrong.")), 422


@screen.post("/pin")
@anyone
def choose() -> BaseResponse:
    """Choose one's PIN, by the password; an empty one forgets it."""
    pin = request.form.get("new_password", "")
    try:
        if not knows_password(request.form.get("password", "")):
            return refusals.back(url_for("account.page"), "pin-password")
        if pin:
            pins.choose(me(), pin, site().web.secret_key)
        else:
            pins.give_up(me())
    except StaffError:
        return refusals.back(url_for("account.page"), "pin")
    except sign_ins.TooMany:
        abort(429)
    except sign_ins.Busy:
        abort(503)
    if pin:
        pins.remember(current_user.session)
    flash(_("Saved."))
    return redirect(url_for("account.page"))


def _has_pin() -> bool:
    return pins.has(me(), site().web.secret_key)


def _end() -> BaseResponse:
    """Guessed too often: the session is over, and so is the PIN at this desk."""
    sessions.end(current_user.session, me().login)
    logout_user()
    return Response(status=401) if _is_cover() else redirect(url_for("login.page"))


def _is_cover() -> bool:
    return request.headers.get("X-Cover") == "1"


def _page(trouble: str = "") -> str:
    onward = request.values.get("next", "")
    return render_template("lock/page.html", trouble=trouble, onward=onward, heard=None)


def _onward() -> str:
    return ours(request.values.get("next", "")) or url_for("login.home")
