"""A user's own settings: language, appearance, password."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from appliance.core.refusals import Refused
from appliance.people import accounts, sign_ins
from appliance.web.person.login import begin_session, current_device
from appliance.web.shell import refusals
from appliance.web.shell.access import anyone, open_at_any_sign_in_step, open_at_sign_in_step
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import ROLE_NAMES
from appliance.web.shell.request_data import local_address

screen = Blueprint("account", __name__)

TROUBLES: dict[str, LazyString] = {
    "wrong": _l("The current password is wrong."),
    "differs": _l("The new password was typed differently the second time."),
    "short": _l("The new password is too short."),
    "weak": _l("The new password is too easy to guess: use several words."),
    "same": _l("The new password is the same as the current one."),
    "elsewhere": _l(
        "Your password is stored in the directory of your organisation: change it there."
    ),
}

PIN_TROUBLES: dict[str, LazyString] = {
    "pin-password": TROUBLES["wrong"],
    "pin": _l("Enter four to eight digits, not 1234 and not 1111."),
}


@screen.get("/account")
@anyone
def show_account() -> str:
    """Show the user's own settings."""
    return render_template(
        "account/page.html",
        role_name=ROLE_NAMES[me().role],
        trouble=TROUBLES.get(refusals.latest_refusal().trouble),
        pin_trouble=PIN_TROUBLES.get(refusals.latest_refusal().trouble),
        shortest=accounts.MIN_PASSWORD_CHARS,
    )


@screen.post("/account/language")
@anyone
@open_at_any_sign_in_step
def save_language() -> BaseResponse:
    """Change the language of the user's pages, and redirect to the page where it was changed.

    Aborts with 400 if there is no such language.
    """
    language_code = request.form.get("language", "")
    try:
        accounts.choose_language(me(), language_code)
    except Refused as error:
        raise BadRequest from error
    return redirect(local_address(request.form.get("back", "")) or url_for("account.show_account"))


@screen.post("/account/appearance")
@anyone
def save_appearance() -> BaseResponse:
    """Change the user's theme (light or dark) and the size of text."""
    try:
        accounts.choose_appearance(
            me(), request.form.get("theme", ""), "large_text" in request.form
        )
    except Refused as error:
        raise BadRequest from error
    flash(_("Saved."))
    return redirect(url_for("account.show_account"))


@screen.post("/account/password")
@anyone
def save_password() -> BaseResponse:
    """Change the user's password; all their other sessions end."""
    if trouble := _change_password():
        return refusals.redirect_back(url_for(".show_account"), trouble)
    flash(_("The password was changed. Your other devices were signed out."))
    return redirect(url_for("account.show_account"))


@screen.get("/account/first-password")
@anyone
@open_at_sign_in_step("password")
def show_first_password_form() -> BaseResponse | str:
    """Show the form in which a user replaces the password that somebody else set for them.

    Until they do so, no other page is open to them.
    """
    if not me().must_change:
        return redirect(url_for("login.redirect_home"))
    return render_template(
        "account/first.html",
        trouble=TROUBLES.get(refusals.latest_refusal().trouble),
        shortest=accounts.MIN_PASSWORD_CHARS,
        heard=None,  # the page receives no live events, which are not open at this step
    )


@screen.post("/account/first-password")
@anyone
@open_at_sign_in_step("password")
def save_first_password() -> BaseResponse:
    """Replace the password that somebody else set, and redirect to the user's start page."""
    if trouble := _change_password():
        return refusals.redirect_back(url_for(".show_first_password_form"), trouble)
    flash(_("The password was changed."))
    return redirect(url_for("login.redirect_home"))


def _change_password() -> str:
    """Change the password as submitted; return "", or the code of the reason if it is refused.

    All sessions of the user end, and a new one begins in this browser.
    Aborts with 429 after too many wrong passwords, and with 503 while the server is checking too
    many passwords at once.
    """
    user, form = me(), request.form
    new_password = form.get("new_password", "")
    if new_password != form.get("new_password_again", ""):
        return "differs"
    device, address = current_device(), request.remote_addr or ""
    old_password, device_name = form.get("password", ""), device.name_for_login(user.login)
    try:
        sign_ins.change_password(
            user, old_password, new_password, address, device_name, site().ldap
        )
    except Refused as error:
        return error.code
    except sign_ins.TooManyAttempts:
        abort(429)
    except sign_ins.TooManyWaiting:
        abort(503)
    begin_session(user, device, current_user.session.factor)
    return ""
