"""Which personal data was shown to whom: one row of the audit for each view, with the ids in it.

Whoever renders a citizen's name, number or form, on a page, a piece of one or for a program, calls
`shown`. The row is written before the answer leaves: when it cannot be written, nothing is shown.
tests/web/shell/test_disclosure.py walks every route and finds the one that forgot it.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, current_app, g, request

from appliance.core import audit
from appliance.web.shell.context import is_fragment, me

KINDS = (
    *("appeal", "applicant", "call", "call_form", "data_request", "draft", "message", "number"),
    "task",
)
AGAIN = 3600.0  # seconds in which an open page that fetches a piece anew shows nothing new by it
_LONGEST = 200  # letters of what was asked for
_MANY = 100_000  # remembered


def log_shown(kind: str, ids: Iterable[Any], asked: Mapping[str, Any] | None = None) -> None:
    """Write down, with this answer, that these of a kind are shown; `asked` is what was looked for.

    The first kind names the row: `appeal.view` of one, `appeal.list` of none or many. What was
    looked for is written down also when nothing was found.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of personal data: {kind}")
    kinds: dict[str, dict[Any, None]] = g.setdefault("shown", {})  # a set that keeps the order
    kinds.setdefault(kind, {}).update(dict.fromkeys(ids))
    if asked:
        g.looked_for = {name: str(value)[:_LONGEST] for name, value in asked.items()}


def beside(kind: str, ids: Iterable[Any]) -> None:
    """Write down, in a row of its own, that these are listed beside what is `shown`.

    As a page that is open fetches its list anew, so does each card that is opened from it: what
    was listed within AGAIN counts once.
    """
    g.beside = kind, list(ids)


def init_app(app: Flask) -> None:
    """Write the row of each answer that shows something."""
    app.extensions["disclosure"] = _Seen()
    app.before_request(_note_address)
    app.after_request(_write)
    app.teardown_request(lambda _error: audit.came_from.set("") and None)


def _note_address() -> None:
    """Every row that this request writes says where it came from."""
    audit.came_from.set(request.remote_addr or "")


def _write(answer: Response) -> Response:
    _write_beside(*g.pop("beside", ("", [])))
    kinds: dict[str, list[Any]] = {kind: list(ids) for kind, ids in g.pop("shown", {}).items()}
    asked: dict[str, str] = g.pop("looked_for", {})
    if not kinds:
        return answer
    who = f"key:{g.key.name}" if "key" in g else me().login
    if is_fragment():
        new = current_app.extensions["disclosure"].new
        kinds = {kind: new(who, request.endpoint, kind, ids) for kind, ids in kinds.items()}
        asked = dict(new(who, request.endpoint, "asked", asked.items()))
    found = {kind: ids for kind, ids in kinds.items() if ids}
    if not found and not asked:
        return answer
    first = next(iter(found or kinds))
    detail: dict[str, Any] = found | ({"asked": asked} if asked else {})
    if len(found.get(first, ())) == 1:
        action, subject = f"{first}.view", str(detail.pop(first)[0])
    else:
        action, subject = f"{first}.list", ""
    audit.record(who, action, subject, page=request.endpoint, **detail)
    return answer


def _write_beside(kind: str, ids: list[Any]) -> None:
    seen: _Seen = current_app.extensions["disclosure"]
    if new := seen.new(me().login, "beside", kind, ids) if ids else []:
        audit.record(me().login, f"{kind}.list", "", page=request.endpoint, **{kind: new})


class _Seen:
    """What open pages have fetched, so that the same row shown anew each second counts once."""

    def __init__(self) -> None:
        self._until: dict[tuple[Any, ...], float] = {}
        self._lock = threading.Lock()

    def new(self, who: str, page: str | None, kind: str, ids: Iterable[Any]) -> list[Any]:
        """Those of some ids that somebody has not seen on a page for AGAIN; now he has."""
        now = time.monotonic()
        with self._lock:
            if len(self._until) > _MANY:
                self._until = {key: end for key, end in self._until.items() if end > now}
            fresh = [one for one in ids if self._until.get((who, page, kind, one), 0.0) <= now]
            self._until |= {(who, page, kind, one): now + AGAIN for one in fresh}
        return fresh
