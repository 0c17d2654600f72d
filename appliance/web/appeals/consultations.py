"""Consultations that appeals have asked a specialist for: who was contacted, what came of it."""

import datetime as dt
from typing import Any

from flask import Blueprint, render_template, request

from appliance.casework import applicants
from appliance.casework.appeals import consultations
from appliance.core import clock
from appliance.people import accounts
from appliance.web.appeals import appeal_labels
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me

screen = Blueprint("consultations", __name__, url_prefix="/consultations")

SHOWN = dt.timedelta(days=30)  # those with an outcome


@screen.get("")
@may("consultation.read")
def page() -> str:
    """Those without an outcome, or (`show=done`) those of the last month that have one."""
    was = refusals.latest()
    trouble = appeal_labels.TROUBLES.get(was.trouble)
    return render_template("consultations/page.html", trouble=trouble, was=was, **_list())


@screen.get("/list")
@may("consultation.read")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("consultations/list.html", was=refusals.Refusal(), **_list())


@screen.get("/mine")
@may("desk.work")
def own() -> str:
    """The operator's own ones without an outcome, as a piece of his page."""
    return render_template("operator/consultations.html", **waiting_shown())


def waiting_shown() -> dict[str, object]:
    """What operator/consultations.html shows."""
    found = consultations.waiting(me())
    disclosure.log_shown("appeal", [one.appeal.number for one in found])
    return {"consultations": found, "consultation_state": appeal_labels.consultation_state}


def _list() -> dict[str, Any]:
    now = clock.now()
    waiting = consultations.waiting(me())
    done = request.args.get("show") == "done"
    found = consultations.done(me(), now - SHOWN) if done else waiting
    disclosure.log_shown("appeal", [one.appeal.number for one in found])
    return {
        "done": done,
        "found": found,
        "waiting": len(waiting),
        "overdue": sum(consultations.is_overdue(one, now) for one in waiting),
        "notes": me().role != "manager",
        "name_of": applicants.name_of,
        "names": accounts.names(),
        "consultation_state": appeal_labels.consultation_state,
        "now": now,
    }
