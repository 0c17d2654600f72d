"""What must leave the box: what waits, what went wrong, and another try."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework.appeals import personal
from appliance.core import clock, outbox
from appliance.reports import figures
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.sent import bounded
from appliance.web.status.ministry import TROUBLES as MINISTRY_TROUBLES

screen = Blueprint("outbox", __name__)

PAGE = 100
# state: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "pending": (_l("Waits"), "", "hourglass"),
    "claimed": (_l("Being sent"), "accent", "send"),
    "held": (_l("Waits for review"), "warn", "hourglass"),
    "sent": (_l("Sent"), "ok", "check"),
    "delivered": (_l("Delivered"), "ok", "circle-check"),
    "refused": (_l("Refused"), "bad", "octagon-alert"),
    "expired": (_l("Too late"), "warn", "clock"),
}
CHANNELS = {"sms": _l("SMS"), "telegram": _l("Telegram"), "ministry": _l("Ministry's system")}
PURPOSES = {code: _l(purpose.name) for code, purpose in outbox.PURPOSES.items()}
TROUBLES = {code: _l(text) for code, text in outbox.TROUBLES.items()}

# why a text of a short message, or its number, is not taken
TEXT_TROUBLES: dict[str, LazyString] = {
    "empty": _l("Write a text."),
    "braces": _l("A brace is open or closed that should not be."),
    "unknown": _l("Only the words listed may stand in braces."),
    "number": _l("The appeal's number must stand in the text: {number}."),
    "link": _l("The link must stand in the text: {link}."),
    "nobody": _l("There is no mobile number to send it to."),
    "unwanted": _l("This number wants no messages."),
    "phone": _l("This is no phone number."),
    "long": _l("The text fills more than four messages: shorten it."),
    "unfilled": _l("Write what is meant where words stand in braces."),
    "name": _l("Write a name that no other template has."),
}


@screen.get("/outbox")
@may("outbox.retry")
def page() -> str:
    """Messages of one state or all, newest first, and how long the oldest has waited."""
    return render_template("outbox/page.html", **_list())


@screen.get("/outbox/list")
@may("outbox.retry")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("outbox/list.html", **_list())


@screen.post("/outbox/<int:id>/retry")
@may("outbox.retry")
def retry(id: int) -> Response:
    """Another try of what was refused, is too late or waits."""
    message = outbox.message(id) or abort(404)
    if outbox.try_again(message, by=me().login):
        flash(_("It will be tried again."))
    else:
        flash(_("It has gone out already."))
    return redirect(url_for("outbox.page", state=request.args.get("state")))


def size(parts: int, price: int | None) -> str:
    """How many messages a text fills, and what they cost where that is known."""
    told = ngettext("%(num)s message", "%(num)s messages", parts)
    if price is None:
        return told
    return _("%(messages)s, %(sum)s soʻm", messages=told, sum=figures.money(price))


def _list() -> dict[str, Any]:
    state = request.args.get("state") if request.args.get("state") in STATES else None
    number = max(1, request.args.get("page", 1, bounded))
    found = outbox.listed(state, PAGE + 1, (number - 1) * PAGE)
    disclosure.log_shown("message", [message.id for message in found[:PAGE]])
    causes = {message.cause for message in found[:PAGE] if message.cause}
    return {
        "closed": personal.unread(me(), causes),
        "state": state,
        "messages": found[:PAGE],
        "page": number,
        "more": len(found) > PAGE,
        "ages": outbox.ages(),
        "on_hold": outbox.review_count(),
        "now": clock.now(),
        "states": STATES,
        "channels": CHANNELS,
        "purposes": PURPOSES,
        "troubles": TROUBLES,
        "ministry_troubles": MINISTRY_TROUBLES,
    }
