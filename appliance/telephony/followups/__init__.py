"""Missed callers: one task for each number until somebody has spoken with the caller."""

from appliance.telephony.followups.calling import (
    CLAIM_DURATION,
    CallingRules,
    DailyUsage,
    calling_rules,
    claim_task,
    daily_usage,
    due_tasks,
    exhausted_tasks,
    next_call_time,
    release_claim,
    tasks_being_called,
)
from appliance.telephony.followups.listing import (
    Recovery,
    closed_tasks,
    count_closed,
    count_open,
    find_task,
    latest_attempts,
    open_tasks,
    recovery_of_period,
    visible_tasks,
)
from appliance.telephony.followups.projection import (
    close_task,
    rebuild_tasks,
    update_concerned_tasks,
    update_tasks,
)

__all__ = [
    "CLAIM_DURATION",
    "Recovery",
    "CallingRules",
    "DailyUsage",
    "latest_attempts",
    "claim_task",
    "tasks_being_called",
    "closed_tasks",
    "count_closed",
    "due_tasks",
    "next_call_time",
    "exhausted_tasks",
    "update_tasks",
    "update_concerned_tasks",
    "close_task",
    "open_tasks",
    "rebuild_tasks",
    "recovery_of_period",
    "release_claim",
    "calling_rules",
    "daily_usage",
    "find_task",
    "visible_tasks",
    "count_open",
]
