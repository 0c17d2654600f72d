"""What a restore would lose: what people entered after the moment that it reaches.

The restored database is compared with all that can be read: the database in place, the continuous
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

from appliance.box.snapshots import histories, numbers, sources
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.histories import History
from appliance.box.snapshots.numbers import Mark
from appliance.box.snapshots.requests import NOW, Wish
from appliance.box.snapshots.sources import Source
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, CallForm, Draft

IN_PLACE = "the database in place"
UNREAD_LIMIT = dt.timedelta(minutes=5)  # that may pass unread, where nothing can be compared
_REQUEST_TOLERANCE = dt.timedelta(minutes=1)  # the same, before a moment that was asked for
_MOST_NUMBERS = 20  # numbers in the words
_COPY = "compared.db"  # of a history's end, while it is read
_PROCESSES = ("", "-", "jobs", "migrate", "pbx")
# Entries after which no data is missing: somebody came, looked, or worked on snapshots; masking
# again is part of each restore.
_HARMLESS_ACTION = re.compile(
    r"^(login|logout|session|snapshot|audit|status|retention\.mask_again)\b|\.(download|export|read|listen|refused|show|register)$"
)


@dataclass
class Loss:
    """What is missing in a restored database. Moments are ISO 8601 with offset."""

    moment: str  # of the last change that it holds
    source: str  # sources.Source.kind
    name: str  # of the folder, or the snapshot's id
    requested: str = ""  # the moment that was asked for; "now"; "" when a snapshot was
    newest: str = ""  # the last moment that anything readable shows, or that was asked for
    minutes: int = 0  # between the two, begun ones counted
    registrations: list[str] = field(default_factory=list)  # numbers, in their order
    drafts: int = 0  # forms that were being filled in
    entries: int = 0  # other audit entries of people
    unreadable: list[str] = field(default_factory=list)  # what could not be compared
    stops_restore: bool = False  # a restore in place needs `accept_loss`

    def words(self) -> str:
        """For the person who restores, in lines."""
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
        listing = ", ".join(self.registrations[:_MOST_NUMBERS])
        listing += ", …" if count > _MOST_NUMBERS else ""
        lines.append(f"registrations missing: {count}" + (f" ({listing})" if count else ""))
        if self.drafts:
            lines.append(f"drafts of forms missing: {self.drafts}")
        if self.entries:
            lines.append(f"other audit entries by people missing: {self.entries}")
        lines += [f"not compared, because it cannot be read: {name}" for name in self.unreadable]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """As the commands print it."""
        return asdict(self)


@dataclass(frozen=True)
class _Other:
    """A database that the restored one is compared with."""

    name: str
    write: Callable[[Path], Path]  # gives its file, made apart in a folder where there is none
    end: dt.datetime | None  # its last change, as far as that shows without reading it
    whole: bool  # all that it has counts; else only what was entered after the reached moment


@dataclass(frozen=True)
class _Chain:
    """The restored database's audit: two databases share their history while their audits agree."""

    moment: dt.datetime  # that the restored database reaches
    first: tuple[int, str] | None  # id and hash of the first entry
    end: Mark | None

    def is_begun_in(self, here: SqliteDatabase) -> bool:
        """Whether a database begins with the same entry."""
        return self.first is None or self.first == _first_entry(here)

    def is_whole_in(self, here: SqliteDatabase) -> bool:
        """Whether a database holds all of the restored one's entries."""
        if self.end is None:
            return True
        same = numbers.TOLD.where(AuditEntry.id == self.end.id).bind(here).first()
        return bool(same and same.hash == self.end.hash)


@dataclass(frozen=True)
class _Content:
    """What people entered in a database."""

    registrations: dict[str, dt.datetime]  # when, by number
    drafts: set[str]  # tokens
    entries: int
    newest: dt.datetime | None
    is_continuation: bool  # from the end of the restored database


@dataclass
class _Overview:
    """Which other databases the comparison could read."""

    # The database in place goes on from the restored one and is whole: nothing else is missing.
    is_complete: bool = False
    read_until: list[dt.datetime] = field(default_factory=list)  # the last moments of what was read
    unread_until: list[dt.datetime] = field(default_factory=list)  # of what could not be read


def weigh(
    settings: Settings,
    wish: Wish,
    database: Path,
    source: Source,
    newest_snapshot_at: dt.datetime | None,
    scratch: Path,
) -> Loss:
    """Compare a restored database, not yet in place, with what can be read of later moments.

    `newest_snapshot_at`: when that was made; `scratch`: a folder for copies, on the same disk.
    With a target nothing is replaced: then only moments are compared. Changes nothing.
    """
    text = partial(_text, settings)
    requested = "" if wish.at is None else "now" if wish.at == NOW else text(wish.at)
    loss = Loss(text(source.moment), source.kind, source.name, requested)
    overview = _Overview()
    if not wish.target:
        _compare(settings, loss, database, source, scratch, overview)
    overview.unread_until += _unread_moments(settings, wish, newest_snapshot_at, loss, overview)
    unread_at = max([*overview.unread_until, source.complete_until])
    patience = UNREAD_LIMIT if wish.at in (None, NOW) else _REQUEST_TOLERANCE
    is_blind = not overview.is_complete and unread_at - source.complete_until > patience
    newest = max([*overview.read_until, unread_at if is_blind else source.complete_until])
    is_missing = bool(loss.registrations or loss.drafts or loss.entries)
    if is_blind or is_missing:
        loss.newest = text(newest)
        loss.minutes = ceil((newest - source.moment).total_seconds() / 60)
    loss.stops_restore = is_missing or is_blind
    return loss


