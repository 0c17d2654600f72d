"""Check that every change a page makes, and every file it returns, leaves an audit row.

SQLite's own trace reports the statements that a request writes, so a new route is watched without
being listed here. UNAUDITED lists what is not audited, and why.
"""

import re

from flask import Flask, Response, g, request

from appliance.core import sqlite
from appliance.core.audit.table import AuditEntry

UNAUDITED = {
    # what users type belongs to them until it is registered
    *("draft", "answer_draft", "refused_form"),
    # the state of a sign-in; signing in, a failed sign-in and a proof of identity have audit rows
    *("session", "sign_in_attempt", "pin", "desk", "passkey", "authenticator", "recovery_code"),
    # how the machine is notified of changes
    *("live_event", "event", "process_run"),
    "announcement_reader",  # records that a user has read it
}
# files without personal data: published ones, and the replies sent to readers of a change request
FILES_WITHOUT_PERSONAL_DATA = (
    "knowledge.send_version_file",
    "changes.download_file",
    "scripts.download_version_pdf",
)
# how users' own pages look
OWN_PREFERENCES = ("account.save_language", "account.save_appearance")
_WRITE_STATEMENT = re.compile(
    r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|REPLACE INTO) "?(\w+)', re.IGNORECASE
)
# the use of a key; a task that an operator holds while dialling: the call itself records that
_UNAUDITED_UPDATES = re.compile(
    r'UPDATE "access_key" SET "used_at"|UPDATE "follow_up" SET "claimed_'
)


class _WriteTracker:
    """The tables that one request has changed.

    A statement that hit no row or was rolled back is left out.
    """

    def __init__(self, connection: sqlite.Connection) -> None:
        self._connection = connection
        self._changed_tables: set[str] = set()
        self._last_table, self._change_count = "", connection.total_changes

    def track_statement(self, statement: str) -> None:
        """Track a statement.

        SQLite calls this as the statement begins, when the one before is complete.
        """
        self._record_last_write()
        if statement == "ROLLBACK":
            self._changed_tables.clear()
        match = _WRITE_STATEMENT.match(statement)
        self._last_table = match[1] if match and not _UNAUDITED_UPDATES.match(statement) else ""

    def changed_tables(self) -> set[str]:
        """The changed tables, the last statement included."""
        self._record_last_write()
        return self._changed_tables

    def _record_last_write(self) -> None:
        change_count = self._connection.total_changes
        if self._last_table and change_count > self._change_count:
            self._changed_tables.add(self._last_table)
        self._last_table, self._change_count = "", change_count


def watch_requests(app: Flask) -> None:
    """Watch every request.

    `audit_gaps` of the extensions lists the changes without an audit row.
    """
    gaps: list[str] = app.extensions.setdefault("audit_gaps", [])

    def start_tracking() -> None:
        connection = AuditEntry._meta.database.connection()
        g.seen = tracker = _WriteTracker(connection)
        connection.set_trace_callback(tracker.track_statement)

    def check_audit(response: Response) -> Response:
        tracker = g.pop("seen", None)
        changed_tables = tracker.changed_tables() if tracker else set()
        unaudited_changes = (
            sorted(changed_tables - UNAUDITED - {"audit_entry"}) if request.method == "POST" else []
        )
        if request.endpoint in OWN_PREFERENCES:
            unaudited_changes = []
        is_file = "attachment" in response.headers.get("Content-Disposition", "")
        if (
            is_file
            and response.status_code == 200
            and request.endpoint not in FILES_WITHOUT_PERSONAL_DATA
        ):
            unaudited_changes.append("a file")
        if unaudited_changes and "audit_entry" not in changed_tables:
            gap = f"{request.method} {request.url_rule}: {', '.join(unaudited_changes)}"
            gaps.append(gap)
        return response

    app.before_request(start_tracking)
    app.after_request_funcs.setdefault(None, []).insert(0, check_audit)  # runs last
