"""Missed callers: each number once, a task until somebody has spoken to it."""

from appliance.followups.calling import (
    CLAIM,
    Rules,
    claim,
    claimed,
    due,
    due_at,
    exhausted,
    release,
    rules,
)
from appliance.followups.listing import Recovery, closed, opened, recovery, visible, waiting
from appliance.followups.telling import follow, mark, rebuild

__all__ = [
    "CLAIM",
    "Recovery",
    "Rules",
    "claim",
    "claimed",
    "closed",
    "due",
    "due_at",
    "exhausted",
    "follow",
    "mark",
    "opened",
    "rebuild",
    "recovery",
    "release",
    "rules",
    "visible",
    "waiting",
]
