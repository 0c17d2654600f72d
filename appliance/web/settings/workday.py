"""The operators' day: limits of pauses, daily goals, and whether callers' numbers are masked."""

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs
from appliance.core.refusals import Refused
from appliance.people import accounts, goals, pauses
from appliance.people.goals import Goals
from appliance.telephony import number_hiding
from appliance.web.shell import refusals
from appliance.web.shell.access import can_open, may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("workday", __name__, url_prefix="/workday")

EVERYBODY_ID = 0  # in the names of the form's fields, for the goals of everybody
TROUBLES: dict[str, LazyString] = {
    "minutes": _l(
        "A limit is a whole number of minutes from 1 to 1440; leave it empty for no limit."
    ),
    "calls": _l("The number of calls is a whole number from 1 to 1000."),
    "mark": _l("A rating is a number from 1 to 5, such as 4,5."),
    "forms": _l("The share of calls registered on form №2 is a whole number from 1 to 100."),
}


@screen.get("")
@may("workday.read")
def show_workday() -> str:
    """Show the limits of pauses, the common goals, and each operator's own goals."""
    refusal = refusals.latest_refusal()
    goals_by_user = goals.personal_goals()
    return render_template(
        "workday/page.html",
        reasons=catalogs.item_choices(catalogs.PAUSES, locale(), today()),
        limits=pauses.pause_limits(),
        keeps_limits=can_open("workday.save_limits"),
        everybody=goals.common_goals(),
        people=[
            (user, goals_by_user.get(user.id, Goals())) for user in accounts.active_operators()
        ],
        hides_numbers=number_hiding.is_enabled(),
        trouble=TROUBLES.get(refusal.trouble),
        typed=refusal.values if refusal else MultiDict(),
    )


@screen.post("/limits")
@may("workday.limit")
def save_limits() -> BaseResponse:
    """Store how many minutes the pauses for each reason may last per day; blank: no limit."""
    try:
        minutes = {
            code: _number_from_form(f"minutes-{code}", "minutes")
            for code, _name in catalogs.item_choices(catalogs.PAUSES, locale(), today())
        }
        pauses.set_limits(minutes, me().login)
    except Refused as error:
        return refusals.redirect_back(url_for(".show_workday"), error.code, "limits-title")
    return _redirect_to_workday()


@screen.post("/goals")
@may("workday.read")
def set_goals() -> BaseResponse:
    """Store the daily goals common to all operators, and those that an operator has instead."""
    people: list[User | None] = [None, *accounts.active_operators()]
    try:
        goals.store_goals(
            [(user, _goals_from_form(user.id if user else EVERYBODY_ID)) for user in people],
            me().login,
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".show_workday"), error.code, "goals-title")
    return _redirect_to_workday()


@screen.post("/numbers")
@may("workday.read")
def hide_numbers() -> BaseResponse:
    """Store whether operators see callers' numbers masked: only if `hidden` is in the form."""
    number_hiding.set_enabled("hidden" in request.form, me().login)
    return _redirect_to_workday()


def _goals_from_form(user_id: int) -> Goals:
    """Return the goals typed for the operator with this id, or for all (`EVERYBODY_ID`).

    `mark` is the rating by callers, `forms` the percentage of calls registered on form №2; a blank
    goal is None. Raises Refused with the code `calls`, `mark` or `forms` if it is not a number.
    """
    mark = request.form.get(f"mark-{user_id}", "").strip().replace(",", ".")
    try:
        typed = float(mark) if mark else None
    except ValueError:
        raise Refused("mark", mark) from None
    return Goals(
        _number_from_form(f"calls-{user_id}", "calls"),
        typed,
        _number_from_form(f"forms-{user_id}", "forms"),
    )


def _number_from_form(field: str, code: str) -> int | None:
    """Return the whole number typed in `field`, unless it is blank.

    Raises Refused with the given code if the text is not a whole number below 100,000.
    """
    text = request.form.get(field, "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Refused(code, text)
    return int(text) if text else None


def _redirect_to_workday() -> BaseResponse:
    """Show the message that the form was saved, and redirect to the page."""
    flash(_("Saved."))
    return redirect(url_for("workday.show_workday"))
