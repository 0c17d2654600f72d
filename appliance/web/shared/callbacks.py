"""The callbacks that the user has promised: on their day, and as reminders on top of each page."""

from typing import Any

from appliance.core import clock
from appliance.telephony import scheduled_callbacks
from appliance.web.shell import disclosure
from appliance.web.shell.context import me, start_of_tomorrow


def own_callbacks_context() -> dict[str, Any]:
    """Return the context of the list of the operator's own callbacks, on their page between calls.

    `tonight` is the end of the current day, to distinguish callbacks that are due later. That their
    numbers are shown is recorded in the audit.
    """
    tasks = scheduled_callbacks.operator_callbacks(me())
    disclosure.log_shown("number", [task.number for task in tasks])
    return {
        "callbacks": tasks,
        "now": clock.now(),
        "tonight": start_of_tomorrow(),
    }


def reminders_context() -> dict[str, Any]:
    """Return the context of the reminder of promised callbacks.

    `reminders` has the first callback that is due, or is empty; `more_reminders` is the number of
    other callbacks that are due (meaningless if `reminders` is empty); `next_reminder` is when the
    next one, if any, becomes due. That the numbers of due callbacks are shown is recorded in the
    audit.
    """
    now, tasks = clock.now(), scheduled_callbacks.operator_callbacks(me())
    due_tasks = [task for task in tasks if task.due_at <= now]
    disclosure.log_shown("number", [task.number for task in due_tasks])
    next_at = min((task.due_at for task in tasks if task.due_at > now), default=None)
    return {
        "reminders": due_tasks[:1],
        "more_reminders": len(due_tasks) - 1,
        "next_reminder": next_at,
    }
