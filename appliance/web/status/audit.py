"""The audit pages: which user did or saw what, when, and from which IP address."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import identity, unusual_reading
from appliance.casework.appeals import personal
from appliance.core import audit, clock, spreadsheets
from appliance.core.audit import entries, labels
from appliance.people import accounts, rights
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, start_of_day, today
from appliance.web.shell.labels import audit_action_text
from appliance.web.shell.request_data import parse_count

if TYPE_CHECKING:
    from appliance.core.audit.table import AuditEntry

screen = Blueprint("audit", __name__, url_prefix="/audit")

ENTRIES_PER_PAGE = 100
PERSONAL_ACCESS_PERIOD = dt.timedelta(days=30)  # of the list of opened personal appeals
_DEFAULT_DAYS = 7  # last days shown if the URL gives neither a first day nor a record
_MAX_CELL_LENGTH = 500  # characters of a cell
COLUMNS = (
    _l("Date and time"),
    _l("Who"),
    _l("IP address"),
    _l("What was done"),
    _l("Record"),
    _l("Details"),
)


@screen.get("")
@may("audit.read")
def show_entries() -> str:
    """Show a page of the requested entries, newest first; that is itself recorded in the audit.

    `before` in the URL is the id of the oldest entry of the previous page.
    """
    filters, query = _requested_filters()
    before = request.args.get("before", 0, parse_count) or None
    rows = entries.list_entries(filters, ENTRIES_PER_PAGE + 1, before)
    visible_rows = rows[:ENTRIES_PER_PAGE]
    audit.record_entry(me().login, "audit.read", "", page=request.endpoint, asked=query)
    return render_template(
        "audit/page.html",
        rows=[
            (
                entry,
                audit_action_text(entry.action),
                _visible_subject(entry),
                _visible_detail(entry),
            )
            for entry in visible_rows
        ],
        columns=COLUMNS,
        people=accounts.display_names(),
        asked=query,
        days=_DEFAULT_DAYS,
        things=sorted((code, _(name)) for code, name in labels.subject_labels().items()),
        older=visible_rows[-1].id if len(rows) > ENTRIES_PER_PAGE else None,
        newer=before is not None,
        head=audit.chain_head(),
        reveals=personal.list_reveals(clock.now() - PERSONAL_ACCESS_PERIOD)
        if me().role == "manager"
        else (),
        unusual=unusual_reading.recent_findings(clock.now() - PERSONAL_ACCESS_PERIOD)
        if me().role == "manager"
        else (),
        whys=unusual_reading.REASONS,
        whole=_may_read_all(),
    )


@screen.get("/audit.csv")
@may("audit.read")
@long_running
def download_entries() -> Response:
    """Send the requested entries as a CSV file, oldest first; that is recorded in the audit."""
    filters, query = _requested_filters()
    audit.record_entry(me().login, "audit.download", "", page=request.endpoint, asked=query)
    name = f"amallar_{clock.now().astimezone(site().tz):%Y-%m-%d}.csv"
    return Response(
        stream_with_context(_csv_pieces(filters)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _requested_filters() -> tuple[entries.EntryFilters, dict[str, str]]:
    """Return the filters that the URL gives, and their texts by parameter.

    Without a `record` and a first day (`since`), only the last _DEFAULT_DAYS are included. Invalid
    days are ignored, and so is a `record` that has a phone number or a search text if the user may
    not read all entries.
    """
    names = ("who", "action", "record", "since", "until", "address")
    query = {name: text for name in names if (text := request.args.get(name, "").strip())}
    if not _may_read_all() and _PERSONAL_SUBJECT.search(query.get("record", "")):
        del query["record"]
    since, until = (
        identity.parse_plausible_date(query.get(name, "")) for name in ("since", "until")
    )
    if not query.get("record") and not since:
        since = today() - dt.timedelta(days=_DEFAULT_DAYS)
    return entries.EntryFilters(
        who=query.get("who", ""),
        action=query.get("action", ""),
        record=query.get("record", ""),
        include_lists=_may_read_all(),
        address=query.get("address", ""),
        since=start_of_day(since) if since else None,
        until=start_of_day(until + dt.timedelta(days=1)) if until else None,
    ), query


def _may_read_all() -> bool:
    """Return True if the user may read everything in the audit.

    Others, such as technicians, see the same entries without the data of citizens.
    """
    return rights.scope_of(me(), "audit.read") == rights.ALL_RECORDS


def _visible_subject(entry: "AuditEntry") -> str:
    """Return the subject of an audit entry.

    A phone number or a search text is left out ("") unless the user may read all entries.
    """
    return entry.subject if _may_read_all() or not _PERSONAL_SUBJECT.search(entry.subject) else ""


def _visible_detail(entry: "AuditEntry") -> str:
    """Return the other details of an audit entry as text, `name: value; name: value`.

    If the user may not read all entries, only _TECHNICAL_FIELDS are included.
    """
    detail: dict[str, Any] = dict(entry.detail)
    detail.pop("page", None)
    if not _may_read_all():
        detail = {name: value for name, value in detail.items() if name in _TECHNICAL_FIELDS}
    query = detail.pop("asked", None)  # what was searched for: texts by field, or one text
    values = detail | (query if isinstance(query, dict) else {"asked": query} if query else {})
    texts = (f"{name}: {_value_text(value)}" for name, value in values.items())
    return "; ".join(texts)[:_MAX_CELL_LENGTH]


# Detail fields that have no data of citizens.
_TECHNICAL_FIELDS = frozenset({
    *("address", "allowed", "kind", "version", "count", "role", "scopes", "department", "state"),
    *("repository", "file", "page", "price", "days", "language", "trunk", "span", "why", "fields"),
})  # fmt: skip

_PERSONAL_SUBJECT = re.compile(r"=|\+\d|^\d{7,}$")  # a query string or a phone number


def _value_text(value: object) -> str:
    """Return a value of an entry's details as text."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _csv_pieces(filters: entries.EntryFilters) -> Iterator[str]:
    """Return the text of the CSV file of the entries in pieces; they are read batch by batch."""
    headers = [*(str(name) for name in COLUMNS), "id", "hash"]
    cells = (_entry_cells(entry) for batch in entries.entry_batches(filters) for entry in batch)
    return spreadsheets.csv_file_pieces(headers, cells)


def _entry_cells(entry: "AuditEntry") -> list[object]:
    """Return the cells of an entry in the CSV file: those of COLUMNS, its id and its hash."""
    at = entry.at.astimezone(site().tz).isoformat(timespec="seconds")
    values = [
        at,
        entry.who,
        entry.address,
        audit_action_text(entry.action),
        _visible_subject(entry),
        _visible_detail(entry),
    ]
    return [*values, entry.id, entry.hash]
