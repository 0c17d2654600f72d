"""Passing a caller on, and calls out, from the operator's page."""

from collections.abc import Callable

from flask import Blueprint, abort, jsonify, render_template, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import appeals, call_forms, catalogs
from appliance.core import clock
from appliance.pbx import actions
from appliance.telephony import calls, directory
from appliance.web.appeals import card
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import document

screen = Blueprint("transfers", __name__, url_prefix="/operator")

TROUBLES: dict[str, LazyString] = {
    "number": _l("That is no number that can be dialled."),
    "barred": _l("Calls to this number are barred."),
    "no_talk": _l("You speak with nobody at this moment."),
    "no_consultation": _l("Nobody is consulted at this moment."),
    "not_answered": _l("The employee has not answered yet."),
    "no_phone": _l("You have no phone."),
    "phone_off": _l("Your phone is not connected: switch it on."),
    "phone_busy": _l("Your phone is in use: hang up first."),
    "exchange": _l("The exchange would not do it. Try again."),
}
UNREACHABLE = _l("The exchange does not answer. Use the keys of your phone.")
AWAY = _l("Out of hours: nobody would answer. Ask first, or choose somebody else.")
REASONS = ("follow_up", "ministry", "page")
WAYS: dict[str, Callable[..., None]] = {"blind": actions.blind, "consult": actions.consult}
NEXT: dict[str, Callable[..., None]] = {
    "join": actions.join,
    "conference": actions.conference,
    "back": actions.back,
}


@screen.get("/employees")
@may("desk.work")
def employees() -> str:
    """Whom to pass the caller on to, or to call, by what was typed; as a piece of the page."""
    typed = request.args.get("q", "")
    now, calendar = clock.now(), catalogs.working_calendar(site())
    found = [(one, directory.reachable(one, now, calendar)) for one in directory.search(typed, 8)]
    calls_out = request.args.get("to") == "call"
    desk = appeals.at_hand(me(), now) if calls_out and not typed else None
    disclosure.log_shown("call", [desk.call.id] if desk and desk.call else [])
    digits = typed.strip().lstrip("+").replace(" ", "")
    return render_template(
        "operator/employees.html",
        found=found,
        number=typed.strip() if len(digits) > 2 and digits.isdecimal() else "",
        calls_out=calls_out,
        caller=desk.call.citizen if desk and desk.call else "",
        token=desk.token if desk else "",
    )


@screen.post("/transfer")
@may("desk.work")
def transfer() -> Response:
    """Pass the caller on: `how` is blind or consult, `number` where to."""
    asked = document()
    way = WAYS.get(str(asked.get("how"))) or abort(422)
    number = str(asked.get("number", ""))
    if way is actions.blind and directory.is_away(
        number, clock.now(), catalogs.working_calendar(site())
    ):
        return jsonify(trouble=str(AWAY))
    return _done(way, number)


@screen.post("/consultation")
@may("desk.work")
def consultation() -> Response:
    """After a word with the employee: `next` is join, conference or back."""
    asked = document()
    return _done(NEXT.get(str(asked.get("next"))) or abort(422))


@screen.post("/dial")
@may("desk.work")
def dial() -> Response:
    """Call a number out: a `number` as typed, or that `of` a form, appeal or call (KIND/NAME).

    `reason` is follow_up (of what lies on the desk), ministry, page.
    """
    asked = document()
    reason = str(asked.get("reason"))
    if reason not in REASONS:
        abort(422)
    serves = ""
    if reason == "follow_up" and (desk := appeals.at_hand(me(), clock.now())):
        serves = desk.registered[0].number if desk.registered else desk.call.id if desk.call else ""
    of = asked.get("of")
    number = _number_of(str(of)) if of else str(asked.get("number", ""))
    return _done(actions.dial, number, reason, serves)


@screen.post("/appeals/<number>/call")
@may("desk.work")
def call_applicant(number: str) -> str:
    """Call the applicant of a registered appeal; answers a piece of the page."""
    appeal = card.loaded(number)
    asked = appeal.phone, "follow_up", appeal.number
    trouble = _done(actions.dial, *asked).get_json()["trouble"]
    words = trouble or _("Take up your phone: then the applicant is called.")
    return render_template("floor/said.html", words=words, good=not trouble)


def _number_of(thing: str) -> str:
    """The number of a form's call, of an appeal, of its call (`caller`), of a registered call."""
    kind, _slash, name = thing.partition("/")
    match kind:
        case "form":
            desk = appeals.of_form(me(), name) or appeals.of_registered(me(), name) or abort(404)
            number = desk.call.citizen if desk.call else None
        case "appeal":
            number = card.loaded(name).phone
        case "caller":
            call = calls.call(card.loaded(name).call_id)
            number = call.citizen if call else None
        case "call_form":
            number = (call_forms.find(name, me()) or abort(404)).phone
        case _:
            abort(422)
    return number or ""


def _done(action: Callable[..., None], *facts: str) -> Response:
    """Have the exchange do it; says what is wrong in the operator's words."""
    try:
        action(site(), me(), *facts)
    except actions.Refused as error:
        return jsonify(trouble=str(TROUBLES.get(error.code, TROUBLES["exchange"])))
    except actions.Unreachable:
        return jsonify(trouble=str(UNREACHABLE))
    return jsonify(trouble="", done=_("Done"))
