"""A person's own settings: language, appearance, password."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from appliance.people import accounts, sign_ins
from appliance.people.accounts import StaffError
from appliance.web.person.login import begin, this_device
from appliance.web.shell import refusals
from appliance.web.shell.access import anyone, at_step, before_all
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import ours

screen = Blueprint("account", __name__)

ROLES: dict[str, LazyString] = {
    "operator": _l("operator"),
    "supervisor": _l("supervisor"),
    "manager": _l("project manager"),
    "ministry": _l("ministry"),
    "technician": _l("technician"),
    "backup": _l("backup operator"),
}
TROUBLES: dict[str, LazyString] = {
    "wrong": _l("The password that you have now was typed wrong."),
    "differs": _l("The new password was typed differently the second time."),
    "short": _l("The new password is too short."),
    "weak": _l("The new password is too easy to guess: take several words."),
    "same": _l("The new password is the one that you have now."),
    "elsewhere": _l(
        "Your password is kept by the directory of your organisation: change it there."
    ),
}

PIN_TROUBLES: dict[str, LazyString] = {
    "pin-password": TROUBLES["wrong"],
    "pin": _l("Write four to eight digits, not 1234 and not 1111."),
}


@screen.get("/account")
@anyone
def page() -> str:
    """The settings of whoever asks."""
    return render_template(
        "account/page.html",
        role_name=ROLES[me().role],
        trouble=TROUBLES.get(refusals.latest().trouble),
        pin_trouble=PIN_TROUBLES.get(refusals.latest().trouble),
        shortest=accounts.SHORTEST_PASSWORD,
    )


@screen.post("/account/language")
@anyone
@before_all
def language() -> BaseResponse:
    """Change the language of the pages, and come back to the page it was changed on."""
    chosen = request.form.get("language", "")
    try:
        accounts.choose_language(me(), chosen)
    except StaffError as error:
        raise BadRequest from error
    return redirect(ours(request.form.get("back", "")) or url_for("account.page"))


@screen.post("/account/appearance")
@anyone
def appearance() -> BaseResponse:
    """Change light or dark, and the size of text."""
    try:
        accounts.choose_appearance(
            me(), request.form.get("theme", ""), "large_text" in request.form
        )
    except StaffError as error:
        raise BadRequest from error
    flash(_("Saved."))
    return redirect(url_for("account.page"))


@screen.post("/account/password")
@anyone
def password() -> BaseResponse:
    """Change the password; every other session of the person ends."""
    if trouble := _changed():
        return refusals.back(url_for(".page"), trouble)
    flash(_("The password is changed. Your other devices are signed out."))
    return redirect(url_for("account.page"))


@screen.get("/account/first-password")
@anyone
@at_step("password")
def first() -> BaseResponse | str:
    """Whoever was given his password by somebody else chooses his own before anything else."""
    if not me().must_change:
        return redirect(url_for("login.home"))
    return render_template(
        "account/first.html",
        trouble=TROUBLES.get(refusals.latest().trouble),
        shortest=accounts.SHORTEST_PASSWORD,
        heard=None,
    )


@screen.post("/account/first-password")
@anyone
@at_step("password")
def choose_first() -> BaseResponse:
    """Change the first password, and go on to one's own page."""
    if trouble := _changed():
        return refusals.back(url_for(".first"), trouble)
    flash(_("The password is changed."))
    return redirect(url_for("login.home"))


def _changed() -> str:
    """Change the password as sent; the code of why it is not changed, "" when it is."""
    user, form = me(), request.form
    new = form.get("new_password", "")
    if new != form.get("new_password_again", ""):
        return "differs"
    device, address = this_device(), request.remote_addr or ""
    old, known = form.get("password", ""), device.known_to(user.login)
    try:
        sign_ins.change_password(user, old, new, address, known, site().ldap)
    except StaffError as error:
        return error.code
    except sign_ins.TooMany:
        abort(429)
    except sign_ins.Busy:
        abort(503)
    begin(user, device, current_user.session.factor)
    return ""
