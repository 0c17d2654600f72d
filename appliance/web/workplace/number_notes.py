"""Notes that stay with a number: on the operator's card, and on the card of a call."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import appeals
from appliance.people import accounts
from appliance.telephony import number_notes
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.language import locale
from appliance.web.shell.sent import document, whole

if TYPE_CHECKING:
    from appliance.models import NumberNote

screen = Blueprint("number_notes", __name__)

TROUBLES: dict[str, LazyString] = {
    "text": _l("Write the note first."),
    "long": _l("A note has at most 500 letters."),
    "number": _l("A hidden number keeps no notes."),
}


def shown(number: str | None) -> dict[str, Any]:
    """What lists of notes show."""
    found = number_notes.of_number(number)
    disclosure.log_shown("number", [number] if found else [])
    return {
        "notes": found,
        "may_change": lambda note: number_notes.may_change(note, me()),
        "writers": accounts.names(locale()),
    }


@screen.get("/operator/forms/<token>/notes/list")
@may("desk.work")
def listed(token: str) -> str:
    """The notes of the number that calls, as a piece of the operator's card."""
    desk = _desk(token)
    return render_template("operator/notes.html", desk=desk, **shown(_number(desk)))


@screen.get("/operator/forms/<token>/notes")
@may("desk.work")
def form(token: str) -> str:
    """The form of a new note, or of one (`note`) that may be changed."""
    desk = _desk(token)
    note = _note(_number(desk), request.args.get("note", ""))
    disclosure.log_shown("number", [note.number] if note else [])
    return render_template("operator/note.html", desk=desk, note=note, longest=number_notes.LONGEST)


@screen.post("/operator/forms/<token>/notes")
@may("note.write")
def write(token: str) -> Response:
    """Keep a note, correct or remove one."""
    desk, sent = _desk(token), document()
    note = _note(_number(desk), str(sent.get("note", "")))
    text = str(sent.get("text", ""))
    try:
        if note and sent.get("step") == "remove":
            number_notes.remove(note, me().login)
        elif note:
            number_notes.correct(note, text, me().login)
        else:
            number_notes.add(_number(desk), text, me().login)
    except number_notes.NoteError as error:
        return jsonify(trouble=str(TROUBLES[error.code]))
    return jsonify(trouble="", done=_("Saved."))


@screen.post("/calls/<call_id>/notes/<int:number>")
@may("note.change")
def change(call_id: str, number: int) -> Response:
    """Correct or remove a note of the call's number."""
    call = appeals.call_open_to(me(), call_id) or abort(404)
    note = number_notes.find(call.citizen, number) or abort(404)
    there = url_for("call.page", call_id=call_id)
    try:
        if request.form.get("step") == "remove":
            number_notes.remove(note, me().login)
        else:
            number_notes.correct(note, request.form.get("text", ""), me().login)
    except number_notes.NoteError as error:
        return refusals.back(there, error.code, "notes")
    flash(_("Saved."))
    return redirect(there)


def _desk(token: str) -> appeals.Desk:
    """The operator's own form, also when it has just been registered; else 404."""
    return appeals.of_form(me(), token) or appeals.of_registered(me(), token) or abort(404)


def _number(desk: appeals.Desk) -> str | None:
    return desk.call.citizen if desk.call else None


def _note(number: str | None, id: str) -> "NumberNote | None":
    """One that he may change; None for a new one, else 403, 404."""
    if not id:
        return None
    note = number_notes.find(number, whole(id, 1, 2**31) or 0) or abort(404)
    return note if number_notes.may_change(note, me()) else abort(403)
