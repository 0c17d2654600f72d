"""Measures what a restore would lose: data that people entered after the restored time.

The restored database is compared with everything readable: the site's database, the continuous
copy, the copies of former databases, and the databases that earlier restores replaced.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import peewee
from peewee import SqliteDatabase

from appliance.box.snapshots import copy_folders, histories, numbers, sources
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.histories import CopyHistory
from appliance.box.snapshots.numbers import HistoryMark
from appliance.box.snapshots.requests import NEWEST_TIME, RestoreRequest
from appliance.box.snapshots.sources import Source
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, CallForm, Draft

SITE_DATABASE = "the database in place"
MAX_UNREAD_TIME = dt.timedelta(minutes=5)  # that no readable data cover; more is a loss
_REQUEST_TOLERANCE = dt.timedelta(minutes=1)  # the same, if a time was requested
_MAX_LISTED_NUMBERS = 20  # registration numbers in the description
_COMPARED_FILE = "compared.db"  # file of a copy's newest state, while it is read
_PROCESS_LOGINS = ("", "-", "jobs", "migrate", "pbx")
# Audit actions that change no data: sign-ins, viewing, or work on snapshots; masking again is part
# of each restore.
_HARMLESS_ACTION = re.compile(
    r"^(login|logout|session|snapshot|audit|status|retention\.mask_again)\b|\.(download|export|read|listen|refused|show|register)$"
)


@dataclass
class Loss:
    """What is missing in a restored database. Times are ISO 8601 with offset."""

    moment: str  # of the last change in the restored database
    source: str  # sources.Source.kind
    name: str  # of the folder, or the snapshot's id
    requested: str = ""  # the requested time; "now"; "" if a snapshot was requested
    newest: str = ""  # the last time in any readable data, or the requested time
    minutes: int = 0  # from `moment` to `newest`, rounded up
    registrations: list[str] = field(default_factory=list)  # numbers, in order of registration
    drafts: int = 0  # forms that were being filled in
    entries: int = 0  # other audit entries by people
    unreadable: list[str] = field(default_factory=list)  # databases that could not be compared
    stops_restore: bool = False  # a restore in place requires `accept_loss`

    def description(self) -> str:
        """Return the loss as lines of text for the person who restores."""
        origin = {
            "replica": "the continuous copy",
            "former": f"the copy of a former database, {self.name}",
            "replaced": f"the database that a restore replaced, {self.name}",
        }.get(self.source, f"snapshot {self.name}")
        lines = [f"the database will be as of {self.moment}, from {origin}"]
        if self.requested and self.requested != "now" and self.requested != self.moment:
            lines.append(f"asked for: {self.requested}")
        if self.minutes:
            lines.append(f"minutes missing: {self.minutes}, until {self.newest}")
        count = len(self.registrations)
        listing = ", ".join(self.registrations[:_MAX_LISTED_NUMBERS])
        listing += ", …" if count > _MAX_LISTED_NUMBERS else ""
        lines.append(f"registrations missing: {count}" + (f" ({listing})" if count else ""))
        if self.drafts:
            lines.append(f"drafts of forms missing: {self.drafts}")
        if self.entries:
            lines.append(f"other audit entries by people missing: {self.entries}")
        lines += [f"not compared, because it cannot be read: {name}" for name in self.unreadable]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the loss as the commands print it."""
        return asdict(self)


@dataclass(frozen=True)
class _OtherDatabase:
    """A database that the restored one is compared with."""

    name: str
    provide_file: Callable[[Path], Path]  # returns its file; made in the folder if needed
    end: dt.datetime | None  # its last change, if known without reading it
    is_fully_compared: bool  # else only what was entered after the restored time


@dataclass(frozen=True)
class _AuditChain:
    """The audit chain of the restored database; equal chains mean a common history."""

    moment: dt.datetime  # the restored time
    first: tuple[int, str] | None  # id and hash of the first entry
    end: HistoryMark | None

    def has_same_start(self, other: SqliteDatabase) -> bool:
        """Whether a database begins with the same audit entry."""
        return self.first is None or self.first == _first_entry(other)

    def is_contained_in_database(self, other: SqliteDatabase) -> bool:
        """Whether a database contains all of the restored database's audit entries."""
        if self.end is None:
            return True
        matching_entry = (
            numbers.AUDIT_ENTRIES.where(AuditEntry.id == self.end.id).bind(other).first()
        )
        return bool(matching_entry and matching_entry.hash == self.end.hash)


