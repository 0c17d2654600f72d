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

from appliance.box.snapshots import choosing, histories, numbers
from appliance.box.snapshots.choosing import Source
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.histories import History
from appliance.box.snapshots.numbers import Mark
from appliance.box.snapshots.requests import NOW, Wish
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, CallForm, Draft

IN_PLACE = "the database in place"
UNSEEN = dt.timedelta(minutes=5)  # so long nothing may be known of, where nothing can be compared
_EXACT = dt.timedelta(minutes=1)  # the same, before a moment that was asked for
_SHOWN = 20  # numbers in the words
_PROCESSES = ("", "-", "jobs", "migrate")
# Entries after which no data is missing: somebody came, looked, or worked on snapshots.
_HARMLESS = re.compile(
    r"^(login|logout|session|snapshot|audit|status)\b|\.(download|export|read|listen|refused|show|register)$"
)


@dataclass
class Loss:
    """What is missing in a restored database. Moments are ISO 8601 with offset."""

    moment: str  # of the last change that it holds
    source: str  # choosing.Source.kind
    name: str  # of the folder, or the snapshot's id
    wished: str = ""  # the moment that was asked for; "now"; "" when a snapshot was
    newest: str = ""  # the last moment that anything readable shows, or that was asked for
    minutes: int = 0  # between the two, begun ones counted
    registrations: list[str] = field(default_factory=list)  # numbers, in their order
    drafts: int = 0  # forms that were being filled in
    entries: int = 0  # other audit entries of people
    unreadable: list[str] = field(default_factory=list)  # what could not be compared
    stops: bool = False  # a restore in place needs `accept_loss`

    def words(self) -> str:
        """For the person who restores, in lines."""
        origin = {
            "replica": "the continuous copy",
            "former": f"the copy of a former database, {self.name}",
            "replaced": f"the database that a restore replaced, {self.name}",
        }.get(self.source, f"snapshot {self.name}")
        lines = [f"the database will be as of {self.moment}, from {origin}"]
        if self.wished and self.wished != "now" and self.wished != self.moment:
            lines.append(f"asked for: {self.wished}")
        if self.minutes:
            lines.append(f"minutes missing: {self.minutes}, until {self.newest}")
        count = len(self.registrations)
        shown = ", ".join(self.registrations[:_SHOWN]) + (", …" if count > _SHOWN else "")
        lines.append(f"registrations missing: {count}" + (f" ({shown})" if count else ""))
        if self.drafts:
            lines.append(f"drafts of forms missing: {self.drafts}")
        if self.entries:
            lines.append(f"other audit entries by people missing: {self.entries}")
        lines += [f"not compared, because it cannot be read: {one}" for one in self.unreadable]
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
    """The restored database's audit: two databases are of one history as far as it is the same."""

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
class _Entered:
    """What people entered in a database."""

    registrations: dict[str, dt.datetime]  # when, by number
    drafts: set[str]  # tokens
    entries: int
    newest: dt.datetime | None
    goes_on: bool  # from the end of the restored database


@dataclass
class _Seen:
    """What the comparison saw of other databases."""

    # The database in place goes on from the restored one and is whole: nothing else is missing.
    complete: bool = False
    shown: list[dt.datetime] = field(default_factory=list)  # the last moments of what was read
    hidden: list[dt.datetime] = field(default_factory=list)  # of what could not be read


def weigh(
    settings: Settings,
    wish: Wish,
    database: Path,
    source: Source,
    later: dt.datetime | None,
    scratch: Path,
) -> Loss:
    """Compare a restored database, apart, with what can be read of later moments.

    `later`: when the newest snapshot was made; `scratch`: a folder for copies, on the same disk.
    With a target nothing is replaced: then only moments are compared. Changes nothing.
    """
    text = partial(_text, settings)
    wished = "" if wish.at is None else "now" if wish.at == NOW else text(wish.at)
    loss = Loss(text(source.moment), source.kind, source.name, wished)
    seen = _Seen()
    if not wish.target:
        _compare(settings, loss, database, source, scratch, seen)
    unseen = max([*_unseen(settings, wish, later, loss, seen), source.covers])
    patience = UNSEEN if wish.at in (None, NOW) else _EXACT
    is_blind = not seen.complete and unseen - source.covers > patience
    newest = max([*seen.shown, unseen if is_blind else source.covers])
    is_missing = bool(loss.registrations or loss.drafts or loss.entries)
    if is_blind or is_missing:
        loss.newest = text(newest)
        loss.minutes = ceil((newest - source.moment).total_seconds() / 60)
    loss.stops = is_missing or is_blind
    return loss


