"""Messages on hold after a restore: they may have been sent before, so a user decides on each."""

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import LazyString, ngettext
from flask_babel import lazy_gettext as _l
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from appliance.casework.appeals import personal
from appliance.core import outbox
from appliance.web.shared.message_labels import PURPOSES, STATES
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import page_number, parse_count
from appliance.web.status.outbox import CHANNELS

screen = Blueprint("held_messages", __name__)

ROWS_PER_PAGE = 100
# By status of a message at the service that sends it: its label, the badge's kind, the icon.
SERVICE_STATUSES: dict[str, tuple[LazyString, str, str]] = {
    "delivered": (_l("Delivered"), "ok", "circle-check"),
    "taken": (_l("Accepted, on its way"), "ok", "check"),
    "refused": (_l("Not delivered"), "bad", "octagon-alert"),
    "absent": (_l("Not found there"), "warn", "info"),
    "unknown": (_l("Cannot be queried"), "", "info"),
    "": (_l("Not queried yet"), "", "hourglass"),
}


@screen.get("/outbox/held")
@may("outbox.retry")
def show_held_messages() -> str:
    """Show a page of the messages on hold, the oldest first.

    With each is shown what the service that sends it says about it (SERVICE_STATUSES). Messages
    about appeals that the user may not read (`closed`) are shown without their content.
    """
    number = page_number()
    page_rows = outbox.messages_to_review(ROWS_PER_PAGE + 1, (number - 1) * ROWS_PER_PAGE)
    rows = page_rows[:ROWS_PER_PAGE]
    disclosure.log_shown("message", [row.message_id for row in rows])
    causes = {row.message.cause for row in rows if row.message.cause}
    return render_template(
        "held_messages/page.html",
        rows=rows,
        count=outbox.held_message_count(),
        closed=personal.unreadable_numbers(me(), causes),
        nothing_chosen=refusals.latest_refusal().trouble == "none",
        page=number,
        more=len(page_rows) > ROWS_PER_PAGE,
        words=SERVICE_STATUSES,
        states=STATES,
        channels=CHANNELS,
        purposes=PURPOSES,
    )


@screen.post("/outbox/held")
@may("outbox.retry")
def release_or_drop() -> Response:
    """Send or drop the messages on hold: those with the submitted ids (`number`), or all (`all`).

    The field `do` is "send" or "drop". If no message was selected, the page says so.
    """
    form = request.form
    numbers = form.getlist("number", parse_count)
    if form.get("do") not in ("send", "drop") or not (numbers or form.get("all")):
        return refusals.redirect_back(url_for(".show_held_messages"), "none")
    message_ids = None if form.get("all") else numbers
    if form["do"] == "send":
        count = outbox.release_messages(message_ids, me().login)
        flash(ngettext("%(num)s message will be sent.", "%(num)s messages will be sent.", count))
    else:
        count = outbox.drop_messages(message_ids, me().login)
        flash(
            ngettext(
                "%(num)s message will never be sent.", "%(num)s messages will never be sent.", count
            )
        )
    return redirect(
        url_for(".show_held_messages")
        if outbox.held_message_count()
        else url_for("outbox.show_outbox")
    )