@dataclass(frozen=True)
class _Content:
    """The data that people entered in a database."""

    registrations: dict[str, dt.datetime]  # time of each registration, by its number
    drafts: set[str]  # tokens
    entries: int
    newest: dt.datetime | None
    is_continuation: bool  # it contains all of the restored history


@dataclass
class _Overview:
    """Which other databases the comparison could read."""

    # The site's database continues the restored one and is undamaged: nothing else is missing.
    is_complete: bool = False
    read_until: list[dt.datetime] = field(default_factory=list)  # of the databases that were read
    unread_until: list[dt.datetime] = field(default_factory=list)  # of those that could not be read


def measure_loss(
    settings: Settings,
    request: RestoreRequest,
    database: Path,
    source: Source,
    newest_snapshot_at: dt.datetime | None,
    scratch: Path,
) -> Loss:
    """Compare a restored database, before installation, with readable data of later times.

    `newest_snapshot_at`: when the newest snapshot was made; `scratch`: a folder for copies, on the
    same disk. If the request has a target, nothing is replaced, and only times are compared.
    """
    text = partial(_local_time_text, settings)
    requested = (
        "" if request.at is None else "now" if request.at == NEWEST_TIME else text(request.at)
    )
    loss = Loss(text(source.moment), source.kind, source.name, requested)
    overview = _Overview()
    if not request.target:
        _compare_databases(settings, loss, database, source, scratch, overview)
    overview.unread_until += _unread_times(settings, request, newest_snapshot_at, loss, overview)
    unread_at = max([*overview.unread_until, source.complete_until])
    tolerance = MAX_UNREAD_TIME if request.at in (None, NEWEST_TIME) else _REQUEST_TOLERANCE
    is_blind = not overview.is_complete and unread_at - source.complete_until > tolerance
    newest = max([*overview.read_until, unread_at if is_blind else source.complete_until])
    is_missing = bool(loss.registrations or loss.drafts or loss.entries)
    if is_blind or is_missing:
        loss.newest = text(newest)
        loss.minutes = ceil((newest - source.moment).total_seconds() / 60)
    loss.stops_restore = is_missing or is_blind
    return loss


def _compare_databases(
    settings: Settings,
    loss: Loss,
    database: Path,
    source: Source,
    scratch: Path,
    overview: _Overview,
) -> None:
    """Store in `loss` what is missing, and in `overview` which other databases could be read."""
    missing_numbers: dict[str, dt.datetime] = {}
    drafts: set[str] = set()
    connection = numbers.open_read_only(database)
    with connection.connection_context():
        first_entry = _first_entry(connection)
    chain = _AuditChain(source.moment, first_entry, numbers.history_end(database))
    restored = _read_content(database, None, chain)
    for other in _other_databases(settings, source):
        if (
            overview.is_complete and other.name == copy_folders.CURRENT_FOLDER
        ):  # its copy shows nothing more
            continue
        try:
            file = other.provide_file(scratch)
            content = _read_content(file, None if other.is_fully_compared else source.moment, chain)
        except (peewee.PeeweeException, SnapshotError) as error:
            loss.unreadable.append(f"{other.name}: {error}")
            overview.unread_until += [other.end] if other.end else []
            continue
        if other.name == SITE_DATABASE and content.is_continuation:
            overview.is_complete = _is_undamaged(file)
        for number, at in content.registrations.items():
            if restored.registrations.get(number) != at:
                missing_numbers[number] = at
        drafts |= content.drafts
        loss.entries = max(loss.entries, content.entries)
        overview.read_until += [content.newest] if content.newest else []
    loss.registrations = sorted(
        missing_numbers, key=lambda number: (missing_numbers[number], number)
    )
    loss.drafts = len(drafts)
    (scratch / _COMPARED_FILE).unlink(missing_ok=True)


