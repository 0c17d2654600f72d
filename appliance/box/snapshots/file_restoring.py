"""Restores the files of a snapshot: all but the database into waiting folders, or one recording."""

import datetime as dt
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.box.snapshots import contents, inventory, reading, sealing
from appliance.box.snapshots.contents import Manifest, ProgressReport
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.placing import site_folders, translate_os_errors, waiting_folder
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.requests import RESTORE_LAYOUT, RestoreRequest, RestoreResult
from appliance.box.snapshots.restic import Restic
from appliance.core.settings import Settings


@dataclass(frozen=True)
class SnapshotContext:
    """The snapshot from which the files come, and the database unless a copy provided it."""

    restic: Restic
    snapshot: Snapshot
    manifest: Manifest
    newest_at: dt.datetime  # when the newest snapshot of its repository was made


def restore_files(
    settings: Settings,
    request: RestoreRequest,
    context: SnapshotContext,
    work_folder: Path,
    restored: RestoreResult,
    report_progress: ProgressReport,
) -> None:
    """Restore all but the database into the waiting folders.

    If the request has no target, only files that the site lacks are restored.
    """
    parts = context.manifest.parts
    saved_files = _saved_files(context)
    for part in contents.LISTED_PARTS:
        for folder in parts.get(part, ())[:1]:
            prefix = f"{folder}/"
            all_names = [
                path.removeprefix(prefix) for path in saved_files if path.startswith(prefix)
            ]
            names = _requested_names(settings, request, part, all_names)
            target = waiting_folder(settings, request, work_folder, part)
            _restore_folder(context, folder, target, names, all_names, part, report_progress)
            restored.files[part] = len(names)
    for folder in parts.get("asterisk", ())[:1] if request.target else ():
        etc = work_folder / RESTORE_LAYOUT["asterisk"]
        _restore_folder(context, folder, etc, None, (), "asterisk", report_progress)
    if request.target or not settings.paths.event_log.exists():
        _restore_event_logs(context, work_folder / "events")
    _restore_settings(request, context, work_folder, restored)


def _saved_files(context: SnapshotContext) -> set[str]:
    """Return the paths of the LISTED_PARTS' files. Raises SnapshotError if one is missing."""
    restic, snapshot, manifest = context.restic, context.snapshot, context.manifest
    expected_files = reading.read_file_list(restic, snapshot)
    folders = [path for part in contents.LISTED_PARTS for path in manifest.parts.get(part, ())]
    saved_files = reading.list_files(restic, snapshot, folders)
    if missing := reading.missing_files(manifest, expected_files, saved_files):
        raise SnapshotError("damaged", f"{len(missing)} files are missing in it, as {missing[0]}")
    return saved_files


def _requested_names(
    settings: Settings, request: RestoreRequest, part: str, all_names: Sequence[str]
) -> list[str]:
    """Return a part's files to restore: in place, only missing ones; in a drill, a sample."""
    site_folder = site_folders(settings)[part]
    names = [name for name in all_names if request.target or not _has_sound_file(site_folder, name)]
    if part == "recordings" and request.recordings is not None:
        return sorted(names)[:: max(1, len(names) // max(1, request.recordings))]
    return names


def _restore_folder(
    context: SnapshotContext,
    folder: str,
    target: Path,
    names: Sequence[str] | None,
    all_names: Sequence[str],
    part: str,
    report_progress: ProgressReport,
) -> None:
    """Restore a folder of a snapshot, or only the files `names` out of `all_names` in it."""
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
        context.restic.run_command(
            "restore",
            f"{context.snapshot.id}:{folder}",
            "--target",
            target,
            *filter_options,
            on_message=report_status,
        )
    if names is not None and (
        missing_name := next(
            (file_name for file_name in names if not (target / file_name).exists()), None
        )
    ):
        raise SnapshotError("damaged", f"{missing_name} did not come out of the snapshot")


def _restore_event_logs(context: SnapshotContext, folder: Path) -> None:
    """Restore the event logs, the current one and rotated ones, into a waiting folder."""
    saved_logs = context.manifest.parts.get("events", [])
    for saved_log in saved_logs:
        target = folder / Path(saved_log).name.replace(Path(saved_logs[0]).name, "events.csv", 1)
        folder.mkdir(exist_ok=True)
        with (
            target.open("wb") as out,
            context.restic.open_output("dump", context.snapshot.id, saved_log) as stream,
        ):
            shutil.copyfileobj(stream, out)


def _restore_settings(
    request: RestoreRequest, context: SnapshotContext, work_folder: Path, restored: RestoreResult
) -> None:
    """Write the snapshot's settings, and unseal its secrets if a recovery key is given."""
    restic, snapshot = context.restic, context.snapshot
    (work_folder / "settings").mkdir(mode=0o700)
    text = reading.read_stage_file(restic, snapshot, contents.SETTINGS_FILE)
    (work_folder / "settings" / contents.SETTINGS_FILE).write_bytes(text)
    if request.recovery_key:
        sealed = reading.read_stage_file(restic, snapshot, contents.SECRETS_FILE)
        folder = work_folder / "secrets"
        folder.mkdir(mode=0o700)
        sealing.unseal_secrets(sealed, request.recovery_key, folder)
        restored.secrets = "secrets"


def restore_recording(
    settings: Settings, file: str, target: Path | None = None, repository: str | None = None
) -> Path:
    """Restore one recording by its name in the ledger; returns its new path.

    It is taken from the newest snapshot that has it, in its original or compressed form. An
    existing recording is never replaced. Raises SnapshotError "there" if it exists, "unknown" if no
    readable snapshot has it.
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


def _has_sound_file(folder: Path, name: str) -> bool:
    """Whether a file exists in its original or compressed form."""
    stem = contents.sound_stem(name)
    return any((folder / candidate).exists() for candidate in (name, f"{stem}.ogg", f"{stem}.wav"))


def smallest_cover(names: Sequence[str], all_names: Sequence[str]) -> set[str]:
    """Return the fewest files and folders that contain all `names` and no other of `all_names`.

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
    """Return the folders that contain a file, outermost first, and the file itself."""
    parts = name.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _escape_pattern(name: str) -> str:
    """Escape a name for restic's list of patterns."""
    return "".join(f"\\{letter}" if letter in "*?[\\" else letter for letter in name)
