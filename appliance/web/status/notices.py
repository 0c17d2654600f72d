"""Short messages to citizens: their texts, who wants none, and the services' delivery reports."""

import hmac

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs
from appliance.core import outbox
from appliance.messaging import notices
from appliance.messaging.notices import call_alerts, texts
from appliance.messaging.sms import accounts
from appliance.web.person.login import csrf
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may, public
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.sent import fields
from appliance.web.status.outbox import PURPOSES, TEXT_TROUBLES

screen = Blueprint("notices", __name__)

# texts that are not a purpose of their own
WAYS = {
    "rating": _l("Rating asked for, by link"),
    "rating_reply": _l("Rating asked for, by answer"),
    "unknown": _l("Status asked for, no such appeal"),
}


@screen.get("/notices")
@may("notice.change")
def page() -> str:
    """Each text with a sample and how many messages it fills; numbers that want none; of which
    calls those on duty are told."""
    was, opted_out = refusals.latest(), notices.opted_out()
    disclosure.log_shown("number", [row.number for row in opted_out])
    return render_template(
        "notices/page.html",
        wordings=texts.wordings(site()),
        placeholders=texts.PURPOSES,
        opted_out=opted_out,
        directions=catalogs.choices("direction", locale()),
        alerted=call_alerts.directions(),
        bot=site().telegram,
        accounts=site().sms,
        purposes=PURPOSES | WAYS,
        spoken=CALL_LANGUAGES,
        trouble=TEXT_TROUBLES.get(was.trouble, ""),
        where=(was.values.get("purpose"), was.values.get("language")),
        sent=was.values,
    )


@screen.post("/notices")
@may("notice.change")
def change() -> BaseResponse:
    """Put a text in force; an empty one brings the default back."""
    sent = request.form
    where = sent.get("purpose", ""), sent.get("language", "")
    if where not in texts.DEFAULTS:
        abort(400)
    try:
        texts.change(site(), *where, sent.get("text", ""), me().login)
    except texts.TextError as error:
        return refusals.back(url_for("notices.page"), error.code)
    return _saved()


@screen.post("/notices/opt-outs")
@may("notice.change")
def opt_out() -> BaseResponse:
    """Send a number no more messages."""
    if not notices.opt_out(request.form.get("number", ""), me().login):
        return refusals.back(url_for("notices.page"), "phone")
    return _saved()


@screen.post("/notices/opt-outs/remove")
@may("notice.change")
def opt_in() -> BaseResponse:
    """Send a number messages again."""
    notices.opt_in(request.form.get("number", ""), me().login)
    return _saved()


@screen.post("/notices/calls")
@may("notice.change")
def alerts() -> BaseResponse:
    """Choose the directions whose calls those on duty are told of out of hours."""
    chosen = set(request.form.getlist("direction"))
    if not chosen <= {code for code, _name in catalogs.choices("direction", locale())}:
        abort(400)
    call_alerts.choose(chosen, me().login)
    return _saved()


@screen.post("/sms-reports/<name>/<secret>")
@csrf.exempt
@public
def report(name: str, secret: str) -> BaseResponse:
    """What became of messages, as an SMS service tells; the secret in the address is its proof."""
    account = next((a for a in site().sms if a.name == name), None)
    known = account.callback_secret if account else ""
    if not known or not hmac.compare_digest(known.encode(), secret.encode()):
        abort(404)
    said = fields() or request.form.to_dict()  # what is none is taken too, or it comes for ever
    gateway = next(g for g in accounts.gateways(site()) if g.name == name)
    for told in gateway.reports(said):
        outbox.reported(name, told.id, told.outcome, ours=told.ours)
    return Response("ok\n", mimetype="text/plain")


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("notices.page"))
