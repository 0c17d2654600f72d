"""Snapshots of the whole site: made, verified, tried out, restored; and what bounds the loss."""

from appliance.snapshots.creating import Made, create, prepare
from appliance.snapshots.errors import SnapshotError
from appliance.snapshots.restoring import recording, restore
from appliance.snapshots.swapping import mend
from appliance.snapshots.verifying import drill, verify
from appliance.snapshots.wishes import NOW, Restored, Wish

__all__ = [
    "NOW",
    "Made",
    "Restored",
    "SnapshotError",
    "Wish",
    "create",
    "drill",
    "mend",
    "prepare",
    "recording",
    "restore",
    "verify",
]
