"""Notes attached to a phone number: on the operator's card and on the card of a call."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework.appeals import queries
from appliance.casework.appeals.desk import OperatorDesk
from appliance.core.refusals import Refused
from appliance.telephony import number_notes
from appliance.web.shared.number_notes import TROUBLES, notes_context
from appliance.web.shared.operator_forms import own_desk
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import parse_integer, require_json_object

if TYPE_CHECKING:
    from appliance.models import NumberNote

screen = Blueprint("number_notes", __name__)


@screen.get("/operator/forms/<token>/notes/list")
@may("desk.work")
def show_notes(token: str) -> str:
    """Show the notes of the caller's number, as a fragment of the operator's card."""
    desk = own_desk(token)
    return render_template("operator/notes.html", desk=desk, **notes_context(_caller_number(desk)))


@screen.get("/operator/forms/<token>/notes")
@may("desk.work")
def show_note_form(token: str) -> str:
    """Show the form for a new note about the caller's number, or for the note with the id `note`.

    Aborts with 403 if the user may not change that note.
    """
    desk = own_desk(token)
    note = _changeable_note(_caller_number(desk), request.args.get("note", ""))
    disclosure.log_shown("number", [note.number] if note else [])
    return render_template(
        "operator/note.html", desk=desk, note=note, longest=number_notes.MAX_NOTE_CHARACTERS
    )


@screen.post("/operator/forms/<token>/notes")
@may("note.write")
def save_number_note(token: str) -> Response:
    """Add, correct or remove a note about the caller's number.

    `note` in the JSON body is the id of the note, "" for a new one; `step` "remove" removes it.
    """
    desk, body = own_desk(token), require_json_object()
    note = _changeable_note(_caller_number(desk), str(body.get("note", "")))
    text = str(body.get("text", ""))
    try:
        if note and body.get("step") == "remove":
            number_notes.remove_note(note, me().login)
        elif note:
            number_notes.correct_note(note, text, me().login)
        else:
            number_notes.add_note(_caller_number(desk), text, me().login)
    except Refused as error:
        return jsonify(trouble=str(TROUBLES[error.code]))
    return jsonify(trouble="", done=_("Saved."))


@screen.post("/calls/<call_id>/notes/<int:number>")
@may("note.change")
def change_call_note(call_id: str, number: int) -> Response:
    """Correct or remove the note with the id `number`, from the page of a call.

    The note is about the caller's number. It is removed if the field `step` is "remove".
    """
    call = queries.viewable_call(me(), call_id) or abort(404)
    note = number_notes.find_note(call.citizen, number) or abort(404)
    address = url_for("call.show_call", call_id=call_id)
    try:
        if request.form.get("step") == "remove":
            number_notes.remove_note(note, me().login)
        else:
            number_notes.correct_note(note, request.form.get("text", ""), me().login)
    except Refused as error:
        return refusals.redirect_back(address, error.code, "notes")
    flash(_("Saved."))
    return redirect(address)


def _caller_number(desk: OperatorDesk) -> str | None:
    """Return the number of the caller, if there is a call with a number."""
    return desk.call.citizen if desk.call else None


def _changeable_note(number: str | None, id: str) -> "NumberNote | None":
    """Return the note with this id about a number; None if `id` is empty: a new note is meant.

    Aborts with 404 if the number has no such note, and with 403 if the user may not change it.
    """
    if not id:
        return None
    note = number_notes.find_note(number, parse_integer(id, 1, 2**31) or 0) or abort(404)
    return note if number_notes.can_change(note, me()) else abort(403)
