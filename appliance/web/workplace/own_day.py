"""The operator's own day against his goals, and who waits for him."""

import datetime as dt
import threading
from dataclasses import dataclass

from flask import Blueprint, current_app, render_template

from appliance.casework import appeals, call_forms
from appliance.core import clock
from appliance.people import accounts, goals
from appliance.reports.kpi import ASA_TARGET
from appliance.telephony import calls, routing
from appliance.telephony.calls import LiveCall
from appliance.telephony.calls.day import day_of_operator
from appliance.web.calls.floor import LANGUAGES
from appliance.web.shell.access import may
from appliance.web.shell.context import me, midnight, site
from appliance.web.workplace import states

_COUNTING = threading.Lock()
screen = Blueprint("own_day", __name__, url_prefix="/operator")


@dataclass(frozen=True)
class Waiting:
    """Those who wait for an operator who speaks their language and serves their topic.

    `by_language`: of who speaks several, language → how many; empty for who speaks one.
    """

    count: int
    oldest: dt.datetime | None  # since when the first of them waits
    by_language: dict[str, int]
    promised: float  # seconds
    now: dt.datetime


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
    return {"queue": waiting(), "short": LANGUAGES}


def waiting() -> Waiting:
    """Who waits for the reader: his languages and topics."""
    queues = routing.queues_of(routing.current(site()), me())
    own = [one for one in _waiting() if one.queue in queues]
    spoken = me().speaks.split()
    return Waiting(
        count=len(own),
        oldest=min((one.waits_since for one in own if one.waits_since), default=None),
        by_language={
            code: count
            for code in accounts.CALL_LANGUAGES
            if code in spoken and (count := sum(one.call.language == code for one in own))
        }
        if len(spoken) > 1
        else {},
        promised=ASA_TARGET,
        now=clock.now(),
    )


def _waiting() -> list[LiveCall]:
    """Every call that waits. All operators' pages ask after the same event: it is counted once."""
    with _COUNTING:  # else all who ask at the same moment would count
        kept: tuple[int | None, list[LiveCall]] | None = current_app.extensions.get("waiting")
        heard = current_app.extensions["live"].latest("calls")
        if heard is None or not kept or kept[0] != heard:
            found = [one for one in calls.going_on() if one.waits_since]
            current_app.extensions["waiting"] = kept = (heard, found)
        return kept[1]
