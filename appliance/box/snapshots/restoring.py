"""Restores a site: everything is fetched separately, compared and tested before installation."""

import datetime as dt
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.box.snapshots import (
    contents,
    inventory,
    losses,
    numbers,
    reading,
    sealing,
    sources,
)
from appliance.box.snapshots.catching_up import update_restored_site
from appliance.box.snapshots.contents import Manifest, ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.losses import Loss
from appliance.box.snapshots.placing import (
    describe_database_user,
    install_files,
    site_folders,
    translate_os_errors,
    waiting_folder,
    working_folder,
)
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.requests import RESTORE_LAYOUT, RestoreRequest, RestoreResult
from appliance.box.snapshots.restic import Restic
from appliance.box.snapshots.sources import Source
from appliance.core import db_files
from appliance.core.audit import Head, heads
from appliance.core.settings import Settings

_SPARE_BYTES = 64 << 20  # free space that a restore leaves on a disk
LOSS_ADVICE = "nothing was changed: to restore nevertheless, repeat it with --accept-loss"

# Receives the loss before anything is replaced.
type LossAnnouncement = Callable[[Loss], None]


@dataclass(frozen=True)
class _SnapshotContext:
    """The snapshot that files come from, and the database unless a copy provided it."""

    restic: Restic
    snapshot: Snapshot
    manifest: Manifest
    newest_at: dt.datetime  # when the newest snapshot of its repository was made


def _ignore_loss(_loss: Loss) -> None:
    """Ignore the loss; for restores that replace nothing."""


