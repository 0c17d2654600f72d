"""The link to the ministry's system: what is not yet there, why, and what came back undone."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import ministry
from appliance.casework.ministry import answers, files, link, queue
from appliance.core import clock, outbox
from appliance.web.appeals import appeal_labels
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site

screen = Blueprint("ministry", __name__)

# where an appeal stands: its name, the badge's kind, the icon
STANDS: dict[str, tuple[LazyString, str, str]] = {
    "queued": (_l("Waits"), "", "hourglass"),
    "sent": (_l("Sent"), "accent", "send"),
    "acknowledged": (_l("On register there"), "ok", "circle-check"),
    "refused": (_l("Refused"), "bad", "octagon-alert"),
}
TROUBLES: dict[str, LazyString] = {
    "unreachable": _l("The system cannot be reached: look at the internet link."),
    "answer_lost": _l("It did not answer in time; it is tried again and counts once there."),
    "no_sense": _l("Something other than the system answered: look at the internet link."),
    "server_error": _l("The system has a fault of its own; it is tried again by itself."),
    "log_in": _l("It refuses our account: check the token in the [ministry] settings."),
    "too_many": _l("It asks to wait, and it is sent then."),
    "certificate": _l(
        "The system's certificate is not taken: look at the box's clock, and whether something "
        "on the way puts itself between."
    ),
    "declined": _l("Have the form corrected, or ask the ministry's technician, then try again."),
    "not_there": _l(
        "There is no such interface at this address: check ministry.url in the settings."
    ),
    "unmapped": _l("Add the code under [ministry] in the settings, restart, then try again."),
    "unknown_there": _l("It does not know the appeal any more; it is sent whole again."),
    "sender_died": _l("The sending process was stopped in the middle; it is sent again."),
}
FILES: dict[str, LazyString] = {
    "unreadable": _l("It cannot be read, or its signature is not beside it: get it again."),
    "signature": _l("The ministry has not signed it, or it was changed on the way: get it again."),
    "missing": _l("The file before it is missing: take that one first."),
    "other": _l("Another file with its number was taken before: ask the ministry's technician."),
    "no_sense": _l("It is not as agreed: show it to the ministry's technician."),
}
OUTCOMES: dict[str, LazyString] = {
    "unknown": _l("There is no such appeal here: ask the ministry's technician."),
    "state": _l("The appeal stands elsewhere already: do by hand what is left."),
    "words": _l("The text is missing: ask the ministry for it."),
    "term": _l("The law knows no longer term for this appeal."),
    "overdue": _l("The term is over already: it cannot be extended."),
    "no_sense": _l("It is not as agreed: show it to the ministry's technician."),
    "not_sent": _l("The file did not hold that: ask the ministry's technician."),
    "failed": _l("A fault of ours: see the log of `appliance jobs`."),
}
WAYS = {
    "out": _l("To the ministry"),
    "in": _l("From the ministry"),
    "skip": _l("Left out after a restore"),
}


@screen.get("/ministry")
@may("ministry.retry")
def page() -> str:
    """Appeals that are not on register there, refused ones first, and what could not be done."""
    return render_template("ministry/page.html", **_looked())


@screen.get("/ministry/list")
@may("ministry.retry")
def table() -> str:
    """The same, as a piece of the open page."""
    return render_template("ministry/list.html", **_looked())


@screen.post("/ministry/<int:id>/retry")
@may("ministry.retry")
def retry(id: int) -> Response:
    """Another try of what was refused or waits."""
    message = outbox.message(id, queue.CHANNEL) or abort(404)
    if outbox.try_again(message, by=me().login):
        flash(_("It will be tried again."))
    else:
        flash(_("It has gone out already."))
    return redirect(url_for("ministry.page"))


@screen.post("/ministry/retry")
@may("ministry.retry")
def retry_all() -> Response:
    """Another try of all that was refused."""
    if queue.try_all_again(me().login):
        flash(_("All that was refused will be tried again."))
    else:
        flash(_("Nothing is refused."))
    return redirect(url_for("ministry.page"))


@screen.post("/ministry/seen")
@may("ministry.retry")
def seen() -> Response:
    """Somebody has seen to what the system told and could not be done."""
    answers.seen(request.form.get("event", ""), me().login)
    return redirect(url_for("ministry.page"))


def _looked() -> dict[str, Any]:
    waiting = ministry.ageing()
    return {
        "connected": site().ministry,
        "link": link.state(),
        "by_files": link.state(link.FILES),
        "file_troubles": FILES,
        "now": clock.now(),
        "standing": ministry.standing(),
        "waiting": waiting,
        "refused": any(message.state == "refused" for message in waiting),
        "undone": ministry.undone(),
        "packages": files.packages(),
        "stands": {state: STANDS[name] for state, name in queue.STANDS.items()},
        "troubles": TROUBLES,
        "outcomes": OUTCOMES,
        "ways": WAYS,
        "done": appeal_labels.DONE,
    }
