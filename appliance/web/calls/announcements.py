"""What a supervisor tells operators: written on the floor, shown on their pages until read."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.people import accounts, announcements
from appliance.people.announcements import AnnouncementError
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me

screen = Blueprint("announcements", __name__)

LISTED = 10
TROUBLES: dict[str, LazyString] = {
    "empty": _l("Write the message."),
    "long": _l("A message has 500 letters at most."),
    "nobody": _l("Choose an operator, or all of them."),
}


@screen.post("/floor/announcements")
@may("announcement.write")
def send() -> Response:
    """Tell one operator, or all of them."""
    form = request.form
    try:
        announcements.send(form.get("announcement", ""), form.get("to", ""), me())
    except AnnouncementError as error:
        return refusals.back(url_for("floor.page"), error.code, anchor="announce")
    flash(_("Sent."))
    return redirect(url_for("floor.page"))


@screen.get("/floor/announcements")
@may("announcement.write")
def sent() -> str:
    """What was sent last, and who has read it, as a piece of the page."""
    return render_template("floor/announced.html", **_sent())


@screen.get("/operator/announcements")
@may("desk.work")
def unread() -> str:
    """What the operator has not read yet, as a piece of his page."""
    return render_template("operator/announcements.html", unread=announcements.unread(me()))


@screen.post("/operator/announcements/<int:number>")
@may("desk.work")
def read(number: int) -> Response:
    """He has read it."""
    announcements.read(me(), number)
    return jsonify(trouble="")


def writing_form() -> dict[str, object]:
    """What the form on the floor shows: what was typed and why it was not sent, and what was."""
    was = refusals.latest()
    return {
        "addressees": accounts.operators(),
        "typed": was.values,
        "trouble": TROUBLES.get(was.trouble),
        "longest": announcements.LONGEST,
        **_sent(),
    }


def _sent() -> dict[str, object]:
    return {"announced": announcements.newest(LISTED)}
