"""Numbers that were promised to be called back: on whose list, when due, handed over, done."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import appeals, identity
from appliance.core import clock, phone_numbers
from appliance.pbx import actions
from appliance.people import accounts, presence
from appliance.telephony import scheduled_callbacks
from appliance.web.shell import disclosure, numbers, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import document, ours
from appliance.web.workplace.transfers import TROUBLES as EXCHANGE
from appliance.web.workplace.transfers import UNREACHABLE

if TYPE_CHECKING:
    from appliance.models import ScheduledCallback

screen = Blueprint("callbacks", __name__)

TROUBLES: dict[str, LazyString] = {
    "number": _l("That is no number that can be dialled."),
    "when": _l("Write the day as dd.mm.yyyy and the time as hh:mm."),
    "past": _l("This moment is over already."),
    "far": _l("At most half a year ahead."),
    "long": _l("A note has at most 500 letters."),
    "operator": _l("Choose an operator."),
    "unreachable": UNREACHABLE,
}


@screen.get("/callbacks/list")
@may("callback.work")
def table() -> str:
    """Those that may be looked after, as a piece of the open page."""
    return render_template("callbacks/list.html", **listed())


@screen.get("/callbacks/mine")
@may("desk.work")
def own_list() -> str:
    """The operator's own, as a piece of his day."""
    return render_template("callbacks/mine.html", **own())


@screen.get("/callbacks/due")
@may("desk.work")
def due() -> str:
    """What the operator is reminded of on top of each page."""
    return render_template("operator/reminders.html", **reminders())


@screen.get("/operator/forms/<token>/callback")
@may("desk.work")
def form(token: str) -> str:
    """The form that promises a call, as a piece of the operator's page."""
    number = _number(_desk(token))
    disclosure.log_shown("number", [number] if number else [])
    tomorrow = clock.now().astimezone(site().tz) + dt.timedelta(days=1)
    return render_template(
        "operator/callback.html",
        token=token,
        number=numbers.seen(phone_numbers.grouped(number)) if number else "",
        day=f"{tomorrow:%d.%m.%Y}",
        longest=scheduled_callbacks.LONGEST,
    )


@screen.post("/operator/forms/<token>/callback")
@may("desk.work")
def schedule(token: str) -> Response:
    """Promise to call at a moment."""
    desk, sent = _desk(token), document()
    at = _moment(str(sent.get("day", "")), str(sent.get("time", "")))
    if not at:
        return jsonify(trouble=str(TROUBLES["when"]))
    number, note = str(sent.get("number", "")), str(sent.get("about", ""))
    number = numbers.meant(number, _number(desk))
    call = desk.call.id if desk.call else None
    try:
        scheduled_callbacks.schedule(me(), number, at, note, call)
    except scheduled_callbacks.CallbackError as error:
        return jsonify(trouble=str(TROUBLES[error.code]))
    return jsonify(trouble="", done=_("It stands on your list."))


@screen.post("/callbacks/<int:number>/call")
@may("callback.work")
def call(number: int) -> Response:
    """Ring one's own phone, then the number."""
    task = _task(number)
    try:
        actions.dial(site(), me(), task.number, "follow_up", task.call_id or "")
    except actions.Refused as error:
        return _refused(error.code if error.code in EXCHANGE else "exchange")
    except actions.Unreachable:
        return _refused("unreachable")
    flash(_("Your phone rings: pick it up."))
    return redirect(url_for("operator.page" if me().role == "operator" else "followups.page"))


@screen.post("/callbacks/<int:number>/<any(done, take, hand):step>")
@may("callback.work")
def step(number: int, step: str) -> Response:
    """Note that it is done, take it over, or hand it to an operator."""
    task = _task(number)
    if step == "hand" and me().role == "operator" and task.operator_id != me().id:
        abort(403)
    try:
        if step == "done":
            scheduled_callbacks.finish(task, me().login)
        else:
            login = me().login if step == "take" else request.form.get("login", "")
            scheduled_callbacks.hand_over(task, login, me().login)
    except scheduled_callbacks.CallbackError as error:
        return _refused(error.code)
    flash(_("Done"))
    return redirect(_there())


def own() -> dict[str, Any]:
    """What the operator's day shows."""
    found = scheduled_callbacks.own(me())
    disclosure.log_shown("number", [task.number for task in found])
    return {"callbacks": found, "now": clock.now(), "tonight": _tonight()}


def reminders() -> dict[str, Any]:
    """Those whose moment has come, and when the next one's does."""
    now, found = clock.now(), scheduled_callbacks.own(me())
    come = [task for task in found if task.due_at <= now]
    disclosure.log_shown("number", [task.number for task in come])
    next_at = min((task.due_at for task in found if task.due_at > now), default=None)
    return {"reminders": come[:1], "more_reminders": len(come) - 1, "next_reminder": next_at}


def listed() -> dict[str, Any]:
    """What the list for all who keep it shows."""
    found = scheduled_callbacks.listed(me())
    disclosure.log_shown("number", [task.number for task in found])
    if not found:  # nobody need be looked for
        return {"callbacks": found}
    return {
        "callbacks": found,
        "now": clock.now(),
        "tonight": _tonight(),
        "at_work": {login for login, state in presence.states().items() if state != "off"},
        "operators": accounts.operators(),
        "names": accounts.names(locale()),
        "leads": me().role != "operator",
    }


def trouble(code: str) -> LazyString | None:
    """Why something could not be done, for the page to which it leads back."""
    return (TROUBLES | EXCHANGE).get(code)


def _refused(code: str) -> Response:
    return refusals.back(url_for("followups.page"), code)


def _there() -> str:
    return ours(request.form.get("back", "")) or url_for("followups.page")


def _task(number: int) -> "ScheduledCallback":
    return scheduled_callbacks.find(me(), number) or abort(404)


def _desk(token: str) -> appeals.Desk:
    return appeals.of_form(me(), token) or appeals.of_registered(me(), token) or abort(404)


def _number(desk: appeals.Desk) -> str | None:
    """The number that calls, else the one that is typed."""
    typed = desk.draft.values.get("phone") if desk.draft else None
    made = desk.registered[-1].phone if desk.registered else None
    return (
        (desk.call.citizen if desk.call else None) or phone_numbers.canonical(typed or "") or made
    )


def _moment(day: str, time: str) -> dt.datetime | None:
    date = identity.day(day)
    try:
        at = dt.time.fromisoformat(time.strip().zfill(5))
    except ValueError:
        return None
    return dt.datetime.combine(date, at, site().tz).astimezone(dt.UTC) if date else None


def _tonight() -> dt.datetime:
    tomorrow = clock.now().astimezone(site().tz).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), site().tz)
