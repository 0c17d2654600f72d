"""Short messages to citizens: their texts, who wants none, and the services' delivery reports."""

import hmac

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import notices, outbox
from appliance.gateways import sms
from appliance.notices import texts
from appliance.web import appeals as card
from appliance.web.access import may, public
from appliance.web.context import me, site
from appliance.web.login import csrf
from appliance.web.outbox import PURPOSES

screen = Blueprint("notices", __name__)

LANGUAGES = {"uz": _l("Uzbek"), "ru": _l("Russian")}
# texts that are not a purpose of their own
WAYS = {
    "rating": _l("Rating asked for, by link"),
    "rating_reply": _l("Rating asked for, by answer"),
    "unknown": _l("Status asked for, no such appeal"),
}
TROUBLES: dict[str, LazyString] = {
    "empty": _l("Write a text."),
    "braces": _l("A brace is open or closed that should not be."),
    "unknown": _l("Only the words listed may stand in braces."),
    "number": _l("The appeal's number must stand in the text: {number}."),
    "link": _l("The link must stand in the text: {link}."),
    "nobody": _l("There is no mobile number to send it to."),
    "unwanted": _l("This number wants no messages."),
    "long": _l("The text fills more than four messages: shorten it."),
}


@screen.get("/notices")
@may("manager")
def page() -> str:
    """Each text with a sample and how many messages it fills; numbers that want none."""
    return _page()


@screen.post("/notices")
@may("manager")
def change() -> BaseResponse | tuple[str, int]:
    """Put a text in force; an empty one brings the default back."""
    sent = request.form
    where = sent.get("purpose", ""), sent.get("language", "")
    if where not in texts.DEFAULTS:
        abort(400)
    try:
        texts.change(*where, sent.get("text", ""), me().login)
    except texts.TextError as error:
        return _page(str(TROUBLES[error.code]), where, sent.get("text", "")), 422
    return _saved()


@screen.post("/notices/opt-outs")
@may("manager")
def opt_out() -> BaseResponse | tuple[str, int]:
    """Send a number no more messages."""
    if not notices.opt_out(request.form.get("number", ""), me().login):
        return _page(_("This is no phone number.")), 422
    return _saved()


@screen.post("/notices/opt-outs/remove")
@may("manager")
def opt_in() -> BaseResponse:
    """Send a number messages again."""
    notices.opt_in(request.form.get("number", ""), me().login)
    return _saved()


@screen.post("/appeals/<number>/sms")
@may("operator", "supervisor")
def write(number: str) -> BaseResponse | tuple[str, int]:
    """Send the applicant a short message."""
    appeal, sent = card.loaded(number), request.form
    if not card.may_correct(appeal):
        abort(403)
    text, sending = sent.get("sms", ""), sent.get("sending", "")
    if not 0 < len(sending) <= 64:
        abort(400)
    try:
        notices.write(site(), appeal, text, me().login, f"{me().login}:{sending}")
    except texts.TextError as error:
        return card.shown(appeal, sent={"sms": text, "sms_trouble": str(TROUBLES[error.code])}), 422
    flash(_("It will be sent."))
    return redirect(url_for("appeals.page", number=number))


@screen.post("/sms-reports/<name>/<secret>")
@csrf.exempt
@public
def report(name: str, secret: str) -> BaseResponse:
    """What became of messages, as an SMS service tells; the secret in the address is its proof."""
    account = next((a for a in site().sms if a.name == name), None)
    known = account.callback_secret if account else ""
    if not known or not hmac.compare_digest(known.encode(), secret.encode()):
        abort(404)
    said = request.get_json(silent=True)
    said = said if isinstance(said, dict) else request.form.to_dict()
    gateway = next(g for g in sms.gateways(site()) if g.name == name)
    for told in gateway.reports(said):
        outbox.reported(name, told.id, told.outcome, ours=told.ours)
    return Response("ok\n", mimetype="text/plain")


def _page(trouble: str = "", where: tuple[str, str] | None = None, text: str = "") -> str:
    return render_template(
        "notices/page.html",
        wordings=texts.wordings(),
        placeholders=texts.PURPOSES,
        opted_out=notices.opted_out(),
        accounts=site().sms,
        purposes=PURPOSES | WAYS,
        spoken=LANGUAGES,
        trouble=trouble,
        where=where,
        text=text,
    )


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("notices.page"))
