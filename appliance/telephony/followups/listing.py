"""The register of missed callers, and how many of them were spoken to."""

import datetime as dt
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Case, ModelSelect

from appliance.models import Call, FollowUp, User
from appliance.people import rights
from appliance.telephony import calls
from appliance.telephony.followups.tasks import KINDS

RECOVERED = ("spoken", "called_again")


@dataclass(frozen=True)
class Recovery:
    """Missed callers of a period and what became of them; hours from the first missed call."""

    missed: int
    recovered: int
    open: int
    mean_hours: float | None

    @property
    def share(self) -> float | None:
        """Per cent of the missed callers that were spoken to; None when nobody was missed."""
        return 100 * self.recovered / self.missed if self.missed else None


def visible(user: User) -> ModelSelect:
    """The tasks that a user may see."""
    everything = FollowUp.select()
    if rights.of_all(user, "follow_up.work"):
        return everything
    return everything.where(FollowUp.id.is_null())


def task(user: User, number: int) -> FollowUp | None:
    """The task with this id, if the user may see it."""
    return visible(user).where(FollowUp.id == number).first()


def opened(user: User, limit: int = 300, after: int = 0) -> list[FollowUp]:
    """Open tasks: who asked to be called first, then who waited, each by his place in line.

    `after`: how many of the first are left out.
    """
    order = Case(FollowUp.kind, tuple(zip(KINDS, range(len(KINDS)), strict=True)))
    open_ones = visible(user).where(FollowUp.closed_at.is_null())
    return list(
        open_ones.order_by(order, FollowUp.joined_at, FollowUp.id).limit(limit).offset(after)
    )


def attempts(tasks: Iterable[FollowUp]) -> dict[int, Call]:
    """Task → the newest call of ours for it that reached nobody."""
    numbers = {task.number: task for task in tasks if task.attempts}
    ours = Call.select().where(
        Call.callee.in_(list(numbers)),
        Call.direction == "outbound",
        Call.outcome.in_(calls.UNREACHED),
    )
    newest = {call.callee: call for call in ours.order_by(Call.arrived_at)}
    return {
        numbers[number].id: call
        for number, call in newest.items()
        if call.arrived_at >= numbers[number].opened_at
    }


def waiting(user: User) -> int:
    """How many tasks are open."""
    return visible(user).where(FollowUp.closed_at.is_null()).count()


def closed(user: User, since: dt.datetime, limit: int = 200, after: int = 0) -> list[FollowUp]:
    """Tasks closed since a moment, newest first; so many of the first are left out."""
    return list(
        visible(user)
        .where(FollowUp.closed_at >= since)
        .order_by(FollowUp.closed_at.desc(), FollowUp.id.desc())
        .limit(limit)
        .offset(after)
    )


def closed_count(user: User, since: dt.datetime) -> int:
    """How many tasks were closed since a moment."""
    return visible(user).where(FollowUp.closed_at >= since).count()


def recovery(begin: dt.datetime, end: dt.datetime) -> Recovery:
    """What became of the callers first missed in [begin, end), as far as is known now."""
    tasks = list(FollowUp.select().where(FollowUp.opened_at >= begin, FollowUp.opened_at < end))
    hours = [
        (task.closed_at - task.opened_at).total_seconds() / 3600
        for task in tasks
        if task.outcome in RECOVERED
    ]
    return Recovery(
        missed=len(tasks),
        recovered=len(hours),
        open=sum(task.closed_at is None for task in tasks),
        mean_hours=statistics.fmean(hours) if hours else None,
    )
