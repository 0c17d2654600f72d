"""The search for the appeal of a citizen who calls again, and the operator's appeals of the day."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request

from appliance.casework import applicants, catalogs
from appliance.casework.appeals import handling, queries
from appliance.web.shared import appeal_labels
from appliance.web.shared.appeal_access import remember_looked_up
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, start_of_today, today
from appliance.web.shell.language import locale
from appliance.web.shell.rate_limits import limiter, user_key

if TYPE_CHECKING:
    from appliance.models import Appeal, Handling

screen = Blueprint("lookup", __name__, url_prefix="/appeals")


@screen.get("/mine")
@may("appeal.find")
@limiter.limit("20 per minute", key_func=user_key, exempt_when=lambda: not request.args.get("q"))
def look_up_appeal() -> str:
    """Show the appeals with the number or phone number `q`, and those the user registered today.

    Without `q`, nothing is looked up. The user may then open the appeals that were found, even
    those of other operators.
    """
    query = request.args.get("q", "").strip()
    midnight = start_of_today()
    matches = queries.look_up_appeals(query, today(), me()) if query else []
    own_appeals = queries.appeals_registered_since(me(), midnight)
    if matches:
        remember_looked_up([appeal.number for appeal in matches])
    shown_numbers = [appeal.number for appeal in (*matches, *own_appeals)]
    disclosure.log_shown("appeal", shown_numbers, {"q": query} if query else None)
    return render_template(
        "lookup/page.html",
        typed=query,
        found=[
            _appeal_row(match, current)
            for match in matches
            if (current := handling.handling_of_appeal(match))
        ],
        own=[_appeal_row(appeal, appeal.handling) for appeal in own_appeals],
        day=midnight,
        states=appeal_labels.STATES,
        types=catalogs.labels_with_unlisted("appeal_type", locale()),
        directions=catalogs.labels_with_unlisted("direction", locale()),
    )


def _appeal_row(appeal: "Appeal", current: "Handling") -> dict[str, Any]:
    """Return one row of the page's lists of appeals.

    `current` is the appeal's handling; `near` in the row says how near its deadline is.
    """
    deadline = appeal_labels.deadline_nearness(current, today(), catalogs.working_calendar(site()))
    return {
        "appeal": appeal,
        "handling": current,
        "name": applicants.display_name(appeal),
        "near": deadline,
    }
