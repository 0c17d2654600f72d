"""The operator's own day against his goals, and who waits for him."""

import datetime as dt
import functools
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, g, render_template
from flask_babel import force_locale

from appliance.casework import appeals, call_forms
from appliance.core import clock
from appliance.people import accounts, goals
from appliance.reports.kpi import ASA_TARGET
from appliance.telephony import routing
from appliance.telephony.calls.day import day_of_operator
from appliance.telephony.routing import Plan
from appliance.web.calls import ongoing
from appliance.web.calls.floor import LANGUAGES
from appliance.web.shell.access import may
from appliance.web.shell.context import me, midnight, site
from appliance.web.shell.streams import Piece
from appliance.web.workplace import states

if TYPE_CHECKING:
    from appliance.models import User

PACE = 3.0  # seconds between two lines that are told
screen = Blueprint("own_day", __name__, url_prefix="/operator")


@dataclass(frozen=True)
class Waiting:
    """Those who wait for an operator who speaks their language and serves their topic.

    `by_language`: of who speaks several, language → how many; empty for who speaks one.
    """

    count: int
    oldest: dt.datetime | None  # since when the first of them waits
    by_language: tuple[tuple[str, int], ...]
    promised: float  # seconds
    now: dt.datetime


def init_app(app: Flask) -> None:
    """Have the line of who waits told with what changes it, to all operators at once."""
    line = Piece("calls", "/operator/queue", PACE, functools.partial(lines, app))
    app.extensions["live"].add_piece(line)


@screen.get("/figures")
@may("desk.work")
def figures() -> str:
    """The figures of the day, as a piece of the page."""
    return render_template("operator/figures.html", **shown())


@screen.get("/queue")
@may("desk.work")
def queue() -> str:
    """Who waits, in one line, as a piece of the page."""
    return render_template("operator/queue.html", **queue_shown())


def shown() -> dict[str, object]:
    """What the day shows: figures, goals, pauses by reason in the order of their list."""
    begin, now = midnight(), clock.now()
    day = day_of_operator(me(), begin, now, routing.wrap_ups(site()))
    on_form = call_forms.registered_of(me(), begin)
    reasons = states.own_state().reasons
    listed = {reason.code for reason in reasons}
    others = [
        states.Reason(code, states.reason_name(code), seconds, None)
        for code, seconds in day.pauses.items()
        if code not in listed
    ]
    return {
        "today": begin,
        "day": day,
        "goals": goals.of(me()),
        "registered": appeals.registered_by(me(), begin),
        "on_form": on_form,
        "form_share": 100 * on_form / day.answered if day.answered else None,
        "pauses": [one for one in (*reasons, *others) if one.taken or one.limit],
    }


def queue_shown() -> dict[str, object]:
    """What the queue's line shows."""
    return {"queue": waiting(me(), routing.current(site()), clock.now()), "short": LANGUAGES}


def lines(app: Flask, ids: Collection[str]) -> dict[str, str]:
    """User id → the line as it stands on his page, of those who are operators.

    It is worded once for all who see the same.
    """
    made: dict[tuple[str, Waiting], str] = {}
    found = {}
    with app.test_request_context():
        g.within = True  # whoever asks goes on with his connection
        plan, now = routing.current(site()), clock.now()
        for user in accounts.operators_among(ids):
            shown = user.language, waiting(user, plan, now)
            if shown not in made:
                with force_locale(user.language):
                    made[shown] = render_template(
                        "operator/queue.html", queue=shown[1], short=LANGUAGES
                    )
            found[str(user.id)] = made[shown]
    return found


def waiting(user: "User", plan: Plan, now: dt.datetime) -> Waiting:
    """Who waits for an operator: his languages and topics."""
    queues = routing.queues_of(plan, user)
    own = [one for one in ongoing.going_on() if one.waits_since and one.queue in queues]
    spoken = user.speaks.split()
    counts = (
        (code, sum(one.call.language == code for one in own))
        for code in accounts.CALL_LANGUAGES
        if code in spoken and len(spoken) > 1
    )
    return Waiting(
        count=len(own),
        oldest=min((one.waits_since for one in own if one.waits_since), default=None),
        by_language=tuple((code, count) for code, count in counts if count),
        promised=ASA_TARGET,
        now=now,
    )
