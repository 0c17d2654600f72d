"""Views of the JSON interface to appeals and reports, as openapi.json here describes it.

The calling program sends its access key (people/keys.py) in the header `Authorization: Bearer …`.
The scopes of the key decide what the program may do; it sees the appeals of the key's department.
Errors are problem documents (shell/errors.py). A parameter with an empty value counts as absent.
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

from appliance.casework import departments, identity
from appliance.casework.appeals import exporting, handling, listing, searching, states
from appliance.casework.appeals.listing import Filters
from appliance.core import audit, i18n
from appliance.core.clock import microseconds_since_epoch
from appliance.core.refusals import Refused
from appliance.people import keys
from appliance.reports import files, periods
from appliance.web.shell import disclosure
from appliance.web.shell.access import public
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import site, today
from appliance.web.shell.csrf import csrf
from appliance.web.shell.errors import problem_response
from appliance.web.shell.rate_limits import limiter
from appliance.web.shell.request_data import MAX_DATABASE_INTEGER, json_object, parse_count

if TYPE_CHECKING:
    from appliance.models import AccessKey, Appeal, User

screen = Blueprint("api", __name__, url_prefix="/api/v1")
csrf.exempt(screen)

OPENAPI_FILE = Path(__file__).with_name("openapi.json")
MAX_APPEALS_PER_PAGE = 200  # appeals in one response
ERROR_DETAILS = {
    "changed": "The appeal was changed since: read it again, then decide.",
    "held": "Somebody else has taken the appeal over: take it first.",
    "state": "This cannot be done in the appeal's present state.",
    "late": "No answer of this key can be withdrawn any more: reopen the appeal to answer again.",
    "words": "A text is needed.",
    "department": "Name another department that is in use, by its code.",
    "term": "The law provides no longer term for this appeal.",
    "action": "No such action.",
    "overdue": "The term is over: it cannot be extended.",
}


def _rate_limit_key() -> str:
    """Return the key by which requests are counted: a hash of the access key, or of the address."""
    credential = request.headers.get("Authorization") or request.remote_addr or ""
    return hashlib.sha256(credential.encode()).hexdigest()


def _is_unauthorized(response: Response) -> bool:
    """Return True if a request was refused because of its key; only these have the lower limit."""
    return response.status_code == 401


def require_scope[V: Callable[..., Any]](scope: str) -> Callable[[V], V]:
    """Declare the scope that a view requires; the view finds the key in `g.key`.

    Place it below `@screen.get(…)`. Requests with an invalid key get 401, those with a key that
    lacks the scope get 403. A key may send 120 requests a minute; an address, 30 that get 401.
    """

    def decorate_view(view: V) -> V:
        @functools.wraps(view)
        def check_key(*args: Any, **kwargs: Any) -> Any:
            """Run the view if the request has a valid key with the scope; refuse it otherwise."""
            scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
            key = keys.find_valid_key(secret.strip()) if scheme.lower() == "bearer" else None
            if not key:
                if secret:  # a wrong key is recorded, as wrong passwords are
                    audit.record_entry("-", "key.refused", "", page=request.endpoint)
                response = problem_response(
                    401, "key", "Send a key in force as Authorization: Bearer …"
                )
                response.headers["WWW-Authenticate"] = "Bearer"
                return response
            if scope not in key.scopes.split():
                audit.record_entry(f"key:{key.name}", "key.refused", key.name, scopes=scope)
                return problem_response(403, "scope", f"The key lacks the scope {scope}.")
            g.key = key
            return view(*args, **kwargs)

        limited = limiter.limit("120 per minute", key_func=_rate_limit_key)(check_key)
        return limiter.limit("30 per minute", deduct_when=_is_unauthorized)(public(limited))  # type: ignore[return-value]

    return decorate_view


@screen.get("/openapi.json")
@public
def show_openapi_document() -> Response:
    """Send the OpenAPI document of this interface."""
    return send_file(OPENAPI_FILE, mimetype="application/json")


@screen.get("/departments")
@require_scope("appeals:read")
def list_departments() -> Response:
    """Return the departments in use; `own_body`: it is a separate body outside the ministry."""
    rows = [
        {"code": d.code, "name": d.name_uz_latn, "own_body": d.own_body}
        for d in departments.list_departments()
    ]
    return jsonify(departments=rows)


@screen.get("/appeals")
@require_scope("appeals:read")
def list_appeals() -> Response:
    """Return appeals in the order of their last change, starting after a cursor.

    In the response, `next` is the cursor after the last of them, and `more` says if others follow.
    """
    try:
        limit = min(max(parse_count(request.args.get("limit") or "50"), 1), MAX_APPEALS_PER_PAGE)
        position = _start_position(
            request.args.get("cursor", ""), request.args.get("changed_since", "")
        )
        filters = _query_filters()
    except ValueError as error:
        return problem_response(400, "query", str(error))
    appeals = listing.list_changed_after(filters, today(), _department_id(), position, limit + 1)
    page_appeals = appeals[:limit]
    if page_appeals:
        last_handling = page_appeals[-1].handling
        position = microseconds_since_epoch(last_handling.changed_at), page_appeals[-1].id
    with_personal_data = _can_read_personal_data()
    query_terms = {"q": request.args["q"]} if filters.words else {}
    disclosure.log_shown("appeal", [appeal.number for appeal in page_appeals], query_terms)
    return jsonify(
        appeals=[exporting.appeal_json(appeal, with_personal_data) for appeal in page_appeals],
        next=_encode_cursor(position),
        more=len(appeals) > limit,
    )


@screen.get("/appeals/<number>")
@require_scope("appeals:read")
def read_appeal(number: str) -> Response:
    """Return one appeal with its summary (gist) and steps."""
    return _appeal_response(_readable_appeal(number))


@screen.post("/appeals/<number>/steps")
@require_scope("appeals:write")
def add_step(number: str) -> Response:
    """Perform an action on an appeal, which adds a step to its history; return the appeal.

    A key that may not read appeals gets only the number, version and state. A refused action gets
    409 if the appeal is in another state than the calling program assumes, and 422 otherwise.
    """
    appeal, body = _readable_appeal(number), json_object() or {}
    text, version = body.get("text", ""), body.get("version")
    code = str(body.get("department") or "")
    if not isinstance(text, str) or not isinstance(version, int):
        return problem_response(
            422, "body", "Send JSON with action, version and, where needed, text."
        )
    department = departments.department_by_code(code)
    try:
        handling.perform_step(
            appeal,
            str(body.get("action", "")),
            actor=_audit_actor(),
            expected_version=version,
            today=today(),
            text=text,
            department=department,
        )
    except Refused as error:
        is_conflict = error.code in ("changed", "held", "state", "late")
        return problem_response(409 if is_conflict else 422, error.code, ERROR_DETAILS[error.code])
    # the action may have forwarded it to a department that is not the key's
    appeal = _readable_appeal(number, any_department=True)
    if "appeals:read" in _request_key().scopes.split():
        return _appeal_response(appeal)
    updated = appeal.handling
    return jsonify(number=appeal.number, version=updated.version, state=updated.state)


@screen.get("/reports/monthly/<month>")
@require_scope("reports:read")
@long_running
def read_monthly_report(month: str) -> Response:
    """Return the monthly report (report form №2) of a month such as 2026-10.

    Its figures are those of its page and of its command.
    """
    return _report_response("monthly", month)


@screen.get("/reports/quarterly/<quarter>")
@require_scope("reports:read")
@long_running
def read_quarterly_report(quarter: str) -> Response:
    """Return the quarterly report (report form №1) of a quarter such as 2026-Q3.

    Its figures are those of its page and of its command.
    """
    return _report_response("quarterly", quarter)


def _report_response(name: str, period_text: str) -> Response:
    """Return the report `name`, a key of files.FORMS, as JSON.

    `period_text` is a period such as "2026-11" or "2026-Q4". The parameter `lang` selects the
    language of its texts, `upto` the last day that is counted. An invalid value gets 400.
    """
    form = files.FORMS[name]
    language = request.args.get("lang") or "uz_Cyrl"
    if language not in i18n.LOCALES:
        return problem_response(400, "query", f"lang is one of {', '.join(i18n.LOCALES)}")
    try:
        period = form.parse_period(period_text, site().tz, request.args.get("upto") or None)
    except periods.PeriodError as error:
        return problem_response(400, "period", str(error))
    _record_audit("report.read", f"{name} {period_text}")
    return jsonify(form.as_json(form.build(site(), period, language)))


def _request_key() -> "AccessKey":
    """Return the access key of the request, which `require_scope` has checked."""
    key: AccessKey = g.key
    return key


def _audit_actor() -> str:
    """Return the program's name in the audit log and in the history of appeals."""
    return f"key:{_request_key().name}"


