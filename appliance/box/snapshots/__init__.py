"""Snapshots of the whole site: created, verified, tried, restored; and the continuous copy."""

from appliance.box.snapshots.copy_check import check_copy, keep_replicating
from appliance.box.snapshots.creating import CreatedSnapshot, create_snapshots, prepare_repositories
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.file_restoring import restore_recording
from appliance.box.snapshots.requests import NEWEST_TIME, RestoreRequest, RestoreResult
from appliance.box.snapshots.restoring import restore_site
from appliance.box.snapshots.swapping import undo_unfinished_restore
from appliance.box.snapshots.verifying import run_copy_drill, run_restore_drill, verify_snapshot

__all__ = [
    "NEWEST_TIME",
    "CreatedSnapshot",
    "RestoreResult",
    "SnapshotError",
    "RestoreRequest",
    "check_copy",
    "create_snapshots",
    "run_restore_drill",
    "run_copy_drill",
    "keep_replicating",
    "undo_unfinished_restore",
    "prepare_repositories",
    "restore_recording",
    "restore_site",
    "verify_snapshot",
]
