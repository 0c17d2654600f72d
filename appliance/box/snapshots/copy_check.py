"""Whether the continuous copy can be restored: it is restored each hour and compared.

A row is written and the running database is counted in the same transaction. The copy is restored
until it holds that row. Rows up to that moment can later only become fewer, so a copy is complete
when its count is between the running database's counts before and after the restore.
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

from appliance.box.snapshots import continuous, numbers, replicator
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock, db_files, live, sqlite
from appliance.core.audit import Head
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, Call, CallForm, CopyCheck, Message, Recording

ARRIVES_SECONDS = 120.0  # in which the copy must hold the row of the check
DEAD = dt.timedelta(seconds=90)  # without a sign, after which a restart is requested
AGAIN = dt.timedelta(minutes=5)  # between two requests
BROKEN_OFF = "broken_off"  # trouble of a check whose process ended, or that the database hindered
_PAUSE_SECONDS = 2.0
_STORED = dt.timedelta(days=70)
_RENEWAL = dt.timedelta(days=1)  # between two new bases because of damage
COUNTED: dict[str, Field] = {  # up to the highest value that a column has when a check begins
    "calls": Call.arrived_at,
    "appeals": Appeal.id,
    "call_forms": CallForm.id,
    "messages": Message.id,
    "recordings": Recording.begun_at,
    "audit": AuditEntry.id,
}


@dataclass(frozen=True)
class _Reference:
    """The running database at the moment of the check: what counts, how many, the audit's end."""

    check: CopyCheck
    limits: dict[str, Any]  # name as in COUNTED → the highest value that counts
    counts: dict[str, int]
    head: Head | None  # of the audit


def check_copy(settings: Settings) -> CopyCheck:
    """Restore the continuous copy into a scratch file and compare it; returns the noted outcome.

    After a failure the replicator is restarted, after a second one its copy is put aside and a new
    base made, once a day at most. Raises SnapshotError when the copy is not whole.
    """
    begun = time.monotonic()
    scratch = settings.paths.backups / "copy-check"
    last = latest()
    reference = _begin()
    try:
        with _scratch_folder(scratch):
            counts = _compare(settings, reference, scratch / "copy.db")
    except SnapshotError as error:
        values = {"state": "failed", "trouble": error.code, "said": str(error)}
        _end(reference.check, values, begun)
        _mend(settings, last)
        raise
    _end(reference.check, {"state": "done", "counts": counts}, begun)
    return CopyCheck.get_by_id(reference.check.id)


def latest() -> CopyCheck | None:
    """The newest check that came to an end; one that was broken off says nothing of the copy."""
    ended = CopyCheck.select().where(CopyCheck.state != "running", CopyCheck.trouble != BROKEN_OFF)
    return ended.order_by(CopyCheck.id.desc()).first()


def keep_replicating(settings: Settings) -> str:
    """Request a start of `appliance replicate` when it gives no sign; what was done, in words.

    `appliance replicate` handles a Litestream that stalls: a first base may take long.
    """
    now, last = clock.now(), continuous.last_sign(settings)
    if last and now - last < DEAD:
        return ""
    requested = replicator.requested_at(settings)
    if requested and now - requested < AGAIN:
        return ""
    _request(settings, "stands")
    return "restart requested"


def _begin() -> _Reference:
    with writing():
        now = clock.now()
        broken_off = {"state": "failed", "trouble": BROKEN_OFF, "said": "broken off"}
        CopyCheck.update(broken_off | {"ended_at": now}).where(
            CopyCheck.state == "running"
        ).execute()
        CopyCheck.delete().where(CopyCheck.started_at < now - _STORED).execute()
        check = CopyCheck.create(started_at=now)
        limits = {
            name: column.model.select(fn.MAX(column)).scalar() or 0
            for name, column in COUNTED.items()
        }
        return _Reference(check, limits, _counts(limits), audit.head())


def _counts(limits: dict[str, Any], database: SqliteDatabase | None = None) -> dict[str, int]:
    """Rows up to the limits, in the running database or in another one."""
    counts = {}
    for name, column in COUNTED.items():
        rows = column.model.select(fn.COUNT(column)).where(column <= limits[name])
        counts[name] = (rows.bind(database) if database else rows).scalar()
    return counts


def _compare(settings: Settings, reference: _Reference, copy: Path) -> dict[str, int]:
    """The copy's counts, by name as in COUNTED.

    Raises SnapshotError when the copy cannot be restored, is damaged, has another history or
    other counts.
    """
    _restore(settings, reference, copy)
    if fault := db_files.faults_of(copy):
        raise SnapshotError("damaged", f"the restored copy has a fault: {fault}")
    end, head = numbers.mark(copy), reference.head
    if head and (end is None or end.id < head.id):
        raise SnapshotError("damaged", f"its audit ends with {end}, the site's with {head}")
    if end and not audit.holds(Head(end.id, end.hash)):
        raise SnapshotError("damaged", "it is the copy of another database")
    with _opened(copy) as database:
        counts = _counts(reference.limits, database)
    after = _counts(reference.limits)
    for name, count in counts.items():
        least, most = sorted((reference.counts[name], after[name]))
        if not least <= count <= most:
            raise SnapshotError("damaged", f"it holds {count} {name}, the site {after[name]}")
    return counts


def _restore(settings: Settings, reference: _Reference, copy: Path) -> None:
    """Restore until the copy holds the row of the check."""
    limit = time.monotonic() + ARRIVES_SECONDS
    error: Exception | None = None
    while True:
        for file in copy.parent.glob(f"{copy.name}*"):
            file.unlink()
        try:
            continuous.restore_database(settings, copy, None)
            db_files.fold_in(copy)
            if _holds(copy, reference.check):
                return
            error = None
        except (SnapshotError, sqlite.DatabaseError) as restoring:  # files go while it reads
            error = restoring
        if time.monotonic() > limit:
            break
        time.sleep(_PAUSE_SECONDS)
    if error:
        raise SnapshotError("damaged", str(error)) from error
    lacking = f"{reference.check.started_at.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"
    raise SnapshotError("damaged", f"it lacks what was done since {lacking}")


def _holds(copy: Path, check: CopyCheck) -> bool:
    mine = CopyCheck.select().where(
        CopyCheck.id == check.id, CopyCheck.started_at == check.started_at
    )
    with _opened(copy) as database:
        return bool(mine.bind(database).exists())


@contextlib.contextmanager
def _opened(copy: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(f"{copy.resolve().as_uri()}?immutable=1", uri=True)
    try:
        with database.connection_context():
            yield database
    except peewee.DatabaseError as error:
        raise SnapshotError("damaged", f"the restored copy has a fault: {error}") from error


@contextlib.contextmanager
def _scratch_folder(folder: Path) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(check: CopyCheck, values: dict[str, Any], begun: float) -> None:
    seconds = round(time.monotonic() - begun, 1)
    with writing():
        CopyCheck.update(values | {"ended_at": clock.now(), "seconds": seconds}).where(
            CopyCheck.id == check.id
        ).execute()
        live.publish("snapshots")


def _mend(settings: Settings, before: CopyCheck | None) -> None:
    """Request a restart after a failed check; `before`: the check before it.

    A restart creates a missing base. A damaged copy needs a new base.
    """
    again = before is not None and before.state == "failed"
    asides = replicator.asides(continuous.replica(settings))
    renewed = bool(asides) and clock.now() - asides[-1] < _RENEWAL
    _request(settings, "damaged" if again and not renewed else "restore")


def _request(settings: Settings, reason: str) -> None:
    replicator.request_restart(settings, reason)
    audit.record("jobs", "replica.restart", reason=reason)
