"""Numbers given out after the moment that a restore goes back to: they are not given out again.

Others know an appeal, its version, a message or a file by its number. Were one given to another
thing, the ministry's system would keep the first and say that it has it already.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee
from peewee import SqliteDatabase, fn

from appliance.core import clock, db_files
from appliance.core.audit import Head
from appliance.core.settings import Settings
from appliance.models import (
    Appeal,
    AuditEntry,
    CallNumberSeries,
    Handling,
    Message,
    MinistryPackage,
    NumberSeries,
)

# How many are left out for each day begun since then, where nothing tells how far it went.
A_DAY = {"appeals": 1_000, "registered": 2_000, "versions": 100, "messages": 20_000, "files": 100}
TOLD = AuditEntry.select(AuditEntry.id, AuditEntry.hash, AuditEntry.at)  # in any schema
_OURS = ("out", "skip")  # MinistryPackage: files made, and a number up to which none is made


@dataclass(frozen=True)
class Mark:
    """The newest audit entry of a database: one that holds it too has the same history so far."""

    id: int
    hash: str
    at: dt.datetime

    def __str__(self) -> str:
        return str(Head(self.id, self.hash))


@dataclass(frozen=True)
class _Given:
    """The last numbers that a database has given out."""

    appeals: dict[int, int]  # by year
    registered: dict[int, int]  # calls, on form №2, by year
    versions: dict[str, int]  # by number of the appeal
    messages: int
    files: int
    taken: int  # files of the ministry's


def mark(database: Path) -> Mark | None:
    """Where the history of a database ends; None when none can be read. To be asked first."""
    here = read_only(database)
    newest = TOLD.order_by(AuditEntry.id.desc()).bind(here)
    try:
        with here.connection_context():
            entry = newest.first()
    except peewee.PeeweeException:
        return None
    return entry and Mark(entry.id, entry.hash, entry.at)


def leave_out(
    settings: Settings, restored: Path, end: Mark | None, *, goes_on: bool
) -> dict[str, Any]:
    """Push a restored database's numbers past those given out since its `end`; returns the last
    ones that are left out, {} when there are none.

    The site's own database tells how far it went, if it is whole and goes on from that end. Else,
    or when it `goes_on` from here, A_DAY is left out besides, and `known` is False.
    """
    past, known = _since(settings.paths.database, end)
    known, now = known and not goes_on, clock.now()
    days = max(0, (now - end.at).days) + 1 if end else 1
    spare = {what: 0 if known else count * days for what, count in A_DAY.items()}
    here = SqliteDatabase(str(restored), pragmas={"foreign_keys": 1})
    with here.connection_context(), here.atomic("immediate"):
        mine = _numbers_of(here)
        year = now.astimezone(settings.tz).year
        appeals = _series(past.appeals, mine.appeals, year, spare["appeals"])
        registered = _series(past.registered, mine.registered, year, spare["registered"])
        messages = max(past.messages, mine.messages) + spare["messages"]
        left_out: dict[str, Any] = {
            "appeals": {f"{k}": n for k, n in appeals.items() if n > mine.appeals.get(k, 0)},
            "registered": {
                f"{k}": n for k, n in registered.items() if n > mine.registered.get(k, 0)
            },
            "messages": messages if messages > mine.messages else 0,
            "files": _files(settings, past, mine, spare["files"]),
            "versions": _push_versions(here, past, mine, spare["versions"]),
        }
        for table, what in ((NumberSeries, "appeals"), (CallNumberSeries, "registered")):
            for one, last in left_out[what].items():
                row = table.insert(year=int(one), last=last).on_conflict_replace()
                row.bind(here).execute()
        if left_out["messages"]:
            _stand_in(here, messages, now)
        if left_out["files"]:
            row = {"way": "skip", "number": left_out["files"], "sha256": "", "at": now}
            MinistryPackage.insert(row).on_conflict_ignore().bind(here).execute()
    told = {what: last for what, last in left_out.items() if last}
    return told and {"known": known, **told}


def _series(past: dict[int, int], mine: dict[int, int], year: int, spare: int) -> dict[int, int]:
    """The last number of each year that is left out."""
    return {
        one: max(past.get(one, 0), mine.get(one, 0)) + (spare if one == year else 0)
        for one in {*past, *mine, year}
    }


def _since(database: Path, end: Mark | None) -> tuple[_Given, bool]:
    """What the site's own database has given out, and whether that is all since `end`."""
    here = read_only(database)
    try:
        with here.connection_context():
            found = _numbers_of(here)
            whole = here.execute_sql("PRAGMA quick_check(1)").fetchone() == ("ok",)
            entry = TOLD.where(AuditEntry.id == (end.id if end else 0))
            same = entry.bind(here).first()
            return found, whole and bool(end and same and same.hash == end.hash)
    except peewee.PeeweeException:  # it is not there, of another schema, or damaged
        return _Given({}, {}, {}, 0, 0, 0), False


def _numbers_of(here: SqliteDatabase) -> _Given:
    appeals = NumberSeries.select(NumberSeries.year, NumberSeries.last)
    registered = CallNumberSeries.select(CallNumberSeries.year, CallNumberSeries.last)
    versions = Handling.select(Appeal.number, Handling.version).join(Appeal)
    files = MinistryPackage.select(fn.MAX(MinistryPackage.number))
    messages = Message.select(fn.MAX(Message.id))
    return _Given(
        dict(appeals.bind(here).tuples()),
        dict(registered.bind(here).tuples()),
        dict(versions.bind(here).tuples()),
        messages.bind(here).scalar() or 0,
        files.where(MinistryPackage.way.in_(_OURS)).bind(here).scalar() or 0,
        files.where(MinistryPackage.way == "in").bind(here).scalar() or 0,
    )


def _files(settings: Settings, past: _Given, mine: _Given, spare: int) -> int:
    """The number up to which no file is made; 0 when nothing was lost, or no files are made."""
    makes = past.files or mine.files or (settings.ministry and settings.ministry.own_key)
    lost = spare or past.files > mine.files or past.taken > mine.taken
    return max(past.files, mine.files) + spare if makes and lost else 0


def _push_versions(here: SqliteDatabase, past: _Given, mine: _Given, spare: int) -> int:
    """So that the next change of an appeal is above all there were; returns how many appeals."""
    lost = {
        number: past.versions[number]
        for number, version in mine.versions.items()
        if past.versions.get(number, 0) > version
    }
    for number, version in lost.items():
        appeal = Appeal.select(Appeal.id).where(Appeal.number == number)
        Handling.update(version=version).where(Handling.appeal.in_(appeal)).bind(here).execute()
    if not spare:
        return len(lost)
    return Handling.update(version=Handling.version + spare).bind(here).execute()


def _stand_in(here: SqliteDatabase, id: int, now: dt.datetime) -> None:
    """A row that is no message: the next one has a higher id."""
    moments = dict.fromkeys(("created_at", "wanted_at", "due_at", "expires_at", "ended_at"), now)
    row = {"id": id, "channel": "none", "purpose": "restore", "recipient": "", "key": f"none:{id}"}
    Message.insert(row | moments | {"state": "delivered"}).bind(here).execute()


def read_only(database: Path) -> SqliteDatabase:
    """A database that is only looked at: without a log of its own beside it no byte changes."""
    return SqliteDatabase(db_files.address_to_read(database), uri=True)
