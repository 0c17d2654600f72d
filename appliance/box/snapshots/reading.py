"""What lies in the repositories: which snapshots there are, and what is in one."""

import contextlib
import datetime as dt
import hashlib
import tarfile
from dataclasses import dataclass
from typing import Any

from appliance.box.snapshots import contents, toml
from appliance.box.snapshots.contents import Manifest, Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.restic import TAG, Restic
from appliance.core.settings import Backup, Settings

NIGHTLY_PARTS = 30  # of a repository's data: each night reads one of them


@dataclass(frozen=True)
class Snapshot:
    """One snapshot in a repository."""

    repository: str
    id: str  # eight letters
    at: dt.datetime
    host: str
    stage: str  # where the folder lay that was made for it
    bytes_total: int
    bytes_added: int


def repository(settings: Settings, name: str | None = None) -> Restic:
    """A repository by its name, or the first. Raises SnapshotError."""
    known = contents.names(settings)
    if name and name not in known:
        raise SnapshotError("setting", f"no [[backups]] named {name}; there are {', '.join(known)}")
    backup: Backup = settings.backups[known.index(name) if name else 0]
    return Restic(backup, settings.paths.backups / "cache")


def snapshots(restic: Restic) -> list[Snapshot]:
    """Every snapshot of a repository, the newest first."""
    rows = restic.ask("snapshots", "--tag", TAG)
    found = [_snapshot(restic.backup.name, row) for row in rows or ()]
    return sorted((one for one in found if one.stage), key=lambda one: one.at, reverse=True)


def find(restic: Restic, id: str = "latest", before: dt.datetime | None = None) -> Snapshot:
    """A snapshot by its id or the beginning of it, or the newest; perhaps before a moment."""
    for one in snapshots(restic):
        if (id == "latest" or one.id.startswith(id[:8])) and (before is None or one.at <= before):
            return one
    wanted = f"a snapshot {id}" if id != "latest" else "a snapshot"
    before_it = f" before {before.isoformat(timespec='seconds')}" if before else ""
    raise SnapshotError("unknown", f"{restic.backup.name} does not have {wanted}{before_it}")


def manifest(restic: Restic, snapshot: Snapshot) -> Manifest:
    """What a snapshot says of itself."""
    return contents.manifest(dump(restic, snapshot, contents.MANIFEST))


def listed(restic: Restic, snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """The files that must be in it; see contents.listed."""
    return contents.listed(dump(restic, snapshot, contents.LIST).decode())


def dump(restic: Restic, snapshot: Snapshot, name: str) -> bytes:
    """A small file of the folder that was made for the snapshot."""
    with restic.reading("dump", snapshot.id, f"{snapshot.stage}/{name}") as stream:
        return stream.read()


def settings_in(restic: Restic, snapshot: Snapshot) -> dict[str, Any]:
    """The settings in a snapshot, as a file would give them. Raises SnapshotError."""
    text = dump(restic, snapshot, contents.SETTINGS)
    return toml.parsed(text, f"snapshot {snapshot.id}")


def present(restic: Restic, snapshot: Snapshot, folders: list[str]) -> set[str]:
    """The files that are in a snapshot under some folders, by their former absolute paths."""
    found: set[str] = set()

    def note(message: dict[str, Any]) -> None:
        if message.get("type") == "file":
            found.add(message["path"])

    if folders:
        restic.run("ls", "--recursive", snapshot.id, *folders, then=note)
    return found


def check(restic: Restic, part: int | None = None) -> None:
    """Check that a repository is consistent: indexes, snapshots, and that each pack exists.

    `part`: reads this one of NIGHTLY_PARTS of its data too, and compares it with its hashes. Raises
    SnapshotError.
    """
    data = [] if part is None else [f"--read-data-subset={part}/{NIGHTLY_PARTS}"]
    told: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message.get("message_type") == "error":
            told.append(str(message.get("message")))

    try:
        restic.run("check", *data, then=hear)
    except SnapshotError as error:
        if error.code != "failed":
            raise
        words = told[0] if told else str(error)
        raise SnapshotError("damaged", f"{restic.backup.url} is damaged: {words}") from error


def lacking(made: Manifest, wanted: dict[str, dict[str, int]], found: set[str]) -> list[str]:
    """Files that the list has and the snapshot lacks, a compressed one counted for its sound."""
    stems = {contents.stem(path) for path in found}
    return [
        f"{folder}/{name}"
        for part, files in wanted.items()
        for folder in made.parts.get(part, ())[:1]
        for name in files
        if contents.stem(f"{folder}/{name}") not in stems
    ]


def read_all(restic: Restic, snapshot: Snapshot, tell: Tell = nothing) -> Manifest:
    """Read every byte of a snapshot and compare it with its manifest. Raises SnapshotError."""
    made, wanted = manifest(restic, snapshot), listed(restic, snapshot)
    database = f"{snapshot.stage}/{contents.DATABASE}"
    whole = (made.bytes + made.database_bytes) or 1
    found: set[str] = set()
    sum_, read = "", 0
    with (
        restic.reading("dump", snapshot.id, "/") as stream,
        # A stream that breaks off: restic says why, when it is closed.
        contextlib.suppress(tarfile.ReadError),
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            name, sha256 = f"/{member.name.lstrip('/')}", hashlib.sha256()
            while piece := file.read(1 << 20):
                sha256.update(piece)
            found.add(name)
            sum_ = sha256.hexdigest() if name == database else sum_
            read += member.size
            tell("reading", min(1.0, read / whole))
    compare(made, wanted, found, sum_)
    return made


def compare(
    made: Manifest, wanted: dict[str, dict[str, int]], found: set[str], sum_: str | None
) -> None:
    """Raise SnapshotError when a snapshot does not hold what its manifest says."""
    if sum_ is not None and sum_ != made.database_sha256:
        raise SnapshotError("damaged", "the database in it is not the one that was put in")
    if missing := lacking(made, wanted, found):
        raise SnapshotError("damaged", f"{len(missing)} files are missing in it, as {missing[0]}")


def database_sum(restic: Restic, snapshot: Snapshot) -> str:
    """The hash of the database in a snapshot, read back."""
    with restic.reading("dump", snapshot.id, f"{snapshot.stage}/{contents.DATABASE}") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _snapshot(name: str, row: dict[str, Any]) -> Snapshot:
    told = row.get("summary") or {}
    stage = next((p for p in row["paths"] if p.endswith(f"/{contents.STAGE}")), "")
    return Snapshot(
        name,
        row["short_id"],
        dt.datetime.fromisoformat(row["time"]),
        row.get("hostname", ""),
        stage,
        told.get("total_bytes_processed", 0),
        told.get("data_added_packed", 0),
    )


def as_json(one: Snapshot) -> dict[str, Any]:
    """A snapshot as the commands print it."""
    return {
        "id": one.id,
        "repository": one.repository,
        "at": one.at.isoformat(timespec="seconds"),
        "bytes": one.bytes_total,
        "added": one.bytes_added,
        "host": one.host,
    }
