"""Actions on an appeal from its card (page): take over, answer, return, correct, consult."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import catalogs, departments
from appliance.casework.appeals import answer_drafts, correcting, form, handling, queries
from appliance.core.refusals import Refused
from appliance.telephony import calls
from appliance.web.appeals import portal
from appliance.web.shared import appeal_access, appeal_labels
from appliance.web.shared.form_fields import fields_context, unmasked_values
from appliance.web.shared.own_appeals import returned_appeals
from appliance.web.shell import disclosure, formats, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.request_data import parse_count, require_json_object

if TYPE_CHECKING:
    from appliance.models import Appeal

screen = Blueprint("handling", __name__, url_prefix="/appeals")

# Undo has its own view, undo_answer, which also restores the draft.
_ACTIONS = ("take", "close", *appeal_labels.ACTION_LABELS)


@screen.post("/<number>/steps")
@may("appeal.answer")
def perform_action(number: str) -> Response:
    """Perform the chosen action on an appeal, one of _ACTIONS, and redirect to its card.

    If it is refused, the card says why and shows the submitted text again.
    """
    appeal, form_data = appeal_access.readable_appeal(number), request.form
    action, text, version = (
        form_data.get("action", ""),
        form_data.get("text", ""),
        form_data.get("version", 0, parse_count),
    )
    if action not in _ACTIONS:
        abort(400)
    department = departments.active_department(form_data.get("department", ""))
    try:
        handling.perform_step(
            appeal,
            action,
            actor=me().login,
            expected_version=version,
            today=today(),
            text=text,
            department=department,
        )
    except Refused as error:
        return refusals.redirect_back(_card_url(number), error.code)
    if "text" in form_data:
        answer_drafts.delete_draft(me(), appeal)
    flash(_("Done: %(what)s", what=appeal_labels.STEP_LABELS[action][0]))
    # a forwarded appeal belongs to another department and may not be visible any more
    visible_appeal = queries.find_appeal(number, me())
    return redirect(
        _card_url(number) if visible_appeal else url_for("portal.list_appeals", **_list_filters())
    )


@screen.post("/<number>/undo")
@may("appeal.answer")
def undo_answer(number: str) -> Response:
    """Undo the user's own answer; its text becomes a draft again.

    This is refused when handling.UNDO_PERIOD has passed, because the answer is then sent.
    """
    appeal, version = (
        appeal_access.readable_appeal(number),
        request.form.get("version", 0, parse_count),
    )
    card_url = _card_url(number)
    try:
        text = handling.undo_answer(appeal, me().login, version)
    except Refused as error:
        return refusals.redirect_back(card_url, error.code)
    answer_drafts.save_answer_draft(me(), appeal, "answer", text)
    flash(_("The answer was withdrawn: it was not sent to anybody."))
    return redirect(card_url)


@screen.post("/<number>/draft")
@may("appeal.answer")
def save_draft(number: str) -> Response | tuple[Response, int]:
    """Save the draft of an answer while it is typed.

    `seen` in the JSON body is when the draft that the page shows was saved. Responds with 409 if
    the draft was changed in another tab after that. `last` says that the page is being left: it is
    then saved in any case, as the page can neither wait for an earlier save nor show a warning.
    """
    appeal, body = appeal_access.readable_appeal(number), require_json_object()
    action, text, department = (str(body.get(n, "")) for n in ("action", "text", "department"))
    if action not in appeal_labels.ACTION_LABELS:
        abort(422)
    stored_draft = answer_drafts.find_draft(me(), appeal)
    last_seen_at = (
        stored_draft and stored_draft.updated_at
        if body.get("last")
        else _parse_saved_at(body.get("seen"))
    )
    try:
        new_draft = answer_drafts.save_answer_draft(
            me(), appeal, action, text, department, last_seen_at
        )
    except answer_drafts.DraftChangedElsewhere:
        return jsonify(words=_("You are editing it in another tab: this text is not saved.")), 409
    if not new_draft:
        return jsonify(saved_at="", words="")
    status_text = _("Draft saved, %(time)s", time=formats.time(new_draft.updated_at))
    return jsonify(saved_at=new_draft.updated_at.isoformat(), words=status_text)


def _list_filters() -> dict[str, Any]:
    """Return the filters of the list that was open next to the card from which a form came.

    The form has the list's query string in its field `list`. Returns {} if no list was open.
    """
    return portal.parse_filters(request.form.get("list", ""))


def _card_url(number: str) -> str:
    """Return the address of an appeal's card, with the same list next to it as before."""
    return url_for("appeals.show_appeal", number=number, **_list_filters())


