"""The continuous copies of the database: the one that goes on, and those of databases before it.

A restore puts the copy of the replaced database aside as `database-former-…`. It is read like the
one that goes on, and removed `snapshots.former_days` after it was put aside, by nothing else.
"""

import contextlib
import datetime as dt
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from appliance.box.snapshots import continuous
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import clock, db_files, sqlite
from appliance.core.settings import Settings

CURRENT, FORMER = "database", "database-former"
# How long a file of each level may span: litestream merges those of the level below so often.
_STEPS = {
    0: dt.timedelta(0),
    1: dt.timedelta(seconds=30),
    2: dt.timedelta(minutes=5),
    3: dt.timedelta(hours=1),
}
_FILE = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})\.ltx")
_STAMP = "%Y%m%dT%H%M%S"
_FORMER_NAME = re.compile(rf"{FORMER}-(\d{{8}}T\d{{6}})(?:-\w+)?")  # -2, -damaged


class Change(NamedTuple):
    """A file of a copy: the transactions of a stretch of time, merged by level."""

    moment: dt.datetime  # of the last transaction
    level: int
    first: int  # number of the first transaction
    last: int


@dataclass(frozen=True)
class History:
    """The copy of one database, with its changes, the oldest first."""

    folder: Path
    changes: tuple[Change, ...]

    @property
    def is_current(self) -> bool:
        """Whether it is the copy of the current database."""
        return self.folder.name == CURRENT

    @property
    def end(self) -> dt.datetime:
        """The moment of its last change."""
        return self.changes[-1].moment

    def last_change(self, at: dt.datetime) -> dt.datetime | None:
        """The last change up to a moment; None when it begins later."""
        earlier = (change.moment for change in reversed(self.changes) if change.moment <= at)
        return next(earlier, None)

    def coverage(self, at: dt.datetime) -> dt.datetime:
        """Up to when what it gives for a moment lacks nothing: to that moment, unless it ended
        before, or the next change is merged with others and may have been made before it."""
        if at >= self.end:
            return self.end
        earlier = [change for change in self.changes if change.moment <= at]
        next_number = max(change.last for change in earlier) + 1
        starts = [
            change.moment - _STEPS[change.level]
            for change in self.changes
            if change.level in _STEPS and change.first <= next_number <= change.last
        ]
        return min(at, max([earlier[-1].moment, *starts]))

    def restore(self, target: Path, at: dt.datetime) -> None:
        """Write the database as it was at a moment into a file. Raises SnapshotError."""
        moment = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        # litestream refuses a moment after the last change: up to there it gives all it has.
        until = ["-timestamp", moment] if at < self.end else []
        source = self.folder.resolve().as_uri()
        command = [continuous.program(), "restore", "-o", str(target), *until, source]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode or not target.exists():
            _remove_database(target)
            output = process.stderr.strip() or process.stdout.strip() or "nothing"
            raise SnapshotError(
                "unknown",
                f"the copy in {self.folder} does not give that moment: {output.splitlines()[-1]}",
            )
        try:
            db_files.fold_in(target)
        except sqlite.DatabaseError as error:
            _remove_database(target)
            raise SnapshotError(
                "damaged", f"the copy in {self.folder} is damaged: {error}"
            ) from error


def histories(settings: Settings) -> list[History]:
    """All of them that hold a change, the newest end first; none without a replica."""
    if not settings.snapshots.replica:
        return []
    copies = []
    for folder in [continuous.replica(settings) / CURRENT, *_former_folders(settings)]:
        changes = sorted(_changes(folder))
        if changes:
            copies.append(History(folder, tuple(changes)))
    return sorted(copies, key=lambda history: history.end, reverse=True)


def last_sign_of_life(settings: Settings) -> dt.datetime | None:
    """When the process of the current copy last gave a sign of life; None when never."""
    if not settings.snapshots.replica:
        return None
    with contextlib.suppress(OSError, ValueError):
        text = (continuous.replica(settings) / continuous.ALIVE).read_text("utf-8")
        return dt.datetime.fromisoformat(text.strip()).astimezone(dt.UTC)
    return None


def put_aside(settings: Settings) -> None:
    """Put aside the copy of the replaced database: the new database has another history."""
    if not settings.snapshots.replica:
        return
    folder = continuous.replica(settings)
    if not (folder / CURRENT).exists():
        return
    name, number = f"{FORMER}-{clock.now():{_STAMP}}", 1
    while (folder / name).exists():
        number += 1
        name = f"{FORMER}-{clock.now():{_STAMP}}-{number}"
    (folder / CURRENT).rename(folder / name)


def remove_expired(settings: Settings) -> list[Path]:
    """Remove copies that were put aside `snapshots.former_days` ago; returns their folders."""
    if not settings.snapshots.replica:
        return []
    limit = clock.now() - dt.timedelta(days=settings.snapshots.former_days)
    old_folders = [folder for folder in _former_folders(settings) if _aside_since(folder) < limit]
    for folder in old_folders:
        shutil.rmtree(folder)
    return old_folders


def _former_folders(settings: Settings) -> list[Path]:
    folders = continuous.replica(settings).glob(f"{FORMER}*")
    return sorted(folder for folder in folders if folder.is_dir())


def _aside_since(folder: Path) -> dt.datetime:
    """When a copy was put aside: its name says so; a name without it counts from its last file."""
    if match := _FORMER_NAME.fullmatch(folder.name):
        return dt.datetime.strptime(match[1], _STAMP).replace(tzinfo=dt.UTC)
    creation = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    return max((change.moment for change in _changes(folder)), default=creation)


def _changes(folder: Path) -> Iterator[Change]:
    """What was copied, and when; litestream goes by the same time of the file."""
    for file in folder.glob("ltx/*/*.ltx"):
        if not (match := _FILE.fullmatch(file.name)) or not file.parent.name.isdecimal():
            continue
        with contextlib.suppress(FileNotFoundError):  # merged with others just now
            moment = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
            yield Change(moment, int(file.parent.name), int(match[1], 16), int(match[2], 16))


def _remove_database(database: Path) -> None:
    for end in ("", "-wal", "-shm"):
        database.with_name(f"{database.name}{end}").unlink(missing_ok=True)
