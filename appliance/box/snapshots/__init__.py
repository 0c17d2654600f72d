"""Snapshots of the whole site: made, verified, tried out, restored; and what bounds the loss."""

from appliance.box.snapshots.copy_check import check_copy, keep_replicating
from appliance.box.snapshots.creating import Made, create, prepare
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import NOW, Restored, Wish
from appliance.box.snapshots.restoring import recording, restore
from appliance.box.snapshots.swapping import mend
from appliance.box.snapshots.verifying import drill, drill_copy, verify

__all__ = [
    "NOW",
    "Made",
    "Restored",
    "SnapshotError",
    "Wish",
    "check_copy",
    "create",
    "drill",
    "drill_copy",
    "keep_replicating",
    "mend",
    "prepare",
    "recording",
    "restore",
    "verify",
]
