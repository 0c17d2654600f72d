"""The consultations with a specialist that appeals need: who was contacted, and the result."""

import datetime as dt
from typing import Any

from flask import Blueprint, render_template, request

from appliance.casework import applicants
from appliance.casework.appeals import consultations
from appliance.core import clock
from appliance.people import accounts
from appliance.web.shared import appeal_labels
from appliance.web.shared.own_appeals import own_consultations_context
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me

screen = Blueprint("consultations", __name__, url_prefix="/consultations")

DONE_PERIOD = dt.timedelta(days=30)  # for which consultations with a result are listed


@screen.get("")
@may("consultation.read")
def list_consultations() -> str:
    """Show the consultations that have no result yet.

    With `show=done`, those that got their result within DONE_PERIOD are shown instead.
    """
    refusal = refusals.latest_refusal()
    trouble = appeal_labels.TROUBLES.get(refusal.trouble)
    return render_template(
        "consultations/page.html", trouble=trouble, was=refusal, **_consultation_list_context()
    )


@screen.get("/list")
@may("consultation.read")
def show_consultation_list() -> str:
    """Show the consultations that `show` selects (see list_consultations), as a page fragment."""
    return render_template(
        "consultations/list.html", was=refusals.Refusal(), **_consultation_list_context()
    )


@screen.get("/mine")
@may("desk.work")
def show_own_consultations() -> str:
    """Show the operator's own consultations that have no result, as a fragment of their page."""
    return render_template("operator/consultations.html", **own_consultations_context())


def _consultation_list_context() -> dict[str, Any]:
    """Return the context of the list that the parameter `show` selects (see list_consultations).

    `found` are the listed consultations; `waiting` and `overdue` count those without a result;
    `notes`: the user may record contacts and results.
    """
    now = clock.now()
    waiting = consultations.pending_consultations(me())
    shows_done = request.args.get("show") == "done"
    listed = (
        consultations.finished_consultations(me(), now - DONE_PERIOD) if shows_done else waiting
    )
    disclosure.log_shown("appeal", [consultation.appeal.number for consultation in listed])
    return {
        "done": shows_done,
        "found": listed,
        "waiting": len(waiting),
        "overdue": sum(consultations.is_overdue(consultation, now) for consultation in waiting),
        "notes": me().role != "manager",
        "name_of": applicants.display_name,
        "names": accounts.display_names(),
        "consultation_state": appeal_labels.consultation_badge,
        "now": now,
    }
