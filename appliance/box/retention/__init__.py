"""How long recordings and personal data are kept, what is held back, what was removed."""

from appliance.box.retention.disks import Forecast, forecast, read_disks
from appliance.box.retention.holds import HoldError, end, hold, holds
from appliance.box.retention.nights import ClockDoubted, Doubt, doubt, was_doubted
from appliance.box.retention.on_request import mask
from appliance.box.retention.proof import removals, removed_between
from appliance.box.retention.removing import Removed, remove_due
from appliance.box.retention.replaying import Replay, replay
from appliance.box.retention.rules import Coming, coming
from appliance.box.retention.scrubbing import scrub

__all__ = [
    "ClockDoubted",
    "Coming",
    "Doubt",
    "Forecast",
    "HoldError",
    "Removed",
    "Replay",
    "coming",
    "doubt",
    "end",
    "forecast",
    "hold",
    "holds",
    "mask",
    "read_disks",
    "removals",
    "remove_due",
    "removed_between",
    "replay",
    "scrub",
    "was_doubted",
]