def _compare(
    settings: Settings, loss: Loss, database: Path, source: Source, scratch: Path, seen: _Seen
) -> None:
    """Fill in what is missing, and what of the other databases was seen."""
    missing: dict[str, dt.datetime] = {}
    drafts: set[str] = set()
    here = numbers.read_only(database)
    with here.connection_context():
        first = _first_entry(here)
    chain = _Chain(source.moment, first, numbers.mark(database))
    mine = _entered(database, None, chain)
    for other in _others(settings, source):
        if seen.complete and other.name == histories.CURRENT:  # its copy shows nothing more
            continue
        try:
            file = other.write(scratch)
            found = _entered(file, None if other.whole else source.moment, chain)
        except (peewee.PeeweeException, SnapshotError) as error:
            loss.unreadable.append(f"{other.name}: {error}")
            seen.hidden += [other.end] if other.end else []
            continue
        seen.complete |= other.name == IN_PLACE and found.goes_on and _is_whole(file)
        for number, at in found.registrations.items():
            if mine.registrations.get(number) != at:
                missing[number] = at
        drafts |= found.drafts
        loss.entries = max(loss.entries, found.entries)
        seen.shown += [found.newest] if found.newest else []
    loss.registrations = sorted(missing, key=lambda number: (missing[number], number))
    loss.drafts = len(drafts)


def _others(settings: Settings, source: Source) -> Iterator[_Other]:
    """The database in place first; only what may hold something later."""
    place = settings.paths.database
    if place.exists():
        yield _Other(IN_PLACE, partial(_as_it_is, place), None, True)
    for one in histories.histories(settings):
        if one.end > source.moment:
            yield _Other(one.folder.name, partial(_newest_of, one), one.end, one.goes_on)
    for database in choosing.replaced(settings):
        if database.parent.name != source.name:
            yield _Other(database.parent.name, partial(_as_it_is, database), None, False)


def _as_it_is(database: Path, _folder: Path) -> Path:
    return database


def _newest_of(history: History, folder: Path) -> Path:
    file = folder / "compared.db"
    file.unlink(missing_ok=True)
    history.restore(file, history.end)
    return file


def _entered(database: Path, since: dt.datetime | None, mine: _Chain) -> _Entered:
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
        related, goes_on = mine.is_begun_in(here), mine.is_whole_in(here)
        if related:
            opened = Draft.select(Draft.token).where(Draft.updated_at > mine.moment)
            drafts = {token for (token,) in opened.bind(here).tuples()}
            after = AuditEntry.at > mine.moment
            if goes_on and mine.end:
                after = AuditEntry.id > mine.end.id
            rows = AuditEntry.select(AuditEntry.who, AuditEntry.action).where(after)
            entries = sum(_is_work(who, action) for who, action in rows.bind(here).tuples())
            end = numbers.TOLD.order_by(AuditEntry.id.desc()).bind(here).first()
            newest = end and end.at
    moments = [*registrations.values(), *([newest] if newest else [])]
    return _Entered(registrations, drafts, entries, max(moments, default=None), goes_on)


def _unseen(
    settings: Settings, wish: Wish, later: dt.datetime | None, loss: Loss, seen: _Seen
) -> list[dt.datetime]:
    """Moments up to which something may have been entered that nothing readable shows."""
    found = [] if wish.target else [later, histories.alive_at(settings), *seen.hidden]
    if wish.at == NOW:
        found.append(None if loss.source == "replica" else clock.now())
    elif wish.at and not any(moment >= wish.at for moment in seen.shown):
        found.append(wish.at)
    return [moment for moment in found if moment]


def _is_whole(database: Path) -> bool:
    here = numbers.read_only(database)
    with here.connection_context():
        checked: tuple[str] = here.execute_sql("PRAGMA quick_check(1)").fetchone()
    return checked == ("ok",)


def _first_entry(here: SqliteDatabase) -> tuple[int, str] | None:
    first = numbers.TOLD.order_by(AuditEntry.id).bind(here).first()
    return first and (first.id, first.hash)


def _is_work(who: str, action: str) -> bool:
    return who not in _PROCESSES and not _HARMLESS.search(action)


def _text(settings: Settings, moment: dt.datetime) -> str:
    return moment.astimezone(settings.tz).isoformat(timespec="seconds")
