"""The register of missed callers: who waits to be called, by whom and when he was."""

import datetime as dt
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance import clock, followups
from appliance.models import FollowUp, User
from appliance.pbx import actions
from appliance.reports.periods import Period
from appliance.web.access import allowed, may
from appliance.web.context import me, site
from appliance.web.passing import TROUBLES, UNREACHABLE
from appliance.web.reports import Behind

screen = Blueprint("followups", __name__, url_prefix="/followups")

KEEPERS = ("operator", "supervisor", "manager")
SHOWN = dt.timedelta(days=7)  # closed tasks and figures
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
LANGUAGES = {"uz": _l("Uzbek"), "ru": _l("Russian")}


@screen.get("")
@may(*KEEPERS)
def page() -> str:
    """Who waits to be called, or (`show=closed`) who was dealt with in the last week."""
    return _page()


@screen.get("/list")
@may(*KEEPERS)
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("followups/list.html", **_list())


@screen.post("/<int:number>/call")
@may(*KEEPERS)
def call(number: int) -> Response | tuple[str, int]:
    """Ring one's own phone, then the caller who was missed."""
    task = _asked(number)
    if not followups.claim(task, by=me().login):
        return _page(str(_l("Somebody is calling this number at this moment."))), 409
    try:
        actions.dial(site(), me(), task.number, "follow_up", str(task.id))
    except actions.Refused as error:
        followups.release(task)
        return _page(str(TROUBLES.get(error.code, TROUBLES["exchange"]))), 409
    except actions.Unreachable:
        followups.release(task)
        return _page(str(UNREACHABLE)), 409
    flash(_("Your phone rings: pick it up."))
    return redirect(url_for("followups.page"))


@screen.post("/<int:number>/done")
@may(*KEEPERS)
def done(number: int) -> Response:
    """Write a task off, with a note."""
    task = _asked(number)
    if followups.mark(task, "done", by=me().login, note=request.form.get("note", "")):
        flash(_("Done"))
    return redirect(url_for("followups.page"))


def _asked(number: int) -> FollowUp:
    return followups.visible(me()).where(FollowUp.id == number).first() or abort(404)


def _behind(task: FollowUp, **asked: str) -> str:
    """Where the calls of a task are listed; "" for who may not open the list."""
    if not allowed("analytics.listed"):
        return ""
    newest = max(task.missed_at, task.tried_at or task.opened_at)
    first, last = (moment.astimezone(site().tz).date() for moment in (task.opened_at, newest))
    return Behind(Period(first, last, site().tz)).calls(task=task.id, **asked)


def _page(trouble: str = "") -> str:
    return render_template("followups/page.html", trouble=trouble, **_list())


def _list() -> dict[str, Any]:
    now, rules = clock.now(), followups.rules(site())
    closed = request.args.get("show") == "closed"
    tasks = followups.closed(me(), now - SHOWN) if closed else followups.opened(me())
    return {
        "closed": closed,
        "tasks": tasks,
        "waiting": followups.waiting(me()),
        "next": {task.id: followups.due_at(task, rules) for task in tasks},
        "recovery": followups.recovery(now - SHOWN, now),
        "now": now,
        "behind": _behind,
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "call_languages": LANGUAGES,
        "names": {user.login: user.name for user in User.select()},
    }
