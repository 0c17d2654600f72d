"""The calls of one day, and what the operators do now."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import lazy_gettext as _l

from appliance.casework import identity
from appliance.core import clock
from appliance.people import accounts, presence
from appliance.reports.kpi import ASA_TARGET
from appliance.telephony import calls
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded

screen = Blueprint("calls", __name__)

# outcome, or "open": its name, the badge's kind, the icon
OUTCOMES: dict[str, tuple[LazyString, str, str]] = {
    "open": (_l("Going on"), "accent", "phone-call"),
    **{one.code: (lazy_gettext(one.name), one.tone, one.icon) for one in calls.INBOUND},
}
# how an operator's state is told: name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "call": (_l("In a call"), "accent", "phone-call"),
    "ready": (_l("Ready"), "ok", "circle-check"),
    "back_office": (_l("Off the queue"), "", "briefcase"),
    "wrap_up": (_l("Wrap-up"), "", "pencil"),
    "pause": (_l("Pause"), "warn", "coffee"),
    "off": (_l("Not at work"), "", "circle"),
}


PAGE = 100  # calls on one page
NEWEST = "-arrived"


@dataclass(frozen=True)
class Operator:
    """What one operator does: a key of STATES, and since when."""

    name: str
    state: str
    since: dt.datetime | None


@screen.get("/calls")
@may("call.list")
def today() -> str:
    """Today's calls, or another day's (`day=24.11.2026`), of one outcome or all.

    `number`: only of callers whose number holds these digits; `sort`: a key of calls.ORDERS, the
    greatest first after "-".
    """
    return render_template("calls/page.html", **_list(), **_operators())


@screen.get("/calls/list")
@may("call.list")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("calls/list.html", **_list())


@screen.get("/calls/operators")
@may("call.list")
def operators() -> str:
    """The operators' states, as a piece of the open page."""
    return render_template("calls/operators.html", **_operators())


def _list() -> dict[str, Any]:
    this_day = clock.now().astimezone(site().tz).date()
    day = identity.day(request.args.get("day", "")) or this_day  # dd.MM.yyyy
    page = max(1, request.args.get("page", 1, bounded))
    outcome = request.args.get("outcome") if request.args.get("outcome") in OUTCOMES else None
    begin, end = (_midnight(day + dt.timedelta(days=n)) for n in (0, 1))
    typed, sort = request.args.get("number", "").strip(), request.args.get("sort", "")
    digits = re.sub(r"\D", "", typed, flags=re.ASCII)
    order = sort if sort.removeprefix("-") in calls.ORDERS else NEWEST
    counts = calls.counted(begin, end, digits)
    shown = counts.get(outcome, 0) if outcome else sum(counts.values())
    lines = calls.listed(begin, end, outcome, PAGE, (page - 1) * PAGE, digits=digits, order=order)
    asked = {"number": digits} if digits else None
    disclosure.log_shown("call", [line.call.id for line in lines], asked)
    view = {
        "day": None if day == this_day else f"{day:%d.%m.%Y}",
        "outcome": outcome,
        "number": digits or None,
        "sort": None if order == NEWEST else order,
    }
    return {
        "here": lambda **other: url_for("calls.today", **(view | other)),
        "view": view,
        "digits": digits,
        "order": order,
        "late": ASA_TARGET,
        "day": day,
        "this_day": this_day,
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1),
        "outcome": outcome,
        "counts": counts,
        "page": page,
        "pages": max(1, -(-shown // PAGE)),
        "lines": lines,
        "names": accounts.names(locale()),
        "outcomes": OUTCOMES,
        "call_languages": CALL_LANGUAGES,
    }


def _operators() -> dict[str, Any]:
    talking, found = calls.talking(), []
    for user, chosen in presence.in_force():
        if user.login in talking:
            found.append(Operator(accounts.named(user, locale()), "call", talking[user.login]))
        elif chosen:
            found.append(Operator(accounts.named(user, locale()), chosen.state, chosen.since))
        else:
            found.append(Operator(accounts.named(user, locale()), "off", None))
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
