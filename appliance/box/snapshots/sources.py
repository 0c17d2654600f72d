"""Selects the copy of the database that is nearest to a requested time, and restores it.

The continuous copy, those of former databases, and the databases that earlier restores replaced are
considered; if they all end before the newest snapshot, the snapshot is used.
"""

import contextlib
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.box.snapshots import histories, numbers, reading
from appliance.box.snapshots.contents import ProgressReport
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RestoreRequest
from appliance.core import db_files
from appliance.core.settings import Settings

# A snapshot is preferred to a copy only if it is newer by this much, because it contains less of
# the time before the request.
_MIN_SNAPSHOT_LEAD = dt.timedelta(seconds=60)
REPLACED_FOLDERS_PATTERN = "before-restore-*"  # of what restores replaced, next to the database


@dataclass(frozen=True)
class Source:
    """The origin of a restored database."""

    kind: str  # replica | former | replaced | snapshot
    name: str  # of the folder, or the snapshot's id
    moment: dt.datetime  # of its last change; for a snapshot, when the database was copied
    complete_until: dt.datetime  # up to here it contains every change that was copied


@dataclass(frozen=True)
class _Candidate:
    """A copy that can provide the database."""

    source: Source
    write_database: Callable[[Path], None]  # writes the database into a file


def restore_nearest_copy(
    settings: Settings, request: RestoreRequest, target: Path, report_progress: ProgressReport
) -> Source | None:
    """Write the database as of the requested time into a file, from the nearest copy.

    Returns None if a snapshot is nearer or is the only source. Raises SnapshotError if only a copy
    is requested and there is no usable one.
    """
    at = request.at
    if at is None:
        return None
    first_error: SnapshotError | None = None
    snapshot_at = None if request.copy_only else _newest_snapshot_at(settings, request, at)
    for candidate in _copy_candidates(settings, request, at):
        if snapshot_at and snapshot_at - candidate.source.complete_until > _MIN_SNAPSHOT_LEAD:
            continue
        report_progress("restoring the database from its copy", None)
        try:
            candidate.write_database(target)
            return candidate.source
        except SnapshotError as error:
            first_error = first_error or error
    if request.copy_only or (request.database_only and not settings.backups):
        raise first_error or SnapshotError("absent", "there is no copy of the database")
    return None


def replaced_databases(settings: Settings) -> list[Path]:
    """Return the databases that earlier restores replaced."""
    database = settings.paths.database
    return sorted(database.parent.glob(f"{REPLACED_FOLDERS_PATTERN}/{database.name}"))


def _copy_candidates(
    settings: Settings, request: RestoreRequest, at: dt.datetime
) -> list[_Candidate]:
    """Return the copies with a change up to `at`, the one with the latest such change first."""
    candidates = []
    for history in histories.list_histories(settings):
        moment = history.newest_change_time(at)
        if moment and (history.is_current or not request.copy_only):
            kind = "replica" if history.is_current else "former"
            source = Source(kind, history.folder.name, moment, history.complete_until(at))
            candidates.append(_Candidate(source, partial(history.write_database, at=at)))
    for database in [] if request.copy_only else replaced_databases(settings):
        history_mark = numbers.history_end(database)
        if history_mark and history_mark.at <= at:
            source = Source("replaced", database.parent.name, history_mark.at, history_mark.at)
            candidates.append(_Candidate(source, partial(_copy_database, database)))
    return sorted(candidates, key=lambda candidate: candidate.source.moment, reverse=True)


def _newest_snapshot_at(
    settings: Settings, request: RestoreRequest, at: dt.datetime
) -> dt.datetime | None:
    """Return when the newest snapshot up to `at` was made, if one can be listed."""
    with contextlib.suppress(SnapshotError):
        restic = reading.open_repository(settings, request.repository)
        return next(
            (snapshot.at for snapshot in reading.list_snapshots(restic) if snapshot.at <= at), None
        )
    return None


def _copy_database(database: Path, target: Path) -> None:
    """Copy a database with its write-ahead log. Raises SnapshotError if the copy has a fault."""
    for suffix in ("", "-wal"):
        source_file = database.with_name(f"{database.name}{suffix}")
        if source_file.exists():
            shutil.copy(source_file, target.with_name(f"{target.name}{suffix}"))
    if fault := db_files.first_integrity_error(target):
        target.unlink()
        target.with_name(f"{target.name}-wal").unlink(missing_ok=True)
        raise SnapshotError("damaged", f"{database} has a fault: {fault}")
    db_files.merge_write_ahead_log(target)
