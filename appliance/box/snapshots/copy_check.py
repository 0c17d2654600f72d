"""Verifies that the continuous copy can be restored: each hour it is restored and compared.

A row is written, and the rows of the running database are counted, in the same transaction. The
copy is restored repeatedly until it contains that row. Rows up to that time can later only become
fewer, so a copy is complete if its count is between the running database's counts before and after
the restore.
"""

import contextlib
import datetime as dt
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee
from peewee import Field, SqliteDatabase, fn

from appliance.box.snapshots import continuous, copy_folders, numbers, replicator
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock, db_files, live, sqlite
from appliance.core.audit import Head
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, Call, CallForm, CopyCheck, Message, Recording

ARRIVAL_TIMEOUT_SECONDS = 120.0  # within which the copy must contain the row of the check
MAX_REPLICATOR_SILENCE = dt.timedelta(seconds=90)  # after which a restart is requested
RESTART_REQUEST_INTERVAL = dt.timedelta(minutes=5)  # between two requests
INTERRUPTED_TROUBLE = "broken_off"  # the process ended, or the database prevented it
_PAUSE_SECONDS = 2.0
_CHECK_RETENTION = dt.timedelta(days=70)
_NEW_BASE_INTERVAL = dt.timedelta(days=1)  # at least, between two replaced copies
COUNTED_COLUMNS: dict[str, Field] = {  # rows count up to the highest value at the start
    "calls": Call.arrived_at,
    "appeals": Appeal.id,
    "call_forms": CallForm.id,
    "messages": Message.id,
    "recordings": Recording.begun_at,
    "audit": AuditEntry.id,
}


@dataclass(frozen=True)
class _Reference:
    """The running database at the time of the check: limits, counts, and the audit's head."""

    check: CopyCheck
    limits: dict[str, Any]  # highest value that counts, by name as in COUNTED_COLUMNS
    counts: dict[str, int]
    head: Head | None  # of the audit chain


def check_copy(settings: Settings) -> CopyCheck:
    """Restore the continuous copy into a scratch file, compare it, and store the outcome.

    After a failure the replicator is restarted; after a second one its copy is set aside and a new
    base (a complete copy) is made, at most once a day. Raises SnapshotError if the copy lacks data
    or cannot be restored.
    """
    started = time.monotonic()
    scratch = settings.paths.backups / "copy-check"
    previous_check = latest_check()
    reference = _begin_check()
    try:
        with _scratch_folder(scratch):
            counts = _compare_copy(settings, reference, scratch / "copy.db")
    except SnapshotError as error:
        values = {"state": "failed", "trouble": error.code, "said": str(error)}
        _store_outcome(reference.check, values, started)
        _request_repair(settings, previous_check)
        raise
    _store_outcome(reference.check, {"state": "done", "counts": counts}, started)
    finished_check: CopyCheck = CopyCheck.get_by_id(reference.check.id)
    return finished_check


def latest_check() -> CopyCheck | None:
    """Return the newest finished check, except interrupted ones, which do not judge the copy."""
    finished_checks = CopyCheck.select().where(
        CopyCheck.state != "running", CopyCheck.trouble != INTERRUPTED_TROUBLE
    )
    latest: CopyCheck | None = finished_checks.order_by(CopyCheck.id.desc()).first()
    return latest


def keep_replicating(settings: Settings) -> str:
    """Request a restart of `appliance replicate` if it shows no sign of life.

    Returns a text about the action, "" if nothing was done. Only `appliance replicate` itself
    decides whether Litestream stalls, because its first complete copy may take long.
    """
    now, last_sign = clock.now(), continuous.last_sign_at(settings)
    if last_sign and now - last_sign < MAX_REPLICATOR_SILENCE:
        return ""
    requested_at = replicator.restart_requested_at(settings)
    if requested_at and now - requested_at < RESTART_REQUEST_INTERVAL:
        return ""
    _request_restart(settings, "stands")
    return "restart requested"


def _begin_check() -> _Reference:
    """Store the row of a new check and count the running database in the same transaction."""
    with write_transaction():
        now = clock.now()
        interruption = {"state": "failed", "trouble": INTERRUPTED_TROUBLE, "said": "broken off"}
        CopyCheck.update(interruption | {"ended_at": now}).where(
            CopyCheck.state == "running"
        ).execute()
        CopyCheck.delete().where(CopyCheck.started_at < now - _CHECK_RETENTION).execute()
        check = CopyCheck.create(started_at=now)
        limits = {
            name: column.model.select(fn.MAX(column)).scalar() or 0
            for name, column in COUNTED_COLUMNS.items()
        }
        return _Reference(check, limits, _row_counts(limits), audit.chain_head())


