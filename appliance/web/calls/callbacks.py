"""Promised callbacks: each is on an operator's list until it is done or handed to another one."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import identity
from appliance.casework.appeals.desk import OperatorDesk
from appliance.core import clock, phone_numbers
from appliance.core.refusals import Refused
from appliance.pbx import actions
from appliance.people import accounts, presence
from appliance.telephony import scheduled_callbacks
from appliance.web.shared.callbacks import own_callbacks_context, reminders_context
from appliance.web.shared.operator_forms import own_desk
from appliance.web.shared.telephony_labels import ASTERISK_UNREACHABLE, EXCHANGE_TROUBLES
from appliance.web.shell import disclosure, number_masks, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, start_of_tomorrow
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import local_address, require_json_object

if TYPE_CHECKING:
    from appliance.models import ScheduledCallback

screen = Blueprint("callbacks", __name__)

TROUBLES: dict[str, LazyString] = {
    "number": _l("This number cannot be dialled."),
    "when": _l("Enter the day as dd.mm.yyyy and the time as hh:mm."),
    "past": _l("This time is already past."),
    "far": _l("No more than half a year ahead."),
    "long": _l("A note has at most 500 characters."),
    "operator": _l("Choose an operator."),
    "unreachable": ASTERISK_UNREACHABLE,
}


@screen.get("/callbacks/list")
@may("callback.work")
def show_callback_list() -> str:
    """Show the callbacks that the user may work on, as a fragment of the open page."""
    return render_template("callbacks/list.html", **callback_list_context())


@screen.get("/callbacks/mine")
@may("desk.work")
def show_own_callbacks() -> str:
    """Show the operator's own callbacks, as a fragment of their page between calls."""
    return render_template("callbacks/mine.html", **own_callbacks_context())


@screen.get("/callbacks/due")
@may("desk.work")
def show_reminders() -> str:
    """Show the reminder of a due callback, as a fragment on top of each of the operator's pages."""
    return render_template("operator/reminders.html", **reminders_context())


@screen.get("/operator/forms/<token>/callback")
@may("desk.work")
def show_callback_form(token: str) -> str:
    """Show the form for promising a callback, as a fragment of the operator's page."""
    number = _citizen_number(own_desk(token))
    disclosure.log_shown("number", [number] if number else [])
    tomorrow = clock.now().astimezone(site().tz) + dt.timedelta(days=1)
    return render_template(
        "operator/callback.html",
        token=token,
        number=number_masks.readable_number(phone_numbers.grouped_number(number)) if number else "",
        day=f"{tomorrow:%d.%m.%Y}",
        longest=scheduled_callbacks.MAX_NOTE_CHARACTERS,
    )


@screen.post("/operator/forms/<token>/callback")
@may("desk.work")
def schedule_callback(token: str) -> Response:
    """Store that the operator promised to call back at the submitted time.

    `token` identifies the form at which they promised it. Returns JSON: `trouble` is the text of a
    refusal, or "".
    """
    desk, body = own_desk(token), require_json_object()
    due_at = _parse_due_time(str(body.get("day", "")), str(body.get("time", "")))
    if not due_at:
        return jsonify(trouble=str(TROUBLES["when"]))
    number, note = str(body.get("number", "")), str(body.get("about", ""))
    number = number_masks.unmask_number(number, _citizen_number(desk))
    call = desk.call.id if desk.call else None
    try:
        scheduled_callbacks.schedule_callback(me(), number, due_at, note, call)
    except Refused as error:
        return jsonify(trouble=str(TROUBLES[error.code]))
    return jsonify(trouble="", done=_("It was added to your list."))