def _other_databases(settings: Settings, source: Source) -> Iterator[_OtherDatabase]:
    """Yield the databases that may contain something later, the site's database first."""
    site_database = settings.paths.database
    if site_database.exists():
        yield _OtherDatabase(
            SITE_DATABASE, partial(_existing_database_file, site_database), None, True
        )
    for history in histories.list_histories(settings):
        if history.ends_at > source.moment:
            write = partial(_restore_newest_copy, history)
            yield _OtherDatabase(history.folder.name, write, history.ends_at, history.is_current)
    for database in sources.replaced_databases(settings):
        if database.parent.name != source.name:
            yield _OtherDatabase(
                database.parent.name, partial(_existing_database_file, database), None, False
            )


def _existing_database_file(database: Path, _folder: Path) -> Path:
    """Return the file of a database that needs no copy."""
    return database


def _restore_newest_copy(history: CopyHistory, folder: Path) -> Path:
    """Restore the newest state of a copy into a file in `folder`."""
    file = folder / _COMPARED_FILE
    file.unlink(missing_ok=True)
    history.write_database(file, history.ends_at)
    return file


def _read_content(database: Path, since: dt.datetime | None, chain: _AuditChain) -> _Content:
    """Read registrations since `since`, and what else was entered after the restored time.

    Drafts and audit entries only count if the database shares the restored one's history. Raises
    PeeweeException if the database cannot be read.
    """
    connection = numbers.open_read_only(database)
    registrations: dict[str, dt.datetime] = {}
    drafts: set[str] = set()
    entries, newest = 0, None
    with connection.connection_context():
        for table in (Appeal, CallForm):
            if not connection.table_exists(table._meta.table_name):
                continue  # the database is of release 0.2
            rows = table.select(table.number, table.registered_at)
            rows = rows.where(table.registered_at > since) if since else rows
            registrations |= dict(rows.bind(connection).tuples())
        has_same_start, is_continuation = (
            chain.has_same_start(connection),
            chain.is_contained_in_database(connection),
        )
        if has_same_start:
            tokens = Draft.select(Draft.token).where(Draft.updated_at > chain.moment)
            drafts = {token for (token,) in tokens.bind(connection).tuples()}
            is_newer = AuditEntry.at > chain.moment
            if is_continuation and chain.end:
                is_newer = AuditEntry.id > chain.end.id
            rows = AuditEntry.select(AuditEntry.who, AuditEntry.action).where(is_newer)
            entries = sum(
                _is_data_change(user, action) for user, action in rows.bind(connection).tuples()
            )
            last_entry = (
                numbers.AUDIT_ENTRIES.order_by(AuditEntry.id.desc()).bind(connection).first()
            )
            newest = last_entry and last_entry.at
    moments = [*registrations.values(), *([newest] if newest else [])]
    return _Content(registrations, drafts, entries, max(moments, default=None), is_continuation)


def _unread_times(
    settings: Settings,
    request: RestoreRequest,
    newest_snapshot_at: dt.datetime | None,
    loss: Loss,
    overview: _Overview,
) -> list[dt.datetime]:
    """Return times up to which data may have been entered that no readable database shows."""
    last_sign = histories.last_replication_sign(settings)
    moments = [] if request.target else [newest_snapshot_at, last_sign]
    if request.at == NEWEST_TIME:
        moments.append(None if loss.source == "replica" else clock.now())
    elif request.at and not any(moment >= request.at for moment in overview.read_until):
        moments.append(request.at)
    return [moment for moment in moments if moment]


def _is_undamaged(database: Path) -> bool:
    """Whether SQLite's quick check finds no fault in a database."""
    connection = numbers.open_read_only(database)
    with connection.connection_context():
        result: tuple[str] = connection.execute_sql("PRAGMA quick_check(1)").fetchone()
    return result == ("ok",)


def _first_entry(connection: SqliteDatabase) -> tuple[int, str] | None:
    """Return the id and hash of the first audit entry of a database."""
    first = numbers.AUDIT_ENTRIES.order_by(AuditEntry.id).bind(connection).first()
    return first and (first.id, first.hash)


def _is_data_change(user: str, action: str) -> bool:
    """Whether an audit entry is a person's action that changes data."""
    return user not in _PROCESS_LOGINS and not _HARMLESS_ACTION.search(action)


def _local_time_text(settings: Settings, moment: dt.datetime) -> str:
    """Return a time in ISO 8601, in the site's time zone."""
    return moment.astimezone(settings.tz).isoformat(timespec="seconds")
