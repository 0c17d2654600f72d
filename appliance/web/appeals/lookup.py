"""Finding an appeal for a citizen who calls again, and the operator's own appeals of the day."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, session

from appliance.casework import appeals, applicants, catalogs
from appliance.casework.appeals import handling
from appliance.core import clock
from appliance.web.appeals import appeal_labels
from appliance.web.appeals.card import LOOKED_UP
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.rates import limiter

if TYPE_CHECKING:
    from appliance.models import Appeal, Handling

screen = Blueprint("lookup", __name__, url_prefix="/appeals")

MOST = 20  # found appeals whose cards stay open to the operator


def _login() -> str:
    return me().login


@screen.get("/mine")
@may("appeal.find")
@limiter.limit("20 per minute", key_func=_login, exempt_when=lambda: not request.args.get("q"))
def page() -> str:
    """What was looked up (`q`: a whole number or phone), and what was registered today."""
    typed = request.args.get("q", "").strip()
    midnight = clock.now().astimezone(site().tz).replace(hour=0, minute=0, second=0, microsecond=0)
    found = appeals.look_up(typed, appeal_labels.today(), me()) if typed else []
    own = appeals.registered_since(me(), midnight)
    if found:
        remember([appeal.number for appeal in found])
    shown = [appeal.number for appeal in (*found, *own)]
    disclosure.log_shown("appeal", shown, {"q": typed} if typed else None)
    return render_template(
        "lookup/page.html",
        typed=typed,
        found=[_line(one, now) for one in found if (now := handling.of_appeal(one))],
        own=[_line(appeal, appeal.handling) for appeal in own],
        day=midnight,
        states=appeal_labels.STATES,
        types=catalogs.shown_labels("appeal_type", locale()),
        directions=catalogs.shown_labels("direction", locale()),
    )


def remember(numbers: list[str]) -> None:
    """Keep the cards of appeals open to an operator who speaks with the citizen."""
    before = list(session.get(LOOKED_UP, ()))
    now = [*numbers, *(number for number in before if number not in numbers)][:MOST]
    if now != before:
        session[LOOKED_UP] = now


def _line(appeal: "Appeal", now: "Handling") -> dict[str, Any]:
    near = appeal_labels.nearness(now, appeal_labels.today(), catalogs.working_calendar(site()))
    return {"appeal": appeal, "handling": now, "name": applicants.name_of(appeal), "near": near}
