"""Restores a site: everything is fetched separately, compared and tested before installation."""

import datetime as dt
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from appliance.box.snapshots import (
    contents,
    inventory,
    losses,
    numbers,
    reading,
    sources,
)
from appliance.box.snapshots.catching_up import update_restored_site
from appliance.box.snapshots.contents import Manifest, ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.file_restoring import SnapshotContext, restore_files
from appliance.box.snapshots.losses import Loss
from appliance.box.snapshots.placing import (
    describe_database_user,
    install_files,
    translate_os_errors,
    working_folder,
)
from appliance.box.snapshots.requests import RESTORE_LAYOUT, RestoreRequest, RestoreResult
from appliance.box.snapshots.sources import Source
from appliance.core import db_files
from appliance.core.audit import Head, heads
from appliance.core.files import file_sha256
from appliance.core.settings import Settings

_SPARE_BYTES = 64 << 20  # free space that a restore leaves on a disk
LOSS_ADVICE = "nothing was changed: to restore nevertheless, repeat it with --accept-loss"

# Receives the loss before anything is replaced.
type LossAnnouncement = Callable[[Loss], None]


def _ignore_loss(_loss: Loss) -> None:
    """Ignore the loss; for restores that replace nothing."""


def restore_site(
    settings: Settings,
    request: RestoreRequest,
    report_progress: ProgressReport = ignore_progress,
    announce: LossAnnouncement = _ignore_loss,
) -> RestoreResult:
    """Restore into a new folder, or in place of the site. Raises SnapshotError if a step fails.

    Before anything is replaced, the restored database is compared with everything readable to find
    what will be missing. If something is missing and `request.accept_loss` is not set, nothing is
    restored (code "loss"). Otherwise `announce` receives the loss.

    In place, the database is exchanged; missing recordings, prompts, issued reports and event logs
    are restored, and existing ones stay. A newer event log is imported into the database before it
    is installed, so the ledger again contains the calls since the snapshot.
    """
    started = time.monotonic()
    with contents.snapshot_lock(settings), translate_os_errors():
        if request.target and request.target.exists() and any(request.target.iterdir()):
            raise SnapshotError("there", f"{request.target} is not empty")
        if (
            not request.target
            and not request.while_running
            and (database_user := describe_database_user(settings))
        ):
            raise SnapshotError("running", f"the site is running ({database_user}): stop it first")
        with working_folder(settings, request) as work_folder:
            restored = _prepare_restore(settings, request, work_folder, report_progress, announce)
            report_progress("putting in place", None)
            if request.target:
                if request.target.exists():
                    request.target.rmdir()
                work_folder.rename(request.target)
            else:
                restored.kept = install_files(settings, request, work_folder)
                _note_audit_head(settings)
            restored.target = str(request.target or settings.paths.database.parent)
    restored.seconds = round(time.monotonic() - started, 1)
    return restored


def _prepare_restore(
    settings: Settings,
    request: RestoreRequest,
    work_folder: Path,
    report_progress: ProgressReport,
    announce: LossAnnouncement,
) -> RestoreResult:
    """Restore and check everything in the work folder. Raises SnapshotError, also for a loss."""
    database = work_folder / RESTORE_LAYOUT["database"]
    database.parent.mkdir(parents=True)
    source = sources.restore_nearest_copy(settings, request, database, report_progress)
    context = None
    if source and request.database_only:
        restored = RestoreResult("", source.moment.isoformat(timespec="seconds"), "")
    else:
        context = _select_snapshot(settings, request, database, None if source else request.at)
        restored = RestoreResult(
            context.snapshot.id, context.manifest.made_at, "", expected=context.manifest.counts
        )
        if not source:
            _restore_database_file(context, database, report_progress)
            made_at = context.manifest.created_at
            source = Source("snapshot", context.snapshot.id, made_at, made_at)
    restored.database_from = source.kind
    report_progress("looking at the database", None)
    _check_database(database, restored)
    newest = context.newest_at if context else None
    loss = losses.measure_loss(settings, request, database, source, newest, work_folder)
    restored.loss = loss.as_json()
    if loss.stops_restore and not request.accept_loss:
        raise SnapshotError("loss", f"{loss.description()}\n{LOSS_ADVICE}")
    announce(loss)
    if context and not request.database_only:
        restore_files(settings, request, context, work_folder, restored, report_progress)
    update_restored_site(settings, request, work_folder, restored, report_progress)
    return restored


