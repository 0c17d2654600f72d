"""Appeals and reports for other programs; the document is openapi.json beside this module.

A key (people/keys.py) comes in the header `Authorization: Bearer …`; what it may do are its scopes,
what it sees are its department's appeals. Errors are problem+json (errors.py).
"""

import base64
import binascii
import datetime as dt
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, g, jsonify, request, send_file

from appliance.casework import departments, identity, ministry
from appliance.casework.appeals import exporting, handling, listing, searching, states
from appliance.casework.appeals.listing import Filters
from appliance.core import audit, i18n
from appliance.core.clock import microseconds
from appliance.messaging import notices
from appliance.people import keys
from appliance.reports import files, periods
from appliance.web.appeals import appeal_labels
from appliance.web.person.login import csrf
from appliance.web.shell import disclosure
from appliance.web.shell.access import public
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import site
from appliance.web.shell.errors import problem
from appliance.web.shell.rates import limiter
from appliance.web.shell.sent import FAR, bounded, fields

if TYPE_CHECKING:
    from appliance.models import AccessKey, Appeal, User

screen = Blueprint("api", __name__, url_prefix="/api/v1")
csrf.exempt(screen)

DOCUMENT = Path(__file__).with_name("openapi.json")
LONGEST = 200  # appeals in one answer
DETAILS = {
    "changed": "The appeal was changed since: read it again, then decide.",
    "held": "Somebody else has taken the appeal over: take it first.",
    "state": "This cannot be done in the appeal's present state.",
    "words": "A text is needed.",
    "department": "Name another department that is in use, by its code.",
    "term": "The law knows no longer term for this appeal.",
    "action": "No such action.",
    "overdue": "The term is over: it cannot be extended.",
}


def _caller() -> str:
    sent = request.headers.get("Authorization") or request.remote_addr or ""
    return hashlib.sha256(sent.encode()).hexdigest()


def _unknown(answer: Response) -> bool:
    return answer.status_code == 401


def needs[V: Callable[..., Any]](scope: str) -> Callable[[V], V]:
    """Declare the scope of a view; the key is then in `g.key`. Stands under `@screen.get(…)`."""

    def declare(view: V) -> V:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            kind, _blank, secret = request.headers.get("Authorization", "").partition(" ")
            key = keys.find(secret.strip()) if kind.lower() == "bearer" else None
            if not key:
                if secret:  # a wrong one, as a wrong password
                    audit.record("-", "key.refused", "", page=request.endpoint)
                told = problem(401, "key", "Send a key in force as Authorization: Bearer …")
                told.headers["WWW-Authenticate"] = "Bearer"
                return told
            if scope not in key.scopes.split():
                audit.record(f"key:{key.name}", "key.refused", key.name, scopes=scope)
                return problem(403, "scope", f"The key lacks the scope {scope}.")
            g.key = key
            return view(*args, **kwargs)

        limited = limiter.limit("120 per minute", key_func=_caller)(checked)
        return limiter.limit("30 per minute", deduct_when=_unknown)(public(limited))  # type: ignore[return-value]

    return declare


@screen.get("/openapi.json")
@public
def document() -> Response:
    """What there is, for programs."""
    return send_file(DOCUMENT, mimetype="application/json")


@screen.get("/departments")
@needs("appeals:read")
def list_departments() -> Response:
    """The departments in use."""
    found = [
        {"code": d.code, "name": d.name_uz_latn, "own_body": d.own_body}
        for d in departments.departments()
    ]
    return jsonify(departments=found)


@screen.get("/appeals")
@needs("appeals:read")
def list_appeals() -> Response:
    """Appeals in the order of their last change, after a cursor."""
    try:
        limit = min(max(bounded(request.args.get("limit", "50")), 1), LONGEST)
        after = _after(request.args.get("cursor", ""), request.args.get("changed_since", ""))
        filters = _filters()
    except ValueError as error:
        return problem(400, "query", str(error))
    found = listing.changed(filters, appeal_labels.today(), _within(), after, limit + 1)
    shown = found[:limit]
    if shown:
        last = shown[-1].handling
        after = microseconds(last.changed_at), shown[-1].id
    personal = _personal()
    asked = {"q": request.args["q"]} if filters.words else {}
    disclosure.log_shown("appeal", [appeal.number for appeal in shown], asked)
    return jsonify(
        appeals=[exporting.as_json(appeal, personal) for appeal in shown],
        next=_cursor(after),
        more=len(found) > limit,
    )


@screen.get("/appeals/<number>")
@needs("appeals:read")
def read_appeal(number: str) -> Response:
    """One appeal with its gist and steps."""
    return _whole(_appeal(number))


