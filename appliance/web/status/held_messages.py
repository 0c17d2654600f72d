"""Messages on hold after a restore: what is known of each, and what becomes of it."""

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import LazyString, ngettext
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from appliance.casework.appeals import personal
from appliance.core import outbox
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.sent import bounded
from appliance.web.status.outbox import CHANNELS, PURPOSES, STATES

screen = Blueprint("held_messages", __name__)

PAGE = 100
# what a service says: its words, the badge's kind, the icon
WORDS: dict[str, tuple[LazyString, str, str]] = {
    "delivered": (_l("Delivered"), "ok", "circle-check"),
    "taken": (_l("Taken there, on its way"), "ok", "check"),
    "refused": (_l("Not delivered"), "bad", "octagon-alert"),
    "absent": (_l("Not known there"), "warn", "info"),
    "unknown": (_l("Cannot be asked"), "", "info"),
    "": (_l("Not asked yet"), "", "hourglass"),
}


@screen.get("/outbox/held")
@may("outbox.retry")
def page() -> str:
    """What is on hold, the oldest first, with what is known of it."""
    number = max(1, request.args.get("page", 1, bounded))
    page_rows = outbox.messages_to_review(PAGE + 1, (number - 1) * PAGE)
    rows = page_rows[:PAGE]
    disclosure.log_shown("message", [row.message_id for row in rows])
    causes = {row.message.cause for row in rows if row.message.cause}
    return render_template(
        "held_messages/page.html",
        rows=rows,
        count=outbox.review_count(),
        closed=personal.unread(me(), causes),
        nothing_chosen=refusals.latest().trouble == "none",
        page=number,
        more=len(page_rows) > PAGE,
        words=WORDS,
        states=STATES,
        channels=CHANNELS,
        purposes=PURPOSES,
    )


@screen.post("/outbox/held")
@may("outbox.retry")
def decide() -> Response:
    """Send the chosen messages or all of them, or never send them."""
    sent = request.form
    numbers = sent.getlist("number", bounded)
    if sent.get("do") not in ("send", "drop") or not (numbers or sent.get("all")):
        return refusals.back(url_for(".page"), "none")
    chosen = None if sent.get("all") else numbers
    if sent["do"] == "send":
        count = outbox.release(chosen, me().login)
        flash(ngettext("%(num)s message is sent.", "%(num)s messages are sent.", count))
    else:
        count = outbox.drop(chosen, me().login)
        flash(ngettext("%(num)s message is never sent.", "%(num)s messages are never sent.", count))
    return redirect(url_for(".page") if outbox.review_count() else url_for("outbox.page"))
