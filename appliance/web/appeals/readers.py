"""Who is named to read a personal appeal beside its operator and its department."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework.appeals import personal
from appliance.web.appeals import card
from appliance.web.shell.access import may
from appliance.web.shell.context import me

screen = Blueprint("readers", __name__, url_prefix="/appeals/<number>/readers")


@screen.post("")
@may("appeal.readers")
def add(number: str) -> BaseResponse:
    """Name somebody."""
    appeal = card.seen(number)
    try:
        personal.name_reader(appeal, request.form.get("login", ""), me())
    except LookupError:
        abort(404)
    return _saved(number)


@screen.post("/<login>/remove")
@may("appeal.readers")
def remove(number: str, login: str) -> BaseResponse:
    """Name him no more."""
    personal.forget_reader(card.seen(number), login, me())
    return _saved(number)


@screen.app_context_processor
def _named() -> dict[str, object]:
    return {"named_for_me": lambda: personal.not_opened(me().login)}


def _saved(number: str) -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("appeals.page", number=number))
