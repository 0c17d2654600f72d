"""The exchange with the ministry's system: appeals not yet there and why, its failed answers."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework.ministry import events, files, link, queue
from appliance.core import clock, outbox
from appliance.web.shared import appeal_labels
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site

screen = Blueprint("ministry", __name__)

TROUBLES: dict[str, LazyString] = {
    "unreachable": _l("The system cannot be reached: check the internet connection."),
    "answer_lost": _l(
        "The system did not answer in time; the message is sent again automatically and is counted "
        "only once there."
    ),
    "no_sense": _l("Something other than the system answered: check the internet connection."),
    "server_error": _l(
        "The system has an internal error; the message is sent again automatically."
    ),
    "log_in": _l(
        "The system refuses our account: check the token in the [ministry] section of the settings."
    ),
    "too_many": _l("The system asks to wait; the message is sent afterwards."),
    "certificate": _l(
        "The system's certificate was not accepted: check the server's clock, and whether "
        "something intercepts the connection."
    ),
    "declined": _l("Get the form corrected, or ask the ministry's technician, then try again."),
    "not_there": _l(
        "There is no such interface at this address: check ministry.url in the settings."
    ),
    "unmapped": _l(
        "Add the code to the [ministry] section of the settings, restart, then try again."
    ),
    "unknown_there": _l("The system no longer knows the appeal; the whole appeal is sent again."),
    "sender_died": _l("Sending was interrupted; the message is sent again."),
}
FILE_TROUBLES: dict[str, LazyString] = {
    "unreadable": _l("It cannot be read, or its signature file is missing: fetch it again."),
    "signature": _l(
        "The ministry has not signed it, or it was changed on the way: fetch it again."
    ),
    "missing": _l("The previous file is missing: import that one first."),
    "other": _l(
        "A different file with this number was imported before: ask the ministry's technician."
    ),
    "no_sense": _l("It does not match the agreed format: show it to the ministry's technician."),
}
OUTCOMES: dict[str, LazyString] = {
    "unknown": _l("There is no such appeal here: ask the ministry's technician."),
    "state": _l("The appeal is already in another state: do the rest by hand."),
    "words": _l("There is no text: ask the ministry for it."),
    "term": _l("The law provides no longer term for this appeal."),
    "overdue": _l("The term is already over: it cannot be extended."),
    "no_sense": _l("It does not match the agreed format: show it to the ministry's technician."),
    "not_sent": _l("The file did not contain that: ask the ministry's technician."),
    "failed": _l("An internal error: see the log of `appliance jobs`."),
}
FILE_DIRECTIONS = {
    "out": _l("To the ministry"),
    "in": _l("From the ministry"),
    "skip": _l("Skipped after a restore"),
}


@screen.get("/ministry")
@may("ministry.retry")
def show_ministry() -> str:
    """Show appeals that are not yet in the ministry's system, and its answers that failed here.

    The refused appeals come first.
    """
    return render_template("ministry/page.html", **_ministry_context())


@screen.get("/ministry/list")
@may("ministry.retry")
def show_ministry_list() -> str:
    """Show the appeals and the failed answers, as a fragment of the open page."""
    return render_template("ministry/list.html", **_ministry_context())


@screen.post("/ministry/<int:id>/retry")
@may("ministry.retry")
def retry_message(id: int) -> Response:
    """Send a message to the ministry's system again that was refused or is waiting."""
    message = outbox.find_message(id, queue.CHANNEL) or abort(404)
    if outbox.requeue_message(message, by=me().login):
        flash(_("It will be sent again."))
    else:
        flash(_("It was already sent."))
    return redirect(url_for("ministry.show_ministry"))


@screen.post("/ministry/retry")
@may("ministry.retry")
def retry_refused() -> Response:
    """Send all messages again that the ministry's system refused."""
    if queue.retry_refused_messages(me().login):
        flash(_("Everything that was refused will be sent again."))
    else:
        flash(_("There are no refused messages."))
    return redirect(url_for("ministry.show_ministry"))


@screen.post("/ministry/seen")
@may("ministry.retry")
def dismiss_event() -> Response:
    """Mark a report of the ministry that could not be processed here as dealt with by the user.

    It is no longer listed, and is not processed again. `event` in the form is its id.
    """
    events.mark_event_seen(request.form.get("event", ""), me().login)
    return redirect(url_for("ministry.show_ministry"))


def _ministry_context() -> dict[str, Any]:
    """Return the template context of the page and of its list.

    `waiting` are the messages about appeals that the ministry's system has not acknowledged;
    `undone` are its reports that could not be processed here; `packages` are the files exchanged,
    if the exchange is by files; `standing` counts the waiting appeals.
    """
    waiting = queue.unacknowledged_messages()
    return {
        "connected": site().ministry,
        "link": link.link_state(),
        "by_files": link.link_state(link.FILES),
        "file_troubles": FILE_TROUBLES,
        "now": clock.now(),
        "standing": queue.exchange_backlog(),
        "waiting": waiting,
        "refused": any(message.state == "refused" for message in waiting),
        "undone": events.unprocessed_events(),
        "packages": files.list_packages(),
        "stands": {
            state: appeal_labels.EXCHANGE_STATES[name]
            for state, name in queue.EXCHANGE_STATES.items()
        },
        "troubles": TROUBLES,
        "outcomes": OUTCOMES,
        "ways": FILE_DIRECTIONS,
        "done": appeal_labels.STEP_LABELS,
    }
