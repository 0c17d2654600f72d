"""The register of missed callers, and how many of them were spoken to."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Case, ModelSelect, fn

from appliance.models import Call, FollowUp, User
from appliance.models.followups import IN_LINE
from appliance.people import rights
from appliance.telephony import calls

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
    open_ones = visible(user).where(FollowUp.closed_at.is_null())
    return list(
        open_ones.order_by(IN_LINE, FollowUp.joined_at, FollowUp.id).limit(limit).offset(after)
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
    spoken = FollowUp.outcome.in_(RECOVERED)
    took = Case(None, [(spoken, FollowUp.closed_at - FollowUp.opened_at)])
    missed, recovered, closed_ones, microseconds = (
        FollowUp.select(
            fn.COUNT(FollowUp.id), fn.COUNT(took), fn.COUNT(FollowUp.closed_at), fn.SUM(took)
        )
        .where(FollowUp.opened_at >= begin, FollowUp.opened_at < end)
        .tuples()[0]
    )
    return Recovery(
        missed=missed,
        recovered=recovered,
        open=missed - closed_ones,
        mean_hours=microseconds / recovered / 3600 / 10**6 if recovered else None,
    )
