"""The continuous copies of the database: the current one, and those of former databases.

A restore sets the copy of the replaced database aside, because the new one has another history.
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

from appliance.box.snapshots import continuous, copy_folders
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.replicator import ALIVE_FILE
from appliance.core import clock, db_files, sqlite
from appliance.core.settings import Settings

# The time that a file of each level may span: the interval at which Litestream merges files of the
# level below.
_MERGE_INTERVALS = {
    0: dt.timedelta(0),
    1: dt.timedelta(seconds=30),
    2: dt.timedelta(minutes=5),
    3: dt.timedelta(hours=1),
}
_CHANGE_FILE_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})\.ltx")


class ChangeFile(NamedTuple):
    """A file of a copy: a series of transactions. Files of a level are merged into the next."""

    moment: dt.datetime  # of the last transaction
    level: int
    first: int  # number of the first transaction
    last: int


@dataclass(frozen=True)
class CopyHistory:
    """The copy of one database, with its change files, oldest first."""

    folder: Path
    changes: tuple[ChangeFile, ...]

    @property
    def is_current(self) -> bool:
        """Whether it is the copy of the current database."""
        return self.folder.name == copy_folders.CURRENT_FOLDER

    @property
    def ends_at(self) -> dt.datetime:
        """The time of its last change."""
        return self.changes[-1].moment

    def newest_change_time(self, at: dt.datetime) -> dt.datetime | None:
        """Return the time of the last change up to `at`, unless the copy begins later."""
        earlier = (change.moment for change in reversed(self.changes) if change.moment <= at)
        return next(earlier, None)

    def complete_until(self, at: dt.datetime) -> dt.datetime:
        """Return the time up to which a restore as of `at` is complete.

        That is `at`, unless the copy ended before, or the next change file is merged with others
        and may contain earlier changes.
        """
        if at >= self.ends_at:
            return self.ends_at
        earlier = [change for change in self.changes if change.moment <= at]
        next_number = max(change.last for change in earlier) + 1
        starts = [
            change.moment - _MERGE_INTERVALS[change.level]
            for change in self.changes
            if change.level in _MERGE_INTERVALS and change.first <= next_number <= change.last
        ]
        return min(at, max([earlier[-1].moment, *starts]))

    def write_database(self, target: Path, at: dt.datetime) -> None:
        """Write the database as of `at`. Raises SnapshotError if it cannot be restored."""
        timestamp = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        # Litestream refuses a time after the last change: then everything is restored.
        time_option = ["-timestamp", timestamp] if at < self.ends_at else []
        source = self.folder.resolve().as_uri()
        command = [
            continuous.litestream_program(),
            "restore",
            "-o",
            str(target),
            *time_option,
            source,
        ]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode or not target.exists():
            _remove_database_files(target)
            output = process.stderr.strip() or process.stdout.strip() or "nothing"
            raise SnapshotError(
                "unknown",
                f"the copy in {self.folder} does not give that moment: {output.splitlines()[-1]}",
            )
        try:
            db_files.merge_write_ahead_log(target)
        except sqlite.DatabaseError as error:
            _remove_database_files(target)
            raise SnapshotError(
                "damaged", f"the copy in {self.folder} is damaged: {error}"
            ) from error


def list_histories(settings: Settings) -> list[CopyHistory]:
    """Return all copies that contain a change, the newest end first; empty without a replica."""
    if not settings.snapshots.replica:
        return []
    copies = []
    replica = continuous.replica_folder(settings)
    current_folder = replica / copy_folders.CURRENT_FOLDER
    for folder in (current_folder, *copy_folders.former_folders(replica)):
        changes = sorted(_change_files(folder))
        if changes:
            copies.append(CopyHistory(folder, tuple(changes)))
    return sorted(copies, key=lambda history: history.ends_at, reverse=True)


def last_replication_sign(settings: Settings) -> dt.datetime | None:
    """Return when the process of the current copy last reported that it is alive, if ever."""
    if not settings.snapshots.replica:
        return None
    with contextlib.suppress(OSError, ValueError):
        text = (continuous.replica_folder(settings) / ALIVE_FILE).read_text("utf-8")
        return dt.datetime.fromisoformat(text.strip()).astimezone(dt.UTC)
    return None


def set_copy_aside(settings: Settings) -> None:
    """Set the copy of the replaced database aside, if the site has one."""
    if settings.snapshots.replica:
        copy_folders.set_copy_aside(continuous.replica_folder(settings))


def remove_expired_copies(settings: Settings) -> list[Path]:
    """Remove copies that were set aside `snapshots.former_days` ago; returns their folders."""
    if not settings.snapshots.replica:
        return []
    limit = clock.now() - dt.timedelta(days=settings.snapshots.former_days)
    former_folders = copy_folders.former_folders(continuous.replica_folder(settings))
    old_folders = [folder for folder in former_folders if _former_since(folder) < limit]
    for folder in old_folders:
        shutil.rmtree(folder)
    return old_folders


def _former_since(folder: Path) -> dt.datetime:
    """Return when a copy was set aside, according to its name, or else to its last file."""
    if set_aside_at := copy_folders.set_aside_at(folder):
        return set_aside_at
    creation = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    return max((change.moment for change in _change_files(folder)), default=creation)


def _change_files(folder: Path) -> Iterator[ChangeFile]:
    """Yield the change files of a copy, with the file times, which Litestream uses as well."""
    for file in folder.glob("ltx/*/*.ltx"):
        if (
            not (match := _CHANGE_FILE_NAME.fullmatch(file.name))
            or not file.parent.name.isdecimal()
        ):
            continue
        with contextlib.suppress(FileNotFoundError):  # merged with others in the meantime
            moment = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
            yield ChangeFile(moment, int(file.parent.name), int(match[1], 16), int(match[2], 16))


def _remove_database_files(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
