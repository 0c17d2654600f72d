"""Which copy of the database comes nearest to a wished moment: the one that is restored.

The continuous copy, those of former databases, and the databases that earlier restores replaced
are looked at; where none of them gives a moment later than the newest snapshot, the snapshot does.
"""

import contextlib
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.box.snapshots import histories, numbers, reading
from appliance.box.snapshots.contents import Tell
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import Wish
from appliance.core import db_files
from appliance.core.settings import Settings

# A snapshot is preferred to a copy only when it is younger by so much: it holds less of the moment.
_SNAPSHOT_LEAD = dt.timedelta(seconds=60)
REPLACED_FOLDERS = "before-restore-*"  # folders of what restores replaced, next to the database


@dataclass(frozen=True)
class Source:
    """Where a restored database comes from."""

    kind: str  # replica | former | replaced | snapshot
    name: str  # of the folder, or the snapshot's id
    moment: dt.datetime  # of its last change; of a snapshot: when the database was copied
    complete_until: dt.datetime  # up to here it lacks nothing of what was copied


@dataclass(frozen=True)
class _Candidate:
    source: Source
    write: Callable[[Path], None]  # into a file


def fetch(settings: Settings, wish: Wish, target: Path, tell: Tell) -> Source | None:
    """Write the database at the wished moment into a file; None: a snapshot comes nearer, or is
    the only one. Raises SnapshotError when only a copy is wished and none gives it."""
    at = wish.at
    if at is None:
        return None
    trouble: SnapshotError | None = None
    snapshot = None if wish.copy_only else _snapshot_before(settings, wish, at)
    for candidate in _candidates(settings, wish, at):
        if snapshot and snapshot - candidate.source.complete_until > _SNAPSHOT_LEAD:
            continue
        tell("restoring the database from its copy", None)
        try:
            candidate.write(target)
            return candidate.source
        except SnapshotError as error:
            trouble = trouble or error
    if wish.copy_only or (wish.database_only and not settings.backups):
        raise trouble or SnapshotError("absent", "there is no copy of the database")
    return None


def replaced_databases(settings: Settings) -> list[Path]:
    """The databases that earlier restores replaced."""
    database = settings.paths.database
    return sorted(database.parent.glob(f"{REPLACED_FOLDERS}/{database.name}"))


def _candidates(settings: Settings, wish: Wish, at: dt.datetime) -> list[_Candidate]:
    """What reaches to the moment or ends before it, the nearest first."""
    candidates = []
    for history in histories.histories(settings):
        moment = history.last_change(at)
        if moment and (history.is_current or not wish.copy_only):
            kind = "replica" if history.is_current else "former"
            source = Source(kind, history.folder.name, moment, history.coverage(at))
            candidates.append(_Candidate(source, partial(history.restore, at=at)))
    for database in [] if wish.copy_only else replaced_databases(settings):
        end = numbers.mark(database)
        if end and end.at <= at:
            source = Source("replaced", database.parent.name, end.at, end.at)
            candidates.append(_Candidate(source, partial(_copy, database)))
    return sorted(candidates, key=lambda candidate: candidate.source.moment, reverse=True)


def _snapshot_before(settings: Settings, wish: Wish, at: dt.datetime) -> dt.datetime | None:
    """When the newest snapshot up to a moment was made; None without one that can be listed."""
    with contextlib.suppress(SnapshotError):
        restic = reading.repository(settings, wish.repository)
        return next((one.at for one in reading.snapshots(restic) if one.at <= at), None)
    return None


def _copy(database: Path, target: Path) -> None:
    for end in ("", "-wal"):
        part = database.with_name(f"{database.name}{end}")
        if part.exists():
            shutil.copy(part, target.with_name(f"{target.name}{end}"))
    if fault := db_files.faults_of(target):
        target.unlink()
        target.with_name(f"{target.name}-wal").unlink(missing_ok=True)
        raise SnapshotError("damaged", f"{database} has a fault: {fault}")
    db_files.fold_in(target)