@screen.post("/appeals/<number>/steps")
@needs("appeals:write")
def add_step(number: str) -> Response:
    """Do one thing with an appeal; the answer is what the key may read of it afterwards."""
    appeal, sent = _appeal(number), fields() or {}
    text, version = sent.get("text", ""), sent.get("version")
    code = str(sent.get("department") or "")
    if not isinstance(text, str) or not isinstance(version, int):
        return problem(422, "body", "Send JSON with action, version and, where needed, text.")
    department = departments.coded(code)
    action = str(sent.get("action", ""))
    tell = functools.partial(notices.answered, site())
    changed = functools.partial(ministry.changed, site())
    day = appeal_labels.today()
    try:
        handling.do(action, appeal, _by(), version, day, text, department, tell, changed)
    except handling.HandlingError as error:
        conflict = error.code in ("changed", "held", "state")
        return problem(409 if conflict else 422, error.code, DETAILS[error.code])
    appeal = _appeal(number, everywhere=True)
    if "appeals:read" in _key().scopes.split():
        return _whole(appeal)
    now = appeal.handling
    return jsonify(number=appeal.number, version=now.version, state=now.state)


@screen.get("/reports/monthly/<month>")
@needs("reports:read")
@heavy
def read_monthly(month: str) -> Response:
    """Report form №2, as the command and the page give it."""
    return _report("monthly", month)


@screen.get("/reports/quarterly/<quarter>")
@needs("reports:read")
@heavy
def read_quarterly(quarter: str) -> Response:
    """Report form №1, as the command and the page give it."""
    return _report("quarterly", quarter)


def _report(name: str, written: str) -> Response:
    form = files.FORMS[name]
    language = request.args.get("lang", "uz_Cyrl")
    if language not in i18n.LOCALES:
        return problem(400, "query", f"lang is one of {', '.join(i18n.LOCALES)}")
    try:
        period = form.period(written, site().tz, request.args.get("upto"))
    except periods.PeriodError as error:
        return problem(400, "period", str(error))
    _note("report.read", f"{name} {written}")
    return jsonify(form.as_json(form.build(site(), period, language)))


def _key() -> "AccessKey":
    return g.key


def _by() -> str:
    return f"key:{_key().name}"


def _note(action: str, subject: str, **detail: Any) -> None:
    audit.record(_by(), action, subject, **detail)


def _within() -> int | None:
    return _key().department_id


def _reader() -> "User":
    """Who confirmed the key: it reads no more than he. 403 when there is none."""
    return keys.reader(_key()) or abort(403, "Nobody's word stands for this key.")


def _personal() -> bool:
    return "appeals:personal" in _key().scopes.split()


def _appeal(number: str, everywhere: bool = False) -> "Appeal":
    """The appeal with its handling, if the key may see it; else 404."""
    within = None if everywhere else _within()
    return listing.find(number, within, _reader()) or abort(404, "No such appeal.")


def _whole(appeal: "Appeal") -> Response:
    disclosure.log_shown("appeal", [appeal.number])
    return jsonify(exporting.as_json(appeal, _personal(), whole=True))


def _filters() -> Filters:
    """The filters of the query. Raises ValueError, in words for whoever wrote the program."""
    asked = request.args.get
    state, code = asked("state", ""), asked("department", "")
    if state not in ("", "open", *states.STATES):
        raise ValueError(f"state is one of open, {', '.join(states.STATES)}")
    department = departments.coded(code)
    if code and not department:
        raise ValueError(f"no such department: {code}")
    return Filters(
        reader=_reader(),
        state=state,
        region=asked("region", ""),
        district=asked("district", ""),
        direction=asked("direction", ""),
        appeal_type=asked("appeal_type", ""),
        department=department and department.id,
        since=_date("since"),
        until=_date("until"),
        words=searching.terms(asked("q", "")),
    )


def _date(name: str) -> dt.date | None:
    text = request.args.get(name, "")
    day = identity.day(text) if text else None
    if text and not day:
        raise ValueError(f"{name} is a date as 2026-11-24, of 1950 to 2199")
    return day


def _after(cursor: str, since: str) -> tuple[int, int]:
    """Microseconds since 1970 and the id after which to go on."""
    if cursor:
        try:
            micros, number = base64.urlsafe_b64decode(cursor).decode("ascii").split(".")
            after = int(micros), int(number)
            if not all(0 <= each <= FAR for each in after):
                raise ValueError
            return after
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise ValueError("cursor is none that was given out") from None
    if not since:
        return 0, 0
    try:
        moment = dt.datetime.fromisoformat(since)
    except ValueError:
        raise ValueError("changed_since is written as 2026-11-24T10:00:00+05:00") from None
    if not 1970 < moment.year < 2200:
        raise ValueError("changed_since is of no year of this hotline")
    if not moment.tzinfo:
        moment = moment.replace(tzinfo=site().tz)
    return microseconds(moment), 0


def _cursor(after: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode("{}.{}".format(*after).encode()).decode()
