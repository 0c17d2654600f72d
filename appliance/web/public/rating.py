"""The page on which a caller rates a call: an SMS links to it, and it needs no login.

The SMS is sent to callers who hung up before they could rate the call by phone.
"""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.messaging.notices import ratings
from appliance.web.shell.access import public
from appliance.web.shell.language import LANGUAGE_COOKIE
from appliance.web.shell.rate_limits import limiter
from appliance.web.shell.request_data import parse_count

if TYPE_CHECKING:
    from appliance.models import SmsRating

screen = Blueprint("rating", __name__)

MARKS: dict[int, LazyString] = {
    5: _l("Very good"),
    4: _l("Good"),
    3: _l("Fair"),
    2: _l("Poor"),
    1: _l("Very poor"),
}


@screen.get("/r/<token>")
@limiter.limit("60 per minute")
@public
def show_rating_page(token: str) -> BaseResponse | str | tuple[str, int]:
    """Show the five marks, or that the call was rated or the link has expired.

    Opening the link does not use it up, as programs open links for a preview.
    """
    rating = _rating_request_or_404(token)
    # The page opens in the language of the SMS, unless the caller has chosen one on this site.
    if (
        rating.language == "ru"
        and not request.cookies.get(LANGUAGE_COOKIE)
        and "til" not in request.args
    ):
        return redirect(url_for("rating.show_rating_page", token=token, til="ru"))
    return _render_rating(rating, ratings.rating_request_state(rating))


@screen.post("/r/<token>")
@limiter.limit("60 per minute")
@public
def save_rating(token: str) -> BaseResponse | tuple[str, int]:
    """Store the mark; if there is one already, or the link has expired, show that instead."""
    rating, mark = _rating_request_or_404(token), request.form.get("mark", type=parse_count)
    if mark not in MARKS:
        abort(400)
    state = ratings.record_rating(rating, mark, "link")
    if state != "open":
        return _render_rating(rating, state)
    return redirect(url_for("rating.show_rating_page", token=token))


def _rating_request_or_404(token: str) -> "SmsRating":
    """Return the request for a rating with the token of the link; abort with 404 if not found."""
    return ratings.find_rating_request(token) or abort(404)


def _render_rating(rating: "SmsRating", state: str) -> tuple[str, int]:
    """Return the page for a state of the request for a rating, and the HTTP status.

    The state is one of ratings.rating_request_state: "open" shows the marks.
    """
    status = 410 if state == "expired" else 200
    return render_template("rating/page.html", asked=rating, state=state, marks=MARKS), status