def _record_audit(action: str, subject: str, **detail: Any) -> None:
    """Record an action of the calling program in the audit log; `subject` is what it concerns."""
    audit.record_entry(_audit_actor(), action, subject, **detail)


def _department_id() -> int | None:
    """Return the id of the department whose appeals the key may see, unless it may see all."""
    department_id: int | None = _request_key().department_id
    return department_id


def _key_confirmer() -> "User":
    """Return the user who confirmed the key; abort with 403 if there is no such user.

    The key can read no more than this user.
    """
    return keys.key_reader(_request_key()) or abort(403, "No user has confirmed this key.")


def _can_read_personal_data() -> bool:
    """Return True if the key's scopes include citizens' personal data."""
    return "appeals:personal" in _request_key().scopes.split()


def _readable_appeal(number: str, any_department: bool = False) -> "Appeal":
    """Return the appeal with its handling; abort with 404 if the key may not see it.

    `any_department`: the appeal may belong to another department than the key.
    """
    department_id = None if any_department else _department_id()
    return listing.find_in_department(number, department_id, _key_confirmer()) or abort(
        404, "No such appeal."
    )


def _appeal_response(appeal: "Appeal") -> Response:
    """Return one appeal with all details as JSON; that it was shown is recorded in the audit."""
    disclosure.log_shown("appeal", [appeal.number])
    return jsonify(exporting.appeal_json(appeal, _can_read_personal_data(), detailed=True))


