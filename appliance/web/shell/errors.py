"""Error pages: they say what happened and what to do, and they keep what the user typed."""

import logging
import secrets
from http import HTTPStatus

from flask import Flask, Response, json, jsonify, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException, MethodNotAllowed

from appliance.core import db
from appliance.web.shell.concurrency import TooManyReports
from appliance.web.shell.context import is_htmx_request
from appliance.web.shell.size_limits import FieldTooLong

log = logging.getLogger(__name__)

_READ_CHUNK_BYTES = 1 << 16

# HTTP status → what happened, what to do
STATUS_TEXTS: dict[int, tuple[LazyString, LazyString]] = {
    400: (
        _l("The data sent by the page could not be read"),
        _l("Go back with the browser's Back button: your text is still there. Then try again."),
    ),
    403: (
        _l("Your role has no access to this page"),
        _l("If you need it for your work, ask the supervisor or the technician."),
    ),
    404: (
        _l("There is no such page"),
        _l("The address may be mistyped, or the page was moved. Start from your own page."),
    ),
    405: (
        _l("This address does not accept this kind of request"),
        _l("Start from your own page."),
    ),
    413: (
        _l("The data are too large"),
        _l("Go back with the browser's Back button and send less."),
    ),
    429: (
        _l("Too many requests"),
        _l("Wait a minute, then try again."),
    ),
    500: (
        _l("The page failed"),
        _l(
            "Calls are still answered and recorded. Go back and try again; if it fails again, give "
            "the technician this code."
        ),
    ),
    503: (
        _l("Too much is being requested right now"),
        _l("Wait a minute, then try again. Calls are still answered and recorded."),
    ),
}
DATABASE_BUSY_TEXT = (
    _l("The database is busy"),
    _l(
        "Nothing was changed, and calls are still answered and recorded. Go back with the "
        "browser's Back button, wait a few seconds and try again."
    ),
)
REPORTS_PENDING_TEXT = (
    _l("Your earlier documents are still being prepared"),
    _l("Wait until they are ready, then request the next one. Nothing was changed."),
)
_RETRY_SOON_HEADERS = {"Retry-After": "5"}  # seconds
SECRET_FIELDS = ("csrf_token", "password", "one_time_code")

# Shown when the database cannot be read: then the reader's language is unknown, too.
_LAST_RESORT_PAGE = (
    "<!doctype html><meta charset=utf-8><title>500</title>"
    "<p lang=uz-Latn>Sahifa ishlamadi. Qoʻngʻiroqlar qabul qilinmoqda. Texnik xodimga ayting: {0}"
    "<p lang=ru>Страница не работает. Звонки принимаются. Сообщите технику: {0}"
)


def init_app(app: Flask) -> None:
    """Register the handlers that answer every error with a page."""
    app.register_error_handler(CSRFError, _handle_expired_token)
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(Exception, _handle_exception)


def resend_page(status: int, *, busy: bool = False) -> tuple[str, int]:
    """Return a page with the submitted fields and a button to submit them again, and the status.

    Passwords are left out. `busy`: the text says that the database was busy for too long; otherwise
    that the session of the page has ended. A piece of a page, a stream or a script gets only the
    status: a page would start a new session, and the token of a login page that is open in another
    tab would become invalid.
    """
    if is_htmx_request() or not request.form:
        return "", status
    submitted = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if not any(secret in name for secret in SECRET_FIELDS)
    ]
    page = render_template(
        "error/again.html",
        sent=submitted,
        there=request.full_path,
        busy=busy,
        files=bool(request.files),
    )
    return page, status


