"""Retention: how long recordings and personal data are kept, legal holds, masking and removal."""

from appliance.box.retention import disks
from appliance.box.retention.clock_trust import ClockDoubted, ClockGap, clock_gap, is_clock_refusal
from appliance.box.retention.disks import Forecast, disk_forecast, record_disk_usage
from appliance.box.retention.holds import active_holds, end_hold, set_hold
from appliance.box.retention.on_request import mask_citizen
from appliance.box.retention.removal_log import recent_removals, removals_between
from appliance.box.retention.removing import RemovalCounts, remove_due
from appliance.box.retention.replaying import ReplayResult, replay_masks
from appliance.box.retention.rules import UpcomingRemovals, upcoming_removals
from appliance.box.retention.scrubbing import scrub_database

__all__ = [
    "ClockDoubted",
    "UpcomingRemovals",
    "ClockGap",
    "Forecast",
    "RemovalCounts",
    "ReplayResult",
    "upcoming_removals",
    "clock_gap",
    "end_hold",
    "disk_forecast",
    "set_hold",
    "active_holds",
    "mask_citizen",
    "record_disk_usage",
    "recent_removals",
    "remove_due",
    "removals_between",
    "replay_masks",
    "scrub_database",
    "is_clock_refusal",
    "disks",
]
