"""The calls of one day, and what the operators do now."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance import calls, clock, identity, staff
from appliance.web.access import may
from appliance.web.context import site

screen = Blueprint("calls", __name__)

# outcome, or "open": its name, the badge's kind, the icon
OUTCOMES: dict[str, tuple[LazyString, str, str]] = {
    "open": (_l("Going on"), "accent", "phone-call"),
    "answered": (_l("Answered"), "ok", "check"),
    "abandoned_menu": (_l("Hung up in the menu"), "", "phone-missed"),
    "abandoned_queue": (_l("Hung up in the queue"), "warn", "phone-missed"),
    "callback": (_l("Asked to be called back"), "", "phone-incoming"),
    "timed_out": (_l("Nobody answered"), "warn", "hourglass"),
    "closed": (_l("Heard the closed message"), "", "clock"),
    "self_served": (_l("Served by the menu"), "", "user-check"),
    "rejected": (_l("Rejected"), "", "phone-off"),
    "failed": (_l("Fault"), "bad", "octagon-alert"),
}
# how an operator's state is told: name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "call": (_l("In a call"), "accent", "phone-call"),
    "ready": (_l("Ready"), "ok", "circle-check"),
    "pause": (_l("Pause"), "warn", "coffee"),
    "off": (_l("Not at work"), "", "circle"),
}
LANGUAGES = {"uz": _l("Uzbek"), "ru": _l("Russian")}


PAGE = 100  # calls on one page


@dataclass(frozen=True)
class Operator:
    """What one operator does: a key of STATES, and since when."""

    name: str
    state: str
    since: dt.datetime | None


@screen.get("/calls")
@may("supervisor", "manager")
def today() -> str:
    """Today's calls, or another day's (`day=24.11.2026`), of one outcome or all."""
    return render_template("calls/page.html", **_list(), **_operators())


@screen.get("/calls/list")
@may("supervisor", "manager")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("calls/list.html", **_list())


@screen.get("/calls/operators")
@may("supervisor", "manager")
def operators() -> str:
    """The operators' states, as a piece of the open page."""
    return render_template("calls/operators.html", **_operators())


def _list() -> dict[str, Any]:
    this_day = clock.now().astimezone(site().tz).date()
    day = identity.born(request.args.get("day", "")) or this_day  # dd.MM.yyyy
    page = max(1, request.args.get("page", 1, int))
    outcome = request.args.get("outcome") if request.args.get("outcome") in OUTCOMES else None
    begin, end = (_midnight(day + dt.timedelta(days=n)) for n in (0, 1))
    counts = calls.counted(begin, end)
    shown = counts.get(outcome, 0) if outcome else sum(counts.values())
    return {
        "day": day,
        "this_day": this_day,
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1),
        "outcome": outcome,
        "counts": counts,
        "page": page,
        "pages": max(1, -(-shown // PAGE)),
        "lines": calls.listed(begin, end, outcome, PAGE, (page - 1) * PAGE),
        "names": {user.login: user.name for user in staff.operators()},
        "outcomes": OUTCOMES,
        "call_languages": LANGUAGES,
    }


def _operators() -> dict[str, Any]:
    talking = calls.talking()
    found = []
    for user in staff.operators():
        if user.login in talking:
            found.append(Operator(user.name, "call", talking[user.login]))
        elif chosen := staff.state_of(user):
            found.append(Operator(user.name, chosen.state, chosen.since))
        else:
            found.append(Operator(user.name, "off", None))
    order = list(STATES)
    found.sort(key=lambda operator: (order.index(operator.state), operator.name))
    return {
        "operators": found,
        "now": clock.now(),
        "states": STATES,
        "how_many": {state: sum(o.state == state for o in found) for state in STATES},
    }


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), site().tz)
