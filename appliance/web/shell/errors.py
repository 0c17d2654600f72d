"""Pages for what went wrong: what happened, what to do, and nothing typed is lost."""

import logging
import secrets
from http import HTTPStatus

from flask import Flask, Response, json, jsonify, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException

from appliance.core import db
from appliance.web.shell.concurrency import TooManyPapers
from appliance.web.shell.context import is_fragment
from appliance.web.shell.sizes import TooLong

log = logging.getLogger(__name__)

_PIECE = 1 << 16

# status: what happened, what to do
WORDS: dict[int, tuple[LazyString, LazyString]] = {
    400: (
        _l("The page sent something that could not be read"),
        _l("Go back with the browser's button: what you typed is still there. Then try again."),
    ),
    403: (
        _l("This page is not for your role"),
        _l("If you need it for your work, ask the supervisor or the technician."),
    ),
    404: (
        _l("There is no such page"),
        _l("The address may be mistyped, or the page was moved. Begin from your own page."),
    ),
    405: (
        _l("This address takes no such request"),
        _l("Begin from your own page."),
    ),
    413: (
        _l("That is too large"),
        _l("Go back with the browser's button and send less."),
    ),
    429: (
        _l("Too many requests"),
        _l("Wait a minute, then try again."),
    ),
    500: (
        _l("The page failed"),
        _l(
            "Calls go on being answered and recorded. Go back and try again; if it fails again, "
            "tell the technician this code."
        ),
    ),
    503: (
        _l("Too much is asked for at this moment"),
        _l("Wait a minute, then try again. Calls go on being answered and recorded."),
    ),
}
BUSY = (
    _l("The database is busy"),
    _l(
        "Nothing was changed, and calls go on being answered and recorded. Go back with the "
        "browser's button, wait a few seconds and try again."
    ),
)
MAKING = (
    _l("Your earlier papers are still being made"),
    _l("Wait until they are there, then ask for the next one. Nothing was changed."),
)
_SOON = {"Retry-After": "5"}  # seconds
SECRET_FIELDS = ("csrf_token", "password", "one_time_code")

# When the database cannot be read, nor can the reader's language.
_WORST = (
    "<!doctype html><meta charset=utf-8><title>500</title>"
    "<p lang=uz-Latn>Sahifa ishlamadi. Qoʻngʻiroqlar qabul qilinmoqda. Texnik xodimga ayting: {0}"
    "<p lang=ru>Страница не работает. Звонки принимаются. Сообщите технику: {0}"
)


def init_app(app: Flask) -> None:
    """Answer every error by a page."""
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _known)
    app.register_error_handler(Exception, _unknown)


def send_again(status: int, *, busy: bool = False) -> tuple[str, int]:
    """What was sent, on a page with one button that sends it again; no password is put there.

    `busy`: the database was, for longer than we wait; else the page had outlived its session.
    A piece of a page, a stream and a script are only told: a page for them would begin a session
    in place of the one whose token a login page, open beside them, is about to send.
    """
    if is_fragment() or not request.form:
        return "", status
    sent = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if not any(secret in name for secret in SECRET_FIELDS)
    ]
    page = render_template(
        "error/again.html", sent=sent, there=request.full_path, busy=busy, files=bool(request.files)
    )
    return page, status


def problem(status: int, code: str = "", detail: str = "") -> Response:
    """What went wrong, for programs: RFC 9457; `code` is a stable word, `detail` what to do."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    told |= {name: text for name, text in (("code", code), ("detail", detail)) if text}
    return Response(json.dumps(told), status, mimetype="application/problem+json")


def _for_program() -> bool:
    return request.path.startswith("/api/")


def _expired(error: CSRFError) -> tuple[str, int]:
    return send_again(400)


def _known(
    error: HTTPException,
) -> HTTPException | Response | tuple[Response | str, int] | tuple[str, int, dict[str, str]]:
    code = error.code or 500
    if code < 400:
        return error  # a redirect of the router
    cause = getattr(error, "original_exception", None)
    if cause and db.is_busy(cause):  # met after the view: who was shown what is written then
        return _busy()
    if isinstance(error, BadHost):  # without an address of ours a page has no links
        return Response("no such host\n", code, mimetype="text/plain")
    if code == 413:
        _hear_out()
    if isinstance(error, TooLong):
        return _too_long(error)
    if isinstance(error, TooManyPapers) and not _for_program():
        return *_page(429, words=MAKING), _SOON
    if _for_program():
        told = problem(code, detail="" if code == 429 else error.description or "")
        if code == 429:
            told.headers["Retry-After"] = "60"
        return told
    return _page(code)


def _hear_out() -> None:
    """Read the rest of what is too large: were the line closed under it, who sends it, nginx, might
    not read why. More than nginx lets in never comes."""
    rest = request.environ["wsgi.input"]
    while rest.read(_PIECE):
        pass


def _too_long(error: TooLong) -> Response | tuple[Response | str, int]:
    """What was sent comes back to be shortened; a page that sent JSON has it still."""
    most = ", ".join(f"{name}: {count}" for name, count in error.fields.items())
    if _for_program():
        return problem(413, "long", f"Longest that is kept, in characters: {most}.")
    if request.is_json:
        return jsonify(longest=error.fields), 413
    sent = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if not any(secret in name for secret in SECRET_FIELDS)
    ]
    there, fields = request.full_path, error.fields
    return render_template("error/long.html", sent=sent, there=there, longest=fields), 413


def _busy() -> Response | tuple[str, int, dict[str, str]]:
    """The database was busy for longer than we wait: nothing was written, what was typed stays."""
    log.warning("the database is busy: %s %s", request.method, request.path)
    if _for_program():
        told = problem(503, "busy", "The database is busy: nothing was changed. Try again.")
        told.headers.update(_SOON)
        return told
    kept = request.form and not any("password" in name for name in request.form)
    page, status = send_again(503, busy=True) if kept else _page(503, words=BUSY)
    return page, status, _SOON


def _unknown(error: Exception) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    if db.is_busy(error):
        return _busy()
    code = secrets.token_hex(3)
    log.exception("error %s at %s %s", code, request.method, request.path)
    if _for_program():
        return problem(500, detail=f"The server failed; tell the technician this code: {code}")
    try:
        return _page(500, code)
    except db.Error:
        return _WORST.format(code), 500


def _page(
    status: int, code: str = "", words: tuple[LazyString, LazyString] | None = None
) -> tuple[str, int]:
    happened, advice = words or WORDS.get(status) or WORDS[400 if status < 500 else 500]
    page = render_template(
        "error/page.html", status=status, happened=happened, advice=advice, code=code
    )
    return page, status
