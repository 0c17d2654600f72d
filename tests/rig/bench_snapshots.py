"""`./run bench snapshots [RECORDINGS [MEGABYTES]]`: a large site saved, verified and restored.

Times depend on the machine and its disks; sizes do not. Everything lies in a folder of $TMPDIR that
takes some four times the size of the site, and is removed.
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

from appliance.box import snapshots
from appliance.box.snapshots import Wish
from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import Call, EventRow, Recording
from tests.rig.bench import growth

RECORDINGS, MEGABYTES = 10_000, 2_000
A_DAY = 1_250  # calls, each with a recording
_RECORDS = 22  # of the event log, for a call
_SOUND = 54_000  # bytes of a compressed recording
_SNAPSHOTS = """
[[backups]]
name = "disk"
url = "repository"
password_file = "repository.key"
"""
_FIELDS = ("cid_name", "cid_ani", "exten", "context", "channame", "appname", "appdata", "peer")
_BATCH = 1000  # rows written at once


def main(recordings: int, megabytes: int) -> None:
    """Print what each step took, and what the repository grew by."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        settings = _site(folder)
        _fill(settings, recordings, megabytes)
        sound = sum(file.stat().st_size for file in settings.paths.recordings.rglob("*.ogg"))
        size = settings.paths.database.stat().st_size
        print(f"{recordings} recordings, {sound / 1e6:.0f} MB; database {size / 1e6:.0f} MB\n")
        print("| step | seconds | repository grew by, MB |\n|---|---|---|")
        snapshots.prepare(settings)
        _step("first snapshot", folder, lambda: snapshots.create(settings))
        _step("verify", folder, lambda: snapshots.verify(settings))
        for name in ("second", "third"):
            _day(settings, A_DAY)
            _step(f"{name} snapshot, a day later", folder, lambda: snapshots.create(settings))
        whole, alone = folder / "whole", folder / "database"
        _step("restore to a new folder", folder, lambda: _restore(settings, Wish(target=whole)))
        wish = Wish(target=alone, database_only=True)
        _step("restore of the database only", folder, lambda: _restore(settings, wish))
    finally:
        if not db.database.is_closed():
            db.database.close()
        shutil.rmtree(folder)


def _site(folder: Path) -> Settings:
    growth.make_site(folder)
    with (folder / "site.toml").open("a") as file:
        file.write(_SNAPSHOTS)
    return site_settings.load(folder / "site.toml")


def _fill(settings: Settings, recordings: int, megabytes: int) -> None:
    for begun in range(0, recordings, A_DAY):
        _day(settings, min(A_DAY, recordings - begun))
    while settings.paths.database.stat().st_size < megabytes * 1e6:
        _records(f"older-{random.getrandbits(40)}", A_DAY * 10)
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _day(settings: Settings, calls: int) -> None:
    """Calls of one more day, with their sound and their records of the event log."""
    now, day = clock.now(), f"{Recording.select().count():08}"
    folder = settings.paths.recordings / day
    folder.mkdir(parents=True)
    ids = [f"{day}-{number}.0" for number in range(calls)]
    common = {"direction": "inbound", "stage": "ended", "outcome": "answered"}
    with writing():
        for batch in itertools.batched(ids, _BATCH, strict=False):
            known = [{"id": id, "arrived_at": now, "ended_at": now, **common} for id in batch]
            Call.insert_many(known).execute()
            sounds = [{"file": f"{day}/{id}.ogg", "call_id": id, "seconds": 90} for id in batch]
            Recording.insert_many(sounds).execute()
    for id in ids:
        (folder / f"{id}.ogg").write_bytes(os.urandom(_SOUND))
    _records(day, calls)
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _records(name: str, calls: int) -> None:
    at = clock.now() - dt.timedelta(days=1)
    rows = (
        {
            "hash": hashlib.sha256(f"{name}-{call}-{number}".encode()).hexdigest(),
            "linkedid": f"hotline-{name}-{call}",
            "at": at + dt.timedelta(seconds=call * 60 + number),
            "event": "APP_START",
            "uniqueid": f"hotline-{name}-{call}",
            "fields": {field: f"{field} of {call} {number}" for field in _FIELDS},
        }
        for call in range(calls)
        for number in range(_RECORDS)
    )
    for batch in itertools.batched(rows, _BATCH, strict=False):
        with writing():
            EventRow.insert_many(batch).execute()


def _restore(settings: Settings, wish: Wish) -> None:
    restored = snapshots.restore(settings, wish)
    if restored.counts != restored.expected:
        raise SystemExit(f"restored {restored.counts}, expected {restored.expected}")


def _step(name: str, folder: Path, do: Callable[[], object]) -> None:
    before, began = _size(folder / "repository"), time.monotonic()
    do()
    seconds = time.monotonic() - began
    grown = (_size(folder / "repository") - before) / 1e6
    print(f"| {name} | {seconds:.0f} | {grown:.0f} |", flush=True)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(RECORDINGS, MEGABYTES)[len(given) :])
