"""Protection against forged requests: a POST needs the session's token and a referrer here."""

from flask import Flask, abort, request
from flask_wtf.csrf import CSRFProtect

from appliance.web.shell.request_data import is_address

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Check the token and the referrer of every request that may change something."""
    app.before_request(_reject_invalid_referrer)
    csrf.init_app(app)


def _reject_invalid_referrer() -> None:
    """Abort with 400 if the referrer is not a valid URL: the CSRF protection would fail on it."""
    if request.method != "GET" and not is_address(request.headers.get("Referer", "")):
        abort(400)
