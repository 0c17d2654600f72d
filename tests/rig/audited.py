"""What the pages change, or give away as a file, leaves a row of the audit.

The statements that a request writes are seen by SQLite's own trace; a new route is watched without
being named here. What is not audited stands in UNAUDITED, and why.
"""

import re

from flask import Flask, Response, g, request

from appliance.core import sqlite
from appliance.core.audit.table import AuditEntry

UNAUDITED = {
    # what one types is his own, until it is registered
    *("draft", "answer_draft", "refused_form"),
    # how one is signed in; signing in, failing to and proving oneself are audited by themselves
    *("session", "sign_in_attempt", "pin", "desk", "passkey", "authenticator", "recovery_code"),
    # how the machine hears of changes
    *("live_event", "event", "process_run"),
    "announcement_reader",  # that one has read it
}
# files in which nobody is named: what was published, and what who reads a request was sent
NO_ONES = ("knowledge.file", "changes.file", "scripts.paper")
# how one's own pages look
HIS_OWN = ("account.language", "account.appearance")
_WRITES = re.compile(
    r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|REPLACE INTO) "?(\w+)', re.IGNORECASE
)
# that a key was used; that one holds a task while he dials, of which the call itself tells
_USED = re.compile(r'UPDATE "access_key" SET "used_at"|UPDATE "follow_up" SET "claimed_')


class _Seen:
    """Which tables one request has changed: what hit no row, or was taken back, does not count."""

    def __init__(self, connection: sqlite.Connection) -> None:
        self._connection = connection
        self._tables: set[str] = set()
        self._last, self._changes = "", connection.total_changes

    def note(self, statement: str) -> None:
        """Called by SQLite as a statement begins: the one before has done what it did."""
        self._settle()
        if statement == "ROLLBACK":
            self._tables.clear()
        found = _WRITES.match(statement)
        self._last = found[1] if found and not _USED.match(statement) else ""

    def written(self) -> set[str]:
        """The tables, now that the last statement is done."""
        self._settle()
        return self._tables

    def _settle(self) -> None:
        now = self._connection.total_changes
        if self._last and now > self._changes:
            self._tables.add(self._last)
        self._last, self._changes = "", now


def watch(app: Flask) -> None:
    """Watch every request; `audit_gaps` of the extensions has what was changed without a row."""
    gaps: list[str] = app.extensions.setdefault("audit_gaps", [])

    def begin() -> None:
        connection = AuditEntry._meta.database.connection()
        g.seen = seen = _Seen(connection)
        connection.set_trace_callback(seen.note)

    def end(answer: Response) -> Response:
        seen = g.pop("seen", None)
        written = seen.written() if seen else set()
        changed = sorted(written - UNAUDITED - {"audit_entry"}) if request.method == "POST" else []
        if request.endpoint in HIS_OWN:
            changed = []
        given = "attachment" in answer.headers.get("Content-Disposition", "")
        if given and answer.status_code == 200 and request.endpoint not in NO_ONES:
            changed.append("a file")
        if changed and "audit_entry" not in written:
            gap = f"{request.method} {request.url_rule}: {', '.join(changed)}"
            gaps.append(gap)
        return answer

    app.before_request(begin)
    app.after_request_funcs.setdefault(None, []).insert(0, end)  # the last of all
