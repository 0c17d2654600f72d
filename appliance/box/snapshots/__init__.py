"""Snapshots of the whole site: made, verified, tried out, restored; and what bounds the loss."""

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
    "create",
    "drill",
    "drill_copy",
    "mend",
    "prepare",
    "recording",
    "restore",
    "verify",
]
