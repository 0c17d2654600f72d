"""What phones on desks fetch by their own addresses, no login: settings once, the phone book."""

from flask import Blueprint, Response, request

from appliance.telephony import desk_phones
from appliance.telephony.desk_phones import BOOK, PATH, Refused
from appliance.web.shell.access import public
from appliance.web.shell.context import site
from appliance.web.shell.rates import limiter

screen = Blueprint("phones", __name__, url_prefix=f"/{PATH}")

_AGENT = 200  # characters of what a phone calls itself


@screen.get("/<token>/<name>")
@limiter.limit("30 per minute")
@public
def settings_file(token: str, name: str) -> Response:
    """The settings of one phone; who may not have them is not told why. Asking for the head alone
    uses nothing up.
    """
    if request.method == "HEAD":
        return Response(status=405)
    try:
        text = desk_phones.take(token, name, _agent(), request.remote_addr or "", site())
    except Refused:
        return Response(status=404)
    return Response(text, mimetype="text/xml" if text.startswith("<?xml") else "text/plain")


@screen.get(f"/<token>/{BOOK}")
@limiter.limit("30 per minute")
@public
def phone_book(token: str) -> Response:
    """The directory of the ministry, as the phone reads it."""
    try:
        return Response(desk_phones.phone_book(token, _agent()), mimetype="text/xml")
    except Refused:
        return Response(status=404)


def _agent() -> str:
    return request.headers.get("User-Agent", "")[:_AGENT]
