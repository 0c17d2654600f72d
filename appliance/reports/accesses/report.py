"""Who listened to what, and who looked at whom: a month of the audit (requirement S1).

For the manager and the ministry; whom it is about is told by numbers of records, never by name.
"""

import datetime as dt
from dataclasses import dataclass, field

from appliance.casework import unusual
from appliance.core import clock
from appliance.core.audit import entries
from appliance.core.audit.entries import Filters
from appliance.core.audit.table import AuditEntry
from appliance.core.settings import Settings
from appliance.models import Removal
from appliance.people import accounts
from appliance.reports.periods import Period

FORMULAS = "accesses/2"  # changes when something is counted otherwise
_FILES = (".download", ".export")


@dataclass
class Access:
    """One record as one person saw it."""

    who: str
    what: str  # the action
    record: str
    times: int
    first: dt.datetime
    last: dt.datetime
    reason: str = ""


@dataclass
class Reader:
    """What one person did in the period; `records` are different ones."""

    who: str
    records: set[tuple[str, str]] = field(default_factory=set)
    opened: int = 0
    listened: int = 0
    lists: int = 0
    searches: int = 0
    files: int = 0
    for_reason: int = 0  # personal appeals
    unusual: int = 0


@dataclass(frozen=True)
class Accesses:
    """A period: its readers, who read most first, and each record that was opened."""

    locale: str
    period: Period
    made_at: dt.datetime
    formulas: str
    names: dict[str, str]  # login → name, in the language
    readers: list[Reader]
    heard: list[Access]
    seen: list[Access]


def build(settings: Settings, period: Period, locale: str) -> Accesses:
    """Read the period's entries of the audit, some at a time."""
    readers: dict[str, Reader] = {}
    masked = {subject for (subject,) in Removal.select(Removal.subject).tuples()}
    found: dict[tuple[str, str, str], Access] = {}
    for piece in entries.pieces(Filters(since=period.begin, until=period.end)):
        for row in piece:
            _add(row, readers, found, masked)
    every = sorted(found.values(), key=lambda one: (one.who, one.first, one.record))
    return Accesses(
        locale=locale,
        period=period,
        made_at=clock.now(),
        formulas=FORMULAS,
        names=accounts.names(locale),
        readers=sorted(readers.values(), key=lambda one: (-len(one.records), one.who)),
        heard=[one for one in every if one.what == "recording.listen"],
        seen=[one for one in every if one.what != "recording.listen"],
    )


def _add(
    row: AuditEntry,
    readers: dict[str, Reader],
    found: dict[tuple[str, str, str], Access],
    masked: set[str],
) -> None:
    """`masked`: records whose citizen was masked since; a reason may name them."""
    done = row.action
    if done == unusual.ACTION:
        readers.setdefault(row.subject, Reader(row.subject)).unusual += 1
        return
    heard, opened = done == "recording.listen", done.endswith(".view")
    listed, revealed = done.endswith(".list"), done == "appeal.reveal"
    taken = done.endswith(_FILES)
    if not (heard or opened or listed or revealed or taken):
        return
    reader = readers.setdefault(row.who, Reader(row.who))
    reader.listened += heard
    reader.opened += opened
    reader.for_reason += revealed
    reader.files += taken
    reader.lists += listed
    reader.searches += bool((row.detail.get("asked") or {}).get("q"))
    if heard or opened or revealed:
        reader.records.add((done.partition(".")[0], row.subject))
        key = (row.who, done, row.subject)
        known = found.setdefault(key, Access(row.who, done, row.subject, 0, row.at, row.at))
        known.times += 1
        known.last = row.at
        if row.subject not in masked:
            known.reason = known.reason or str(row.detail.get("reason", ""))
