"""Announcements of supervisors, written on the floor page and shown to operators until read."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.core.refusals import Refused
from appliance.people import accounts, announcements
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me

screen = Blueprint("announcements", __name__)

MAX_LISTED = 10
TROUBLES: dict[str, LazyString] = {
    "empty": _l("Write the message."),
    "long": _l("A message has at most 500 characters."),
    "nobody": _l("Choose an operator, or all of them."),
}


@screen.post("/floor/announcements")
@may("announcement.write")
def send_announcement() -> Response:
    """Send an announcement to the operator with the login `to`, or to all of them."""
    form = request.form
    try:
        announcements.send_announcement(form.get("announcement", ""), form.get("to", ""), me())
    except Refused as error:
        return refusals.redirect_back(url_for("floor.show_floor"), error.code, anchor="announce")
    flash(_("Sent."))
    return redirect(url_for("floor.show_floor"))


@screen.get("/floor/announcements")
@may("announcement.write")
def list_announcements() -> str:
    """Show the newest announcements and who has read them, as a fragment of the floor page."""
    return render_template("floor/announced.html", **_newest_announcements())


@screen.get("/operator/announcements")
@may("desk.work")
def show_unread_announcements() -> str:
    """Show the announcements that the operator has not read yet, as a fragment of their page."""
    return render_template(
        "operator/announcements.html", unread=announcements.unread_announcements(me())
    )


@screen.post("/operator/announcements/<int:number>")
@may("desk.work")
def mark_announcement_read(number: int) -> Response:
    """Record that the operator has read an announcement.

    Returns JSON with an empty `trouble`, which the scripts of the operator's page expect.
    """
    announcements.mark_read(me(), number)
    return jsonify(trouble="")


def announcement_form_context() -> dict[str, object]:
    """Return the context of the form on the floor page: a refused text, newest announcements."""
    refusal = refusals.latest_refusal()
    return {
        "addressees": accounts.active_operators(),
        "typed": refusal.values,
        "trouble": TROUBLES.get(refusal.trouble),
        "longest": announcements.MAX_TEXT_CHARS,
        **_newest_announcements(),
    }


def _newest_announcements() -> dict[str, object]:
    """Return the context of the list of the newest announcements."""
    return {"announced": announcements.newest_announcements(MAX_LISTED)}
