"""The named readers of a personal appeal: users who may read it as its operator may."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework.appeals import personal
from appliance.web.shared.appeal_access import visible_appeal
from appliance.web.shell.access import may
from appliance.web.shell.context import me

screen = Blueprint("readers", __name__, url_prefix="/appeals/<number>/readers")


@screen.post("")
@may("appeal.readers")
def add_reader(number: str) -> BaseResponse:
    """Give the user with the submitted `login` the right to read a personal appeal.

    Aborts with 404 if there is no such user, or they cannot be named.
    """
    appeal = visible_appeal(number)
    try:
        personal.add_reader(appeal, request.form.get("login", ""), me())
    except LookupError:
        abort(404)
    return _redirect_to_card(number)


@screen.post("/<login>/remove")
@may("appeal.readers")
def remove_reader(number: str, login: str) -> BaseResponse:
    """Withdraw a user's right to read a personal appeal."""
    personal.remove_reader(visible_appeal(number), login, me())
    return _redirect_to_card(number)


@screen.app_context_processor
def _reader_context() -> dict[str, object]:
    """Give templates `named_for_me()`, which returns the user's unread entries as a reader.

    Each is an AppealReader, which names the user as a reader of a personal appeal; those of appeals
    that the user has opened already are left out.
    """
    return {"named_for_me": lambda: personal.unopened_reader_entries(me().login)}


def _redirect_to_card(number: str) -> BaseResponse:
    """Redirect to the card of the appeal, which says that the change was saved."""
    flash(_("Saved."))
    return redirect(url_for("appeals.show_appeal", number=number))
