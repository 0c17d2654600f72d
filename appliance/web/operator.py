"""The operator's workplace: the call at hand, its form, and the state he chose."""

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance import appeals, calls, clock, staff
from appliance.calls.day import day_of_operator
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
    now = clock.now()
    return render_template("operator/bar.html", desk=appeals.at_hand(me(), now), now=now)


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
    except actions.Unreachable:
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
    call, extension = calls.of_operator(me().login), me().extension
    if not call or not extension:
        return jsonify(trouble=_("The call is over already."))
    try:
        actions.hang_up(site(), call.id, extension)
    except actions.Refused:
        return jsonify(trouble=_("The call is over already."))
    except actions.Unreachable:
        return jsonify(trouble=_("The exchange does not answer. Hang up with the phone."))
    return jsonify(trouble="")


def _page(desk: appeals.Desk | None, begun: bool = False) -> str:
    return render_template(
        "operator/page.html",
        at_hand=appeals.at_hand(me(), clock.now()),
        **_card(desk, begun),
        **_state(),
    )


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
    presence = staff.state_of(me())
    return {
        "state": presence.state if presence else "off",
        "state_since": presence and presence.since,
        "now": clock.now(),
        "in_call": calls.of_operator(me().login) is not None,
    }
