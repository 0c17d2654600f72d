"""A person's second factor: the app on his telephone, the codes on his paper."""

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
from appliance.web.person.login import knows_password
from appliance.web.shell import refusals
from appliance.web.shell.access import anyone, at_step
from appliance.web.shell.context import me, site

screen = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")

TROUBLES: dict[str, LazyString] = {
    "code": _l("The app shows another code. Is the telephone's clock right?"),
    "password": _l("The password is wrong."),
}


@screen.get("")
@anyone
@at_step("enrol")
def page() -> str:
    """The app that is set up; without one, the picture that sets one up."""
    app, was = second_factor.authenticator(me()), refusals.latest()
    known = {"trouble": TROUBLES.get(was.trouble), "heard": None, "asked": _is_due()}
    if app:
        left = second_factor.codes_left(me())
        return render_template("second_factor/page.html", app=app, left=left, **known)
    secret = session.setdefault("proposed", second_factor.propose())
    picture = segno.make(second_factor.address(me(), secret), error="m", micro=False)
    drawn = Markup(picture.svg_inline(scale=5, border=4, light="#fff", omitsize=True))  # noqa: S704  ours
    return render_template("second_factor/enrol.html", picture=drawn, secret=secret, **known)


@screen.post("")
@anyone
@at_step("enrol")
def enrol() -> BaseResponse | str:
    """Set up the app that shows the code; the codes for the paper are on this answer only."""
    if second_factor.is_set(me()):  # another one takes its place only where it was removed first
        abort(409)
    try:
        if not (secret := session.get("proposed", "")):
            raise second_factor.WrongCode  # no picture was shown in this browser
        code = request.form.get("one_time_code", "")
        codes = second_factor.enrol(current_user.session, secret, code)
    except second_factor.WrongCode:
        return refusals.back(url_for(".page"), "code")
    session.pop("proposed", None)
    return _paper(codes)


@screen.post("/<any(codes, remove):what>")
@anyone
def change(what: str) -> BaseResponse | str:
    """Make new codes for the paper, or forget app and paper: for who types his password."""
    try:
        known = knows_password(request.form.get("password", ""))
    except sign_ins.TooMany:
        abort(429)
    except sign_ins.Busy:
        abort(503)
    if not known:
        return refusals.back(url_for(".page"), "password")
    if what == "codes" and second_factor.is_set(me()):
        return _paper(second_factor.renew_codes(me()))
    second_factor.remove(me(), me().login)
    flash(_("The app is forgotten."))
    return redirect(url_for(".page"))


def _is_due() -> bool:
    """Whether nothing else is open before an app is set up."""
    rules, address = site().sign_in, request.remote_addr or ""
    return second_factor.step(rules, current_user.session, address) == "enrol"


def _paper(codes: list[str]) -> str:
    known = {"now": clock.now(), "heard": None, "asked": True}
    return render_template("second_factor/paper.html", codes=codes, **known)
