"""A user's second factor: the authenticator app on their phone, and the codes on paper."""

import segno
from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import clock
from appliance.people import second_factor, sign_ins
from appliance.web.person.login import is_password_correct
from appliance.web.shell import refusals
from appliance.web.shell.access import anyone, open_at_sign_in_step
from appliance.web.shell.context import me, site

screen = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")

TROUBLES: dict[str, LazyString] = {
    "code": _l("The app shows a different code. Is the phone's clock right?"),
    "password": _l("The password is wrong."),
}


@screen.get("")
@anyone
@open_at_sign_in_step("enrol")
def show_second_factor() -> str:
    """Show the authenticator app that is set up, or the QR code that sets one up.

    `asked`: no other page opens until one is set up.
    """
    app, refusal = second_factor.find_authenticator(me()), refusals.latest_refusal()
    context = {
        "trouble": TROUBLES.get(refusal.trouble),
        "heard": None,
        "asked": _is_enrolment_required(),
    }
    if app:
        codes_left = second_factor.count_unused_codes(me())
        return render_template("second_factor/page.html", app=app, left=codes_left, **context)
    # The same secret as long as the app is not set up, so that a reloaded page shows the same code.
    secret = session.setdefault("proposed", second_factor.create_secret())
    picture = segno.make(second_factor.provisioning_uri(me(), secret), error="m", micro=False)
    svg = Markup(picture.svg_inline(scale=5, border=4, light="#fff", omitsize=True))  # noqa: S704  ours
    return render_template("second_factor/enrol.html", picture=svg, secret=secret, **context)


@screen.post("")
@anyone
@open_at_sign_in_step("enrol")
def enrol_app() -> BaseResponse | str:
    """Set up the app if the submitted code is right; only this response shows the paper codes.

    Aborts with 409 if the user has set up an app already.
    """
    if second_factor.has_second_factor(
        me()
    ):  # an app must be removed before another can replace it
        abort(409)
    try:
        if not (secret := session.get("proposed", "")):
            raise second_factor.WrongCode  # this browser was not shown a QR code
        code = request.form.get("one_time_code", "")
        codes = second_factor.enrol_app(current_user.session, secret, code)
    except second_factor.WrongCode:
        return refusals.redirect_back(url_for(".show_second_factor"), "code")
    session.pop("proposed", None)
    return _render_codes(codes)


@screen.post("/<any(codes, remove):what>")
@anyone
def change_second_factor(what: str) -> BaseResponse | str:
    """Create new paper codes ("codes"), or remove the app, codes and passkeys ("remove").

    Both need the password.
    """
    try:
        is_correct = is_password_correct(request.form.get("password", ""))
    except sign_ins.TooManyAttempts:
        abort(429)
    except sign_ins.TooManyWaiting:
        abort(503)
    if not is_correct:
        return refusals.redirect_back(url_for(".show_second_factor"), "password")
    if what == "codes":
        if not second_factor.has_second_factor(me()):
            abort(404)  # the page offers no codes: another tab has removed the app
        return _render_codes(second_factor.renew_codes(me()))
    second_factor.remove_factors(me(), me().login)
    flash(_("The app was removed."))
    return redirect(url_for(".show_second_factor"))


def _is_enrolment_required() -> bool:
    """Return True if the user must set up an app before any other page opens."""
    rules, address = site().sign_in, request.remote_addr or ""
    return second_factor.required_step(rules, current_user.session, address) == "enrol"


def _render_codes(codes: list[str]) -> str:
    """Render the page that shows new paper codes once, to be printed or written down."""
    context = {"now": clock.now(), "heard": None, "asked": True}
    return render_template("second_factor/paper.html", codes=codes, **context)
