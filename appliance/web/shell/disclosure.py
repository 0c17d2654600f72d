"""Records which personal data was shown to whom: one audit row per view, with the ids shown.

Code that renders a citizen's name, number or form, on a page, in a piece of one or for a program,
calls `log_shown`. The row is written before the response is sent; if it cannot be written, nothing
is shown. tests/web/shell/test_disclosure.py requests every route and finds a view that does not
call it.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, current_app, g, request

from appliance.core import audit
from appliance.web.shell.context import is_htmx_request, me

DATA_KINDS = (
    *("appeal", "applicant", "call", "call_form", "data_request", "draft", "message", "number"),
    "task",
)
REPEAT_SECONDS = 3600.0  # within which a piece that an open page fetches again counts as seen
_MAX_QUERY_CHARACTERS = 200  # of each search term; the rest is not recorded
_MAX_REMEMBERED = 100_000  # disclosures; above that, those older than REPEAT_SECONDS are deleted


def log_shown(kind: str, ids: Iterable[Any], query: Mapping[str, Any] | None = None) -> None:
    """Record that this response shows the items `ids` of a kind (one of DATA_KINDS).

    The audit row is written when the view has returned. Its action is named after the kind that
    was recorded first: `appeal.view` for one id, `appeal.list` for no id or several. `query` has
    the searched values, by field; it is recorded even if nothing was found. Raises ValueError for
    another kind.
    """
    if kind not in DATA_KINDS:
        raise ValueError(f"no kind of personal data: {kind}")
    kinds: dict[str, dict[Any, None]] = g.setdefault("shown", {})  # used as an ordered set
    kinds.setdefault(kind, {}).update(dict.fromkeys(ids))
    if query:
        g.search_query = {name: str(value)[:_MAX_QUERY_CHARACTERS] for name, value in query.items()}


def log_listed(kind: str, ids: Iterable[Any]) -> None:
    """Record, in an audit row of its own, that a list of these items is shown as well.

    `ids` are the items' ids, `kind` is one of DATA_KINDS. Used for the list next to a card (the
    page of one item), whose own data `log_shown` records.

    The list is fetched again while the page is open, and with each card opened from it: an id that
    is listed again within REPEAT_SECONDS is not recorded again.
    """
    g.listed = kind, list(ids)


def init_app(app: Flask) -> None:
    """Register the functions that write the audit rows of responses that show personal data."""
    app.extensions["disclosure"] = _RecentDisclosures()
    app.before_request(_store_client_address)
    app.after_request(_write_audit_rows)
    app.teardown_request(lambda _error: audit.request_address.set("") and None)


def _store_client_address() -> None:
    """Store the client's address for every audit row that this request writes."""
    audit.request_address.set(request.remote_addr or "")


def _write_audit_rows(response: Response) -> Response:
    """Write the audit rows of the items collected by `log_shown` and `log_listed`, if any.

    For a piece of a page, ids and searches that the reader was shown on this page within
    REPEAT_SECONDS are left out, and no row is written if nothing else is left. Returns the response
    unchanged.
    """
    _write_listed_row(*g.pop("listed", ("", [])))
    kinds: dict[str, list[Any]] = {kind: list(ids) for kind, ids in g.pop("shown", {}).items()}
    query: dict[str, str] = g.pop("search_query", {})
    if not kinds:
        return response
    reader = f"key:{g.key.name}" if "key" in g else me().login
    if is_htmx_request():  # an open page fetches its pieces again and again
        unseen_ids = current_app.extensions["disclosure"].record_unseen
        kinds = {
            kind: unseen_ids(reader, request.endpoint, kind, ids) for kind, ids in kinds.items()
        }
        query = dict(unseen_ids(reader, request.endpoint, "asked", query.items()))
    new_ids = {kind: ids for kind, ids in kinds.items() if ids}
    if not new_ids and not query:
        return response
    first_kind = next(iter(new_ids or kinds))
    detail: dict[str, Any] = new_ids | ({"asked": query} if query else {})
    if len(new_ids.get(first_kind, ())) == 1:
        action, subject = f"{first_kind}.view", str(detail.pop(first_kind)[0])
    else:
        action, subject = f"{first_kind}.list", ""
    audit.record_entry(reader, action, subject, page=request.endpoint, **detail)
    return response


def _write_listed_row(kind: str, ids: list[Any]) -> None:
    """Write the audit row of the list that the page shows next to a card (see `log_listed`).

    No row is written if `ids` is empty or has only ids that were recorded before.
    """
    disclosures: _RecentDisclosures = current_app.extensions["disclosure"]
    # One name for all pages: the same list is shown next to each card opened from it.
    if new_ids := disclosures.record_unseen(me().login, "beside", kind, ids) if ids else []:
        audit.record_entry(me().login, f"{kind}.list", "", page=request.endpoint, **{kind: new_ids})


class _RecentDisclosures:
    """What readers were shown recently, so that a piece fetched every second is recorded once.

    `_until` has, by (who, page, kind, id), the monotonic time until which the id counts as seen.
    """

    def __init__(self) -> None:
        self._until: dict[tuple[Any, ...], float] = {}
        self._lock = threading.Lock()

    def record_unseen(self, who: str, page: str | None, kind: str, ids: Iterable[Any]) -> list[Any]:
        """Return those of `ids` that `who` has not seen on `page` within REPEAT_SECONDS.

        They count as seen from now on. `who` is a login or a key's name, `page` an endpoint.
        """
        now = time.monotonic()
        with self._lock:
            if len(self._until) > _MAX_REMEMBERED:
                self._until = {key: end for key, end in self._until.items() if end > now}
            fresh = [
                item_id
                for item_id in ids
                if self._until.get((who, page, kind, item_id), 0.0) <= now
            ]
            self._until |= {(who, page, kind, item_id): now + REPEAT_SECONDS for item_id in fresh}
        return fresh
