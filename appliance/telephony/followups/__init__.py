"""Missed callers: each number once, a task until somebody has spoken to it."""

from appliance.telephony.followups.calling import (
    CLAIM,
    Rules,
    Spent,
    claim,
    claimed,
    due,
    due_at,
    exhausted,
    release,
    rules,
    spent,
)
from appliance.telephony.followups.listing import (
    Recovery,
    attempts,
    closed,
    closed_count,
    opened,
    recovery,
    task,
    visible,
    waiting,
)
from appliance.telephony.followups.projection import follow, follow_known, mark, rebuild

__all__ = [
    "CLAIM",
    "Recovery",
    "Rules",
    "Spent",
    "attempts",
    "claim",
    "claimed",
    "closed",
    "closed_count",
    "due",
    "due_at",
    "exhausted",
    "follow",
    "follow_known",
    "mark",
    "opened",
    "rebuild",
    "recovery",
    "release",
    "rules",
    "spent",
    "task",
    "visible",
    "waiting",
]
