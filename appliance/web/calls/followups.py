"""The register of missed callers: each task is a number to be called back, with its attempts."""

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.core import clock
from appliance.pbx import actions
from appliance.people import accounts
from appliance.reports.periods import Period
from appliance.telephony import followups
from appliance.web.calls import callbacks
from appliance.web.shared.figure_links import FigureLinks
from appliance.web.shared.telephony_labels import (
    ASTERISK_UNREACHABLE,
    EXCHANGE_TROUBLES,
    failure_text,
)
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import can_open, may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import page_number

if TYPE_CHECKING:
    from appliance.models import FollowUp

screen = Blueprint("followups", __name__, url_prefix="/followups")

SHOWN_PERIOD = dt.timedelta(days=7)  # closed tasks and figures of this last period are shown
TASKS_PER_PAGE = 20
# By why a caller is to be called back: its name, the badge's kind, the icon.
KINDS: dict[str, tuple[LazyString, str, str]] = {
    "callback": (_l("Asks to be called back"), "accent", "phone-incoming"),
    "queue": (_l("Gave up waiting"), "warn", "phone-missed"),
    "menu": (_l("Hung up in the menu"), "", "phone-missed"),
}
OUTCOMES: dict[str, tuple[LazyString, str, str]] = {
    "spoken": (_l("Spoken to"), "ok", "check"),
    "called_again": (_l("Caller called again"), "ok", "phone-incoming"),
    "done": (_l("Done"), "", "check"),
    "given_up": (_l("Could not be contacted"), "warn", "phone-off"),
}
# Why the system does not call a number by itself, by code of destinations.barred.
BARRED_REASONS: dict[str, LazyString] = {
    "machine": _l("the system does not call this number: call by hand"),
    "prefix": _l("calls to this number are barred"),
    "shape": _l("the number is incomplete"),
}
# Why a missed caller could not be called by a user, by code.
CALL_TROUBLES = EXCHANGE_TROUBLES | {
    "claimed": _l("Somebody is calling this number right now."),
    "unreachable": ASTERISK_UNREACHABLE,
}


@screen.get("")
@may("follow_up.work")
def list_followups() -> str:
    """Show the callers who are to be called back.

    With `show=closed`, the tasks closed in the last week are shown instead.
    """
    code = refusals.latest_refusal().trouble
    trouble = CALL_TROUBLES.get(code) or callbacks.refusal_text(code)
    return render_template(
        "followups/page.html",
        trouble=trouble,
        **(_followup_list_context() | callbacks.callback_list_context()),
    )


@screen.get("/list")
@may("follow_up.work")
def show_followup_list() -> str:
    """Show the list of tasks as a fragment of the open page."""
    return render_template("followups/list.html", **_followup_list_context())


@screen.post("/<int:number>/call")
@may("follow_up.work")
def dial_missed_caller(number: int) -> Response:
    """Ring the user's own phone, then call the missed caller.

    The task is claimed before, so that nobody else calls the same number, and released again if the
    call is not possible.
    """
    task = _task_or_404(number)
    page = _list_page_url()
    if not followups.claim_task(task, by=me().login):
        return refusals.redirect_back(page, "claimed")
    try:
        actions.dial_number(site(), me(), task.number, "follow_up", str(task.id))
    except actions.ActionRefused as error:
        followups.release_claim(task)
        code = error.code if error.code in EXCHANGE_TROUBLES else "exchange"
        return refusals.redirect_back(page, code)
    except actions.Unreachable:
        followups.release_claim(task)
        return refusals.redirect_back(page, "unreachable")
    flash(_("Your phone is ringing: pick it up."))
    # For an operator, the form opens with the call.
    return redirect(url_for("operator.show_workplace") if me().role == "operator" else page)


@screen.post("/<int:number>/done")
@may("follow_up.work")
def close_followup(number: int) -> Response:
    """Close a task as done, with the submitted note; nothing happens if it is closed already."""
    task = _task_or_404(number)
    if followups.close_task(task, "done", by=me().login, note=request.form.get("note", "")):
        flash(_("Done"))
    return redirect(_list_page_url())


def _list_page_url() -> str:
    """Return the address of the list, with the page number that the request has."""
    page = page_number()
    return url_for("followups.list_followups", page=page if page > 1 else None)


def _task_or_404(number: int) -> "FollowUp":
    """Return the task with this id; abort with 404 if the user may not see it."""
    return followups.find_task(me(), number) or abort(404)


def _task_calls_url(task: "FollowUp", **conditions: str) -> str:
    """Return the address of the list of a task's calls; "" if the user may not open that list.

    `conditions` restrict the list (see FigureLinks.calls).
    """
    if not can_open("analytics.list_figure_calls"):
        return ""
    newest = max(task.missed_at, task.tried_at or task.opened_at)
    first, last = (moment.astimezone(site().tz).date() for moment in (task.opened_at, newest))
    return FigureLinks(Period(first, last, site().tz)).calls(task=task.id, **conditions)


def _followup_list_context() -> dict[str, Any]:
    """Return the context of the list of open tasks, or with `show=closed` of closed ones.

    By task id, `barred` is why the system does not call a number by itself (or ""), `next` is when
    it will call it again, and `failed` is the last call that reached nobody. `spent` is the use of
    the daily limit of automatic calls, if it is used up. `recovery` says how many of the callers
    missed within SHOWN_PERIOD were reached; `behind(task)` returns the address of the list of a
    task's calls.
    """
    now, rules = clock.now(), followups.calling_rules(site())
    closed = request.args.get("show") == "closed"
    waiting = followups.count_open(me())
    count = followups.count_closed(me(), now - SHOWN_PERIOD) if closed else waiting
    pages = max(math.ceil(count / TASKS_PER_PAGE), 1)
    page = min(page_number(), pages)
    offset = (page - 1) * TASKS_PER_PAGE
    tasks = (
        followups.closed_tasks(me(), now - SHOWN_PERIOD, TASKS_PER_PAGE, offset)
        if closed
        else followups.open_tasks(me(), TASKS_PER_PAGE, offset)
    )
    disclosure.log_shown("task", [task.id for task in tasks])
    spent = followups.daily_usage(rules)
    return {
        "closed": closed,
        "tasks": tasks,
        "waiting": waiting,
        "count": count,
        "page": page,
        "pages": pages,
        "barred": {task.id: rules.bar_reason(task.number) for task in tasks},
        "reasons": BARRED_REASONS,
        "spent": spent if spent.calls and not spent.remaining_calls else None,
        "next": {task.id: followups.next_call_time(task, rules) for task in tasks},
        "recovery": followups.recovery_of_period(now - SHOWN_PERIOD, now),
        "now": now,
        "behind": _task_calls_url,
        "failed": followups.latest_attempts(tasks),
        "reason_of": failure_text,
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "call_languages": CALL_LANGUAGES,
        "names": accounts.display_names(locale()),
    }
