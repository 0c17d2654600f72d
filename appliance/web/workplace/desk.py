"""The operator's workplace: the current call, its form, the operator's own day.

A desk is an operator's form together with the call it belongs to. The card is the main
part of the page: it shows a form, what was just registered, or the day.
"""

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, abort, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.box import health
from appliance.casework import applicants, call_forms, catalogs
from appliance.casework.appeals import queries
from appliance.casework.appeals.desk import (
    OperatorDesk,
    current_desk,
    desk_for_appeal,
    desk_for_call_form,
    desk_for_unregistered_form,
)
from appliance.casework.appeals.handling import handling_of_appeal as handling_of
from appliance.casework.forms.drafts import token_for
from appliance.core import clock
from appliance.messaging.notices import citizens
from appliance.pbx import actions
from appliance.people import announcements, presence
from appliance.telephony import calls, routing
from appliance.web.shared import (
    appeal_access,
    appeal_labels,
    callbacks,
    message_labels,
    own_appeals,
    telephony_labels,
)
from appliance.web.shell import disclosure, formats
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.workplace import caller, forms, own_day, states

if TYPE_CHECKING:
    from appliance.models import Appeal

MAX_CALLS_TO_REGISTER = 20  # calls listed as still to be registered
UNREACHED_NOTICE_PERIOD = dt.timedelta(minutes=5)  # for which a failed callback is shown

screen = Blueprint("operator", __name__, url_prefix="/operator")


@screen.get("")
@may("desk.work")
def show_workplace() -> str:
    """Show the form of the current call, or of the last one if it is still to be registered.

    Otherwise the operator's own day is shown.
    """
    return _render_page(_current_desk())


@screen.get("/session")
@may("desk.work")
def check_session() -> Response:
    """Return 204 to a signed-in operator; nginx requests this before it opens a SIP connection."""
    return Response(status=204)


@screen.get("/day")
@may("desk.work")
def show_day() -> str:
    """Show the operator's own day, even if a form is open."""
    return _render_page(None)


@screen.get("/registered/<number>")
@may("desk.work")
def show_registered(number: str) -> str:
    """Show the appeal, or the call, that the operator just registered under this number."""
    return render_template("operator/page.html", **_registered_context(number))


@screen.get("/forms/new")
@may("desk.work")
def open_new_form() -> Response:
    """Redirect to a new form.

    It belongs to the call of the appeal or registered call with the number `after`. If `after` is
    missing, it belongs to the current call if that has no open form (it is registered, or its form
    was set aside), otherwise to no call.
    """
    if after := request.args.get("after"):
        if queries.is_appeal_number(after):
            call = desk_for_appeal(_own_appeal(after)).call
        else:
            call_form = call_forms.find_call_form(after, me()) or abort(404)
            call = desk_for_call_form(call_form).call
    else:
        desk = _current_desk()
        call = desk.call if desk and desk.is_closed else None
    return redirect(url_for(".show_form", token=token_for(me(), call)))


@screen.get("/forms/<token>")
@may("desk.work")
def show_form(token: str) -> Response | str:
    """Show the form with this token: a draft to be continued, or a new form.

    If it is registered, or is not the operator's, redirect to the workplace.
    """
    desk = desk_for_unregistered_form(me(), token)
    return _render_page(desk, is_open=True) if desk else redirect(url_for(".show_workplace"))


@screen.get("/card")
@may("desk.work")
def show_card() -> str:
    """Show the card, the main part of the workplace, as a fragment of the page.

    The URL chooses the form with the token `form`, or the registered appeal or call with the number
    `registered`; otherwise the form of the current call is shown, or the operator's day. If the
    user has switched between the two forms of a call, `shows` is "1" (appeal) or "2" (call).
    """
    if number := request.args.get("registered"):
        return render_template("operator/card.html", **_registered_context(number))
    requested_desk = desk_for_unregistered_form(me(), request.args.get("form", ""))
    desk = requested_desk or _current_desk()
    form_number = request.args.get("shows", "")
    return render_template(
        "operator/card.html", **_card_context(desk, requested_desk is not None, form_number)
    )


@screen.get("/bar")
@may("desk.work")
def show_bar() -> str:
    """Show the bar of the current call, as a fragment of the page.

    Its attribute data-form is the token of the call's form.
    """
    return render_template("operator/bar.html", **_bar_context())


@screen.get("/paused")
@may("desk.work")
def show_paused() -> str:
    """Show the notices about the operator's pause and a failed callback, as a page fragment.

    The pause is mentioned if a supervisor or the system started it, or if it has reached its limit
    for the day.
    """
    return render_template("operator/paused.html", **_paused_context())


