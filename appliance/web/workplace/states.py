"""The switch of an operator's state: ready, on a pause for a reason, off the queue, off."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, g, jsonify, render_template
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs
from appliance.core import clock
from appliance.pbx import actions
from appliance.people import pauses, presence
from appliance.telephony import calls, devices
from appliance.web.shell.access import may
from appliance.web.shell.context import me, midnight, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.sent import document

if TYPE_CHECKING:
    from appliance.models import Call

screen = Blueprint("states", __name__, url_prefix="/operator")

OF_OTHERS: dict[str, LazyString] = {
    presence.NO_ANSWER: _l("Not answered"),
    presence.FORCED: _l("By the supervisor"),
}


@dataclass(frozen=True)
class Reason:
    """A reason of a pause: seconds of such pauses today, minutes that a day may have of them."""

    code: str
    name: str
    taken: float
    limit: int | None

    @property
    def is_over(self) -> bool:
        """Whether today's limit is used up."""
        return self.limit is not None and self.taken >= 60 * self.limit


@dataclass(frozen=True)
class Mine:
    """The reader's own state: in force since a moment (None: never chosen), on a pause for `why`.

    `by_others`: the code of presence.OF_OTHERS when somebody else put him on the pause.
    """

    state: str
    since: dt.datetime | None
    why: Reason | None
    by_others: str
    reasons: list[Reason]
    in_call: bool
    now: dt.datetime


@screen.get("/state")
@may("desk.work")
def state() -> str:
    """The switch, as a piece of the page."""
    return render_template("operator/state.html", **shown())


@screen.post("/state")
@may("desk.work")
def choose() -> Response:
    """Take another state; a pause says its `reason`.

    The exchange may be silent: the choice is kept, and the page says so.
    """
    sent = document()
    chosen, reason = sent.get("state"), sent.get("reason", "")
    known = ["", *(code for code, _name in _reasons())] if chosen == "pause" else [""]
    if chosen not in presence.STATES or reason not in known:
        abort(422)
    return take(chosen, reason)


def take(chosen: str, reason: str = "") -> Response:
    """Take a state for the reader; what the exchange would not do is told in his words."""
    try:
        actions.choose_state(site(), me(), chosen, reason=reason)
    except (actions.Unreachable, actions.Refused):
        return jsonify(
            trouble=_(
                "The exchange does not answer. "
                "Your choice is kept and takes effect when it is back."
            )
        )
    return jsonify(trouble="")


def shown() -> dict[str, object]:
    """What the switch and the line about a pause show."""
    return {"mine": own_state()}


def own_state() -> Mine:
    """What the switch shows; worked out once for a page."""
    if "mine" not in g:
        g.mine = _own_state()
    found: Mine = g.mine
    return found


def own_call() -> "Call | None":
    """The reader's unfinished call; looked up once for a page."""
    if "own_call" not in g:
        g.own_call = calls.of_operator(me().login)
    found: Call | None = g.own_call
    return found


def reason_name(code: str) -> str:
    """What a reason of a pause is called; "" where none was told."""
    return str(OF_OTHERS.get(code) or catalogs.label(catalogs.PAUSES, code, locale()))


def _reasons() -> list[tuple[str, str]]:
    """(code, name) of what a pause may be taken for today."""
    return catalogs.choices(catalogs.PAUSES, locale(), today())


def _own_state() -> Mine:
    user, now = me(), clock.now()
    chosen, phone = presence.state_of(user), devices.phone(user.extension or "")
    taken, limits = pauses.taken(user, midnight(), now), pauses.limits()

    def reason(code: str, name: str) -> Reason:
        return Reason(code, name, taken.get(code, 0.0), limits.get(code))

    why = chosen.reason if chosen and chosen.state == "pause" else ""
    return Mine(
        state=chosen.state if chosen else "off",
        since=chosen.since if chosen else None,
        why=reason(why, reason_name(why)) if why else None,
        by_others=why if why in presence.OF_OTHERS else "",
        reasons=[reason(code, name) for code, name in _reasons()],
        in_call=own_call() is not None or bool(phone and phone.channels),
        now=now,
    )
