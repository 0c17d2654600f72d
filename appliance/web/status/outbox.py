"""The outbox page: messages that wait, were sent or failed; these can be sent again."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework.appeals import personal
from appliance.core import clock, outbox
from appliance.web.shared.message_labels import PURPOSES, STATES, TROUBLES
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import page_number
from appliance.web.status.ministry import TROUBLES as MINISTRY_TROUBLES

screen = Blueprint("outbox", __name__)

MESSAGES_PER_PAGE = 100
CHANNELS = {"sms": _l("SMS"), "telegram": _l("Telegram"), "ministry": _l("Ministry's system")}


@screen.get("/outbox")
@may("outbox.retry")
def show_outbox() -> str:
    """Show the messages in one `state` or all, newest first, and how long the oldest has waited."""
    return render_template("outbox/page.html", **_outbox_context())


@screen.get("/outbox/list")
@may("outbox.retry")
def show_outbox_list() -> str:
    """Show the messages as a fragment of the open page."""
    return render_template("outbox/list.html", **_outbox_context())


@screen.post("/outbox/<int:id>/retry")
@may("outbox.retry")
def retry_message(id: int) -> Response:
    """Send a message again that was refused, has expired or is waiting."""
    message = outbox.find_message(id) or abort(404)
    if outbox.requeue_message(message, by=me().login):
        flash(_("It will be sent again."))
    else:
        flash(_("It was already sent."))
    return redirect(url_for("outbox.show_outbox", state=request.args.get("state")))


def _outbox_context() -> dict[str, Any]:
    """Return the template context of the page and of its list.

    `closed` has the numbers of appeals that the user may not read: messages about them are shown
    without their content. `more`: there is another page; `ages`: how long the oldest message of
    each channel has waited; `on_hold`: how many messages wait for review.
    """
    state = request.args.get("state") if request.args.get("state") in STATES else None
    number = page_number()
    messages = outbox.list_messages(state, MESSAGES_PER_PAGE + 1, (number - 1) * MESSAGES_PER_PAGE)
    disclosure.log_shown("message", [message.id for message in messages[:MESSAGES_PER_PAGE]])
    causes = {message.cause for message in messages[:MESSAGES_PER_PAGE] if message.cause}
    return {
        "closed": personal.unreadable_numbers(me(), causes),
        "state": state,
        "messages": messages[:MESSAGES_PER_PAGE],
        "page": number,
        "more": len(messages) > MESSAGES_PER_PAGE,
        "ages": outbox.queue_ages(),
        "on_hold": outbox.held_message_count(),
        "now": clock.now(),
        "states": STATES,
        "channels": CHANNELS,
        "purposes": PURPOSES,
        "troubles": TROUBLES,
        "ministry_troubles": MINISTRY_TROUBLES,
    }
