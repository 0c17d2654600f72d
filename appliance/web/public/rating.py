"""The mark of a caller who hung up first: the page behind the link in his message, no login."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.messaging.notices import ratings
from appliance.web.shell.access import public
from appliance.web.shell.language import COOKIE
from appliance.web.shell.rates import limiter
from appliance.web.shell.sent import bounded

if TYPE_CHECKING:
    from appliance.models import SmsRating

screen = Blueprint("rating", __name__)

MARKS: dict[int, LazyString] = {
    5: _l("Very good"),
    4: _l("Good"),
    3: _l("Middling"),
    2: _l("Bad"),
    1: _l("Very bad"),
}


@screen.get("/r/<token>")
@limiter.limit("60 per minute")
@public
def page(token: str) -> BaseResponse | str | tuple[str, int]:
    """Five marks; looking at it uses nothing up, as programs do that preview links."""
    asked = _rating_of(token)
    if asked.language == "ru" and not request.cookies.get(COOKIE) and "til" not in request.args:
        return redirect(url_for("rating.page", token=token, til="ru"))
    return _rating_page(asked, ratings.state_of(asked))


@screen.post("/r/<token>")
@limiter.limit("60 per minute")
@public
def give(token: str) -> BaseResponse | tuple[str, int]:
    """Take the mark, once."""
    asked, mark = _rating_of(token), request.form.get("mark", type=bounded)
    if mark not in MARKS:
        abort(400)
    state = ratings.mark(asked, mark, "link")
    if state != "open":
        return _rating_page(asked, state)
    return redirect(url_for("rating.page", token=token))


def _rating_of(token: str) -> "SmsRating":
    return ratings.find(token) or abort(404)


def _rating_page(asked: "SmsRating", state: str) -> tuple[str, int]:
    status = 410 if state == "expired" else 200
    return render_template("rating/page.html", asked=asked, state=state, marks=MARKS), status
