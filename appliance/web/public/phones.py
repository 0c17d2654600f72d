"""Addresses that desk phones fetch without a login: their settings once, and the phone book."""

from flask import Blueprint, Response, request

from appliance.core.refusals import Refused
from appliance.telephony import desk_phones
from appliance.telephony.desk_phones import PHONES_PATH
from appliance.telephony.desk_phones.maker import BOOK_FILE_NAME
from appliance.web.shell.access import public
from appliance.web.shell.context import site
from appliance.web.shell.rate_limits import limiter

screen = Blueprint("phones", __name__, url_prefix=f"/{PHONES_PATH}")

_MAX_AGENT_LENGTH = 200  # characters of a phone's User-Agent


@screen.get("/<token>/<name>")
@limiter.limit("30 per minute")
@public
def send_phone_settings(token: str, name: str) -> Response:
    """Send the settings of a phone; the address works only once.

    `token` is the secret in the address that the phone was given, `name` the file that it requests.
    A HEAD request gets 405 and does not count as use. A refused request gets an empty 404, which
    does not say why.
    """
    if request.method == "HEAD":
        return Response(status=405)
    try:
        text = desk_phones.fetch_settings(
            token, name, _user_agent(), request.remote_addr or "", site()
        )
    except Refused:
        return Response(status=404)
    return Response(text, mimetype="text/xml" if text.startswith("<?xml") else "text/plain")


@screen.get(f"/<token>/{BOOK_FILE_NAME}")
@limiter.limit("30 per minute")
@public
def send_phone_book(token: str) -> Response:
    """Send the ministry's directory of employees in the phone's format.

    Unlike the settings, it can be fetched again and again. A refused request gets an empty 404.
    """
    try:
        return Response(desk_phones.phone_book(token, _user_agent()), mimetype="text/xml")
    except Refused:
        return Response(status=404)


def _user_agent() -> str:
    """Return the start of the request's User-Agent, by which a phone is recognised."""
    return request.headers.get("User-Agent", "")[:_MAX_AGENT_LENGTH]
