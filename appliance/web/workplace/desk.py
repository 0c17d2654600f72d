"""The operator's workplace: the call at hand, its form, his own day."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, abort, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.box import health
from appliance.casework import appeals, applicants, call_forms, catalogs
from appliance.casework.appeals.handling import of_appeal as handling_of
from appliance.core import clock
from appliance.messaging import notices
from appliance.pbx import actions
from appliance.people import announcements, presence
from appliance.telephony import calls, routing
from appliance.web.appeals import appeal_labels, consultations, handling
from appliance.web.appeals import card as appeal_card
from appliance.web.calls import callbacks, followups
from appliance.web.calls.call import OWN_OUTCOMES
from appliance.web.shell import disclosure, formats
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.status import outbox
from appliance.web.workplace import caller, forms, own_day, states

if TYPE_CHECKING:
    from appliance.models import Appeal

MOST_CALLS = 20  # listed of those that are to be registered
TOLD = dt.timedelta(minutes=5)  # how long it is told that a missed caller was not reached

screen = Blueprint("operator", __name__, url_prefix="/operator")


def init_app(app: Flask) -> None:
    """Give templates `on_top()`: what stands on top of every page of an operator."""
    app.jinja_env.globals["on_top"] = _on_top


@screen.get("")
@may("desk.work")
def page() -> str:
    """The form of the call at hand, or the operator's own day between calls."""
    return _page(_at_hand())


@screen.get("/session")
@may("desk.work")
def session() -> Response:
    """204, and nothing in it: the front asks before it lets an operator's SIP through."""
    return Response(status=204)


@screen.get("/day")
@may("desk.work")
def day() -> str:
    """The operator's own day, whatever lies on the desk."""
    return _page(None)


@screen.get("/registered/<number>")
@may("desk.work")
def registered(number: str) -> str:
    """An appeal just registered, beside its caller, until the operator is done with it."""
    return render_template("operator/page.html", **_registered(number))


@screen.get("/forms/new")
@may("desk.work")
def new_form() -> Response:
    """One more form: of the call of an appeal (`after`), or of the one at hand when it is done."""
    if after := request.args.get("after"):
        if appeals.is_number(after):
            call = appeals.of_appeal(_appeal(after)).call
        else:
            made = call_forms.find(after, me()) or abort(404)
            call = appeals.of_call_form(made).call
    else:
        desk = _at_hand()
        call = desk.call if desk and desk.closed else None
    return redirect(url_for(".form", token=appeals.token_for(me(), call)))


@screen.get("/forms/<token>")
@may("desk.work")
def form(token: str) -> Response | str:
    """A form by its name: a draft taken up again, or a new one."""
    desk = appeals.of_form(me(), token)
    return _page(desk, begun=True) if desk else redirect(url_for(".page"))


@screen.get("/card")
@may("desk.work")
def card() -> str:
    """What lies on the desk now, or `form`, or what was `registered`, as a piece of the page.

    `shows` is the form that is asked for, of the two that a call has.
    """
    if number := request.args.get("registered"):
        return render_template("operator/card.html", **_registered(number))
    asked = appeals.of_form(me(), request.args.get("form", ""))
    desk = asked or _at_hand()
    shows = request.args.get("shows", "")
    return render_template("operator/card.html", **_card(desk, asked is not None, shows))


@screen.get("/bar")
@may("desk.work")
def bar() -> str:
    """The bar of the call at hand; its data-form names the form that belongs to it."""
    return render_template("operator/bar.html", **_bar())


@screen.get("/paused")
@may("desk.work")
def paused() -> str:
    """Whether the operator was put on a pause, or called somebody in vain, and why."""
    return render_template("operator/paused.html", **_missed())


@screen.post("/more-time")
@may("desk.work")
def more_time() -> Response:
    """Go on with the wrap-up after a talk for as long as the settings allow; it ends by itself."""
    if not (now := _wrap_up()) or not now["more"]:
        return jsonify(trouble=_("The wrap-up is over already."))
    return states.take(presence.WRAP_UP)


@screen.post("/hang-up")
@may("desk.work")
def hang_up() -> Response:
    """End the operator's part in the call at hand."""
    line, extension = _line(), me().extension
    call = line.call_id if line else getattr(calls.of_operator(me().login), "id", None)
    if not call or not extension:
        return jsonify(trouble=_("The call is over already."))
    try:
        actions.hang_up(site(), call, extension)
    except actions.Refused:
        return jsonify(trouble=_("The call is over already."))
    except actions.Unreachable:
        return jsonify(trouble=_("The exchange does not answer. Hang up with the phone."))
    return jsonify(trouble="")


def _page(desk: appeals.Desk | None, begun: bool = False) -> str:
    return render_template("operator/page.html", **_card(desk, begun))


def _on_top() -> dict[str, object]:
    """Of the bar, the pause and the state; worked out once for a page."""
    if "on_top" not in g:
        g.on_top = states.shown() | own_day.queue_shown() | _bar() | _missed()
        g.on_top |= {"unread": announcements.unread(me())} | callbacks.reminders()
    on_top: dict[str, object] = g.on_top
    return on_top


