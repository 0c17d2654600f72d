"""The outbox page: waiting messages, failures, and retries."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework.appeals import personal
from appliance.core import clock, outbox
from appliance.reports import formatting
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import parse_count
from appliance.web.status.ministry import TROUBLES as MINISTRY_TROUBLES

screen = Blueprint("outbox", __name__)

MESSAGES_PER_PAGE = 100
# state: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "pending": (_l("Pending"), "", "hourglass"),
    "claimed": (_l("Being sent"), "accent", "send"),
    "held": (_l("Waiting for review"), "warn", "hourglass"),
    "sent": (_l("Sent"), "ok", "check"),
    "delivered": (_l("Delivered"), "ok", "circle-check"),
    "refused": (_l("Refused"), "bad", "octagon-alert"),
    "expired": (_l("Too late"), "warn", "clock"),
}
CHANNELS = {"sms": _l("SMS"), "telegram": _l("Telegram"), "ministry": _l("Ministry's system")}
PURPOSES = {code: _l(purpose.name) for code, purpose in outbox.PURPOSES.items()}
TROUBLES = {code: _l(text) for code, text in outbox.TROUBLES.items()}

# why a short message's text or number is rejected
TEXT_TROUBLES: dict[str, LazyString] = {
    "empty": _l("Enter a text."),
    "braces": _l("A brace is unmatched or superfluous."),
    "unknown": _l("Only the listed placeholders may be used in braces."),
    "number": _l("The text must contain the appeal's number: {number}."),
    "link": _l("The text must contain the link: {link}."),
    "nobody": _l("There is no mobile number to send it to."),
    "unwanted": _l("This number has opted out of messages."),
    "phone": _l("This is not a phone number."),
    "long": _l("The text is longer than four messages: shorten it."),
    "unfilled": _l("Replace the words in braces with the actual details."),
    "name": _l("Enter a name that no other template has."),
}


@screen.get("/outbox")
@may("outbox.retry")
def show_outbox() -> str:
    """Show messages in one state or all, newest first, and how long the oldest has waited."""
    return render_template("outbox/page.html", **_outbox_context())


@screen.get("/outbox/list")
@may("outbox.retry")
def show_outbox_list() -> str:
    """Render the list alone, to update the open page."""
    return render_template("outbox/list.html", **_outbox_context())


@screen.post("/outbox/<int:id>/retry")
@may("outbox.retry")
def retry_message(id: int) -> Response:
    """Retry a message that was refused, has expired or waits."""
    message = outbox.find_message(id) or abort(404)
    if outbox.resend_message(message, by=me().login):
        flash(_("It will be sent again."))
    else:
        flash(_("It was already sent."))
    return redirect(url_for("outbox.show_outbox", state=request.args.get("state")))


def size_text(parts: int, price: int | None) -> str:
    """Return the number of messages that a text fills, and their price if it is known."""
    count_text = ngettext("%(num)s message", "%(num)s messages", parts)
    if price is None:
        return count_text
    return _("%(messages)s, %(sum)s soʻm", messages=count_text, sum=formatting.format_money(price))


def _outbox_context() -> dict[str, Any]:
    state = request.args.get("state") if request.args.get("state") in STATES else None
    number = max(1, request.args.get("page", 1, parse_count))
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
        "on_hold": outbox.review_count(),
        "now": clock.now(),
        "states": STATES,
        "channels": CHANNELS,
        "purposes": PURPOSES,
        "troubles": TROUBLES,
        "ministry_troubles": MINISTRY_TROUBLES,
    }
