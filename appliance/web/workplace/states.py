"""The switch of an operator's state, such as ready, on a pause for a reason, or off."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, g, jsonify, render_template
from flask_babel import gettext as _

from appliance.casework import catalogs
from appliance.core import clock
from appliance.pbx import actions
from appliance.people import pauses, presence
from appliance.telephony import calls, devices
from appliance.web.shared.telephony_labels import pause_reason_name
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, start_of_today, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import require_json_object

if TYPE_CHECKING:
    from appliance.models import Call

screen = Blueprint("states", __name__, url_prefix="/operator")


@dataclass(frozen=True)
class PauseReason:
    """A reason for a pause.

    `used_seconds`: the length of the user's pauses for it today; `limit`: the minutes allowed per
    day, if there is a limit.
    """

    code: str
    name: str
    used_seconds: float
    limit: int | None

    @property
    def is_limit_reached(self) -> bool:
        """True if today's pauses for this reason have used up its limit; never without a limit."""
        return self.limit is not None and self.used_seconds >= 60 * self.limit


@dataclass(frozen=True)
class OwnState:
    """The state of the signed-in operator, and since when they have it, if it was ever set.

    `pause_reason`: why they are on a pause, if they are. `imposed_reason`: a code of
    presence.SYSTEM_REASONS if the system or a supervisor put them on the pause, otherwise "".
    `reasons`: all that can be chosen. `in_call`: they have a call, or their phone is in use. `now`:
    the time of the other values, from which the page counts on.
    """

    state: str
    since: dt.datetime | None
    pause_reason: PauseReason | None
    imposed_reason: str
    reasons: list[PauseReason]
    in_call: bool
    now: dt.datetime


@screen.get("/state")
@may("desk.work")
def show_state() -> str:
    """Show the switch, as a fragment of the page."""
    return render_template("operator/state.html", **state_context())


@screen.post("/state")
@may("desk.work")
def choose_state() -> Response:
    """Change the signed-in operator's state to `state`; for a pause, `reason` says why.

    If Asterisk does not respond, the choice is stored, and the page says so.
    """
    body = require_json_object()
    state, reason = body.get("state"), body.get("reason", "")
    allowed_reasons = (
        ["", *(code for code, _name in _pause_reasons())] if state == "pause" else [""]
    )
    if state not in presence.STATES or reason not in allowed_reasons:
        abort(422)
    return set_state(state, reason)


def set_state(state: str, reason: str = "") -> Response:
    """Set the signed-in operator's state, one of presence.STATES; `reason` says why they pause.

    `trouble` in the JSON response says that Asterisk cannot apply it yet, or is "".
    """
    try:
        actions.choose_state(site(), me(), state, reason=reason)
    except (actions.Unreachable, actions.ActionRefused):
        return jsonify(
            trouble=_(
                "The exchange does not answer. Your choice is saved and takes effect when the "
                "connection is back."
            )
        )
    return jsonify(trouble="")


def state_context() -> dict[str, object]:
    """Return the context of the switch and of the notice about a pause."""
    return {"mine": own_state()}


def own_state() -> OwnState:
    """Return the signed-in operator's state (ready, on a pause, …), loaded once per page."""
    if "mine" not in g:
        g.mine = _load_own_state()
    state: OwnState = g.mine
    return state


def own_call() -> "Call | None":
    """Return the signed-in operator's ongoing call, if any; loaded once per page."""
    if "own_call" not in g:
        g.own_call = calls.current_call(me().login)
    call: Call | None = g.own_call
    return call


def _pause_reasons() -> list[tuple[str, str]]:
    """Return (code, name) of the reasons for which a pause can be started today."""
    return catalogs.item_choices(catalogs.PAUSES, locale(), today())


def _load_own_state() -> OwnState:
    """Load the signed-in operator's state ("off" before the first), and today's pauses."""
    user, now = me(), clock.now()
    current, phone = presence.state_of(user), devices.find_phone(user.extension or "")
    used_seconds, limits = pauses.pause_seconds(user, start_of_today(), now), pauses.pause_limits()

    def pause_reason(code: str, name: str) -> PauseReason:
        """Return the reason with its use today and its limit."""
        return PauseReason(code, name, used_seconds.get(code, 0.0), limits.get(code))

    reason_code = current.reason if current and current.state == "pause" else ""
    return OwnState(
        state=current.state if current else "off",
        since=current.since if current else None,
        pause_reason=pause_reason(reason_code, pause_reason_name(reason_code))
        if reason_code
        else None,
        imposed_reason=reason_code if reason_code in presence.SYSTEM_REASONS else "",
        reasons=[pause_reason(code, name) for code, name in _pause_reasons()],
        in_call=own_call() is not None or bool(phone and phone.channels),
        now=now,
    )
