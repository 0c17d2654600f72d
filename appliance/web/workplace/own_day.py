"""The operator's own day, compared with their goals, and the one-line summary of waiting callers.

The summary says how many callers wait in the operator's queues, and for how long.
"""

import datetime as dt
import functools
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Blueprint, Flask, g, render_template
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import force_locale

from appliance.casework import call_forms
from appliance.casework.appeals import queries
from appliance.core import clock
from appliance.people import accounts, goals
from appliance.reports.kpi import ASA_TARGET_SECONDS
from appliance.telephony import routing
from appliance.telephony.calls import operator_day
from appliance.telephony.routing import Plan
from appliance.web.shared.ongoing_calls import ongoing_calls
from appliance.web.shared.telephony_labels import SHORT_LANGUAGE_NAMES, pause_reason_name
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, start_of_today
from appliance.web.shell.streams import PushedFragment
from appliance.web.workplace import states

if TYPE_CHECKING:
    from appliance.models import User

QUEUE_SUMMARY_INTERVAL_SECONDS = 3.0  # between two updates of the summary of waiting callers
screen = Blueprint("own_day", __name__, url_prefix="/operator")


@dataclass(frozen=True)
class WaitingCallers:
    """The callers who wait in the queues that one operator serves.

    `by_language` has (language, number of callers) if the operator speaks several languages;
    otherwise it is empty. `now` is the time from which the page counts on.
    """

    count: int
    oldest: dt.datetime | None  # since when the one who has waited longest is waiting
    by_language: tuple[tuple[str, int], ...]
    target_seconds: float  # within which a call is to be answered
    now: dt.datetime


@screen.record_once
def _register_queue_summary(state: BlueprintSetupState) -> None:
    """Register the summary of waiting callers as a fragment that is sent to open pages.

    It is sent to all operators' pages when a call changes, at most every few seconds.
    """
    app = cast(Flask, state.app)
    summary = PushedFragment(
        "calls",
        "/operator/queue",
        QUEUE_SUMMARY_INTERVAL_SECONDS,
        functools.partial(queue_summaries, app),
    )
    app.extensions["live"].register_fragment(summary)


@screen.get("/figures")
@may("desk.work")
def show_figures() -> str:
    """Show the figures of the operator's day, as a fragment of the page."""
    return render_template("operator/figures.html", **day_context())


@screen.get("/queue")
@may("desk.work")
def show_queue() -> str:
    """Show the waiting callers in one line, as a fragment of the page."""
    return render_template("operator/queue.html", **queue_context())


def day_context() -> dict[str, object]:
    """Return the context of the operator's day so far: figures, goals, and the pauses by reason.

    `on_form` is the number of calls registered on form №2, `form_share` their share of the answered
    calls in percent, if any call was answered. Pauses are listed if they were taken today or have a
    limit.
    """
    begin, now = start_of_today(), clock.now()
    day = operator_day(me(), begin, now, routing.wrap_up_rule(site()))
    on_form = call_forms.count_registered_calls(me(), begin)
    reasons = states.own_state().reasons
    listed_codes = {reason.code for reason in reasons}
    # taken today, but not on the list: set by the system or a supervisor, or retired since then
    other_reasons = [
        states.PauseReason(code, pause_reason_name(code), seconds, None)
        for code, seconds in day.pauses.items()
        if code not in listed_codes
    ]
    return {
        "today": begin,
        "day": day,
        "goals": goals.operator_goals(me()),
        "registered": queries.count_registered_since(me(), begin),
        "on_form": on_form,
        "form_share": 100 * on_form / day.answered if day.answered else None,
        "pauses": [
            reason for reason in (*reasons, *other_reasons) if reason.used_seconds or reason.limit
        ],
    }


def queue_context() -> dict[str, object]:
    """Return the context of the summary of waiting callers."""
    return {
        "queue": waiting_callers(me(), routing.current_plan(site()), clock.now()),
        "short": SHORT_LANGUAGE_NAMES,
    }


def queue_summaries(app: Flask, ids: Collection[str]) -> dict[str, str]:
    """Return the HTML of the summary of waiting callers, by operator id.

    `ids` are the ids of users with open pages; only operators among them are included. The
    summary is rendered once for all operators who see the same.
    """
    rendered: dict[tuple[str, WaitingCallers], str] = {}
    summaries_by_user = {}
    with app.test_request_context():
        g.within = True  # keeps the connection open: the calling code still uses it
        plan, now = routing.current_plan(site()), clock.now()
        for user in accounts.operators_among(ids):
            variant = user.language, waiting_callers(user, plan, now)
            if variant not in rendered:
                with force_locale(user.language):
                    rendered[variant] = render_template(
                        "operator/queue.html", queue=variant[1], short=SHORT_LANGUAGE_NAMES
                    )
            summaries_by_user[str(user.id)] = rendered[variant]
    return summaries_by_user


def waiting_callers(user: "User", plan: Plan, now: dt.datetime) -> WaitingCallers:
    """Return the callers who wait in the queues that an operator serves."""
    queues = routing.operator_queues(plan, user)
    callers = [
        caller for caller in ongoing_calls() if caller.waiting_since and caller.queue in queues
    ]
    languages = user.speaks.split()
    counts = (
        (code, sum(caller.call.language == code for caller in callers))
        for code in accounts.CALL_LANGUAGES
        if code in languages and len(languages) > 1
    )
    return WaitingCallers(
        count=len(callers),
        oldest=min(
            (caller.waiting_since for caller in callers if caller.waiting_since), default=None
        ),
        by_language=tuple((code, count) for code, count in counts if count),
        target_seconds=ASA_TARGET_SECONDS,
        now=now,
    )