def _parse_saved_at(value: object) -> dt.datetime | None:
    """Return when the draft that the page shows, if any, was saved, from ISO 8601."""
    try:
        return dt.datetime.fromisoformat(str(value or ""))
    except ValueError:
        return None


@screen.post("/<number>/contacted")
@may("appeal.consult")
def record_specialist_contact(number: str) -> Response:
    """Record which specialist was contacted about an appeal, with the current time."""
    appeal = appeal_access.readable_appeal(number)
    if not appeal_access.can_record_contact(appeal):
        abort(403)
    contact, version = request.form.get("contact", ""), request.form.get("version", 0, parse_count)
    try:
        handling.record_specialist_contact(appeal, contact, me().login, version)
    except Refused as error:
        return refusals.redirect_back(_consultation_url(number), error.code)
    flash(_("Saved."))
    return redirect(_consultation_url(number))


@screen.post("/<number>/concluded")
@may("appeal.consult")
def record_consultation_result(number: str) -> Response:
    """Record the result of the consultation that an appeal needs.

    Aborts with 403 if it needs no consultation, or the user may not record the result.
    """
    appeal = appeal_access.readable_appeal(number)
    if not appeal.consultation or not appeal_access.can_record_contact(appeal):
        abort(403)
    result, version = request.form.get("result", ""), request.form.get("version", 0, parse_count)
    try:
        handling.record_consultation_outcome(appeal, result, me().login, version)
    except Refused as error:
        return refusals.redirect_back(_consultation_url(number), error.code)
    flash(_("Saved."))
    return redirect(_consultation_url(number))


def _consultation_url(number: str) -> str:
    """Return the address of the page from which the form was submitted.

    That is the list of consultations if the field `back` says so, otherwise the appeal's card. The
    ministry's users always go to the card, because that list is not open to them.
    """
    if request.form.get("back") == "list" and me().role != "ministry":
        return url_for("consultations.list_consultations")
    return url_for("appeals.show_appeal", number=number)


@screen.get("/<number>/correct")
@may("appeal.correct")
def show_correction_form(number: str) -> str:
    """Show the form in which a registered appeal is corrected.

    After a refusal, it shows the submitted values and why they were refused.
    """
    appeal, refusal = _correctable_appeal(number), refusals.latest_refusal()
    definition = form.form_definition(appeal.form_version)
    values = correcting.values_with_consultation(appeal)
    if refusal:
        values = _submitted_values(appeal, refusal.values.to_dict())
    current_handling = handling.handling_of_appeal(appeal) or abort(404)
    return_step = next((s for s in handling.list_steps(appeal) if s.action == "return"), None)
    disclosure.log_shown("appeal", [appeal.number])
    return render_template(
        "appeals/correction.html",
        appeal=appeal,
        handling=current_handling,
        reason=return_step.text if return_step and current_handling.state == "returned" else "",
        trouble=appeal_labels.TROUBLES.get(refusal.trouble, ""),
        **fields_context(definition, values),
    )


@screen.post("/<number>/correct")
@may("appeal.correct")
def save_correction(number: str) -> Response:
    """Store the corrected form of an appeal; a returned appeal goes back to the ministry."""
    appeal = _correctable_appeal(number)
    values = _submitted_values(appeal, request.form.to_dict())
    was_returned = handling.current_state(appeal) == "returned"
    version = request.form.get("version", 0, parse_count)
    try:
        changes = correcting.correct_appeal(
            appeal,
            values,
            me().login,
            version,
            catalogs.working_calendar(site()),
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".show_correction_form", number=number), error.code)
    if was_returned:
        flash(_("Sent again to the ministry."))
    else:
        flash(_("Corrected.") if changes else _("Nothing was changed."))
    return redirect(url_for("appeals.show_appeal", number=number))


@screen.get("/returned")
@may("desk.work")
def show_returned_appeals() -> str:
    """Show the appeals returned to the operator, as a fragment of their page."""
    return render_template("operator/returned.html", **returned_appeals())


def _submitted_values(appeal: "Appeal", form_data: dict[str, str]) -> dict[str, str]:
    """Return the values of the submitted correction, with masked phone numbers resolved."""
    call = calls.find_call(appeal.call_id)
    stored_values = correcting.values_with_consultation(appeal)
    values = unmasked_values(form_data, stored_values, call.citizen if call else None)
    return form.clean_values(values, appeal.form_version)


def _correctable_appeal(number: str) -> "Appeal":
    """Return the appeal with this number; abort with 403 if the user may not correct it.

    The operator who registered it may, and users with the right to correct all appeals.
    """
    appeal = appeal_access.readable_appeal(number)
    if not appeal_access.can_correct(appeal):
        abort(403)
    return appeal
