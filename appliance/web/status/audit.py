"""The audit to be read: who did and saw what, from where, when."""

import datetime as dt
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import identity, unusual
from appliance.casework.appeals import personal
from appliance.core import audit, clock, spreadsheets
from appliance.core.audit import entries, words
from appliance.people import accounts, rights
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import bounded

if TYPE_CHECKING:
    from appliance.core.audit.table import AuditEntry

screen = Blueprint("audit", __name__, url_prefix="/audit")

PAGE = 100
KEPT = dt.timedelta(days=30)  # for which who opened a personal appeal stands above
_DAYS = 7  # that are shown when nobody asks for others
_LONGEST = 500  # letters of a cell
COLUMNS = (_l("Moment"), _l("Who"), _l("From where"), _l("What was done"), _l("Record"), _l("More"))


@screen.get("")
@may("audit.read")
def page() -> str:
    """The entries that the address asks for, newest first; reading them is one of them."""
    filters, asked = _filters()
    before = request.args.get("before", 0, bounded) or None
    found = entries.listed(filters, PAGE + 1, before)
    shown = found[:PAGE]
    audit.record(me().login, "audit.read", "", page=request.endpoint, asked=asked)
    return render_template(
        "audit/page.html",
        rows=[(one, action(one.action), _subject(one), _more(one)) for one in shown],
        columns=COLUMNS,
        people=accounts.names(),
        asked=asked,
        days=_DAYS,
        things=sorted((code, _(name)) for code, name in words.things().items()),
        older=shown[-1].id if len(found) > PAGE else None,
        newer=before is not None,
        head=audit.head(),
        reveals=personal.reveals(clock.now() - KEPT) if me().role == "manager" else (),
        unusual=unusual.noted(clock.now() - KEPT) if me().role == "manager" else (),
        whys=unusual.WHYS,
        whole=_reads_all(),
    )


@screen.get("/audit.csv")
@may("audit.read")
@heavy
def download() -> Response:
    """The same as a table for spreadsheets, oldest first."""
    filters, asked = _filters()
    audit.record(me().login, "audit.download", "", page=request.endpoint, asked=asked)
    name = f"amallar_{clock.now().astimezone(site().tz):%Y-%m-%d}.csv"
    return Response(
        stream_with_context(_written(filters)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def action(code: str) -> str:
    """What an action is called in the reader's language."""
    thing, done = words.named(code)
    return f"{_(thing)}: {_(done)}" if done else _(thing)


def _filters() -> tuple[entries.Filters, dict[str, str]]:
    """What the address asks for; what it says wrong is passed over."""
    names = ("who", "action", "record", "since", "until", "address")
    asked = {name: text for name in names if (text := request.args.get(name, "").strip())}
    if not _reads_all() and _PERSONAL.search(asked.get("record", "")):
        del asked["record"]
    since, until = (identity.day(asked.get(name, "")) for name in ("since", "until"))
    if not asked.get("record") and not since:
        since = clock.now().astimezone(site().tz).date() - dt.timedelta(days=_DAYS)
    return entries.Filters(
        who=asked.get("who", ""),
        action=asked.get("action", ""),
        record=asked.get("record", ""),
        listed=_reads_all(),
        address=asked.get("address", ""),
        since=_midnight(since) if since else None,
        until=_midnight(until + dt.timedelta(days=1)) if until else None,
    ), asked


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), site().tz)


def _reads_all() -> bool:
    return rights.scope_of(me(), "audit.read") == rights.ALL


def _subject(entry: "AuditEntry") -> str:
    """What an entry is about; a number, or what was looked for, only to who may read all."""
    return entry.subject if _reads_all() or not _PERSONAL.search(entry.subject) else ""


def _more(entry: "AuditEntry") -> str:
    """The rest of an entry: `name: value`; what was looked for only to who may read all."""
    detail: dict[str, Any] = dict(entry.detail)
    detail.pop("page", None)
    if not _reads_all():
        detail = {name: value for name, value in detail.items() if name in _TECHNICAL}
    asked = detail.pop("asked", None)
    told = detail | (asked if isinstance(asked, dict) else {"asked": asked} if asked else {})
    parts = (f"{name}: {_plain(value)}" for name, value in told.items())
    return "; ".join(parts)[:_LONGEST]


# What of a row's detail holds no citizen's data: all that who sees none is shown.
_TECHNICAL = frozenset({
    *("address", "allowed", "kind", "version", "count", "role", "scopes", "department", "state"),
    *("repository", "file", "page", "price", "days", "language", "trunk", "span", "why", "fields"),
})  # fmt: skip

_PERSONAL = re.compile(r"=|\+\d|^\d{7,}$")  # a query, a phone number


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _written(filters: entries.Filters) -> Iterator[str]:
    heads = [*(str(name) for name in COLUMNS), "id", "hash"]
    cells = (_cells(one) for piece in entries.pieces(filters) for one in piece)
    yield spreadsheets.MARK
    yield from spreadsheets.pieces(chain([heads], cells), delimiter=";")


def _cells(entry: "AuditEntry") -> list[object]:
    at = entry.at.astimezone(site().tz).isoformat(timespec="seconds")
    told = [at, entry.who, entry.address, action(entry.action), _subject(entry), _more(entry)]
    return [*told, entry.id, entry.hash]