@screen.post("/more-time")
@may("desk.work")
def extend_wrap_up() -> Response:
    """Extend the wrap-up, in which the phone does not ring, by `calls.more_time` seconds."""
    if not (wrap_up := _wrap_up_period()) or not wrap_up["more"]:
        return jsonify(trouble=_("The wrap-up is already over."))
    return states.set_state(presence.WRAP_UP)


@screen.post("/hang-up")
@may("desk.work")
def hang_up() -> Response:
    """Hang up the operator's phone in the current call.

    `trouble` in the JSON response says why that was not possible, or is "".
    """
    line, extension = _phone_line(), me().extension
    call_id = line.call_id if line else getattr(calls.current_call(me().login), "id", None)
    if not call_id or not extension:
        return jsonify(trouble=_("The call is already over."))
    try:
        actions.hang_up_phone(site(), call_id, extension)
    except actions.ActionRefused:
        return jsonify(trouble=_("The call is already over."))
    except actions.Unreachable:
        return jsonify(trouble=_("The exchange does not answer. Hang up with the phone."))
    return jsonify(trouble="")


def _render_page(desk: OperatorDesk | None, is_open: bool = False) -> str:
    """Render the workplace; its card shows the form of `desk` (see _card_context)."""
    return render_template("operator/page.html", **_card_context(desk, is_open))


@screen.app_template_global("on_top")
def _top_context() -> dict[str, object]:
    """Return the context of what every page of an operator has on top; computed once per page.

    That is the bar, the pause, the state, the queue, announcements and reminders.
    """
    if "on_top" not in g:
        g.on_top = (
            states.state_context() | own_day.queue_context() | _bar_context() | _paused_context()
        )
        g.on_top |= {
            "unread": announcements.unread_announcements(me())
        } | callbacks.reminders_context()
    on_top: dict[str, object] = g.on_top
    return on_top


def _bar_context() -> dict[str, object]:
    """Return the context of the bar: the current call, what the phone does, the wrap-up.

    `failed` is the transfer of the call's caller that has just reached nobody, if any. That the
    call, or the number at the other end, is shown is recorded in the audit.
    """
    desk, line = _current_desk(), _phone_line()
    disclosure.log_shown("call", [desk.call.id] if desk and desk.call else [])
    disclosure.log_shown(
        "number", [line.other_number] if line and line.other_number and not line.call_id else []
    )
    failed_transfer = None
    if desk and desk.call and desk.stage in ("ringing", "talk"):
        failed_transfer = calls.failed_transfer(me().login, desk.call)
    return {
        "desk": desk,
        "line": line,
        "wrap_up": _wrap_up_period(),
        "failed": failed_transfer,
        "number_owner": formats.number_owner,
        "outcomes": telephony_labels.OUTBOUND_OUTCOMES,
        "now": clock.now(),
    }


def _current_desk() -> OperatorDesk | None:
    """Return the current form with its call (a desk), if any.

    It is computed once per response, so that form and bar agree.
    """
    if "at_hand" not in g:
        g.at_hand = current_desk(me(), clock.now())
    desk: OperatorDesk | None = g.at_hand
    return desk


def _paused_context() -> dict[str, object]:
    """Return the context of the notice about a pause or a failed callback.

    `unreached` is the callback that failed within UNREACHED_NOTICE_PERIOD, if any, but not during a
    call, from which the notice would distract.
    """
    busy = states.own_call()
    unreached = (
        None
        if busy
        else calls.unanswered_call_back(me().login, clock.now() - UNREACHED_NOTICE_PERIOD)
    )
    disclosure.log_shown("call", [unreached.id] if unreached else [])
    return states.state_context() | {
        "unreached": unreached,
        "reason_of": telephony_labels.failure_text,
    }


def _phone_line() -> actions.Line | None:
    """Return what the operator's phone does; None if it is idle or Asterisk does not respond."""
    extension = me().extension
    if not extension or health.is_exchange_alive() is False:
        return None
    try:
        return actions.phone_line(site(), extension)
    except (actions.ActionRefused, actions.Unreachable):
        return None


