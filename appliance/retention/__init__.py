"""How long recordings and personal data are kept, what is held back, what was removed."""

from appliance.retention.disks import Forecast, forecast, read_disks
from appliance.retention.holds import HoldError, end, hold, holds
from appliance.retention.nights import ClockDoubted, Doubt, doubt, was_doubted
from appliance.retention.proof import removals, removed_between
from appliance.retention.removing import Removed, remove_due
from appliance.retention.rules import Coming, coming

__all__ = [
    "ClockDoubted",
    "Coming",
    "Doubt",
    "Forecast",
    "HoldError",
    "Removed",
    "coming",
    "doubt",
    "end",
    "forecast",
    "hold",
    "holds",
    "read_disks",
    "removals",
    "removed_between",
    "remove_due",
    "was_doubted",
]
