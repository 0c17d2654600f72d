"""Transferring a caller and calling out, from the operator's page."""

from collections.abc import Callable

from flask import Blueprint, abort, jsonify, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import call_forms, catalogs
from appliance.casework.appeals.desk import current_desk
from appliance.core import clock
from appliance.pbx import actions
from appliance.telephony import calls, directory
from appliance.web.shared import appeal_access
from appliance.web.shared.operator_forms import own_desk
from appliance.web.shared.telephony_labels import ASTERISK_UNREACHABLE, EXCHANGE_TROUBLES
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.request_data import require_json_object

screen = Blueprint("transfers", __name__, url_prefix="/operator")

OUT_OF_HOURS = _l("Outside working hours: nobody would answer. Ask first, or choose somebody else.")
DIAL_REASONS = ("follow_up", "ministry", "page")
TRANSFER_ACTIONS: dict[str, Callable[..., None]] = {
    "blind": actions.transfer_blind,
    "consult": actions.start_consultation,
}
CONSULTATION_ACTIONS: dict[str, Callable[..., None]] = {
    "join": actions.join_caller,
    "conference": actions.start_conference,
    "back": actions.return_to_caller,
}


@screen.get("/employees")
@may("desk.work")
def list_employees() -> str:
    """Show the employees found by the text `q`, as a fragment of the page.

    The user transfers the caller to one of them, or with `to=call`, calls one. If `q` is itself a
    phone number, it is offered as well; with `to=call` and no `q`, the number of the current caller
    is.
    """
    typed = request.args.get("q", "")
    now, calendar = clock.now(), catalogs.working_calendar(site())
    results = [
        (employee, directory.is_reachable(employee, now, calendar))
        for employee in directory.search_employees(typed, 8)
    ]
    calls_out = request.args.get("to") == "call"
    desk = current_desk(me(), now) if calls_out and not typed else None
    disclosure.log_shown("call", [desk.call.id] if desk and desk.call else [])
    digits = typed.strip().lstrip("+").replace(" ", "")
    return render_template(
        "operator/employees.html",
        found=results,
        number=typed.strip() if len(digits) > 2 and digits.isdecimal() else "",
        calls_out=calls_out,
        caller=desk.call.citizen if desk and desk.call else "",
        token=desk.token if desk else "",
    )


@screen.post("/transfer")
@may("desk.work")
def transfer_caller() -> Response:
    """Transfer the caller to `number`: at once if `how` is "blind", after asking if "consult"."""
    body = require_json_object()
    action = TRANSFER_ACTIONS.get(str(body.get("how"))) or abort(422)
    number = str(body.get("number", ""))
    if action is actions.transfer_blind and directory.is_unreachable(
        number, clock.now(), catalogs.working_calendar(site())
    ):
        return jsonify(trouble=str(OUT_OF_HOURS))
    return _run_action(action, number)


@screen.post("/consultation")
@may("desk.work")
def end_consultation() -> Response:
    """End a consultation with an employee, as `next` says.

    "join" connects the caller with the employee, "conference" connects all three, "back" returns to
    the caller.
    """
    body = require_json_object()
    return _run_action(CONSULTATION_ACTIONS.get(str(body.get("next"))) or abort(422))


@screen.post("/dial")
@may("desk.work")
def dial_number() -> Response:
    """Call the typed `number`, or the number of the object `of`, written as KIND/NAME.

    `reason` is "follow_up" (about the current form or its appeal), "ministry" (to the ministry) or
    "page" (any other call).
    """
    body = require_json_object()
    reason = str(body.get("reason"))
    if reason not in DIAL_REASONS:
        abort(422)
    subject_id = ""
    if reason == "follow_up" and (desk := current_desk(me(), clock.now())):
        subject_id = (
            desk.registered[0].number if desk.registered else desk.call.id if desk.call else ""
        )
    source = body.get("of")
    number = _number_to_dial(str(source)) if source else str(body.get("number", ""))
    return _run_action(actions.dial_number, number, reason, subject_id)


@screen.post("/appeals/<number>/call")
@may("desk.work")
def call_applicant(number: str) -> str:
    """Ring the user's own phone, then call the applicant of a registered appeal.

    The result is shown as a fragment of the page.
    """
    appeal = appeal_access.readable_appeal(number)
    arguments = appeal.phone, "follow_up", appeal.number
    trouble = _run_action(actions.dial_number, *arguments).get_json()["trouble"]
    text = trouble or _("Pick up your phone: the applicant is called next.")
    return render_template("floor/said.html", words=text, good=not trouble)


def _number_to_dial(source: str) -> str:
    """Return the number to dial for an object, written as KIND/NAME; "" if it has no number.

    KIND is "form" (the number of its caller), "appeal" (of the applicant), "caller" (of the caller
    who made an appeal) or "call_form". Aborts with 422 if it is unknown.
    """
    kind, _slash, name = source.partition("/")
    match kind:
        case "form":
            desk = own_desk(name)
            number = desk.call.citizen if desk.call else None
        case "appeal":
            number = appeal_access.readable_appeal(name).phone
        case "caller":
            call = calls.find_call(appeal_access.readable_appeal(name).call_id)
            number = call.citizen if call else None
        case "call_form":
            number = (call_forms.find_call_form(name, me()) or abort(404)).phone
        case _:
            abort(422)
    return number or ""


def _run_action(action: Callable[..., None], *arguments: str) -> Response:
    """Execute an action in Asterisk, for the signed-in user.

    `trouble` in the JSON response says why it failed, in the user's language, or is "".
    """
    try:
        action(site(), me(), *arguments)
    except actions.ActionRefused as error:
        return jsonify(
            trouble=str(EXCHANGE_TROUBLES.get(error.code, EXCHANGE_TROUBLES["exchange"]))
        )
    except actions.Unreachable:
        return jsonify(trouble=str(ASTERISK_UNREACHABLE))
    return jsonify(trouble="", done=_("Done"))