def _select_snapshot(
    settings: Settings, request: RestoreRequest, database: Path, before: dt.datetime | None
) -> SnapshotContext:
    """Select the requested snapshot, for which there must be space on the disk.

    `database`: the restored database, if it exists; its log shows which snapshots are missing.
    """
    restic = reading.open_repository(settings, request.repository)
    if request.id == "latest":
        log_databases = (settings.paths.database, database)
        snapshot = inventory.newest_snapshot(
            restic, log_databases, before, accept_loss=request.accept_loss
        )
    else:
        snapshot = reading.find_snapshot(restic, request.id, before)
    manifest = reading.read_manifest(restic, snapshot)
    _require_disk_space(settings, request, manifest)
    newest = max(candidate.at for candidate in reading.list_snapshots(restic))
    return SnapshotContext(restic, snapshot, manifest, newest)


def _check_database(database: Path, restored: RestoreResult) -> None:
    """Count the rows of the restored database. Raises SnapshotError if it has a fault.

    If it comes from a snapshot, it must also have the row counts of the manifest.
    """
    if fault := db_files.first_integrity_error(database):
        raise SnapshotError("damaged", f"the restored database has a fault: {fault}")
    counts = db_files.count_table_rows(database, contents.COUNTED_TABLES.values())
    restored.counts = {name: counts[table] for name, table in contents.COUNTED_TABLES.items()}
    if restored.database_from == "snapshot" and restored.counts != restored.expected:
        raise SnapshotError(
            "damaged", f"the database holds {restored.counts}, it held {restored.expected}"
        )


def _note_audit_head(settings: Settings) -> None:
    """Note where the audit chain now ends, which invalidates the heads noted before."""
    if history_mark := numbers.history_end(settings.paths.database):
        try:
            heads.note_head(settings, Head(history_mark.id, history_mark.hash), restored=True)
        except OSError as error:
            raise SnapshotError("failed", f"restored, but {heads.FILE_NAME}: {error}") from error


def _restore_database_file(
    context: SnapshotContext, database: Path, report_progress: ProgressReport
) -> None:
    """Restore the database file from a snapshot and compare its hash with the manifest."""
    restic, snapshot, manifest = context.restic, context.snapshot, context.manifest
    report_progress("restoring the database", 0.0)
    read_bytes = 0
    with (
        database.open("wb") as out,
        restic.open_output(
            "dump", snapshot.id, f"{snapshot.stage}/{contents.DATABASE_FILE}"
        ) as stream,
    ):
        while chunk := stream.read(1 << 20):
            out.write(chunk)
            read_bytes += len(chunk)
            report_progress("restoring the database", read_bytes / (manifest.database_bytes or 1))
        out.flush()
        os.fsync(out.fileno())
    if file_sha256(database) != manifest.database_sha256:
        raise SnapshotError("damaged", "the database in it is not the one that was put in")


def _require_disk_space(settings: Settings, request: RestoreRequest, manifest: Manifest) -> None:
    """Raise SnapshotError if the destination's disk lacks space."""
    folder = request.target.parent if request.target else settings.paths.database.parent
    needed = manifest.database_bytes
    if request.target and not request.database_only and request.recordings is None:
        needed += manifest.bytes
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise SnapshotError(
            "full", f"{folder} has {free >> 20} MB free, {(needed + _SPARE_BYTES) >> 20} are needed"
        )
