"""The operator's workplace: the call at hand, its form, and the state he chose."""

import datetime as dt

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance import appeals, calls, clock, devices, health, plan, staff
from appliance.calls.day import day_of_operator
from appliance.models import Presence
from appliance.pbx import actions
from appliance.web import forms, handling
from appliance.web.access import may
from appliance.web.context import me, site

screen = Blueprint("operator", __name__, url_prefix="/operator")


@screen.get("")
@may("operator")
def page() -> str:
    """The form of the call at hand, or the operator's own day between calls."""
    return _page(appeals.at_hand(me(), clock.now()))


@screen.get("/forms/new")
@may("operator")
def new_form() -> Response:
    """One more form: of the call at hand when it is registered, else without a call."""
    desk = appeals.at_hand(me(), clock.now())
    call = desk.call if desk and desk.closed else None
    return redirect(url_for(".form", token=appeals.token_for(me(), call)))


@screen.get("/forms/<token>")
@may("operator")
def form(token: str) -> Response | str:
    """A form by its name: a draft taken up again, or a new one."""
    desk = appeals.of_form(me(), token)
    return _page(desk, begun=True) if desk else redirect(url_for(".page"))


@screen.get("/card")
@may("operator")
def card() -> str:
    """What lies on the desk now, as a piece of the page."""
    return render_template("operator/card.html", **_card(appeals.at_hand(me(), clock.now())))


@screen.get("/bar")
@may("operator")
def bar() -> str:
    """The bar of the call at hand; its data-form names the form that belongs to it."""
    return render_template("operator/bar.html", **_bar())


@screen.get("/paused")
@may("operator")
def paused() -> str:
    """Whether the operator was put on a pause, and why."""
    return render_template("operator/paused.html", paused=_paused())


@screen.get("/state")
@may("operator")
def state() -> str:
    """The switch of the operator's state."""
    return render_template("operator/state.html", **_state())


@screen.post("/state")
@may("operator")
def choose_state() -> Response:
    """Take another state. The exchange may be silent: the choice is kept, and the page says so."""
    chosen = (request.get_json(silent=True) or {}).get("state")
    if chosen not in staff.STATES:
        abort(422)
    try:
        actions.choose_state(site(), me(), chosen)
    except (actions.Unreachable, actions.Refused):
        return jsonify(
            trouble=_(
                "The exchange does not answer. "
                "Your choice is kept and takes effect when it is back."
            )
        )
    return jsonify(trouble="")


@screen.post("/hang-up")
@may("operator")
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
    return render_template(
        "operator/page.html",
        bar=_bar(),
        paused=_paused(),
        **_card(desk, begun),
        **_state(),
    )


def _bar() -> dict[str, object]:
    """The call at hand as the ledger tells it, and what the phone does now, if that is known."""
    now = clock.now()
    desk = appeals.at_hand(me(), now)
    return {"desk": desk, "line": _line(), "rests": _rests(desk), "now": now}


def _paused() -> Presence | None:
    """The pause in force, when somebody else put the operator on it."""
    presence = staff.state_of(me())
    return presence if presence and presence.state == "pause" and presence.reason else None


def _line() -> actions.Line | None:
    """What the phone does; None when it does nothing or the exchange does not answer."""
    extension = me().extension
    if not extension or health.line_answers() is False:
        return None
    try:
        return actions.line(site(), extension)
    except (actions.Refused, actions.Unreachable):
        return None


def _rests(desk: appeals.Desk | None) -> dt.datetime | None:
    """Until when the phone does not ring after the talk, while that lasts."""
    if not desk or desk.stage != "wrap_up" or not desk.since:
        return None
    until = desk.since + dt.timedelta(seconds=plan.current(site()).queueing.wrap_up)
    return until if until > clock.now() else None


def _card(desk: appeals.Desk | None, begun: bool = False) -> dict[str, object]:
    """What the card shows: the form unless the call is registered, else the operator's day."""
    midnight = clock.now().astimezone(site().tz).replace(hour=0, minute=0, second=0, microsecond=0)
    if desk and (begun or not desk.closed):
        return forms.shown(desk) | {
            "desk": desk,
            "form_open": True,
            "drafts": forms.drafts(besides=desk.token),
        }
    return {
        "desk": desk,
        "form_open": False,
        "drafts": forms.drafts(),
        **handling.came_back(),
        "today": midnight,
        "day": day_of_operator(me().login, midnight),
        "registered": appeals.registered_by(me(), midnight),
        **(forms.caller(desk) if desk else {}),
    }


def _state() -> dict[str, object]:
    presence, phone = staff.state_of(me()), devices.phones().get(me().extension or "")
    return {
        "state": presence.state if presence else "off",
        "state_since": presence and presence.since,
        "reason": presence.reason if presence else "",
        "now": clock.now(),
        "in_call": calls.of_operator(me().login) is not None or bool(phone and phone.channels),
    }
