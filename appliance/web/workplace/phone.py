"""The operator's phone: where it rings, its SIP account, sound quality, calls of closed pages.

It is a desk phone, or a browser phone in one of the operator's open pages.
"""

import re
from typing import TYPE_CHECKING

from flask import (
    Blueprint,
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

from appliance.core.refusals import Refused
from appliance.pbx import actions
from appliance.people import accounts, browser_phones
from appliance.telephony import line_quality
from appliance.telephony.calls.dialling import ECHO_EXTENSION
from appliance.telephony.line_quality import TalkQuality
from appliance.web.shared.telephony_labels import ASTERISK_UNREACHABLE
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.request_data import require_json_object

if TYPE_CHECKING:
    from appliance.models import User

_PAGE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)

screen = Blueprint("phone", __name__, url_prefix="/operator/phone")

TROUBLES: dict[str, LazyString] = {
    "phone": _l("Choose where your phone is."),
}


@screen.app_template_global("phone_in_page")
def _has_phone_in_page() -> bool:
    """Return True if the signed-in user uses the browser phone."""
    return _is_phone_in_page(me())


@screen.get("")
@may("desk.work")
def show_phone() -> str:
    """Show where the phone is, and which sound devices of this computer it uses."""
    was = refusals.latest_refusal()
    return render_template(
        "operator/phone.html",
        trouble=TROUBLES.get(was.trouble),
        offered=site().asterisk.browser_phones,
        echo=ECHO_EXTENSION,
    )


@screen.post("")
@may("desk.work")
def choose_phone() -> Response:
    """Save where the phone is (`phone`), and whether a browser phone answers automatically.

    `phone` is "page" for a browser phone. It is refused if the settings do not allow browser
    phones.
    """
    phone = request.form.get("phone", me().phone)
    if phone == "page" and not site().asterisk.browser_phones:
        return refusals.redirect_back(url_for(".show_phone"), "phone")
    try:
        accounts.choose_phone(me(), phone, "auto_answer" in request.form)
    except Refused as error:
        return refusals.redirect_back(url_for(".show_phone"), error.code)
    flash(_("Saved."))
    return redirect(url_for(".show_phone"))


@screen.post("/account")
@may("desk.work")
def take_account() -> Response:
    """Return the user's SIP account to an open page with the id `page`, which then has the phone.

    The phone leaves the page that had it. To protect a talk there, only `speaks` is returned while
    the user talks, unless `take` is set: the user has confirmed it. Aborts with 404 if the user
    does not use the browser phone.
    """
    user, host, page_id = me(), site().asterisk.address, require_json_object().get("page")
    if not _is_phone_in_page(user):
        abort(404)
    if not isinstance(page_id, str) or not _PAGE_ID.fullmatch(page_id):
        abort(422)
    if not require_json_object().get("take") and _is_talking(user):
        return jsonify(speaks=True)
    accounts.move_phone_to_page(user, page_id, current_user.session)
    return jsonify(
        uri=f"sip:{user.extension}@{host}",
        host=host,
        password=browser_phones.browser_phone_password(user),
        autoAnswer=user.auto_answer,
    )


@screen.get("/taken")
@may("desk.work")
def show_phone_page() -> str:
    """Show which open page has the phone now, as a fragment of the page."""
    return render_template("operator/phonetaken.html")


@screen.post("/quality")
@may("desk.work")
def record_quality() -> Response:
    """Store the sound quality of one of the operator's talks, as measured by the browser.

    Aborts with 422 if the measurement in the JSON body is invalid.
    """
    try:
        measurement = TalkQuality.from_browser(require_json_object())
    except ValueError:
        abort(422)
    line_quality.record_talk(me().login, measurement)
    return jsonify(trouble="")


@screen.post("/resume")
@may("desk.work")
def release_lost_call() -> Response:
    """Hang up the connection of a browser phone whose page is closed.

    The dialplan then reconnects the caller to the page that has replaced it. A closing page sends
    the SIP Call-ID of its talk as `session`; a page that was opened and has registered its phone
    sends "". Asterisk itself notices any other lost connection some seconds later.
    """
    session = require_json_object().get("session", "")
    try:
        actions.resume_talk(
            site(), me().extension or "", session if isinstance(session, str) else ""
        )
    except (actions.ActionRefused, actions.Unreachable):
        return jsonify(trouble=str(ASTERISK_UNREACHABLE))
    return jsonify(trouble="")


def _is_talking(user: "User") -> bool:
    """Return True if the user's phone is in a talk; False if Asterisk does not respond."""
    try:
        return actions.has_sound(site(), user.extension or "")
    except actions.Unreachable:  # the phone must ring as soon as Asterisk is back
        return False


def _is_phone_in_page(user: "User") -> bool:
    """Return True if the user has an extension and uses the browser phone, and it is allowed."""
    return bool(user.extension) and user.phone == "page" and site().asterisk.browser_phones
