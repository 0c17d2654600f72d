"""When missed callers are called automatically, and the claims on tasks.

A claim makes sure that only one dialler or person calls a missed caller at a time.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.settings import Outgoing, Settings
from appliance.models import Call, FollowUp
from appliance.telephony import destinations, routing

MAX_TASK_AGE = dt.timedelta(days=2)  # callers missed longer ago are not called automatically
CLAIM_DURATION = dt.timedelta(minutes=3)  # longer than an unanswered call lasts
_SETTLING_TIME = dt.timedelta(minutes=2)  # a caller who gave up may be calling again


@dataclass(frozen=True)
class CallingRules:
    """The rules for automatic calls: kinds of tasks, attempts, hours in the site's time zone."""

    kinds: tuple[str, ...]
    attempts: int
    pause: dt.timedelta  # before the second attempt; three times as long before each later one
    opens: dt.time
    closes: dt.time
    tz: ZoneInfo
    outgoing: Outgoing

    def bar_reason(self, number: str) -> str:
        """Return why a number may not be called automatically; "" if it may.

        The reasons are those of destinations.bar_reason.
        """
        return destinations.bar_reason(self.outgoing, number, machine=True)


def calling_rules(settings: Settings) -> CallingRules:
    """The rules of the plan in force."""
    plan = routing.current_plan(settings).follow_ups
    return CallingRules(
        kinds=("callback",) * plan.requests + ("queue",) * plan.missed,
        attempts=plan.attempts,
        pause=dt.timedelta(minutes=plan.pause_minutes),
        opens=dt.time.fromisoformat(plan.opens),
        closes=dt.time.fromisoformat(plan.closes),
        tz=settings.tz,
        outgoing=settings.outgoing,
    )


def next_call_time(task: FollowUp, rules: CallingRules) -> dt.datetime | None:
    """The earliest time for the next automatic call of a task, if there will be one."""
    if task.closed_at or task.kind not in rules.kinds or task.attempts >= rules.attempts:
        return None
    if rules.bar_reason(task.number):
        return None
    if task.tried_at:
        earliest = task.tried_at + rules.pause * 3 ** (task.attempts - 1)
    else:
        earliest = task.missed_at + (dt.timedelta() if task.kind == "callback" else _SETTLING_TIME)
    return _next_time_within_hours(earliest, rules)


def due_tasks(rules: CallingRules) -> list[FollowUp]:
    """Return the tasks whose number may be called automatically now.

    Callers who asked to be called back come first; within each kind, by place in line.
    """
    now = clock.now()
    if _next_time_within_hours(now, rules) != now:
        return []
    tasks = FollowUp.select().where(
        FollowUp.closed_at.is_null(),
        FollowUp.kind.in_(rules.kinds),
        FollowUp.missed_at > now - MAX_TASK_AGE,
        _is_unclaimed(now),
    )
    callable_tasks = [
        task for task in tasks if (call_time := next_call_time(task, rules)) and call_time <= now
    ]
    return sorted(
        callable_tasks, key=lambda task: (task.kind != "callback", task.joined_at, task.id)
    )


@dataclass(frozen=True)
class DailyUsage:
    """The automatic calls since midnight in the site's time zone, and their limits."""

    calls: int
    minutes: int
    rules: Outgoing

    @property
    def remaining_calls(self) -> int:
        """How many more automatic calls are allowed today."""
        if self.minutes >= self.rules.machine_minutes:
            return 0
        return max(0, self.rules.machine_calls - self.calls)


def daily_usage(rules: CallingRules) -> DailyUsage:
    """Return the number and length of today's automatic calls; unfinished ones count up to now."""
    now = clock.now()
    midnight = dt.datetime.combine(now.astimezone(rules.tz).date(), dt.time(), rules.tz)
    is_automatic = Call.reason.in_(("callback", "follow_up")) & Call.by.is_null()
    calls = Call.select(Call.arrived_at, Call.ended_at).where(
        is_automatic, Call.direction == "outbound", Call.arrived_at >= midnight
    )
    seconds = sum(((call.ended_at or now) - call.arrived_at).total_seconds() for call in calls)
    return DailyUsage(len(calls), int(seconds // 60), rules.outgoing)


def exhausted_tasks(rules: CallingRules) -> list[FollowUp]:
    """Open tasks that have had as many attempts as the rules allow."""
    return list(
        FollowUp.select().where(
            FollowUp.closed_at.is_null(), FollowUp.attempts >= max(rules.attempts, 1)
        )
    )


def claim_task(task: FollowUp, by: str = "") -> bool:
    """Claim a task before its number is called; returns False if that is not possible.

    That is so if somebody else has claimed it, or if it was closed or called since `task` was read.
    The claim expires by itself after CLAIM_DURATION.
    """
    now = clock.now()
    with write_transaction():
        updated_rows = (
            FollowUp.update(claimed_until=now + CLAIM_DURATION, claimed_by=by)
            .where(
                FollowUp.id == task.id,
                FollowUp.closed_at.is_null(),
                FollowUp.attempts == task.attempts,
                _is_unclaimed(now),
            )
            .execute()
        )
        if updated_rows:
            live.publish_topics("followups")
    return bool(updated_rows)


def release_claim(task: FollowUp) -> None:
    """Release the claim on a task whose number was not called after all."""
    with write_transaction():
        FollowUp.update(claimed_until=None, claimed_by="").where(FollowUp.id == task.id).execute()
        live.publish_topics("followups")


def tasks_being_called() -> list[FollowUp]:
    """Tasks that are being called automatically now."""
    return list(
        FollowUp.select().where(FollowUp.claimed_until > clock.now(), FollowUp.claimed_by == "")
    )


def _is_unclaimed(now: dt.datetime):  # type: ignore[no-untyped-def]  # peewee's expression
    return FollowUp.claimed_until.is_null() | (FollowUp.claimed_until <= now)


def _next_time_within_hours(time: dt.datetime, rules: CallingRules) -> dt.datetime:
    """`time` itself, or the next time at which the calling hours begin."""
    local = time.astimezone(rules.tz)
    if local.time() < rules.opens:
        return dt.datetime.combine(local.date(), rules.opens, rules.tz)
    if local.time() >= rules.closes:
        return dt.datetime.combine(local.date() + dt.timedelta(days=1), rules.opens, rules.tz)
    return time