def _query_filters() -> Filters:
    """Return the filters that the query string gives.

    Raises ValueError if one is invalid; its text is for the developer of the calling program.
    """
    query_value = request.args.get
    state, code = query_value("state", ""), query_value("department", "")
    if state not in ("", "open", *states.WORKFLOW.state_codes):
        raise ValueError(f"state is one of open, {', '.join(states.WORKFLOW.state_codes)}")
    department = departments.department_by_code(code)
    if code and not department:
        raise ValueError(f"no such department: {code}")
    return Filters(
        reader=_key_confirmer(),
        state=state,
        region=query_value("region", ""),
        district=query_value("district", ""),
        direction=query_value("direction", ""),
        appeal_type=query_value("appeal_type", ""),
        department=department and department.id,
        since=_query_date("since"),
        until=_query_date("until"),
        words=searching.search_terms(query_value("q", "")),
    )


def _query_date(name: str) -> dt.date | None:
    """Return the date of the parameter `name`, if it is given.

    Raises ValueError, with a text for the developer, if it is invalid.
    """
    value = request.args.get(name, "")
    date = identity.parse_plausible_date(value) if value else None
    if value and not date:
        raise ValueError(f"{name} is a date as 2026-11-24, of 1950 to 2199")
    return date


def _start_position(cursor: str, since: str) -> tuple[int, int]:
    """Return after which change the list starts: microseconds since 1970, and the appeal's id.

    They come from the cursor or else from the time `since` (ISO 8601, by default in the site's time
    zone). Without both, the list starts with the oldest change. Raises ValueError if the one used
    is invalid.
    """
    if cursor:
        try:
            micros_text, id_text = base64.urlsafe_b64decode(cursor).decode("ascii").split(".")
            position = int(micros_text), int(id_text)
            if not all(0 <= each <= MAX_DATABASE_INTEGER for each in position):
                raise ValueError
            return position
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise ValueError("cursor was not issued by this interface") from None
    if not since:
        return 0, 0
    try:
        changed_since = dt.datetime.fromisoformat(since)
    except ValueError:
        raise ValueError("changed_since is written as 2026-11-24T10:00:00+05:00") from None
    if not 1970 < changed_since.year < 2200:
        raise ValueError("the year of changed_since is out of range")
    if not changed_since.tzinfo:
        changed_since = changed_since.replace(tzinfo=site().tz)
    return microseconds_since_epoch(changed_since), 0


def _encode_cursor(position: tuple[int, int]) -> str:
    """Return the cursor after a position, which `_start_position` decodes."""
    return base64.urlsafe_b64encode("{}.{}".format(*position).encode()).decode()