@screen.post("/callbacks/<int:number>/call")
@may("callback.work")
def dial_callback(number: int) -> Response:
    """Ring the user's own phone, then call the number of a promised callback.

    If the call is not possible, the page of missed callers says why.
    """
    task = _callback_or_404(number)
    try:
        actions.dial_number(site(), me(), task.number, "follow_up", task.call_id or "")
    except actions.ActionRefused as error:
        return _redirect_refused(error.code if error.code in EXCHANGE_TROUBLES else "exchange")
    except actions.Unreachable:
        return _redirect_refused("unreachable")
    flash(_("Your phone is ringing: pick it up."))
    return redirect(
        url_for(
            "operator.show_workplace" if me().role == "operator" else "followups.list_followups"
        )
    )


@screen.post("/callbacks/<int:number>/<any(done, take, hand):step>")
@may("callback.work")
def update_callback(number: int, step: str) -> Response:
    """Mark a callback as done, take it over, or hand it to the operator with the submitted `login`.

    Operators may hand over only their own callbacks.
    """
    task = _callback_or_404(number)
    if step == "hand" and me().role == "operator" and task.operator_id != me().id:
        abort(403)
    try:
        if step == "done":
            scheduled_callbacks.finish_callback(task, me().login)
        else:
            login = me().login if step == "take" else request.form.get("login", "")
            scheduled_callbacks.hand_over(task, login, me().login)
    except Refused as error:
        return _redirect_refused(error.code)
    flash(_("Done"))
    return redirect(_return_url())


def callback_list_context() -> dict[str, Any]:
    """Return the context of the list of the callbacks that the user may work on.

    `at_work` are the logins of the operators at work; `leads`: the user is not an operator, so they
    may hand over the callbacks of all operators; `tonight` is the end of the current day.
    """
    tasks = scheduled_callbacks.list_callbacks(me())
    disclosure.log_shown("number", [task.number for task in tasks])
    if not tasks:  # an empty list needs no operators
        return {"callbacks": tasks}
    return {
        "callbacks": tasks,
        "now": clock.now(),
        "tonight": start_of_tomorrow(),
        "at_work": {login for login, state in presence.states_by_login().items() if state != "off"},
        "operators": accounts.active_operators(),
        "names": accounts.display_names(locale()),
        "leads": me().role != "operator",
    }


def refusal_text(code: str) -> LazyString | None:
    """Return the text for the code with which a callback, or the call itself, was refused.

    Returns None if the code is unknown.
    """
    return (TROUBLES | EXCHANGE_TROUBLES).get(code)


def _redirect_refused(code: str) -> Response:
    """Redirect to the page of missed callers, which shows the text of the refusal."""
    return refusals.redirect_back(url_for("followups.list_followups"), code)


def _return_url() -> str:
    """Return the address in the form's field `back`, or else that of the page of missed callers."""
    return local_address(request.form.get("back", "")) or url_for("followups.list_followups")


def _callback_or_404(number: int) -> "ScheduledCallback":
    """Return the callback with this id; abort with 404 if the user may not work on it."""
    return scheduled_callbacks.find_callback(me(), number) or abort(404)


def _citizen_number(desk: OperatorDesk) -> str | None:
    """Return the number, if any, of the citizen with whom the operator's form deals.

    It is that of the call, or else the one typed into the form, or the one of the registered form.
    """
    phone_text = desk.draft.values.get("phone") if desk.draft else None
    registered_phone = desk.registered[-1].phone if desk.registered else None
    return (
        (desk.call.citizen if desk.call else None)
        or phone_numbers.canonical_number(phone_text or "")
        or registered_phone
    )


def _parse_due_time(day: str, time: str) -> dt.datetime | None:
    """Return the time, in UTC, of a day such as 24.11.2026 and a time of day such as 9:30.

    `day` and `time` are in the site's time zone. Returns None if one of them is invalid.
    """
    date = identity.parse_plausible_date(day)
    try:
        time_of_day = dt.time.fromisoformat(time.strip().zfill(5))
    except ValueError:
        return None
    return dt.datetime.combine(date, time_of_day, site().tz).astimezone(dt.UTC) if date else None
