"""`./run bench snapshots [RECORDINGS [MEGABYTES]]`: save, verify and restore a large site.

Times depend on the machine and its disks; sizes do not. Everything is written to a folder of
$TMPDIR that takes about four times the size of the site and is removed at the end.
"""

import datetime as dt
import hashlib
import itertools
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from appliance.box.snapshots import creating, restoring, verifying
from appliance.box.snapshots.requests import RestoreRequest
from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import Call, EventRow, Recording
from tests.rig.bench import growth

RECORDING_COUNT, DATABASE_MEGABYTES = 10_000, 2_000
CALLS_PER_DAY = 1_250  # each has a recording
_RECORDS_PER_CALL = 22  # of the event log
_RECORDING_BYTES = 54_000  # of a compressed recording
_BACKUPS_SECTION = """
[[backups]]
name = "disk"
url = "repository"
password_file = "repository.key"
"""
_RECORD_FIELDS = (
    "cid_name",
    "cid_ani",
    "exten",
    "context",
    "channame",
    "appname",
    "appdata",
    "peer",
)
_ROWS_PER_INSERT = 1000


def main(recordings: int, megabytes: int) -> None:
    """Print how long each step took and by how much the repository grew."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        settings = _make_site(folder)
        _fill_site(settings, recordings, megabytes)
        recording_bytes = sum(
            file.stat().st_size for file in settings.paths.recordings.rglob("*.ogg")
        )
        database_bytes = settings.paths.database.stat().st_size
        print(
            f"{recordings} recordings, {recording_bytes / 1e6:.0f} MB; database "
            f"{database_bytes / 1e6:.0f} MB\n"
        )
        print("| step | seconds | repository grew by, MB |\n|---|---|---|")
        creating.prepare_repositories(settings)
        _time_step("first snapshot", folder, lambda: creating.create_snapshots(settings))
        _time_step("verify", folder, lambda: verifying.verify_snapshot(settings))
        for name in ("second", "third"):
            _add_day(settings, CALLS_PER_DAY)
            _time_step(
                f"{name} snapshot, a day later",
                folder,
                lambda: creating.create_snapshots(settings),
            )
        full_folder, database_folder = folder / "whole", folder / "database"
        _time_step(
            "restore to a new folder",
            folder,
            lambda: _restore_snapshot(settings, RestoreRequest(target=full_folder)),
        )
        wish = RestoreRequest(target=database_folder, database_only=True)
        _time_step(
            "restore of the database only", folder, lambda: _restore_snapshot(settings, wish)
        )
    finally:
        if not db.database.is_closed():
            db.database.close()
        shutil.rmtree(folder)


def _make_site(folder: Path) -> Settings:
    growth.make_site(folder)
    with (folder / "site.toml").open("a") as file:
        file.write(_BACKUPS_SECTION)
    return site_settings.load_settings(folder / "site.toml")


def _fill_site(settings: Settings, recordings: int, megabytes: int) -> None:
    for first in range(0, recordings, CALLS_PER_DAY):
        _add_day(settings, min(CALLS_PER_DAY, recordings - first))
    while settings.paths.database.stat().st_size < megabytes * 1e6:
        _add_records(f"older-{random.getrandbits(40)}", CALLS_PER_DAY * 10)
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _add_day(settings: Settings, calls: int) -> None:
    """Add the calls of one more day, with their recordings and their records of the event log."""
    now, day = clock.now(), f"{Recording.select().count():08}"
    folder = settings.paths.recordings / day
    folder.mkdir(parents=True)
    ids = [f"{day}-{number}.0" for number in range(calls)]
    common = {"direction": "inbound", "stage": "ended", "outcome": "answered"}
    with write_transaction():
        for batch in itertools.batched(ids, _ROWS_PER_INSERT, strict=False):
            call_rows = [{"id": id, "arrived_at": now, "ended_at": now, **common} for id in batch]
            Call.insert_many(call_rows).execute()
            recording_rows = [
                {"file": f"{day}/{id}.ogg", "call_id": id, "seconds": 90} for id in batch
            ]
            Recording.insert_many(recording_rows).execute()
    for id in ids:
        (folder / f"{id}.ogg").write_bytes(os.urandom(_RECORDING_BYTES))
    _add_records(day, calls)
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _add_records(name: str, calls: int) -> None:
    at = clock.now() - dt.timedelta(days=1)
    rows = (
        {
            "hash": hashlib.sha256(f"{name}-{call}-{number}".encode()).hexdigest(),
            "linkedid": f"hotline-{name}-{call}",
            "at": at + dt.timedelta(seconds=call * 60 + number),
            "event": "APP_START",
            "uniqueid": f"hotline-{name}-{call}",
            "fields": {field: f"{field} of {call} {number}" for field in _RECORD_FIELDS},
        }
        for call in range(calls)
        for number in range(_RECORDS_PER_CALL)
    )
    for batch in itertools.batched(rows, _ROWS_PER_INSERT, strict=False):
        with write_transaction():
            EventRow.insert_many(batch).execute()


def _restore_snapshot(settings: Settings, wish: RestoreRequest) -> None:
    restored = restoring.restore_site(settings, wish)
    if restored.counts != restored.expected:
        raise SystemExit(f"restored {restored.counts}, expected {restored.expected}")


def _time_step(name: str, folder: Path, run_step: Callable[[], object]) -> None:
    size_before, started_at = _folder_bytes(folder / "repository"), time.monotonic()
    run_step()
    seconds = time.monotonic() - started_at
    growth_mb = (_folder_bytes(folder / "repository") - size_before) / 1e6
    print(f"| {name} | {seconds:.0f} | {growth_mb:.0f} |", flush=True)


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*numbers, *(RECORDING_COUNT, DATABASE_MEGABYTES)[len(numbers) :])
