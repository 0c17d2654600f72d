"""Reads repositories: the snapshots in them, and the contents of a snapshot."""

import contextlib
import datetime as dt
import hashlib
import tarfile
from dataclasses import dataclass
from typing import Any

from appliance.box.snapshots import contents, settings_files
from appliance.box.snapshots.contents import Manifest, ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.restic import TAG, Restic
from appliance.core.settings import Backup, Settings

NIGHTLY_PARTS = 30  # of a repository's data: each night reads one of them


@dataclass(frozen=True)
class Snapshot:
    """One snapshot in a repository."""

    repository: str
    id: str  # eight characters
    at: dt.datetime
    host: str
    stage: str  # the path of the folder that was staged for it
    bytes_total: int
    bytes_added: int


def open_repository(settings: Settings, name: str | None = None) -> Restic:
    """Open a repository by its name, or the first one. Raises SnapshotError if it is not set up."""
    repository_names = contents.repository_names(settings)
    if name and name not in repository_names:
        raise SnapshotError(
            "setting", f"no [[backups]] named {name}; there are {', '.join(repository_names)}"
        )
    backup: Backup = settings.backups[repository_names.index(name) if name else 0]
    return Restic(backup, settings.paths.backups / "cache")


def list_snapshots(restic: Restic) -> list[Snapshot]:
    """Return every snapshot of a repository, newest first."""
    rows = restic.query_json("snapshots", "--tag", TAG)
    all_snapshots = [_parse_snapshot(restic.backup.name, row) for row in rows or ()]
    return sorted(
        (snapshot for snapshot in all_snapshots if snapshot.stage),
        key=lambda snapshot: snapshot.at,
        reverse=True,
    )


def find_snapshot(
    restic: Restic, id: str = "latest", before: dt.datetime | None = None
) -> Snapshot:
    """Find a snapshot by its id or a prefix of it, or the newest; optionally before a time.

    Raises SnapshotError if there is no such snapshot.
    """
    for snapshot in list_snapshots(restic):
        if (id == "latest" or snapshot.id.startswith(id[:8])) and (
            before is None or snapshot.at <= before
        ):
            return snapshot
    searched = f"a snapshot {id}" if id != "latest" else "a snapshot"
    time_limit = f" before {before.isoformat(timespec='seconds')}" if before else ""
    raise SnapshotError("unknown", f"{restic.backup.name} does not have {searched}{time_limit}")


def read_manifest(restic: Restic, snapshot: Snapshot) -> Manifest:
    """Read the manifest of a snapshot."""
    return contents.parse_manifest(read_stage_file(restic, snapshot, contents.MANIFEST_FILE))