def _row_counts(limits: dict[str, Any], database: SqliteDatabase | None = None) -> dict[str, int]:
    """Return the number of rows up to the limits, in the running database or in another one."""
    counts = {}
    for name, column in COUNTED_COLUMNS.items():
        rows = column.model.select(fn.COUNT(column)).where(column <= limits[name])
        counts[name] = (rows.bind(database) if database else rows).scalar()
    return counts


def _compare_copy(settings: Settings, reference: _Reference, copy: Path) -> dict[str, int]:
    """Restore the copy and return its counts, by name as in COUNTED_COLUMNS.

    Raises SnapshotError if the copy cannot be restored, is damaged, or has another history or other
    counts.
    """
    _restore_until_current(settings, reference, copy)
    if fault := db_files.first_integrity_error(copy):
        raise SnapshotError("damaged", f"the restored copy has a fault: {fault}")
    copy_end, head = numbers.history_end(copy), reference.head
    if head and (copy_end is None or copy_end.id < head.id):
        raise SnapshotError("damaged", f"its audit ends with {copy_end}, the site's with {head}")
    if copy_end and not audit.is_in_chain(Head(copy_end.id, copy_end.hash)):
        raise SnapshotError("damaged", "it is the copy of another database")
    with _open_copy(copy) as database:
        counts = _row_counts(reference.limits, database)
    counts_after = _row_counts(reference.limits)
    for name, count in counts.items():
        minimum, maximum = sorted((reference.counts[name], counts_after[name]))
        if not minimum <= count <= maximum:
            raise SnapshotError(
                "damaged", f"it holds {count} {name}, the site {counts_after[name]}"
            )
    return counts


def _restore_until_current(settings: Settings, reference: _Reference, copy: Path) -> None:
    """Restore repeatedly until the copy contains the row of the check."""
    deadline = time.monotonic() + ARRIVAL_TIMEOUT_SECONDS
    error: Exception | None = None
    while True:
        for file in copy.parent.glob(f"{copy.name}*"):
            file.unlink()
        try:
            continuous.restore_database(settings, copy, None)
            db_files.merge_write_ahead_log(copy)
            if _has_check_row(copy, reference.check):
                return
            error = None
        except (SnapshotError, sqlite.DatabaseError) as restore_error:  # files may disappear
            error = restore_error
        if time.monotonic() > deadline:
            break
        time.sleep(_PAUSE_SECONDS)
    if error:
        raise SnapshotError("damaged", str(error)) from error
    missing_since = f"{reference.check.started_at.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"
    raise SnapshotError("damaged", f"it lacks what was done since {missing_since}")


def _has_check_row(copy: Path, check: CopyCheck) -> bool:
    """Whether a copy contains the row of a check."""
    check_row = CopyCheck.select().where(
        CopyCheck.id == check.id, CopyCheck.started_at == check.started_at
    )
    with _open_copy(copy) as database:
        return bool(check_row.bind(database).exists())


@contextlib.contextmanager
def _open_copy(copy: Path) -> Iterator[SqliteDatabase]:
    """Open a copy for reading only; peewee's errors become SnapshotError."""
    database = SqliteDatabase(f"{copy.resolve().as_uri()}?immutable=1", uri=True)
    try:
        with database.connection_context():
            yield database
    except peewee.DatabaseError as error:
        raise SnapshotError("damaged", f"the restored copy has a fault: {error}") from error


@contextlib.contextmanager
def _scratch_folder(folder: Path) -> Iterator[None]:
    """Create an empty folder, and delete it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _store_outcome(check: CopyCheck, values: dict[str, Any], started: float) -> None:
    """Store the outcome and the duration of a check."""
    seconds = round(time.monotonic() - started, 1)
    with write_transaction():
        CopyCheck.update(values | {"ended_at": clock.now(), "seconds": seconds}).where(
            CopyCheck.id == check.id
        ).execute()
        live.publish_topics("snapshots")


def _request_repair(settings: Settings, previous_check: CopyCheck | None) -> None:
    """Request a restart after a failed check; `previous_check` is the check before it.

    A restart creates a missing base. After two failures the copy counts as damaged: it is replaced
    by a new base, unless that happened recently.
    """
    has_failed_twice = previous_check is not None and previous_check.state == "failed"
    renewals = copy_folders.damaged_copy_times(continuous.replica_folder(settings))
    is_recently_renewed = bool(renewals) and clock.now() - renewals[-1] < _NEW_BASE_INTERVAL
    _request_restart(
        settings, "damaged" if has_failed_twice and not is_recently_renewed else "restore"
    )


def _request_restart(settings: Settings, reason: str) -> None:
    """Request a restart of the replicator and record that in the audit."""
    replicator.request_restart(settings, reason)
    audit.record_entry("jobs", "replica.restart", reason=reason)