def _wrap_up_period() -> dict[str, object] | None:
    """Return until when the phone does not ring after a talk (`until`).

    `more` is True if that time can be extended: it is the time that the plan gives after each talk,
    and not yet the extra time that the operator took. Returns None if there is no wrap-up now.
    """
    state, now = presence.state_of(me()), clock.now()
    if not state or states.own_call():
        return None
    if state.state == presence.WRAP_UP:
        until = state.since + dt.timedelta(seconds=site().calls.more_time)
        return {"until": until, "more": False}
    length = dt.timedelta(seconds=routing.current_plan(site()).queueing.wrap_up)
    talk_ended_at = calls.last_talk_ends(now - length).get(me().login) if length else None
    if not talk_ended_at or state.state != "ready" or state.since > talk_ended_at:
        return None
    return {"until": talk_ended_at + length, "more": site().calls.more_time > 0}


def _card_context(
    desk: OperatorDesk | None, is_open: bool = False, form_number: str = ""
) -> dict[str, object]:
    """Return the context of the card: an open form, what was registered, or the operator's day.

    `desk` is the form with its call; without it, the day is shown. The form is shown unless it is
    registered (then the card shows what was registered) or set aside (the day); if `is_open` is
    True, because the operator has opened it, it is always shown. `form_number` is that of the form
    to show, "1" or "2"; "" for the one that forms.selected_form chooses.
    """
    if desk and (is_open or not desk.is_closed):
        return (
            forms.form_context(desk, form_number)
            | caller.caller_context(desk)
            | {
                "shows": "form",
                "desk": desk,
                "drafts": forms.unfinished_drafts(open_token=desk.token),
            }
        )
    if desk and desk.is_registered:
        if desk.registered:
            return _registered_context(desk.registered[-1].number)
        if desk.call_form:
            return _registered_call_context(desk.call_form.number)
    return {
        "shows": "day",
        **_unfinished_context(),
        **own_appeals.returned_appeals(),
        **own_appeals.own_consultations_context(),
        **callbacks.own_callbacks_context(),
        **own_day.day_context(),
    }


def _unfinished_context() -> dict[str, object]:
    """Return the context of unfinished work: drafts, and calls that have yet to be registered.

    Such a call has neither a registered form №2 (the form of a call) nor a draft. `to_register` has
    the newest of them as (call, token of its form), `waiting` is the number of all.
    """
    drafts = forms.unfinished_drafts()
    drafted_ids = {draft.call_id for draft in drafts}
    unregistered = [
        c for c in call_forms.calls_to_register(me(), clock.now()) if c.id not in drafted_ids
    ]
    listed = unregistered[:MAX_CALLS_TO_REGISTER]
    disclosure.log_shown("call", [call.id for call in listed])
    return {
        "drafts": drafts,
        "to_register": [(call, token_for(me(), call)) for call in listed],
        "waiting": len(unregistered),
    }


def _registered_call_context(number: str) -> dict[str, object]:
    """Return the context of the card of a call just registered on form №2, the form of a call.

    `number` is that of the form. Aborts with 404 if the operator did not register it.
    """
    call_form = call_forms.find_call_form(number, me())
    if not call_form or call_form.operator_id != me().id:
        abort(404)
    desk = desk_for_call_form(call_form)
    disclosure.log_shown("call_form", [call_form.number])
    return {
        "shows": "registered_call",
        "desk": desk,
        "made": call_form,
        "form_token": call_form.token,
        **caller.after_call_context(desk),
        "drafts": forms.unfinished_drafts(),
        **caller.caller_context(desk),
    }


def _registered_context(number: str) -> dict[str, object]:
    """Return the context of the card of an appeal, or of a call, that was just registered.

    Aborts with 404 if the operator did not register it.
    """
    if not queries.is_appeal_number(number):
        return _registered_call_context(number)
    appeal = _own_appeal(number)
    desk, calendar = desk_for_appeal(appeal), catalogs.working_calendar(site())
    progress = handling_of(appeal) or abort(404)
    disclosure.log_shown("appeal", [appeal.number])
    return {
        "shows": "registered",
        "desk": desk,
        "appeal": appeal,
        "name": applicants.display_name(appeal),
        "form_token": appeal.token,
        **caller.after_call_context(desk),
        "due_on": progress.due_on,
        "near": appeal_labels.deadline_nearness(progress, today(), calendar),
        "messages": citizens.messages_of_appeal(appeal),
        "message_states": message_labels.STATES,
        "drafts": forms.unfinished_drafts(),
        **caller.caller_context(desk, shown_appeal=appeal),
    }


def _own_appeal(number: str) -> "Appeal":
    """Return the appeal with this number; abort with 404 if the operator did not register it."""
    appeal = appeal_access.readable_appeal(number)
    if appeal.operator_id != me().id:
        abort(404)
    return appeal
