"""The plan: how calls are received, carried and refused, as people decide it in the page."""

from appliance.plan.checks import Faults, check
from appliance.plan.queues import own, queues_of, shared
from appliance.plan.shape import (
    Callback,
    FollowUps,
    Hours,
    Limits,
    Number,
    Plan,
    Queueing,
    Route,
    Topic,
    Trunk,
    first,
)
from appliance.plan.versions import current, newest, save, versions

__all__ = [
    "Callback",
    "Faults",
    "FollowUps",
    "Hours",
    "Limits",
    "Number",
    "Plan",
    "Queueing",
    "Route",
    "Topic",
    "Trunk",
    "check",
    "current",
    "first",
    "newest",
    "own",
    "queues_of",
    "save",
    "shared",
    "versions",
]
