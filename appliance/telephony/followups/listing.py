"""The list of missed callers, and how many of them were reached."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Case, ModelSelect, fn

from appliance.models import KIND_PRIORITY, Call, FollowUp, User
from appliance.people import rights
from appliance.telephony import calls

RECOVERED_OUTCOMES = ("spoken", "called_again")


@dataclass(frozen=True)
class Recovery:
    """How many callers were missed in a period, and how many of them were reached later.

    `mean_hours` is the mean time from the first missed call until the caller was reached.
    """

    missed: int
    recovered: int
    open: int
    mean_hours: float | None

    @property
    def share(self) -> float | None:
        """Percentage of the missed callers who were reached, if any were missed."""
        return 100 * self.recovered / self.missed if self.missed else None


def visible_tasks(user: User) -> ModelSelect:
    """The tasks that a user may see."""
    tasks = FollowUp.select()
    if rights.has_full_scope(user, "follow_up.work"):
        return tasks
    return tasks.where(FollowUp.id.is_null())


def find_task(user: User, number: int) -> FollowUp | None:
    """The task with this id, if the user may see it."""
    task: FollowUp | None = visible_tasks(user).where(FollowUp.id == number).first()
    return task


def open_tasks(user: User, limit: int = 300, offset: int = 0) -> list[FollowUp]:
    """Return the open tasks that the user may see, without the first `offset` of them.

    Callers who asked to be called back come first, then those who waited in a queue, then the
    others; within each kind, by place in line.
    """
    tasks = visible_tasks(user).where(FollowUp.closed_at.is_null())
    return list(
        tasks.order_by(KIND_PRIORITY, FollowUp.joined_at, FollowUp.id).limit(limit).offset(offset)
    )


def latest_attempts(tasks: Iterable[FollowUp]) -> dict[int, Call]:
    """Return the newest outgoing call that reached nobody for each task, by task id."""
    numbers = {task.number: task for task in tasks if task.attempts}
    calls_out = Call.select().where(
        Call.callee.in_(list(numbers)),
        Call.direction == "outbound",
        Call.outcome.in_(calls.UNREACHED_CODES),
    )
    newest = {call.callee: call for call in calls_out.order_by(Call.arrived_at)}
    return {
        numbers[number].id: call
        for number, call in newest.items()
        if call.arrived_at >= numbers[number].opened_at
    }


def count_open(user: User) -> int:
    """The number of open tasks that the user may see."""
    count: int = visible_tasks(user).where(FollowUp.closed_at.is_null()).count()
    return count


def closed_tasks(
    user: User, since: dt.datetime, limit: int = 200, offset: int = 0
) -> list[FollowUp]:
    """Tasks closed since `since`, newest first; the first `offset` of them are left out."""
    return list(
        visible_tasks(user)
        .where(FollowUp.closed_at >= since)
        .order_by(FollowUp.closed_at.desc(), FollowUp.id.desc())
        .limit(limit)
        .offset(offset)
    )


def count_closed(user: User, since: dt.datetime) -> int:
    """The number of tasks closed since `since`."""
    count: int = visible_tasks(user).where(FollowUp.closed_at >= since).count()
    return count


def recovery_of_period(begin: dt.datetime, end: dt.datetime) -> Recovery:
    """Return how many callers were first missed in [begin, end), and reached until now."""
    is_recovered = FollowUp.outcome.in_(RECOVERED_OUTCOMES)
    recovery_time = Case(None, [(is_recovered, FollowUp.closed_at - FollowUp.opened_at)])
    missed, recovered, closed_count, microseconds = (
        FollowUp.select(
            fn.COUNT(FollowUp.id),
            fn.COUNT(recovery_time),
            fn.COUNT(FollowUp.closed_at),
            fn.SUM(recovery_time),
        )
        .where(FollowUp.opened_at >= begin, FollowUp.opened_at < end)
        .tuples()[0]
    )
    return Recovery(
        missed=missed,
        recovered=recovered,
        open=missed - closed_count,
        mean_hours=microseconds / recovered / 3600 / 10**6 if recovered else None,
    )
