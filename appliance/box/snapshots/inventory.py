"""Finds the snapshots that a repository should contain but that cannot be read.

restic omits unreadable snapshots from its list. Therefore the list is compared with the names of
the snapshot files in the repository, and with the database's log of snapshot runs.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee

from appliance.box.snapshots import numbers, reading
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.restic import Restic
from appliance.models import SnapshotRun

MIN_KEPT_SNAPSHOTS = 5  # the newest ones are never removed
STATUS_OK, STATUS_DAMAGED, STATUS_MISSING = "ok", "damaged", "missing"


@dataclass(frozen=True)
class UnreadableSnapshot:
    """A snapshot that was created and cannot be read."""

    repository: str
    id: str  # eight characters
    at: dt.datetime | None  # when it was created, if a run names it
    status: str  # STATUS_DAMAGED: its file exists | STATUS_MISSING: it does not

    def description(self) -> str:
        """Return the id, time and status of the snapshot as text."""
        at = f" of {self.at.isoformat(timespec='minutes')}" if self.at else ""
        return f"{self.id}{at} ({self.status})"

    def as_json(self) -> dict[str, Any]:
        """Return the snapshot as the commands print it."""
        return {
            "id": self.id,
            "repository": self.repository,
            "at": self.at and self.at.isoformat(timespec="seconds"),
            "bytes": None,
            "added": None,
            "host": None,
            "status": self.status,
        }


def unreadable_snapshots(restic: Restic, databases: Iterable[Path]) -> list[UnreadableSnapshot]:
    """Return a repository's unreadable snapshots, newest first.

    `databases`: those whose logs of runs show which snapshots were created.
    """
    name = restic.backup.name
    runs = _recorded_snapshots(databases, name)
    snapshots = reading.list_snapshots(restic)
    files = _snapshot_file_ids(restic)
    readable = {row["short_id"] for row in restic.query_json("snapshots") or ()}
    result = [
        UnreadableSnapshot(name, file, runs.get(file), STATUS_DAMAGED)
        for file in files
        if file not in readable
    ]
    for id, at in runs.items():
        newer = sum(snapshot.at > at for snapshot in snapshots)
        if id not in files and newer < MIN_KEPT_SNAPSHOTS:
            result.append(UnreadableSnapshot(name, id, at, STATUS_MISSING))
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(result, key=lambda snapshot: snapshot.at or latest, reverse=True)


def newest_snapshot(
    restic: Restic, databases: Iterable[Path], before: dt.datetime | None, *, accept_loss: bool
) -> Snapshot:
    """Return the newest readable snapshot, optionally the newest before a time.

    Raises SnapshotError if there is no such snapshot, and if one that is or may be newer cannot be
    read, unless that loss is accepted.
    """
    unreadable = unreadable_snapshots(restic, databases)
    try:
        snapshot = reading.find_snapshot(restic, before=before)
    except SnapshotError as error:
        if error.code != "unknown" or not unreadable:
            raise
        raise SnapshotError(error.code, f"{error}; {describe_unreadable(unreadable)}") from error
    newer = [
        candidate
        for candidate in unreadable
        if candidate.at is None
        or (candidate.at > snapshot.at and (before is None or candidate.at <= before))
    ]
    if newer and not accept_loss:
        raise SnapshotError(
            "damaged",
            f"{describe_unreadable(newer)}; the newest that can be read is {snapshot.id} of "
            f"{snapshot.at.isoformat(timespec='minutes')}: name it, or add --accept-loss",
        )
    return snapshot


def describe_unreadable(unreadable: list[UnreadableSnapshot]) -> str:
    """Describe the unreadable snapshots of one repository."""
    listing = ", ".join(snapshot.description() for snapshot in unreadable)
    return f"damaged or missing in {unreadable[0].repository}: {listing}"


def _snapshot_file_ids(restic: Restic) -> list[str]:
    """Return the names of the snapshot files in the repository, shortened like ids."""
    with restic.open_output("list", "snapshots") as stream:
        return [line.decode("ascii", "replace").strip()[:8] for line in stream if line.strip()]


def _recorded_snapshots(databases: Iterable[Path], repository: str) -> dict[str, dt.datetime]:
    """Return when the newest snapshots in a repository were created, by id, from the logs."""
    created_times: dict[str, dt.datetime] = {}
    rows = (
        SnapshotRun.select(SnapshotRun.snapshot, SnapshotRun.started_at)
        .where(SnapshotRun.kind == "create", SnapshotRun.state == "done")
        .where(SnapshotRun.repository == repository)
        .order_by(SnapshotRun.started_at.desc())
        .limit(MIN_KEPT_SNAPSHOTS)
    )
    for database in databases:
        connection = numbers.open_read_only(database)
        try:
            with connection.connection_context():
                created_times |= {id[:8]: at for id, at in rows.bind(connection).tuples()}
        except peewee.PeeweeException:  # the database is missing, of another schema, or damaged
            continue
    return created_times
