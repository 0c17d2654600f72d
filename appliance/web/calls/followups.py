"""The register of missed callers: who waits to be called, by whom and when he was."""

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.core import clock
from appliance.pbx import actions
from appliance.people import accounts
from appliance.reports.periods import Period
from appliance.telephony import calls, followups
from appliance.telephony.calls import dialling
from appliance.web.calls import callbacks
from appliance.web.reports.forms import Behind
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import allowed, may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded
from appliance.web.workplace.transfers import TROUBLES, UNREACHABLE

if TYPE_CHECKING:
    from appliance.models import Call, FollowUp

screen = Blueprint("followups", __name__, url_prefix="/followups")

SHOWN = dt.timedelta(days=7)  # closed tasks and figures
A_PAGE = 20  # tasks on a page
# why somebody waits to be called: its name, the badge's kind, the icon
KINDS: dict[str, tuple[LazyString, str, str]] = {
    "callback": (_l("Asked to be called"), "accent", "phone-incoming"),
    "queue": (_l("Gave up waiting"), "warn", "phone-missed"),
    "menu": (_l("Hung up in the menu"), "", "phone-missed"),
}
OUTCOMES: dict[str, tuple[LazyString, str, str]] = {
    "spoken": (_l("Spoken to"), "ok", "check"),
    "called_again": (_l("Called again himself"), "ok", "phone-incoming"),
    "done": (_l("Done"), "", "check"),
    "given_up": (_l("Could not be reached"), "warn", "phone-off"),
}
# why the machine does not call a number, as destinations.barred tells
BARRED: dict[str, LazyString] = {
    "machine": _l("not a number that the machine may call: by hand"),
    "prefix": _l("calls to this number are barred"),
    "shape": _l("not a whole number"),
}
# why a call of ours reached nobody: by its outcome, a failed one also by its Q.850 cause
WHY: dict[str, LazyString] = {
    "busy": _l("the number is busy"),
    "no_answer": _l("nobody answered"),
    "failed": _l("the network did not connect the call"),
    **{cause: lazy_gettext(why) for cause, why in dialling.WHY.items()},
}
# why a missed caller could not be called
TROUBLES_OF_CALLS = TROUBLES | {
    "claimed": _l("Somebody is calling this number at this moment."),
    "unreachable": UNREACHABLE,
}


@screen.get("")
@may("follow_up.work")
def page() -> str:
    """Who waits to be called, or (`show=closed`) who was dealt with in the last week."""
    code = refusals.latest().trouble
    trouble = TROUBLES_OF_CALLS.get(code) or callbacks.trouble(code)
    return render_template("followups/page.html", trouble=trouble, **(_list() | callbacks.listed()))


@screen.get("/list")
@may("follow_up.work")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("followups/list.html", **_list())


@screen.post("/<int:number>/call")
@may("follow_up.work")
def call(number: int) -> Response:
    """Ring one's own phone, then the caller who was missed."""
    task = _task(number)
    page = _place()
    if not followups.claim(task, by=me().login):
        return refusals.back(page, "claimed")
    try:
        actions.dial(site(), me(), task.number, "follow_up", str(task.id))
    except actions.Refused as error:
        followups.release(task)
        known = error.code if error.code in TROUBLES else "exchange"
        return refusals.back(page, known)
    except actions.Unreachable:
        followups.release(task)
        return refusals.back(page, "unreachable")
    flash(_("Your phone rings: pick it up."))
    # An operator's form comes with the call.
    return redirect(url_for("operator.page") if me().role == "operator" else page)


@screen.post("/<int:number>/done")
@may("follow_up.work")
def done(number: int) -> Response:
    """Write a task off, with a note."""
    task = _task(number)
    if followups.mark(task, "done", by=me().login, note=request.form.get("note", "")):
        flash(_("Done"))
    return redirect(_place())


def _page_number() -> int:
    return max(request.args.get("page", 1, bounded), 1)


def _place() -> str:
    """The address of the page of the list from which was asked."""
    page = _page_number()
    return url_for("followups.page", page=page if page > 1 else None)


def reason_of(call: "Call") -> str:
    """Why a call of ours reached nobody."""
    return str(WHY.get(calls.failure(call) or "") or WHY[call.outcome])


def _task(number: int) -> "FollowUp":
    return followups.task(me(), number) or abort(404)


def _behind(task: "FollowUp", **asked: str) -> str:
    """Where the calls of a task are listed; "" for who may not open the list."""
    if not allowed("analytics.listed"):
        return ""
    newest = max(task.missed_at, task.tried_at or task.opened_at)
    first, last = (moment.astimezone(site().tz).date() for moment in (task.opened_at, newest))
    return Behind(Period(first, last, site().tz)).calls(task=task.id, **asked)


def _list() -> dict[str, Any]:
    now, rules = clock.now(), followups.rules(site())
    closed = request.args.get("show") == "closed"
    waiting = followups.waiting(me())
    count = followups.closed_count(me(), now - SHOWN) if closed else waiting
    pages = max(math.ceil(count / A_PAGE), 1)
    page = min(_page_number(), pages)
    before = (page - 1) * A_PAGE
    tasks = (
        followups.closed(me(), now - SHOWN, A_PAGE, before)
        if closed
        else followups.opened(me(), A_PAGE, before)
    )
    disclosure.log_shown("task", [task.id for task in tasks])
    spent = followups.spent(rules)
    return {
        "closed": closed,
        "tasks": tasks,
        "waiting": waiting,
        "count": count,
        "page": page,
        "pages": pages,
        "barred": {task.id: rules.barred(task.number) for task in tasks},
        "reasons": BARRED,
        "spent": spent if spent.calls and not spent.left else None,
        "next": {task.id: followups.due_at(task, rules) for task in tasks},
        "recovery": followups.recovery(now - SHOWN, now),
        "now": now,
        "behind": _behind,
        "failed": followups.attempts(tasks),
        "reason_of": reason_of,
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "call_languages": CALL_LANGUAGES,
        "names": accounts.names(locale()),
    }
