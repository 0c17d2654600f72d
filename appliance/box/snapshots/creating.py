"""Creates snapshots: each is staged, saved and read back; only then are old ones removed."""

import contextlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backups
from appliance.box.snapshots import contents, log, reading, sealing, settings_files
from appliance.box.snapshots.contents import Manifest, ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.inventory import MIN_KEPT_SNAPSHOTS
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.restic import EXIT_INCOMPLETE, TAG, Restic
from appliance.core.settings import Settings

BACKUPS_PACKAGE_FOLDER = Path(backups.__file__).parent
_MAX_ATTEMPTS = 3  # because files may appear or disappear during a backup


@dataclass(frozen=True)
class CreatedSnapshot:
    """A new, verified snapshot."""

    snapshot: Snapshot
    manifest: Manifest
    bytes_added: int
    bytes_total: int
    files_new: int


def prepare_repositories(settings: Settings) -> list[str]:
    """Create the missing keys and repositories; returns a text for each that was created."""
    contents.repository_names(settings)
    with contents.snapshot_lock(settings, wait=60):
        created = [f"key {file}" for file in sealing.create_missing_keys(settings)]
        for backup in settings.backups:
            restic = reading.open_repository(settings, backup.name)
            try:
                restic.query_json("cat", "config")
            except SnapshotError as error:
                if error.code != "absent":
                    raise
                restic.run_command("init")
                created.append(f"repository {backup.url}")
    return created


def create_snapshots(
    settings: Settings,
    name: str | None = None,
    by: str = "",
    report_progress: ProgressReport = ignore_progress,
) -> list[CreatedSnapshot]:
    """Create a snapshot in the repository `name`, by default in all; each is verified.

    Raises SnapshotError if one failed; the others are created nevertheless.
    """
    repositories = [name] if name else contents.repository_names(settings)
    created, troubles = [], []
    with contents.snapshot_lock(settings):
        runs = {
            repository: log.start_snapshot_run("create", repository, by)
            for repository in repositories[:1]
        }
        try:
            restics = [reading.open_repository(settings, repository) for repository in repositories]
            with contents.staging_folder(settings, report_progress) as stage:
                for repository, restic in zip(repositories, restics, strict=True):
                    run = runs.get(repository) or log.start_snapshot_run("create", repository, by)
                    try:
                        new_snapshot = _save_snapshot(settings, restic, stage, report_progress)
                    except SnapshotError as error:
                        log.fail_snapshot_run(run, error)
                        troubles.append((repository, error))
                    else:
                        created.append(new_snapshot)
                        log.finish_snapshot_run(run, **_run_details(new_snapshot))
        except SnapshotError as error:
            for run in runs.values():
                log.fail_snapshot_run(run, error)
            raise
    if troubles:
        repository, first_error = troubles[0]
        raise SnapshotError(first_error.code, f"{repository}: {first_error}") from first_error
    return created


def _save_snapshot(
    settings: Settings, restic: Restic, stage: Path, report_progress: ProgressReport
) -> CreatedSnapshot:
    """Save stage and site files in one repository, verify the snapshot, remove old snapshots."""
    restic.run_command("unlock")  # removes the lock of a killed process; a lock in use stays
    for attempt in range(_MAX_ATTEMPTS):
        manifest = contents.write_manifest(settings, stage)
        summary = _run_backup(restic, stage, manifest, report_progress)
        snapshot = reading.find_snapshot(restic, summary["snapshot_id"])
        report_progress("verifying", None)
        expected_files = contents.parse_file_list((stage / contents.FILE_LIST).read_text("utf-8"))
        folders = [folder for part in contents.LISTED_PARTS for folder in manifest.parts[part]]
        saved_files = reading.list_files(restic, snapshot, folders)
        missing = reading.missing_files(manifest, expected_files, saved_files)
        if (
            missing
            and not any(Path(path).exists() for path in missing)
            and attempt < _MAX_ATTEMPTS - 1
        ):
            # files disappeared during the backup: try again
            restic.run_command("forget", snapshot.id)
            continue
        reading.compare_contents(
            reading.read_manifest(restic, snapshot),
            expected_files,
            saved_files,
            reading.read_database_hash(restic, snapshot) if restic.local_folder else None,
        )
        if reading.read_settings(restic, snapshot) != settings_files.read_toml(
            stage / contents.SETTINGS_FILE
        ):
            raise SnapshotError("damaged", "the settings in it are not those that were put in")
        # Chosen at random, so that a fault that returns at a certain time of the month is found as
        # well.
        part = random.randint(1, reading.NIGHTLY_PARTS)  # noqa: S311  no secret
        reading.check_repository(restic, part)
        break
    report_progress("removing old ones", None)
    backup = restic.backup
    restic.run_command(
        *("forget", "--prune", "--tag", TAG, "--group-by", "tags"),
        *("--keep-last", f"{MIN_KEPT_SNAPSHOTS}"),
        *("--keep-daily", f"{backup.keep_daily}", "--keep-weekly", f"{backup.keep_weekly}"),
        *("--keep-monthly", f"{backup.keep_monthly}"),
    )
    return CreatedSnapshot(
        snapshot,
        manifest,
        summary.get("data_added_packed", 0),
        summary.get("total_bytes_processed", 0),
        summary.get("files_new", 0),
    )


def _run_backup(
    restic: Restic, stage: Path, manifest: Manifest, report_progress: ProgressReport
) -> dict[str, Any]:
    """Run restic's backup and return its summary. Raises SnapshotError if files were not read."""
    summary: dict[str, Any] = {}
    read_errors: list[dict[str, Any]] = []

    def handle_message(message: dict[str, Any]) -> None:
        kind = message.get("message_type")
        if kind == "status":
            report_progress(f"saving to {restic.backup.name}", message.get("percent_done"))
        elif kind == "summary":
            summary.update(message)
        elif kind == "error":
            read_errors.append(message)

    paths: list[str | Path] = [
        path for part_paths in manifest.parts.values() for path in part_paths
    ]
    status = restic.run_command(
        *("backup", "--tag", TAG, "--group-by", "tags"),
        *("--exclude-file", BACKUPS_PACKAGE_FOLDER / "excludes.txt", stage, *paths),
        on_message=handle_message,
    )
    if status == EXIT_INCOMPLETE and (
        unread_files := [
            read_error for read_error in read_errors if Path(read_error.get("item", "")).exists()
        ]
    ):
        with contextlib.suppress(SnapshotError):
            restic.run_command("forget", summary.get("snapshot_id", ""))
        raise restic.build_error(1, unread_files)
    if "snapshot_id" not in summary:
        raise SnapshotError("failed", "restic made no snapshot")
    return summary


def _run_details(created: CreatedSnapshot) -> dict[str, Any]:
    """Return the columns of a run that created a snapshot."""
    return {
        "snapshot": created.snapshot.id,
        "bytes_added": created.bytes_added,
        "bytes_total": created.bytes_total,
        "detail": {"counts": created.manifest.counts, "files": created.manifest.files},
    }
