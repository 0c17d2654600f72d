"""The plan: how calls are received, carried and refused, as people decide it in the page."""

from appliance.plan.checks import Faults, check, require
from appliance.plan.differences import Difference, differences
from appliance.plan.queues import own, queues_of, shared
from appliance.plan.shape import (
    Callback,
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
from appliance.plan.typed import (
    BOXES,
    SECTIONS,
    Typed,
    blank_row,
    columns,
    counted,
    read,
    rows,
    shown,
)
from appliance.plan.versions import current, newest, save, versions

__all__ = [
    "BOXES",
    "SECTIONS",
    "Callback",
    "Difference",
    "Faults",
    "Hours",
    "Limits",
    "Number",
    "Plan",
    "Queueing",
    "Route",
    "Topic",
    "Trunk",
    "Typed",
    "blank_row",
    "check",
    "columns",
    "counted",
    "current",
    "differences",
    "first",
    "newest",
    "own",
    "queues_of",
    "read",
    "require",
    "rows",
    "save",
    "shared",
    "shown",
    "versions",
]
