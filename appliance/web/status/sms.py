"""The SMS accounts: their health, which account sends what, and which texts are approved."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import health
from appliance.messaging.notices import templates
from appliance.messaging.sms import account_health, accounts, rules
from appliance.web.shared.message_labels import PURPOSES, TROUBLES
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.status.notices import TEXT_VARIANTS

screen = Blueprint("sms", __name__)

# By state of an account: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "ok": (_l("Working"), "ok", "circle-check"),
    "unused": (_l("Not used yet"), "", "clock"),
    "busy": (_l("Asks the caller to wait"), "warn", "clock"),
    "failing": (_l("Retried"), "warn", "triangle-alert"),
    "held": (_l("Skipped"), "bad", "octagon-alert"),
    "low": (_l("Low balance"), "warn", "triangle-alert"),
}
# By state of a text at a service that must approve it.
APPROVALS: dict[str, LazyString] = {
    "": _l("Not requested yet"),
    "waiting": _l("Queried, no answer yet"),
    "approved": _l("Approved"),
    "refused": _l("Refused"),
}


@screen.get("/sms")
@may("account.change")
def show_sms_accounts() -> str:
    """Show the accounts' health, which account sends what, and the services' approvals of texts."""
    return render_template(
        "sms/page.html",
        standings=account_health.account_statuses(site()),
        channels=health.channel_states(site()),
        rules=rules.list_rules(),
        approvals=rules.list_approvals(site()),
        always=rules.MANDATORY_PURPOSES,
        kinds={
            item.kind: lazy_gettext(accounts.provider_class(item.kind).title) for item in site().sms
        },
        states=STATES,
        said=APPROVALS,
        troubles=TROUBLES,
        purposes=PURPOSES,
        ways=TEXT_VARIANTS
        | {templates.approval_purpose(item.id): item.name for item in templates.list_templates()},
        spoken=CALL_LANGUAGES,
        no_marks=not (site().messages.public_url or any(a.receives_replies for a in site().sms)),
    )


@screen.post("/sms/rules")
@may("account.change")
def save_rule() -> BaseResponse:
    """Save whether text messages for a purpose are sent (`told`), and which account is tried first.

    Mandatory purposes are always sent. Aborts with 400 for an unknown purpose or account.
    """
    form = request.form
    is_valid = rules.change_rule(
        site(), form.get("purpose", ""), "told" in form, form.get("account", ""), me().login
    )
    return _redirect_saved() if is_valid else abort(400)


@screen.post("/sms/approvals")
@may("account.change")
def save_approval() -> BaseResponse:
    """Record the state (see APPROVALS) of a text at a service that must approve it."""
    names = ("account", "purpose", "language", "state")
    account, purpose, language, state = (request.form.get(name, "") for name in names)
    is_valid = rules.record_approval(site(), account, purpose, language, state, me().login)
    return _redirect_saved() if is_valid else abort(400)


def _redirect_saved() -> BaseResponse:
    """Show the message that the form was saved, and redirect to the page."""
    flash(_("Saved."))
    return redirect(url_for("sms.show_sms_accounts"))
