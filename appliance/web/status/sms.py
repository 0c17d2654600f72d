"""The SMS accounts: how they do, what is told over which, which texts are approved."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import health
from appliance.messaging.notices import templates
from appliance.messaging.sms import account_health, accounts, rules
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.status.notices import WAYS
from appliance.web.status.outbox import PURPOSES, TROUBLES

screen = Blueprint("sms", __name__)

# state of an account: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "ok": (_l("Works"), "ok", "circle-check"),
    "unused": (_l("Not used yet"), "", "clock"),
    "busy": (_l("Asks to wait"), "warn", "clock"),
    "failing": (_l("Is tried again"), "warn", "triangle-alert"),
    "held": (_l("Passed over"), "bad", "octagon-alert"),
    "low": (_l("Little money left"), "warn", "triangle-alert"),
}
# state of a text at a service
APPROVALS: dict[str, LazyString] = {
    "": _l("Not asked for yet"),
    "waiting": _l("Asked, no answer yet"),
    "approved": _l("Approved"),
    "refused": _l("Refused"),
}


@screen.get("/sms")
@may("account.change")
def page() -> str:
    """How the accounts do, the order of use, approved texts."""
    return render_template(
        "sms/page.html",
        standings=account_health.standings(site()),
        channels=health.channels(site()),
        rules=rules.rules(),
        approvals=rules.approvals(site()),
        always=rules.ALWAYS,
        kinds={one.kind: lazy_gettext(accounts.provider(one.kind).title) for one in site().sms},
        states=STATES,
        said=APPROVALS,
        troubles=TROUBLES,
        purposes=PURPOSES,
        ways=WAYS | {templates.purpose(one.id): one.name for one in templates.templates()},
        spoken=CALL_LANGUAGES,
        no_marks=not (site().messages.public_url or any(a.takes_replies for a in site().sms)),
    )


@screen.post("/sms/rules")
@may("account.change")
def rule() -> BaseResponse:
    """Whether something is told, and over which account first."""
    sent = request.form
    known = rules.change(
        site(), sent.get("purpose", ""), "told" in sent, sent.get("account", ""), me().login
    )
    return _saved() if known else abort(400)


@screen.post("/sms/approvals")
@may("account.change")
def approval() -> BaseResponse:
    """Note what a service says of a text."""
    names = ("account", "purpose", "language", "state")
    account, purpose, language, state = (request.form.get(name, "") for name in names)
    known = rules.note(site(), account, purpose, language, state, me().login)
    return _saved() if known else abort(400)


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("sms.page"))
