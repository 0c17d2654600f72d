"""Which snapshots a repository should have, and which of them cannot be read.

restic leaves out of its list what it cannot read. So the list is compared with the names of the
files there, and with the runs: the database's log of the snapshots that were runs.
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

KEEP_AT_LEAST = 5  # snapshots that no policy removes: the newest ones
OK, DAMAGED, MISSING = "ok", "damaged", "missing"


@dataclass(frozen=True)
class UnreadableSnapshot:
    """A snapshot that was made and cannot be read."""

    repository: str
    id: str  # eight letters
    at: dt.datetime | None  # when it was made; None: no run names it
    status: str  # DAMAGED: its file is there | MISSING: it is not

    def words(self) -> str:
        """The snapshot as text for people."""
        at = f" of {self.at.isoformat(timespec='minutes')}" if self.at else ""
        return f"{self.id}{at} ({self.status})"

    def as_json(self) -> dict[str, Any]:
        """As the commands print it."""
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
    """Those of a repository, the newest first, compared with the runs in database files."""
    name = restic.backup.name
    runs = _runs(databases, name)
    snapshots = reading.snapshots(restic)
    files = _files(restic)
    readable = {row["short_id"] for row in restic.ask("snapshots") or ()}
    result = [
        UnreadableSnapshot(name, file, runs.get(file), DAMAGED)
        for file in files
        if file not in readable
    ]
    for id, at in runs.items():
        newer = sum(snapshot.at > at for snapshot in snapshots)
        if id not in files and newer < KEEP_AT_LEAST:
            result.append(UnreadableSnapshot(name, id, at, MISSING))
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(result, key=lambda snapshot: snapshot.at or latest, reverse=True)


def newest_snapshot(
    restic: Restic, databases: Iterable[Path], before: dt.datetime | None, *, accept_loss: bool
) -> Snapshot:
    """The newest snapshot, perhaps before a moment. Raises SnapshotError when there is none, and
    when one that is or may be newer cannot be read, unless that loss is accepted."""
    unreadable = unreadable_snapshots(restic, databases)
    try:
        snapshot = reading.find(restic, before=before)
    except SnapshotError as error:
        if error.code != "unknown" or not unreadable:
            raise
        raise SnapshotError(error.code, f"{error}; {list_words(unreadable)}") from error
    newer = [
        one
        for one in unreadable
        if one.at is None or (one.at > snapshot.at and (before is None or one.at <= before))
    ]
    if newer and not accept_loss:
        raise SnapshotError(
            "damaged",
            f"{list_words(newer)}; the newest that can be read is {snapshot.id} of "
            f"{snapshot.at.isoformat(timespec='minutes')}: name it, or add --accept-loss",
        )
    return snapshot


def list_words(unreadable: list[UnreadableSnapshot]) -> str:
    """Those of one repository, for people."""
    listing = ", ".join(snapshot.words() for snapshot in unreadable)
    return f"damaged or missing in {unreadable[0].repository}: {listing}"


def _files(restic: Restic) -> list[str]:
    """The names of the files of snapshots, as short as ids are."""
    with restic.reading("list", "snapshots") as stream:
        return [line.decode("ascii", "replace").strip()[:8] for line in stream if line.strip()]


def _runs(databases: Iterable[Path], repository: str) -> dict[str, dt.datetime]:
    """The newest snapshots that were made in a repository: id → when."""
    moments: dict[str, dt.datetime] = {}
    rows = (
        SnapshotRun.select(SnapshotRun.snapshot, SnapshotRun.started_at)
        .where(SnapshotRun.kind == "create", SnapshotRun.state == "done")
        .where(SnapshotRun.repository == repository)
        .order_by(SnapshotRun.started_at.desc())
        .limit(KEEP_AT_LEAST)
    )
    for database in databases:
        here = numbers.read_only(database)
        try:
            with here.connection_context():
                moments |= {id[:8]: at for id, at in rows.bind(here).tuples()}
        except peewee.PeeweeException:  # it is not there, of another schema, or damaged
            continue
    return moments