def _bar() -> dict[str, object]:
    """The call at hand as the ledger tells it, and what the phone does now, if that is known."""
    desk, line = _at_hand(), _line()
    disclosure.log_shown("call", [desk.call.id] if desk and desk.call else [])
    disclosure.log_shown("number", [line.other] if line and line.other and not line.call_id else [])
    failed = None
    if desk and desk.call and desk.stage in ("ringing", "talk"):
        failed = calls.failed_transfer(me().login, desk.call)
    return {
        "desk": desk,
        "line": line,
        "wraps": _wrap_up(),
        "failed": failed,
        "named": formats.owner,
        "results": OWN_OUTCOMES,
        "now": clock.now(),
    }


def _at_hand() -> appeals.Desk | None:
    """The call at hand, the same for the form and the bar of one answer."""
    if "at_hand" not in g:
        g.at_hand = appeals.at_hand(me(), clock.now())
    at_hand: appeals.Desk | None = g.at_hand
    return at_hand


def _missed() -> dict[str, object]:
    busy = states.own_call()
    unreached = None if busy else calls.called_in_vain(me().login, clock.now() - TOLD)
    disclosure.log_shown("call", [unreached.id] if unreached else [])
    return states.shown() | {"unreached": unreached, "reason_of": followups.reason_of}


def _line() -> actions.Line | None:
    """What the phone does; None when it does nothing or the exchange does not answer."""
    extension = me().extension
    if not extension or health.line_answers() is False:
        return None
    try:
        return actions.line(site(), extension)
    except (actions.Refused, actions.Unreachable):
        return None


def _wrap_up() -> dict[str, object] | None:
    """Until when the phone does not ring after a talk, while that lasts; `more`: that it may last
    longer."""
    chosen, now = presence.state_of(me()), clock.now()
    if not chosen or states.own_call():
        return None
    if chosen.state == presence.WRAP_UP:
        until = chosen.since + dt.timedelta(seconds=site().calls.more_time)
        return {"until": until, "more": False}
    lasts = dt.timedelta(seconds=routing.current(site()).queueing.wrap_up)
    ended = calls.talks_ended(now - lasts).get(me().login) if lasts else None
    if not ended or chosen.state != "ready" or chosen.since > ended:
        return None
    return {"until": ended + lasts, "more": site().calls.more_time > 0}


def _card(desk: appeals.Desk | None, begun: bool = False, shows: str = "") -> dict[str, object]:
    """What the card shows: the form until it is registered, then its number; else the day."""
    if desk and (begun or not desk.closed):
        return (
            forms.form_context(desk, shows)
            | caller.shown(desk)
            | {
                "shows": "form",
                "desk": desk,
                "drafts": forms.drafts(besides=desk.token),
            }
        )
    if desk and desk.done:
        if desk.registered:
            return _registered(desk.registered[-1].number)
        if desk.call_form:
            return _registered_call(desk.call_form.number)
    return {
        "shows": "day",
        **_to_finish(),
        **handling.came_back(),
        **consultations.waiting_shown(),
        **callbacks.own(),
        **own_day.shown(),
    }


def _to_finish() -> dict[str, object]:
    """The drafts, and the newest of the calls that have neither form №2 nor draft.

    `to_register`: (call, name of its form); `waiting`: how many such calls there are.
    """
    drafts = forms.drafts()
    begun = {draft.call_id for draft in drafts}
    found = [c for c in call_forms.to_register(me(), clock.now()) if c.id not in begun]
    shown = found[:MOST_CALLS]
    disclosure.log_shown("call", [call.id for call in shown])
    return {
        "drafts": drafts,
        "to_register": [(call, appeals.token_for(me(), call)) for call in shown],
        "waiting": len(found),
    }


def _registered_call(number: str) -> dict[str, object]:
    made = call_forms.find(number, me())
    if not made or made.operator_id != me().id:
        abort(404)
    desk = appeals.of_call_form(made)
    disclosure.log_shown("call_form", [made.number])
    return {
        "shows": "registered_call",
        "desk": desk,
        "made": made,
        "form_token": made.token,
        **caller.came_of(desk),
        "drafts": forms.drafts(),
        **caller.shown(desk),
    }


def _registered(number: str) -> dict[str, object]:
    if not appeals.is_number(number):
        return _registered_call(number)
    appeal = _appeal(number)
    desk, calendar = appeals.of_appeal(appeal), catalogs.working_calendar(site())
    now = handling_of(appeal) or abort(404)
    disclosure.log_shown("appeal", [appeal.number])
    return {
        "shows": "registered",
        "desk": desk,
        "appeal": appeal,
        "name": applicants.name_of(appeal),
        "form_token": appeal.token,
        **caller.came_of(desk),
        "due_on": now.due_on,
        "near": appeal_labels.nearness(now, appeal_labels.today(), calendar),
        "messages": notices.of_appeal(appeal),
        "message_states": outbox.STATES,
        "drafts": forms.drafts(),
        **caller.shown(desk, besides=appeal),
    }


def _appeal(number: str) -> "Appeal":
    """One's own appeal; else 404."""
    appeal = appeal_card.loaded(number)
    if appeal.operator_id != me().id:
        abort(404)
    return appeal
