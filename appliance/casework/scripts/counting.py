"""Statistics of runs (times that an operator followed a script): results, and time per step."""

import datetime as dt
from dataclasses import dataclass, field

from peewee import Case, fn

from appliance.casework.scripts.definition import Definition
from appliance.casework.scripts.queries import version_definition
from appliance.casework.scripts.runs import FINISHED, LEFT
from appliance.models import ScriptRun, ScriptStep, ScriptVersion

MAX_STEP_SECONDS = 3600  # a step open for longer was left unattended


@dataclass(frozen=True)
class StepCount:
    """The use of one step of a version, in all runs of a period.

    `opened`: how often it was opened. `seconds`: for how long on average, None if it was never
    opened or is still open. `left`: the number of runs that were left (not finished) there.
    """

    code: str
    opened: int = 0
    seconds: float | None = None
    left: int = 0


@dataclass(frozen=True)
class ScriptUsage:
    """The use of a script version: of the runs begun in a period, how many were finished and left.

    `left` counts the runs that were ended before the script's end; `steps` has every step of the
    version.
    """

    version: ScriptVersion
    script: Definition
    begun: int
    finished: int
    left: int
    steps: tuple[StepCount, ...] = field(default=())

    @property
    def ongoing(self) -> int:
        """The number of runs that are neither finished nor left."""
        return self.begun - self.finished - self.left

    @property
    def finished_percent(self) -> float | None:
        """The percentage of ended runs that were finished, if any has ended."""
        ended = self.finished + self.left
        return 100 * self.finished / ended if ended else None


def script_usage(begin: dt.datetime, end: dt.datetime) -> list[ScriptUsage]:
    """Return the use of each version with runs begun in [begin, end), the most used first."""
    is_in_period = (ScriptRun.begun_at >= begin) & (ScriptRun.begun_at < end)
    result_counts = {
        result: fn.SUM((ScriptRun.result == result).cast("integer")) for result in (FINISHED, LEFT)
    }
    rows = (
        ScriptRun.select(
            ScriptRun.version, fn.COUNT(ScriptRun.id), result_counts[FINISHED], result_counts[LEFT]
        )
        .where(is_in_period)
        .group_by(ScriptRun.version)
        .tuples()
    )
    sums = {number: (started, finished, abandoned) for number, started, finished, abandoned in rows}
    versions = ScriptVersion.select().where(ScriptVersion.id.in_(list(sums)))
    opening_counts, abandoned_counts = (
        _opening_counts(is_in_period),
        _abandoned_counts(is_in_period),
    )
    counts = [
        ScriptUsage(
            row,
            script := version_definition(row),
            *sums[row.id],
            _step_counts(row, script, opening_counts, abandoned_counts),
        )
        for row in versions
    ]
    return sorted(counts, key=lambda count: -count.begun)


def _step_counts(
    row: ScriptVersion,
    script: Definition,
    opening_counts: dict[tuple[int, str], tuple[int, float | None]],
    abandoned_counts: dict[tuple[int, str], int],
) -> tuple[StepCount, ...]:
    """Return the counts of each step of the version `row`, whose definition is `script`.

    The dictionaries are those that _opening_counts() and _abandoned_counts() return for all
    versions. A step without a run has counts of 0.
    """
    return tuple(
        StepCount(
            step.code,
            *opening_counts.get((row.id, step.code), (0, None)),
            abandoned_counts.get((row.id, step.code), 0),
        )
        for step in script.steps
    )


def _opening_counts(is_in_period: object) -> dict[tuple[int, str], tuple[int, float | None]]:
    """Return how often each step was opened, and for how many seconds on average.

    Keys are (version id, step code). `is_in_period` is a condition on ScriptRun. A step that was
    open for longer than MAX_STEP_SECONDS counts with this maximum. The average is None if the step
    was opened only in runs that are still open at it.
    """
    next_step_at = fn.LEAD(ScriptStep.at).over(
        partition_by=[ScriptStep.run], order_by=[ScriptStep.number]
    )
    durations = (
        ScriptStep.select(
            ScriptRun.version.alias("version"),
            ScriptStep.step.alias("step"),
            (fn.COALESCE(next_step_at, ScriptRun.ended_at) - ScriptStep.at).alias("lasted"),
        )
        .join(ScriptRun)
        .where(is_in_period)
        .alias("each")
    )
    max_microseconds = MAX_STEP_SECONDS * 1_000_000  # the database stores times in microseconds
    rows = (
        ScriptStep.select(
            durations.c.version,
            durations.c.step,
            fn.COUNT(durations.c.step),
            fn.AVG(
                Case(
                    None,
                    [(durations.c.lasted > max_microseconds, max_microseconds)],
                    durations.c.lasted,
                )
            ),
        )
        .from_(durations)
        .group_by(durations.c.version, durations.c.step)
        .tuples()
    )
    return {
        (version, step): (number, average_microseconds and average_microseconds / 1_000_000)
        for version, step, number, average_microseconds in rows
    }


def _abandoned_counts(is_in_period: object) -> dict[tuple[int, str], int]:
    """Return the number of runs that were left at each step, by (version id, step code).

    `is_in_period` is a condition on ScriptRun.
    """
    rows = (
        ScriptRun.select(ScriptRun.version, ScriptRun.step, fn.COUNT(ScriptRun.id))
        .where(is_in_period, ScriptRun.result == LEFT)
        .group_by(ScriptRun.version, ScriptRun.step)
        .tuples()
    )
    return {(version, step): number for version, step, number in rows}
