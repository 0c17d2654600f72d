"""A person's own settings: language, appearance, password."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import login_user
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from appliance import staff
from appliance.staff import StaffError
from appliance.web.access import anyone
from appliance.web.context import me
from appliance.web.limits import limiter
from appliance.web.login import SignedIn

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
    "same": _l("The new password is the one that you have now."),
}


def _refused(answer: BaseResponse) -> bool:
    return answer.status_code == 422


@screen.get("/account")
@anyone
def page() -> str:
    """The settings of whoever asks."""
    return _page()


@screen.post("/account/language")
@anyone
def language() -> BaseResponse:
    """Change the language of the pages, and come back to the page it was changed on."""
    chosen = request.form.get("language", "")
    try:
        staff.choose_language(me(), chosen)
    except StaffError as error:
        raise BadRequest from error
    back = request.form.get("back", "")
    ours = back.startswith("/") and not back.startswith(("//", "/\\"))
    return redirect(back if ours else url_for("account.page"))


@screen.post("/account/appearance")
@anyone
def appearance() -> BaseResponse:
    """Change light or dark, and the size of text."""
    try:
        staff.choose_appearance(me(), request.form.get("theme", ""), "large_text" in request.form)
    except StaffError as error:
        raise BadRequest from error
    flash(_("Saved."))
    return redirect(url_for("account.page"))


@screen.post("/account/password")
@limiter.limit("5 per minute", key_func=lambda: me().login, deduct_when=_refused)
@anyone
def password() -> BaseResponse | tuple[str, int]:
    """Change the password; every other session of the person ends."""
    user, form = me(), request.form
    new = form.get("new_password", "")
    try:
        if new != form.get("new_password_again", ""):
            raise StaffError("differs", "typed differently the second time")
        staff.change_password(user, form.get("password", ""), new)
    except StaffError as error:
        return _page(error.code), 422
    login_user(SignedIn(user))
    flash(_("The password is changed. Your other devices are signed out."))
    return redirect(url_for("account.page"))


def _page(trouble: str = "") -> str:
    return render_template(
        "account/page.html",
        role_name=ROLES[me().role],
        trouble=TROUBLES.get(trouble),
        shortest=staff.SHORTEST_PASSWORD,
    )
