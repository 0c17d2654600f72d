"""The operator's phone: where it rings, its account for the page, how well it is heard, its end."""

import re
from typing import TYPE_CHECKING

from flask import (
    Blueprint,
    Flask,
    abort,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from appliance.pbx import actions
from appliance.people import accounts, page_phones
from appliance.people.accounts import StaffError
from appliance.telephony import line_quality
from appliance.telephony.calls.dialling import ECHO
from appliance.telephony.line_quality import Heard
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import document
from appliance.web.workplace.transfers import UNREACHABLE

if TYPE_CHECKING:
    from appliance.models import User

_PAGE = re.compile(r"[\w-]{1,64}", re.ASCII)

screen = Blueprint("phone", __name__, url_prefix="/operator/phone")

TROUBLES: dict[str, LazyString] = {
    "phone": _l("Choose where your phone is."),
}


def init_app(app: Flask) -> None:
    """Give templates `phone_in_page()`: whether the phone of whoever asks is in the page."""
    app.jinja_env.globals["phone_in_page"] = lambda: _is_in_page(me())


@screen.get("")
@may("desk.work")
def page() -> str:
    """Where the phone is, and what of this computer it sounds on."""
    was = refusals.latest()
    return render_template(
        "operator/phone.html",
        trouble=TROUBLES.get(was.trouble),
        offered=site().asterisk.browser_phones,
        echo=ECHO,
    )


@screen.post("")
@may("desk.work")
def choose() -> Response:
    """Choose where the phone is, and whether the one in the page answers by itself."""
    wanted = request.form.get("phone", me().phone)
    if wanted == "page" and not site().asterisk.browser_phones:
        return refusals.back(url_for(".page"), "phone")
    try:
        accounts.choose_phone(me(), wanted, "auto_answer" in request.form)
    except StaffError as error:
        return refusals.back(url_for(".page"), error.code)
    flash(_("Saved."))
    return redirect(url_for(".page"))


@screen.post("/account")
@may("desk.work")
def account() -> Response:
    """The SIP account for an open page (`page`), which has his phone then; 404: on the desk.

    While he talks, in a page elsewhere, only `speaks` is told; `take`: he wants it here all the
    same.
    """
    user, host, page = me(), site().asterisk.address, document().get("page")
    if not _is_in_page(user):
        abort(404)
    if not isinstance(page, str) or not _PAGE.fullmatch(page):
        abort(422)
    if not document().get("take") and _speaks(user):
        return jsonify(speaks=True)
    accounts.take_phone(user, page, current_user.session)
    return jsonify(
        uri=f"sip:{user.extension}@{host}",
        host=host,
        password=page_phones.password_of(user),
        autoAnswer=user.auto_answer,
    )


@screen.get("/taken")
@may("desk.work")
def taken() -> str:
    """Which open page took the phone up last, as a piece of a page."""
    return render_template("operator/phonetaken.html")


@screen.post("/quality")
@may("desk.work")
def quality() -> Response:
    """Keep how well a talk of his was heard, as the browser counted it."""
    try:
        heard = Heard.read(document())
    except ValueError:
        abort(422)
    line_quality.record(me().login, heard)
    return jsonify(trouble="")


@screen.post("/resume")
@may("desk.work")
def resume() -> Response:
    """Let go what the phone in a page that is gone held: its caller is brought back.

    Sent: `session`, the SIP Call-ID of the talk of a page that is being left; "" from one that has
    come and registered. What is not so sent is found by Asterisk itself, some seconds later.
    """
    session = document().get("session", "")
    try:
        actions.resume(site(), me().extension or "", session if isinstance(session, str) else "")
    except (actions.Refused, actions.Unreachable):
        return jsonify(trouble=str(UNREACHABLE))
    return jsonify(trouble="")


def _speaks(user: "User") -> bool:
    try:
        return actions.speaks(site(), user.extension or "")
    except actions.Unreachable:  # it shall ring as soon as the exchange is back
        return False


def _is_in_page(user: "User") -> bool:
    return bool(user.extension) and user.phone == "page" and site().asterisk.browser_phones