def _compare(
    settings: Settings,
    loss: Loss,
    database: Path,
    source: Source,
    scratch: Path,
    overview: _Overview,
) -> None:
    """Fill in what is missing, and which of the other databases could be read."""
    missing_ones: dict[str, dt.datetime] = {}
    drafts: set[str] = set()
    here = numbers.read_only(database)
    with here.connection_context():
        first = _first_entry(here)
    chain = _Chain(source.moment, first, numbers.mark(database))
    restored = _content_of(database, None, chain)
    for other in _other_databases(settings, source):
        if overview.is_complete and other.name == histories.CURRENT:  # its copy shows nothing more
            continue
        try:
            file = other.write(scratch)
            content = _content_of(file, None if other.whole else source.moment, chain)
        except (peewee.PeeweeException, SnapshotError) as error:
            loss.unreadable.append(f"{other.name}: {error}")
            overview.unread_until += [other.end] if other.end else []
            continue
        if other.name == IN_PLACE and content.is_continuation:
            overview.is_complete = _is_whole(file)
        for number, at in content.registrations.items():
            if restored.registrations.get(number) != at:
                missing_ones[number] = at
        drafts |= content.drafts
        loss.entries = max(loss.entries, content.entries)
        overview.read_until += [content.newest] if content.newest else []
    loss.registrations = sorted(missing_ones, key=lambda number: (missing_ones[number], number))
    loss.drafts = len(drafts)
    (scratch / _COPY).unlink(missing_ok=True)


def _other_databases(settings: Settings, source: Source) -> Iterator[_Other]:
    """The database in place first; only what may hold something later."""
    place = settings.paths.database
    if place.exists():
        yield _Other(IN_PLACE, partial(_as_it_is, place), None, True)
    for history in histories.histories(settings):
        if history.end > source.moment:
            write = partial(_newest_of, history)
            yield _Other(history.folder.name, write, history.end, history.is_current)
    for database in sources.replaced_databases(settings):
        if database.parent.name != source.name:
            yield _Other(database.parent.name, partial(_as_it_is, database), None, False)


def _as_it_is(database: Path, _folder: Path) -> Path:
    return database


def _newest_of(history: History, folder: Path) -> Path:
    file = folder / _COPY
    file.unlink(missing_ok=True)
    history.restore(file, history.end)
    return file


def _content_of(database: Path, since: dt.datetime | None, chain: _Chain) -> _Content:
    """What was registered `since` a moment, and what else was entered after the restored moment,
    where the database has the history of the restored one. Raises PeeweeException."""
    here = numbers.read_only(database)
    registrations: dict[str, dt.datetime] = {}
    drafts: set[str] = set()
    entries, newest = 0, None
    with here.connection_context():
        for table in (Appeal, CallForm):
            rows = table.select(table.number, table.registered_at)
            rows = rows.where(table.registered_at > since) if since else rows
            registrations |= dict(rows.bind(here).tuples())
        has_same_start, is_continuation = chain.is_begun_in(here), chain.is_whole_in(here)
        if has_same_start:
            tokens = Draft.select(Draft.token).where(Draft.updated_at > chain.moment)
            drafts = {token for (token,) in tokens.bind(here).tuples()}
            after = AuditEntry.at > chain.moment
            if is_continuation and chain.end:
                after = AuditEntry.id > chain.end.id
            rows = AuditEntry.select(AuditEntry.who, AuditEntry.action).where(after)
            entries = sum(_is_work(who, action) for who, action in rows.bind(here).tuples())
            end = numbers.TOLD.order_by(AuditEntry.id.desc()).bind(here).first()
            newest = end and end.at
    moments = [*registrations.values(), *([newest] if newest else [])]
    return _Content(registrations, drafts, entries, max(moments, default=None), is_continuation)


def _unread_moments(
    settings: Settings,
    wish: Wish,
    newest_snapshot_at: dt.datetime | None,
    loss: Loss,
    overview: _Overview,
) -> list[dt.datetime]:
    """Moments up to which something may have been entered that nothing readable shows."""
    life = histories.last_sign_of_life(settings)
    moments = [] if wish.target else [newest_snapshot_at, life]
    if wish.at == NOW:
        moments.append(None if loss.source == "replica" else clock.now())
    elif wish.at and not any(moment >= wish.at for moment in overview.read_until):
        moments.append(wish.at)
    return [moment for moment in moments if moment]


def _is_whole(database: Path) -> bool:
    here = numbers.read_only(database)
    with here.connection_context():
        result: tuple[str] = here.execute_sql("PRAGMA quick_check(1)").fetchone()
    return result == ("ok",)


def _first_entry(here: SqliteDatabase) -> tuple[int, str] | None:
    first = numbers.TOLD.order_by(AuditEntry.id).bind(here).first()
    return first and (first.id, first.hash)


def _is_work(who: str, action: str) -> bool:
    return who not in _PROCESSES and not _HARMLESS_ACTION.search(action)


def _text(settings: Settings, moment: dt.datetime) -> str:
    return moment.astimezone(settings.tz).isoformat(timespec="seconds")
