"""How scripts are followed: gone through or left, at which step, and how long each was open."""

import datetime as dt
from dataclasses import dataclass, field

from peewee import Case, fn

from appliance.casework.scripts.definition import Definition
from appliance.casework.scripts.queries import definition_of
from appliance.casework.scripts.runs import FINISHED, LEFT
from appliance.models import ScriptRun, ScriptStep, ScriptVersion

LONGEST = 3600  # seconds: a step that was open longer was left open, and counts as so long


@dataclass(frozen=True)
class StepCount:
    """A step: how often it was open, for how many seconds on average, how many left there."""

    code: str
    opened: int = 0
    seconds: float | None = None
    left: int = 0


@dataclass(frozen=True)
class Count:
    """A version of a script in a period: runs begun, gone through, left, still followed."""

    version: ScriptVersion
    script: Definition
    begun: int
    finished: int
    left: int
    steps: tuple[StepCount, ...] = field(default=())

    @property
    def going_on(self) -> int:
        """Runs that are neither finished nor left."""
        return self.begun - self.finished - self.left

    @property
    def share(self) -> float | None:
        """Per cent of the ended runs that were gone through; None without any."""
        ended = self.finished + self.left
        return 100 * self.finished / ended if ended else None


def counted(begin: dt.datetime, end: dt.datetime) -> list[Count]:
    """The versions followed in calls from `begin` on and before `end`, the most used first."""
    within = (ScriptRun.begun_at >= begin) & (ScriptRun.begun_at < end)
    ended = {
        result: fn.SUM((ScriptRun.result == result).cast("integer")) for result in (FINISHED, LEFT)
    }
    rows = (
        ScriptRun.select(ScriptRun.version, fn.COUNT(ScriptRun.id), ended[FINISHED], ended[LEFT])
        .where(within)
        .group_by(ScriptRun.version)
        .tuples()
    )
    sums = {number: (begun, done, left) for number, begun, done, left in rows}
    found = ScriptVersion.select().where(ScriptVersion.id.in_(list(sums)))
    opened, left_at = _opened(within), _left(within)
    counts = [
        Count(row, made := definition_of(row), *sums[row.id], _steps(row, made, opened, left_at))
        for row in found
    ]
    return sorted(counts, key=lambda one: -one.begun)


def _steps(
    row: ScriptVersion,
    made: Definition,
    opened: dict[tuple[int, str], tuple[int, float | None]],
    left: dict[tuple[int, str], int],
) -> tuple[StepCount, ...]:
    return tuple(
        StepCount(
            step.code,
            *opened.get((row.id, step.code), (0, None)),
            left.get((row.id, step.code), 0),
        )
        for step in made.steps
    )


def _opened(within: object) -> dict[tuple[int, str], tuple[int, float | None]]:
    """(version, step) → how often it was open, and for how many seconds on average."""
    until = fn.LEAD(ScriptStep.at).over(partition_by=[ScriptStep.run], order_by=[ScriptStep.number])
    each = (
        ScriptStep.select(
            ScriptRun.version.alias("version"),
            ScriptStep.step.alias("step"),
            (fn.COALESCE(until, ScriptRun.ended_at) - ScriptStep.at).alias("lasted"),
        )
        .join(ScriptRun)
        .where(within)
        .alias("each")
    )
    most = LONGEST * 1_000_000
    rows = (
        ScriptStep.select(
            each.c.version,
            each.c.step,
            fn.COUNT(each.c.step),
            fn.AVG(Case(None, [(each.c.lasted > most, most)], each.c.lasted)),
        )
        .from_(each)
        .group_by(each.c.version, each.c.step)
        .tuples()
    )
    return {
        (version, step): (number, lasted and lasted / 1_000_000)
        for version, step, number, lasted in rows
    }


def _left(within: object) -> dict[tuple[int, str], int]:
    rows = (
        ScriptRun.select(ScriptRun.version, ScriptRun.step, fn.COUNT(ScriptRun.id))
        .where(within, ScriptRun.result == LEFT)
        .group_by(ScriptRun.version, ScriptRun.step)
        .tuples()
    )
    return {(version, step): number for version, step, number in rows}