def read_file_list(restic: Restic, snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """Read the list of files that a snapshot must contain; see contents.parse_file_list."""
    return contents.parse_file_list(read_stage_file(restic, snapshot, contents.FILE_LIST).decode())


def read_stage_file(restic: Restic, snapshot: Snapshot, name: str) -> bytes:
    """Read a small file of the folder that was staged for the snapshot."""
    with restic.open_output("dump", snapshot.id, f"{snapshot.stage}/{name}") as stream:
        return stream.read()


def read_settings(restic: Restic, snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot's settings, as in TOML. Raises SnapshotError if they cannot be read."""
    text = read_stage_file(restic, snapshot, contents.SETTINGS_FILE)
    return settings_files.parse_toml(text, f"snapshot {snapshot.id}")


def list_files(restic: Restic, snapshot: Snapshot, folders: list[str]) -> set[str]:
    """Return the files of a snapshot below the given folders, by their original absolute paths."""
    paths: set[str] = set()

    def add_file_path(message: dict[str, Any]) -> None:
        if message.get("type") == "file":
            paths.add(message["path"])

    if folders:
        restic.run_command("ls", "--recursive", snapshot.id, *folders, on_message=add_file_path)
    return paths


def check_repository(restic: Restic, part: int | None = None) -> None:
    """Check that a repository is consistent: indexes, snapshots, and that each pack exists.

    If `part` is given, that one of the NIGHTLY_PARTS of its data is also read and compared with its
    hashes. Raises SnapshotError if the repository is damaged.
    """
    data = [] if part is None else [f"--read-data-subset={part}/{NIGHTLY_PARTS}"]
    errors: list[str] = []

    def collect_error(message: dict[str, Any]) -> None:
        if message.get("message_type") == "error":
            errors.append(str(message.get("message")))

    try:
        restic.run_command("check", *data, on_message=collect_error)
    except SnapshotError as error:
        if error.code != "failed":
            raise
        error_text = errors[0] if errors else str(error)
        raise SnapshotError("damaged", f"{restic.backup.url} is damaged: {error_text}") from error


def missing_files(
    manifest: Manifest, expected_files: dict[str, dict[str, int]], saved_files: set[str]
) -> list[str]:
    """Return listed files that a snapshot lacks; a compressed file counts as its original."""
    stems = {contents.sound_stem(path) for path in saved_files}
    return [
        f"{folder}/{name}"
        for part, files in expected_files.items()
        for folder in manifest.parts.get(part, ())[:1]
        for name in files
        if contents.sound_stem(f"{folder}/{name}") not in stems
    ]


def verify_all_data(
    restic: Restic, snapshot: Snapshot, report_progress: ProgressReport = ignore_progress
) -> Manifest:
    """Read every byte of a snapshot. Raises SnapshotError if it differs from its manifest."""
    snapshot_manifest, expected_files = (
        read_manifest(restic, snapshot),
        read_file_list(restic, snapshot),
    )
    database = f"{snapshot.stage}/{contents.DATABASE_FILE}"
    total_bytes = (snapshot_manifest.bytes + snapshot_manifest.database_bytes) or 1
    saved_files: set[str] = set()
    database_hash, read_bytes = "", 0
    with (
        restic.open_output("dump", snapshot.id, "/") as stream,
        # If the stream ends early, restic reports the cause when it is closed.
        contextlib.suppress(tarfile.ReadError),
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            name, sha256 = f"/{member.name.lstrip('/')}", hashlib.sha256()
            while chunk := file.read(1 << 20):
                sha256.update(chunk)
            saved_files.add(name)
            database_hash = sha256.hexdigest() if name == database else database_hash
            read_bytes += member.size
            report_progress("reading", min(1.0, read_bytes / total_bytes))
    compare_contents(snapshot_manifest, expected_files, saved_files, database_hash)
    return snapshot_manifest


def compare_contents(
    manifest: Manifest,
    expected_files: dict[str, dict[str, int]],
    saved_files: set[str],
    database_hash: str | None,
) -> None:
    """Raise SnapshotError if a snapshot does not contain what its manifest lists."""
    if database_hash is not None and database_hash != manifest.database_sha256:
        raise SnapshotError("damaged", "the database in it is not the one that was put in")
    if missing := missing_files(manifest, expected_files, saved_files):
        raise SnapshotError("damaged", f"{len(missing)} files are missing in it, as {missing[0]}")


def read_database_hash(restic: Restic, snapshot: Snapshot) -> str:
    """Read the database in a snapshot and return its SHA-256 hash."""
    with restic.open_output(
        "dump", snapshot.id, f"{snapshot.stage}/{contents.DATABASE_FILE}"
    ) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _parse_snapshot(name: str, row: dict[str, Any]) -> Snapshot:
    summary = row.get("summary") or {}
    stage = next((path for path in row["paths"] if path.endswith(f"/{contents.STAGE_FOLDER}")), "")
    return Snapshot(
        name,
        row["short_id"],
        dt.datetime.fromisoformat(row["time"]),
        row.get("hostname", ""),
        stage,
        summary.get("total_bytes_processed", 0),
        summary.get("data_added_packed", 0),
    )


def snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as the commands print it."""
    return {
        "id": snapshot.id,
        "repository": snapshot.repository,
        "at": snapshot.at.isoformat(timespec="seconds"),
        "bytes": snapshot.bytes_total,
        "added": snapshot.bytes_added,
        "host": snapshot.host,
    }
