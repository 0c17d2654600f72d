"""SMS to citizens: their texts, the numbers that opted out, and the services' delivery reports."""

import hmac

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs
from appliance.core import outbox
from appliance.core.refusals import Refused
from appliance.messaging.notices import call_alerts, citizens, texts
from appliance.messaging.sms import accounts
from appliance.web.shared.message_labels import PURPOSES, TEXT_TROUBLES
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may, public
from appliance.web.shell.context import me, site
from appliance.web.shell.csrf import csrf
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import json_object

screen = Blueprint("notices", __name__)

# Texts that have no purpose of their own, by key.
TEXT_VARIANTS = {
    "rating": _l("Rating requested, by link"),
    "rating_reply": _l("Rating requested, by reply"),
    "unknown": _l("State requested, no such appeal"),
}


@screen.get("/notices")
@may("notice.change")
def show_notices() -> str:
    """Show the texts with samples, the numbers that opted out, and the directions of call alerts.

    Calls about one of these directions (topics), out of hours, are reported to the people on duty.
    """
    previous, opted_out = refusals.latest_refusal(), citizens.list_opt_outs()
    disclosure.log_shown("number", [row.number for row in opted_out])
    return render_template(
        "notices/page.html",
        wordings=texts.all_wordings(site()),
        placeholders=texts.PLACEHOLDERS_BY_PURPOSE,
        opted_out=opted_out,
        directions=catalogs.item_choices("direction", locale()),
        alerted=call_alerts.alert_directions(),
        bot=site().telegram,
        accounts=site().sms,
        purposes=PURPOSES | TEXT_VARIANTS,
        spoken=CALL_LANGUAGES,
        trouble=TEXT_TROUBLES.get(previous.trouble, ""),
        where=(previous.values.get("purpose"), previous.values.get("language")),
        sent=previous.values,
    )


@screen.post("/notices")
@may("notice.change")
def save_text() -> BaseResponse:
    """Put a text in force for a purpose and a language; an empty text restores the default one."""
    form = request.form
    text_key = form.get("purpose", ""), form.get("language", "")
    if text_key not in texts.DEFAULT_TEXTS:
        abort(400)
    try:
        texts.change_text(site(), *text_key, form.get("text", ""), me().login)
    except Refused as error:
        return refusals.redirect_back(url_for("notices.show_notices"), error.code)
    return _redirect_saved()


@screen.post("/notices/opt-outs")
@may("notice.change")
def add_opt_out() -> BaseResponse:
    """Record that a number has opted out: it receives no more messages."""
    if not citizens.opt_out_number(request.form.get("number", ""), me().login):
        return refusals.redirect_back(url_for("notices.show_notices"), "phone")
    return _redirect_saved()


@screen.post("/notices/opt-outs/remove")
@may("notice.change")
def remove_opt_out() -> BaseResponse:
    """Remove a number's opt-out, so that it receives messages again."""
    citizens.opt_in_number(request.form.get("number", ""), me().login)
    return _redirect_saved()


@screen.post("/notices/calls")
@may("notice.change")
def save_call_alerts() -> BaseResponse:
    """Save the directions whose calls out of hours are reported to the people on duty."""
    directions = set(request.form.getlist("direction"))
    if not directions <= {code for code, _name in catalogs.item_choices("direction", locale())}:
        abort(400)
    call_alerts.set_alert_directions(directions, me().login)
    return _redirect_saved()


@screen.post("/sms-reports/<name>/<secret>")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
@public
def receive_report(name: str, secret: str) -> BaseResponse:
    """Receive the delivery reports of the SMS account `name` from its service.

    The account's secret in the URL authenticates the service.
    """
    account = next((a for a in site().sms if a.name == name), None)
    expected_secret = account.callback_secret if account else ""
    if not expected_secret or not hmac.compare_digest(expected_secret.encode(), secret.encode()):
        abort(404)
    # An invalid report is answered with "ok", too: otherwise it would be repeated forever.
    payload = json_object() or request.form.to_dict()
    gateway = next(g for g in accounts.build_gateways(site()) if g.name == name)
    for report in gateway.parse_reports(payload):
        outbox.record_delivery_report(name, report.id, report.outcome, is_own_key=report.is_own_id)
    return Response("ok\n", mimetype="text/plain")


def _redirect_saved() -> BaseResponse:
    """Show the message that the form was saved, and redirect to the page."""
    flash(_("Saved."))
    return redirect(url_for("notices.show_notices"))
