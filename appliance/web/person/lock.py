"""The lock of a session while the user is away, and the PIN that unlocks it.

A cover hides each open page; a page that is opened or reloaded shows the page of the lock instead.
"""

from flask import (
    Blueprint,
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
from appliance.core.refusals import Refused
from appliance.people import pins, sessions, sign_ins
from appliance.web.person.login import is_password_correct, is_pin_correct, next_url
from appliance.web.shell import refusals
from appliance.web.shell.access import anyone, open_at_sign_in_step
from appliance.web.shell.context import me, site

screen = Blueprint("lock", __name__, url_prefix="/lock")


@screen.app_context_processor
def _lock_context() -> dict[str, object]:
    """Give the templates `lock_minutes` and `has_pin()`, which the cover of the lock needs.

    Pages lock themselves after `lock_minutes` without use.
    """
    return {"lock_minutes": site().sign_in.lock_minutes, "has_pin": _has_pin}


@screen.get("")
@anyone
@open_at_sign_in_step("unlock")
def show_lock_page() -> BaseResponse | str:
    """Show the page of the lock, for a page that is opened or reloaded while locked.

    If the session is not locked, redirect to the requested page.
    """
    if not current_user.session.locked_at:
        return redirect(next_url())
    return _render_lock_page()


@screen.post("")
@anyone
@open_at_sign_in_step("unlock")
def lock_session() -> Response:
    """Lock every page of this session."""
    sessions.lock_session(current_user.session)
    return Response(status=204)


@screen.post("/open")
@anyone
@open_at_sign_in_step("unlock")
def unlock_session() -> BaseResponse | tuple[str, int]:
    """Unlock the session by PIN or password.

    The page of the lock is then redirected to the requested page; a cover gets an empty response:
    204, or 422 if the PIN or password is wrong. After too many attempts, the session ends.
    """
    session, secret = current_user.session, request.form.get("password", "")
    by_pin = secret.isdecimal() and _has_pin()
    try:
        is_correct = (
            is_pin_correct(me(), secret, session.device) if by_pin else is_password_correct(secret)
        )
    except sign_ins.TooManyAttempts:
        return _end_session()
    except sign_ins.TooManyWaiting:
        abort(503)
    if is_correct:
        sessions.unlock_session(session)
        return Response(status=204) if _is_cover() else redirect(next_url())
    audit.record_entry(me().login, "session.unlock.failed", address=request.remote_addr)
    if _is_cover():
        return Response(status=422)
    return _render_lock_page(_("This is wrong.")), 422


@screen.post("/pin")
@anyone
def save_pin() -> BaseResponse:
    """Set the user's PIN, confirmed by their password; an empty PIN removes it."""
    # The field's name makes error pages and refusals leave it out, like any password.
    pin = request.form.get("new_password", "")
    try:
        if not is_password_correct(request.form.get("password", "")):
            return refusals.redirect_back(url_for("account.show_account"), "pin-password")
        if pin:
            pins.set_pin(me(), pin, site().web.secret_key)
        else:
            pins.remove_pin(me())
    except Refused:
        return refusals.redirect_back(url_for("account.show_account"), "pin")
    except sign_ins.TooManyAttempts:
        abort(429)
    except sign_ins.TooManyWaiting:
        abort(503)
    if pin:  # valid on this device at once, as the password was just checked
        pins.remember_desk(current_user.session)
    flash(_("Saved."))
    return redirect(url_for("account.show_account"))


def _has_pin() -> bool:
    """Return True if the signed-in user has a PIN."""
    return pins.has_pin(me(), site().web.secret_key)


def _end_session() -> BaseResponse:
    """End the session after too many wrong PINs or passwords, and redirect to the login page.

    A cover gets 401 instead.
    """
    sessions.end_session(current_user.session, me().login)
    logout_user()
    return Response(status=401) if _is_cover() else redirect(url_for("login.show_login_page"))


def _is_cover() -> bool:
    """Return True if the request is from the cover over an open page (static/lock.js).

    The cover evaluates the status of the response itself, so it must not be redirected.
    """
    return request.headers.get("X-Cover") == "1"


def _render_lock_page(trouble: str = "") -> str:
    """Render the page of the lock; `trouble` says why unlocking failed.

    The page opens the address `next` afterwards, and receives no live events.
    """
    onward = request.values.get("next", "")
    return render_template("lock/page.html", trouble=trouble, onward=onward, heard=None)