def problem_response(status: int, code: str = "", detail: str = "") -> Response:
    """Return an error for a program, as a problem document (RFC 9457).

    `code` is a word by which programs recognise the problem; `detail` says what to do.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {name: text for name, text in (("code", code), ("detail", detail)) if text}
    return Response(json.dumps(body), status, mimetype="application/problem+json")


def _is_api_request() -> bool:
    """Return True if a program requests an address of the JSON interface."""
    return request.path.startswith("/api/")


def _handle_expired_token(error: CSRFError) -> tuple[str, int]:
    """Answer a form whose token is no longer valid with a page that submits the form again."""
    return resend_page(400)


def _handle_http_error(
    error: HTTPException,
) -> HTTPException | Response | tuple[Response | str, int] | tuple[str, int, dict[str, str]]:
    """Answer an HTTP error with the error page of its status.

    A program that uses the JSON interface receives a problem document.
    """
    code = error.code or 500
    if code < 400:
        return error  # a redirect by the router
    cause = getattr(error, "original_exception", None)
    if cause and db.is_busy(cause):  # while the audit row was written, after the view
        return _busy_response()
    if isinstance(error, BadHost):  # a page cannot build links for an unknown host
        return Response("no such host\n", code, mimetype="text/plain")
    if code == 413:
        _read_remaining_body()
    if isinstance(error, FieldTooLong):
        return _too_long_response(error)
    if isinstance(error, TooManyReports) and not _is_api_request():
        return *_error_page(429, words=REPORTS_PENDING_TEXT), _RETRY_SOON_HEADERS
    headers = _allowed_methods(error)
    if _is_api_request():
        response = problem_response(code, detail="" if code == 429 else error.description or "")
        if code == 429:
            headers["Retry-After"] = "60"
        response.headers.update(headers)
        return response
    return *_error_page(code), headers


def _allowed_methods(error: HTTPException) -> dict[str, str]:
    """Return the header that lists the methods of an address (RFC 9110), for a 405 only."""
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return {"Allow": ", ".join(sorted(error.valid_methods))}
    return {}


def _read_remaining_body() -> None:
    """Read and discard the rest of a request body that is too large.

    If the connection were closed before, nginx, which sends the body, might not read the response.
    nginx also limits how long a body can be.
    """
    body = request.environ["wsgi.input"]
    while body.read(_READ_CHUNK_BYTES):
        pass


def _too_long_response(error: FieldTooLong) -> Response | tuple[Response | str, int]:
    """Answer a form with a text that is too long by a page where the text can be shortened.

    A page that sent JSON still has its fields and gets only the allowed lengths; a program gets a
    problem document.
    """
    limits = ", ".join(f"{name}: {count}" for name, count in error.fields.items())
    if _is_api_request():
        return problem_response(413, "long", f"Longest that is kept, in characters: {limits}.")
    if request.is_json:
        return jsonify(longest=error.fields), 413
    submitted = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if not any(secret in name for secret in SECRET_FIELDS)
    ]
    address, fields = request.full_path, error.fields
    return render_template("error/long.html", sent=submitted, there=address, longest=fields), 413


def _busy_response() -> Response | tuple[str, int, dict[str, str]]:
    """Answer with 503 that the database was busy for too long and nothing was changed.

    A form is shown again, to be submitted again, unless it has a password.
    """
    log.warning("the database is busy: %s %s", request.method, request.path)
    if _is_api_request():
        response = problem_response(
            503, "busy", "The database is busy: nothing was changed. Try again."
        )
        response.headers.update(_RETRY_SOON_HEADERS)
        return response
    can_resend = request.form and not any("password" in name for name in request.form)
    page, status = (
        resend_page(503, busy=True) if can_resend else _error_page(503, words=DATABASE_BUSY_TEXT)
    )
    return page, status, _RETRY_SOON_HEADERS


def _handle_exception(
    error: Exception,
) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Log an unexpected error under a new code and show a page with that code.

    If the database was only busy, the response says so and nothing is logged as an error.
    """
    if db.is_busy(error):
        return _busy_response()
    code = secrets.token_hex(3)
    log.exception("error %s at %s %s", code, request.method, request.path)
    if _is_api_request():
        return problem_response(
            500, detail=f"The server failed; tell the technician this code: {code}"
        )
    try:
        return _error_page(500, code)
    except db.Error:
        return _LAST_RESORT_PAGE.format(code), 500


def _error_page(
    status: int, code: str = "", words: tuple[LazyString, LazyString] | None = None
) -> tuple[str, int]:
    """Return the error page of a status, and the status.

    `code` is shown for the technician. `words` (what happened, what to do) replaces the entry of
    STATUS_TEXTS. A status without an entry gets the general text of 400 or 500.
    """
    happened, advice = (
        words or STATUS_TEXTS.get(status) or STATUS_TEXTS[400 if status < 500 else 500]
    )
    page = render_template(
        "error/page.html", status=status, happened=happened, advice=advice, code=code
    )
    return page, status
