"""The calls of one day, and the current state of each operator."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.casework import identity
from appliance.core import clock
from appliance.people import accounts, presence
from appliance.reports.kpi import ASA_TARGET_SECONDS
from appliance.telephony import calls
from appliance.web.shared.telephony_labels import OUTCOMES
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import start_of_day, today
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import page_number

screen = Blueprint("calls", __name__)

# By an operator's state: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "call": (_l("In a call"), "accent", "phone-call"),
    "ready": (_l("Ready"), "ok", "circle-check"),
    "back_office": (_l("Working off the queue"), "", "briefcase"),
    "wrap_up": (_l("Wrap-up"), "", "pencil"),
    "pause": (_l("Pause"), "warn", "coffee"),
    "off": (_l("Not at work"), "", "circle"),
}


CALLS_PER_PAGE = 100
NEWEST_FIRST = "-arrived"


@dataclass(frozen=True)
class OperatorState:
    """The name of an operator, their state (a key of STATES), and since when they have it.

    Without `since`, they were never at work.
    """

    name: str
    state: str
    since: dt.datetime | None


@screen.get("/calls")
@may("call.list")
def list_calls() -> str:
    """Show the calls of a day, and the operators' current states.

    The parameters select the calls: `day` (such as 24.11.2026; today if missing), `outcome`, and
    `number`, digits that the caller's number contains. `sort` is a key of calls.SORT_COLUMNS, with
    "-" before it for descending order.
    """
    return render_template("calls/page.html", **_call_list_context(), **_operator_states_context())


@screen.get("/calls/list")
@may("call.list")
def show_call_list() -> str:
    """Show the list of calls as a fragment of the open page."""
    return render_template("calls/list.html", **_call_list_context())


@screen.get("/calls/operators")
@may("call.list")
def show_operator_states() -> str:
    """Show the operators' states as a fragment of the open page."""
    return render_template("calls/operators.html", **_operator_states_context())


def _call_list_context() -> dict[str, Any]:
    """Return the context of the list of calls that the parameters select (see list_calls).

    Invalid parameters are ignored. `view` are the parameters of this list, and `here(…)` returns
    its address with some of them changed; `late` is the wait in seconds above which it is marked.
    That the calls are shown is recorded in the audit.
    """
    current_day = today()
    day = identity.parse_plausible_date(request.args.get("day", "")) or current_day  # dd.MM.yyyy
    page = page_number()
    outcome = request.args.get("outcome") if request.args.get("outcome") in OUTCOMES else None
    begin, end = (start_of_day(day + dt.timedelta(days=n)) for n in (0, 1))
    number_text, sort = request.args.get("number", "").strip(), request.args.get("sort", "")
    digits = re.sub(r"\D", "", number_text, flags=re.ASCII)
    order = sort if sort.removeprefix("-") in calls.SORT_COLUMNS else NEWEST_FIRST
    counts = calls.count_by_outcome(begin, end, digits)
    total = counts.get(outcome, 0) if outcome else sum(counts.values())
    lines = calls.inbound_page(
        begin, end, outcome, CALLS_PER_PAGE, (page - 1) * CALLS_PER_PAGE, digits=digits, order=order
    )
    search_terms = {"number": digits} if digits else None
    disclosure.log_shown("call", [line.call.id for line in lines], search_terms)
    view = {
        "day": None if day == current_day else f"{day:%d.%m.%Y}",
        "outcome": outcome,
        "number": digits or None,
        "sort": None if order == NEWEST_FIRST else order,
    }
    return {
        "here": lambda **other: url_for("calls.list_calls", **(view | other)),
        "view": view,
        "digits": digits,
        "order": order,
        "late": ASA_TARGET_SECONDS,
        "day": day,
        "this_day": current_day,
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1),
        "outcome": outcome,
        "counts": counts,
        "page": page,
        "pages": max(1, -(-total // CALLS_PER_PAGE)),
        "lines": lines,
        "names": accounts.display_names(locale()),
        "outcomes": OUTCOMES,
        "call_languages": CALL_LANGUAGES,
    }


def _operator_states_context() -> dict[str, Any]:
    """Return the context of the operators' current states, sorted by state and name.

    An operator in a talk has the state "call", whatever state was set.
    """
    talking, states = calls.talk_begins(), []
    for user, current in presence.current_states():
        if user.login in talking:
            states.append(
                OperatorState(accounts.display_name(user, locale()), "call", talking[user.login])
            )
        elif current:
            states.append(
                OperatorState(accounts.display_name(user, locale()), current.state, current.since)
            )
        else:
            states.append(OperatorState(accounts.display_name(user, locale()), "off", None))
    order = list(STATES)
    states.sort(key=lambda operator: (order.index(operator.state), operator.name))
    return {
        "operators": states,
        "now": clock.now(),
        "states": STATES,
        "how_many": {state: sum(o.state == state for o in states) for state in STATES},
    }
