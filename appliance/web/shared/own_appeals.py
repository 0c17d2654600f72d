"""Appeals that wait for the operator: those returned to them, and their consultations."""

from appliance.casework import catalogs
from appliance.casework.appeals import consultations, handling, queries
from appliance.people import accounts
from appliance.web.shared import appeal_labels
from appliance.web.shell import disclosure
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale


def returned_appeals() -> dict[str, object]:
    """Return the context of operator/returned.html: appeals that the ministry returned to the user.

    Each row is (appeal, why it was returned, who returned it, how near the deadline is). That they
    are shown is recorded in the audit.
    """
    day, calendar = today(), catalogs.working_calendar(site())
    people = accounts.display_names(locale())
    rows = []
    for appeal in queries.appeals_returned_to(me()):
        return_step = next(s for s in handling.list_steps(appeal) if s.action == "return")
        deadline = appeal_labels.deadline_nearness(appeal.handling, day, calendar)
        rows.append(
            (appeal, return_step.text, appeal_labels.actor_name(return_step.who, people), deadline)
        )
    disclosure.log_shown("appeal", [appeal.number for appeal, *_rest in rows])
    return {"returned": rows}


def own_consultations_context() -> dict[str, object]:
    """Return the context of operator/consultations.html, the operator's open consultations.

    `consultation_state` is the function that returns the badge of one.
    """
    pending = consultations.pending_consultations(me())
    disclosure.log_shown("appeal", [consultation.appeal.number for consultation in pending])
    return {"consultations": pending, "consultation_state": appeal_labels.consultation_badge}