def restore_site(
    settings: Settings,
    request: RestoreRequest,
    report_progress: ProgressReport = ignore_progress,
    announce: LossAnnouncement = _ignore_loss,
) -> RestoreResult:
    """Restore into a new folder, or in place of the site. Raises SnapshotError.

    Before anything is replaced, the restored database is compared with everything readable to find
    what will be missing. If something is missing, nothing is restored without `request.accept_loss`
    (code "loss"); otherwise `announce` receives the loss.

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


def restore_recording(
    settings: Settings, file: str, target: Path | None = None, repository: str | None = None
) -> Path:
    """Restore one recording by its name in the ledger; returns its new path.

    It is taken from the newest snapshot that has it, in its original or compressed form. An
    existing recording is never replaced. Raises SnapshotError.
    """
    root = (target or settings.paths.recordings).resolve()
    requested_path = (root / file).resolve()
    if not requested_path.is_relative_to(root):
        raise SnapshotError("unknown", f"not a recording: {file}")
    restic = reading.open_repository(settings, repository)
    for snapshot in reading.list_snapshots(restic):
        manifest = reading.read_manifest(restic, snapshot)
        stem = contents.sound_stem(file)
        names = reading.read_file_list(restic, snapshot)["recordings"]
        name = next(
            (candidate for candidate in (file, f"{stem}.ogg", f"{stem}.wav") if candidate in names),
            None,
        )
        if name is None:
            continue
        final_path = root / name
        if final_path.exists():
            raise SnapshotError("there", f"{final_path} is there already")
        final_path.parent.mkdir(parents=True, exist_ok=True)
        new_file = final_path.with_name(f".restore-{os.getpid()}-{final_path.name}")
        try:
            with translate_os_errors(), new_file.open("wb") as out:
                folder = manifest.parts["recordings"][0]
                with restic.open_output("dump", snapshot.id, f"{folder}/{name}") as stream:
                    shutil.copyfileobj(stream, out)
            if new_file.stat().st_size != names[name]:
                raise SnapshotError("damaged", f"{name} has another length than it had")
            new_file.rename(final_path)
        finally:
            new_file.unlink(missing_ok=True)
        return final_path
    unreadable = inventory.unreadable_snapshots(restic, [settings.paths.database])
    unreadable_text = f"; {inventory.describe_unreadable(unreadable)}" if unreadable else ""
    raise SnapshotError(
        "unknown", f"no snapshot in {restic.backup.name} has {file}{unreadable_text}"
    )


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
        _restore_files(settings, request, context, work_folder, restored, report_progress)
    update_restored_site(settings, request, work_folder, restored, report_progress)
    return restored


def _select_snapshot(
    settings: Settings, request: RestoreRequest, database: Path, before: dt.datetime | None
) -> _SnapshotContext:
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
    return _SnapshotContext(restic, snapshot, manifest, newest)


def _check_database(database: Path, restored: RestoreResult) -> None:
    """Count the restored database. Raises SnapshotError if it differs from what was saved."""
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
    context: _SnapshotContext, database: Path, report_progress: ProgressReport
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
    if contents.file_sha256(database) != manifest.database_sha256:
        raise SnapshotError("damaged", "the database in it is not the one that was put in")


def _restore_files(
    settings: Settings,
    request: RestoreRequest,
    context: _SnapshotContext,
    work_folder: Path,
    restored: RestoreResult,
    report_progress: ProgressReport,
) -> None:
    """Restore all but the database into the waiting folders; in place only missing files."""
    restic, snapshot, manifest = context.restic, context.snapshot, context.manifest
    expected_files = reading.read_file_list(restic, snapshot)
    folders = [path for part in contents.LISTED_PARTS for path in manifest.parts.get(part, ())]
    saved_files = reading.list_files(restic, snapshot, folders)
    if missing := reading.missing_files(manifest, expected_files, saved_files):
        raise SnapshotError("damaged", f"{len(missing)} files are missing in it, as {missing[0]}")
    site_paths = site_folders(settings)
    for part in contents.LISTED_PARTS:
        for folder in manifest.parts.get(part, ())[:1]:
            all_names = [
                path.removeprefix(f"{folder}/")
                for path in saved_files
                if path.startswith(f"{folder}/")
            ]
            restored_names = [
                file_name
                for file_name in all_names
                if request.target or not _has_sound_file(site_paths[part], file_name)
            ]
            if part == "recordings" and request.recordings is not None:
                restored_names = sorted(restored_names)[
                    :: max(1, len(restored_names) // max(1, request.recordings))
                ]
            target = waiting_folder(settings, request, work_folder, part)
            _restore_folder(
                restic,
                f"{snapshot.id}:{folder}",
                target,
                restored_names,
                all_names,
                part,
                report_progress,
            )
            restored.files[part] = len(restored_names)
    for folder in manifest.parts.get("asterisk", ())[:1] if request.target else ():
        etc = work_folder / RESTORE_LAYOUT["asterisk"]
        _restore_folder(
            restic, f"{snapshot.id}:{folder}", etc, None, (), "asterisk", report_progress
        )
    events = (
        manifest.parts.get("events", [])
        if request.target or not settings.paths.event_log.exists()
        else []
    )
    for file in events:
        name = Path(file).name.replace(Path(events[0]).name, "events.csv", 1)
        target = work_folder / "events" / name
        target.parent.mkdir(exist_ok=True)
        with (
            target.open("wb") as out,
            restic.open_output("dump", snapshot.id, file) as stream,
        ):
            shutil.copyfileobj(stream, out)
    _restore_settings(settings, request, restic, snapshot, work_folder, restored)


def _restore_folder(
    restic: Restic,
    source: str,
    target: Path,
    names: Sequence[str] | None,
    all_names: Sequence[str],
    part: str,
    report_progress: ProgressReport,
) -> None:
    """Restore a folder of a snapshot, or only `names` among `all_names` in it."""
    target.mkdir(parents=True, exist_ok=True)
    if names is not None and not names:
        return

    def report_status(message: dict[str, Any]) -> None:
        if message.get("message_type") == "status":
            report_progress(f"restoring {part}", message.get("percent_done"))

    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as listing:
        listing.writelines(
            f"/{_escape_pattern(name)}\n" for name in smallest_cover(names or (), all_names)
        )
        listing.flush()
        filter_options = ["--include-file", listing.name] if names else []
        restic.run_command(
            "restore", source, "--target", target, *filter_options, on_message=report_status
        )
    if names is not None and (
        missing_name := next(
            (file_name for file_name in names if not (target / file_name).exists()), None
        )
    ):
        raise SnapshotError("damaged", f"{missing_name} did not come out of the snapshot")


def _restore_settings(
    settings: Settings,
    request: RestoreRequest,
    restic: Restic,
    snapshot: Snapshot,
    work_folder: Path,
    restored: RestoreResult,
) -> None:
    """Write the snapshot's settings, and unseal its secrets if a recovery key is given."""
    (work_folder / "settings").mkdir(mode=0o700)
    text = reading.read_stage_file(restic, snapshot, contents.SETTINGS_FILE)
    (work_folder / "settings" / contents.SETTINGS_FILE).write_bytes(text)
    if request.recovery_key:
        sealed = reading.read_stage_file(restic, snapshot, contents.SECRETS_FILE)
        folder = work_folder / "secrets"
        folder.mkdir(mode=0o700)
        sealing.unseal_secrets(sealed, request.recovery_key, folder)
        restored.secrets = "secrets"


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


def _has_sound_file(folder: Path, name: str) -> bool:
    """Whether a file exists in its original or compressed form."""
    stem = contents.sound_stem(name)
    return any((folder / candidate).exists() for candidate in (name, f"{stem}.ogg", f"{stem}.wav"))


def smallest_cover(names: Sequence[str], all_names: Sequence[str]) -> set[str]:
    """The fewest files and folders that contain all `names` and no other file of `all_names`.

    restic compares every file with every pattern: ten thousand of each take minutes.
    """
    wanted_counts, total_counts = (
        Counter(prefix for name in name_list for prefix in _path_prefixes(name))
        for name_list in (names, all_names)
    )
    return {
        next(
            (
                prefix
                for prefix in _path_prefixes(name)
                if wanted_counts[prefix] == total_counts[prefix]
            ),
            name,
        )
        for name in names
    }


def _path_prefixes(name: str) -> list[str]:
    """The folders that contain a file, outermost first, and the file itself."""
    parts = name.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _escape_pattern(name: str) -> str:
    """Escape a name for restic's list of patterns."""
    return "".join(f"\\{letter}" if letter in "*?[\\" else letter for letter in name)
