"""Brings a restored database up to date: schema, calls since the snapshot, masking, numbers."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from appliance.box import mask_journal
from appliance.box.snapshots import contents, continuous, numbers, pending_messages, settings_files
from appliance.box.snapshots.contents import ProgressReport
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RESTORE_LAYOUT, RestoreRequest, RestoreResult
from appliance.core import db_files
from appliance.core.settings import Settings

_EVENT_RECORD = re.compile(rb'^"(\d{9,10}\.\d{6})","[A-Z_]+","', re.MULTILINE)
_OVERLAP_SECONDS = 3600.0  # records up to this much older are imported again


def update_restored_site(
    settings: Settings,
    request: RestoreRequest,
    work_folder: Path,
    restored: RestoreResult,
    report_progress: ProgressReport,
) -> None:
    """Migrate the schema, import the event logs, mask again, and skip issued numbers.

    The appliance's own commands are run on the restored site. Numbers that were issued after the
    restored time are skipped.
    """
    report_progress("bringing the database up to date", None)
    config = _write_settings(settings, request, work_folder)
    database = work_folder / RESTORE_LAYOUT["database"]
    history_mark = numbers.history_end(database)
    run_appliance(config, "migrate")
    for copy in database.parent.glob(f"{database.name}.before-*"):
        copy.unlink()
    restored.held = pending_messages.hold_pending_messages(database, settings.paths.database)
    newest = db_files.highest_value(database, "event_row", "at")
    since = newest / 1e6 - _OVERLAP_SECONDS if newest else 0.0
    logs = [*sorted((work_folder / "events").glob("*")), *continuous.copied_event_logs(settings)]
    logs += contents.event_logs(settings)
    tail = work_folder / "newer-events.csv"
    for log in logs:
        if _copy_newer_records(log, since, tail):
            output = run_appliance(config, "ledger", "ingest", tail)
            restored.new_records += int(output.rpartition(": ")[2].split()[0])
            tail.unlink()
    restored.masked = _replay_masks(settings, config, work_folder)
    site_continues = request.while_running or request.target is not None
    restored.numbers = numbers.skip_issued_numbers(
        settings, database, history_mark, site_continues=site_continues
    )
    db_files.merge_write_ahead_log(database)


def _replay_masks(settings: Settings, config: Path, work_folder: Path) -> str:
    """Mask the known masked records again; returns a text about the result, or ""."""
    if not (masks := mask_journal.collect_masks(settings)):
        return ""
    journal = work_folder / mask_journal.JOURNAL_FILE_NAME
    mask_journal.append_masks(journal, masks)
    output = run_appliance(config, "retention", "mask-again", journal)
    journal.unlink()
    return output.strip()


def run_appliance(config: Path, *arguments: str | Path) -> str:
    """Run an appliance command with another site's settings; returns its output."""
    program = Path(sys.executable).with_name("appliance")
    command = ["nice", "-n", "10", str(program), "--config", str(config), *map(str, arguments)]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    if completed.returncode:
        last_line = (completed.stderr.strip() or completed.stdout.strip() or "failed").splitlines()[
            -1
        ]
        raise SnapshotError(
            "failed", f"appliance {arguments[0]}: {last_line.removeprefix('Error: ')}"
        )
    return completed.stdout


def _write_settings(settings: Settings, request: RestoreRequest, work_folder: Path) -> Path:
    """Write settings for the restored site, with secrets if they could be unsealed."""
    restored_settings = settings_files.read_toml(settings.file)
    if request.target and (work_folder / "settings").exists():
        restored_settings = _most_complete_settings(work_folder)
    restored_settings["paths"] = dict(RESTORE_LAYOUT)
    config = work_folder / contents.SETTINGS_FILE
    config.touch(mode=0o600)
    settings_files.write_toml(config, restored_settings)
    return config


def _most_complete_settings(work_folder: Path) -> dict[str, Any]:
    """Return the settings among the restored files, preferably those with secrets."""
    secret_files = sorted((work_folder / "secrets").rglob("*.toml"))
    for file in [*secret_files, work_folder / "settings" / contents.SETTINGS_FILE]:
        restored_settings = settings_files.read_toml(file)
        if "paths" in restored_settings and "web" in restored_settings:
            return restored_settings
    raise SnapshotError("damaged", "the snapshot holds no settings")


def _copy_newer_records(log: Path, since: float, tail: Path) -> bool:
    """Copy a log's complete records since a time into a file. Returns True if there are any."""
    try:
        text = log.read_bytes()
    except FileNotFoundError:  # rotated away in the meantime
        return False
    start = next(
        (match.start() for match in _EVENT_RECORD.finditer(text) if float(match[1]) >= since), None
    )
    if start is None:
        return False
    tail.write_bytes(text[start : text.rfind(b"\n") + 1])
    return tail.stat().st_size > 0
