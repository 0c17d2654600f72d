"""How long recordings and personal data are kept, what is held back, what was removed."""

from appliance.retention.disks import Forecast, forecast, read_disks
from appliance.retention.holds import HoldError, end, hold, holds
from appliance.retention.removing import Removed, removals, remove_due
from appliance.retention.rules import Coming, coming

__all__ = [
    "Coming",
    "Forecast",
    "HoldError",
    "Removed",
    "coming",
    "end",
    "forecast",
    "hold",
    "holds",
    "read_disks",
    "removals",
    "remove_due",
]
