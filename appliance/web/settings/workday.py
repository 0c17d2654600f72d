"""An operator's day: how long its pauses may be, what it should come to, what he may read."""

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs
from appliance.people import accounts, goals, pauses
from appliance.people.accounts import StaffError
from appliance.people.goals import Goals
from appliance.telephony import number_hiding
from appliance.web.shell import refusals
from appliance.web.shell.access import allowed, may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("workday", __name__, url_prefix="/workday")

EVERYBODY = 0  # in place of a user's id
TROUBLES: dict[str, LazyString] = {
    "minutes": _l("A limit is a whole number of minutes, 1 to 1440; left empty, there is none."),
    "calls": _l("Calls are a whole number, 1 to 1000."),
    "mark": _l("A mark is 1 to 5, as 4,5."),
    "forms": _l("The share on form №2 is a whole number, 1 to 100."),
}


@screen.get("")
@may("workday.read")
def page() -> str:
    """The limits of pauses and the goals."""
    was = refusals.latest()
    own = goals.own()
    return render_template(
        "workday/page.html",
        reasons=catalogs.choices(catalogs.PAUSES, locale(), today()),
        limits=pauses.limits(),
        keeps_limits=allowed("workday.limit"),
        everybody=goals.of_everybody(),
        people=[(user, own.get(user.id, Goals())) for user in accounts.operators()],
        hides_numbers=number_hiding.is_on(),
        trouble=TROUBLES.get(was.trouble),
        typed=was.values if was else MultiDict(),
    )


@screen.post("/limits")
@may("workday.limit")
def limit() -> BaseResponse:
    """How many minutes a day each reason of a pause may take."""
    try:
        minutes = {
            code: _whole(f"minutes-{code}", "minutes")
            for code, _name in catalogs.choices(catalogs.PAUSES, locale(), today())
        }
        pauses.limit(minutes, me().login)
    except StaffError as error:
        return refusals.back(url_for(".page"), error.code, "limits-title")
    return _saved()


@screen.post("/goals")
@may("workday.read")
def set_goals() -> BaseResponse:
    """What everybody's day should come to, and whose should come to something else."""
    people: list[User | None] = [None, *accounts.operators()]
    try:
        goals.store([(user, _goals(user.id if user else EVERYBODY)) for user in people], me().login)
    except StaffError as error:
        return refusals.back(url_for(".page"), error.code, "goals-title")
    return _saved()


@screen.post("/numbers")
@may("workday.read")
def hide_numbers() -> BaseResponse:
    """Whether operators see callers' numbers masked."""
    number_hiding.switch("hidden" in request.form, me().login)
    return _saved()


def _goals(number: int) -> Goals:
    """What was typed for one of them. Raises StaffError, its code the field."""
    mark = request.form.get(f"mark-{number}", "").strip().replace(",", ".")
    try:
        typed = float(mark) if mark else None
    except ValueError:
        raise StaffError("mark", mark) from None
    return Goals(_whole(f"calls-{number}", "calls"), typed, _whole(f"forms-{number}", "forms"))


def _whole(field: str, code: str) -> int | None:
    """A whole number that was typed, None for nothing. Raises StaffError of this code."""
    text = request.form.get(field, "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise StaffError(code, text)
    return int(text) if text else None


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("workday.page"))
