"""Skips numbers that were issued after the restored time, so that they are not issued again.

Others identify an appeal, its version, a message or a file by its number. If a number were issued
to something else, the ministry's system would keep the first and report a duplicate.
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

# How many numbers are skipped for each day begun since then, if the last issued number is unknown.
NUMBERS_PER_DAY = {
    "appeals": 1_000,
    "registered": 2_000,
    "versions": 100,
    "messages": 20_000,
    "files": 100,
}
AUDIT_ENTRIES = AuditEntry.select(AuditEntry.id, AuditEntry.hash, AuditEntry.at)  # in every schema
_OWN_WAYS = ("out", "skip")  # MinistryPackage.way: files made, and a number to skip up to


@dataclass(frozen=True)
class HistoryMark:
    """The newest audit entry of a database; a database with the same entry shares its history."""

    id: int
    hash: str
    at: dt.datetime

    def __str__(self) -> str:
        return str(Head(self.id, self.hash))


@dataclass(frozen=True)
class _IssuedNumbers:
    """The last numbers that a database has issued."""

    appeals: dict[int, int]  # last number, by year
    registered: dict[int, int]  # of calls on form №2, by year
    versions: dict[str, int]  # by number of the appeal
    messages: int
    files: int
    received_files: int  # files of the ministry


def history_end(database: Path) -> HistoryMark | None:
    """Return the end of a database's history, if it has a readable entry.

    It must be read before the restored database changes.
    """
    connection = open_read_only(database)
    newest = AUDIT_ENTRIES.order_by(AuditEntry.id.desc()).bind(connection)
    try:
        with connection.connection_context():
            entry = newest.first()
    except peewee.PeeweeException:
        return None
    return entry and HistoryMark(entry.id, entry.hash, entry.at)


def skip_issued_numbers(
    settings: Settings, restored: Path, end: HistoryMark | None, *, site_continues: bool
) -> dict[str, Any]:
    """Raise a restored database's numbers above those issued since its `end`.

    Returns the last skipped numbers, {} if nothing was skipped. The site's own database shows the
    issued numbers, if it is undamaged and continues from that end. Otherwise, or if the site
    continues to issue numbers (`site_continues`), NUMBERS_PER_DAY are skipped in addition, and
    `known` is False.
    """
    site_numbers, is_known = _issued_since(settings.paths.database, end)
    is_known, now = is_known and not site_continues, clock.now()
    days = max(0, (now - end.at).days) + 1 if end else 1
    spare = {kind: 0 if is_known else count * days for kind, count in NUMBERS_PER_DAY.items()}
    connection = SqliteDatabase(str(restored), pragmas={"foreign_keys": 1})
    with connection.connection_context(), connection.atomic("immediate"):
        restored_numbers = _issued_numbers(connection)
        year = now.astimezone(settings.tz).year
        appeals = _skipped_series(
            site_numbers.appeals, restored_numbers.appeals, year, spare["appeals"]
        )
        registered = _skipped_series(
            site_numbers.registered, restored_numbers.registered, year, spare["registered"]
        )
        messages = max(site_numbers.messages, restored_numbers.messages) + spare["messages"]
        skipped: dict[str, Any] = {
            "appeals": {
                f"{k}": n for k, n in appeals.items() if n > restored_numbers.appeals.get(k, 0)
            },
            "registered": {
                f"{k}": n
                for k, n in registered.items()
                if n > restored_numbers.registered.get(k, 0)
            },
            "messages": messages if messages > restored_numbers.messages else 0,
            "files": _skipped_file_number(settings, site_numbers, restored_numbers, spare["files"]),
            "versions": _raise_versions(
                connection, site_numbers, restored_numbers, spare["versions"]
            ),
        }
        for table, kind in ((NumberSeries, "appeals"), (CallNumberSeries, "registered")):
            for year_text, last in skipped[kind].items():
                row = table.insert(year=int(year_text), last=last).on_conflict_replace()
                row.bind(connection).execute()
        if skipped["messages"]:
            _insert_placeholder_message(connection, messages, now)
        if skipped["files"]:
            row = {"way": "skip", "number": skipped["files"], "sha256": "", "at": now}
            MinistryPackage.insert(row).on_conflict_ignore().bind(connection).execute()
    result = {kind: last for kind, last in skipped.items() if last}
    return result and {"known": is_known, **result}


def _skipped_series(
    site_numbers: dict[int, int], restored_numbers: dict[int, int], year: int, spare: int
) -> dict[int, int]:
    """Return the last skipped number of each year."""
    return {
        series_year: max(site_numbers.get(series_year, 0), restored_numbers.get(series_year, 0))
        + (spare if series_year == year else 0)
        for series_year in {*site_numbers, *restored_numbers, year}
    }


def _issued_since(database: Path, end: HistoryMark | None) -> tuple[_IssuedNumbers, bool]:
    """Return the numbers that the site's database has issued, and whether these are all.

    They are all if the database is undamaged and its history contains `end`.
    """
    connection = open_read_only(database)
    try:
        with connection.connection_context():
            issued = _issued_numbers(connection)
            is_undamaged = connection.execute_sql("PRAGMA quick_check(1)").fetchone() == ("ok",)
            entry = AUDIT_ENTRIES.where(AuditEntry.id == (end.id if end else 0))
            matching_entry = entry.bind(connection).first()
            return issued, is_undamaged and bool(
                end and matching_entry and matching_entry.hash == end.hash
            )
    except peewee.PeeweeException:  # the database is missing, of another schema, or damaged
        return _IssuedNumbers({}, {}, {}, 0, 0, 0), False


def _issued_numbers(connection: SqliteDatabase) -> _IssuedNumbers:
    """Return the last numbers that a database has issued."""
    appeals = NumberSeries.select(NumberSeries.year, NumberSeries.last)
    registered = CallNumberSeries.select(CallNumberSeries.year, CallNumberSeries.last)
    versions = Handling.select(Appeal.number, Handling.version).join(Appeal)
    files = MinistryPackage.select(fn.MAX(MinistryPackage.number))
    messages = Message.select(fn.MAX(Message.id))
    return _IssuedNumbers(
        dict(appeals.bind(connection).tuples()),
        dict(registered.bind(connection).tuples()),
        dict(versions.bind(connection).tuples()),
        messages.bind(connection).scalar() or 0,
        files.where(MinistryPackage.way.in_(_OWN_WAYS)).bind(connection).scalar() or 0,
        files.where(MinistryPackage.way == "in").bind(connection).scalar() or 0,
    )


def _skipped_file_number(
    settings: Settings, site_numbers: _IssuedNumbers, restored_numbers: _IssuedNumbers, spare: int
) -> int:
    """Return the last file number to skip; 0 if nothing was lost, or the site makes no files."""
    has_files = (
        site_numbers.files
        or restored_numbers.files
        or (settings.ministry and settings.ministry.own_key)
    )
    is_uncertain = (
        spare
        or site_numbers.files > restored_numbers.files
        or site_numbers.received_files > restored_numbers.received_files
    )
    return (
        max(site_numbers.files, restored_numbers.files) + spare if has_files and is_uncertain else 0
    )


def _raise_versions(
    connection: SqliteDatabase,
    site_numbers: _IssuedNumbers,
    restored_numbers: _IssuedNumbers,
    spare: int,
) -> int:
    """Raise the versions of appeals, so that their next versions are above all issued ones.

    Returns the number of appeals that were changed.
    """
    newer_versions = {
        number: site_numbers.versions[number]
        for number, version in restored_numbers.versions.items()
        if site_numbers.versions.get(number, 0) > version
    }
    for number, version in newer_versions.items():
        appeal = Appeal.select(Appeal.id).where(Appeal.number == number)
        Handling.update(version=version).where(Handling.appeal.in_(appeal)).bind(
            connection
        ).execute()
    if not spare:
        return len(newer_versions)
    update = Handling.update(version=Handling.version + spare)
    return int(update.bind(connection).execute())


def _insert_placeholder_message(connection: SqliteDatabase, id: int, now: dt.datetime) -> None:
    """Insert a row that is not a message, so that the next message gets a higher id."""
    times = dict.fromkeys(("created_at", "wanted_at", "due_at", "expires_at", "ended_at"), now)
    row = {"id": id, "channel": "none", "purpose": "restore", "recipient": "", "key": f"none:{id}"}
    Message.insert(row | times | {"state": "delivered"}).bind(connection).execute()


def open_read_only(database: Path) -> SqliteDatabase:
    """Open a database for reading only; without a write-ahead log, no file is touched."""
    return SqliteDatabase(db_files.read_only_uri(database), uri=True)
