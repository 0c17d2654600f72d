"""How an operator follows a script in a call: what is kept of it, and where he left (A8, B12).

A run keeps the version that was in force when its call began, whatever comes in force meanwhile.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.casework.scripts import course
from appliance.casework.scripts.definition import LANGUAGES, Definition
from appliance.casework.scripts.queries import definition_of
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import Appeal, Call, CallForm, ScriptRun, ScriptStep, ScriptVersion, User

FINISHED, LEFT = "finished", "left"
RESULTS = (FINISHED, LEFT)
MOST = 20  # runs of one form


class RunError(ValueError):
    """It cannot be done; `code` names why: none, changed, result, language, most."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Run:
    """A run, the script in its version, and what was gone through so far."""

    row: ScriptRun
    script: Definition
    course: course.Course
    moments: tuple[dt.datetime, ...]  # of each step of the course

    @property
    def step(self) -> str:
        """The code of the step that is open, or was the last."""
        return self.course[-1].step

    @property
    def is_open(self) -> bool:
        """Whether it is followed still."""
        return self.row.ended_at is None

    def seconds(self) -> list[tuple[str, float]]:
        """(step, how long it was open) of each step; of one still open until now."""
        ends = [*self.moments[1:], self.row.ended_at or clock.now()]
        return [
            (taken.step, (end - begin).total_seconds())
            for taken, begin, end in zip(self.course, self.moments, ends, strict=True)
        ]


def of_form(operator: User, token: str, call: Call | None) -> Run | None:
    """The newest run of a form, or of another form of the same call; None when there is none."""
    own = ScriptRun.select().where(ScriptRun.operator == operator)
    theirs = (ScriptRun.call_id == call.id) if call else (ScriptRun.token == token)
    row = own.where(theirs).order_by(ScriptRun.id.desc()).first()
    return loaded(row) if row else None


def articles_of(operator: User, token: str, call: Call | None) -> tuple[str, ...]:
    """The names of the articles at the step that is open for a form; none without one."""
    run = of_form(operator, token, call)
    step = run.script.step(run.step) if run and run.is_open else None
    return step.articles if step else ()


def of_call(call_id: str) -> list[Run]:
    """The runs of a call, the oldest first."""
    rows = ScriptRun.select().where(ScriptRun.call_id == call_id).order_by(ScriptRun.id)
    return [loaded(row) for row in rows]


def of_form_kept(row: Appeal | CallForm) -> list[Run]:
    """The runs of the call that a registered form belongs to, or of the form that has no call."""
    if row.call_id:
        return of_call(row.call_id)
    own = (ScriptRun.operator == row.operator_id, ScriptRun.token == (row.token or ""))
    return [loaded(run) for run in ScriptRun.select().where(*own).order_by(ScriptRun.id)]


def loaded(row: ScriptRun) -> Run:
    """A run with its script and its steps."""
    steps = list(row.steps.order_by(ScriptStep.number))
    taken = tuple(course.Taken(one.step, one.how, one.answer) for one in steps)
    return Run(row, definition_of(row.version), taken, tuple(one.at for one in steps))


def begin(
    operator: User, token: str, call: Call | None, version: ScriptVersion, language: str
) -> Run:
    """Begin a script for a form; what was followed before is left, and stays as it was.

    Asked twice for the version that is followed, it goes on. Raises RunError: `language`, `most`.
    """
    if language not in LANGUAGES:
        raise RunError("language")
    with writing():
        now = clock.now()
        before = of_form(operator, token, call)
        if before and before.is_open:
            if before.row.version_id == version.id:
                return before
            _end(before.row, LEFT, now)
        theirs = ScriptRun.select().where(ScriptRun.operator == operator, ScriptRun.token == token)
        if theirs.count() >= MOST:
            raise RunError("most")
        first = course.begun(definition_of(version))
        row = ScriptRun.create(
            token=token,
            call_id=call and call.id,
            operator=operator,
            version=version,
            language=language,
            begun_at=now,
            step=first[0].step,
        )
        _keep(row, 1, first, now)
    return loaded(row)


def go(run: Run, seen: int, *, answer: int = 0, to: str = "", back: bool = False) -> Run:
    """The next step of a run: by an answer, to a step, or back.

    `seen` is how many steps whoever acts has seen taken: a key that is pressed twice counts once.
    Raises RunError: `changed`, `none` when it is left already; CourseError for no such way.
    """
    with writing():
        now = loaded(ScriptRun.get_by_id(run.row.id))
        if not now.is_open:
            raise RunError("none")
        if len(now.course) != seen:
            raise RunError("changed")
        if back:
            after = course.back(now.script, now.course)
        elif to:
            after = course.jumped(now.script, now.course, to)
        else:
            after = course.answered(now.script, now.course, answer)
        if len(after) > len(now.course):
            _keep(now.row, seen, after, clock.now())
    return loaded(now.row)


def speak(run: Run, language: str) -> None:
    """Go on in the other language. Raises RunError: `language`."""
    if language not in LANGUAGES:
        raise RunError("language")
    with writing():
        ScriptRun.update(language=language).where(ScriptRun.id == run.row.id).execute()


def end(run: Run, result: str) -> None:
    """Say that a script was gone through to an end, or is left. Nothing when it was before.

    Raises RunError: `result` for another word, or an end at a step at which there is none.
    """
    if result not in RESULTS:
        raise RunError("result")
    if result == FINISHED and not course.is_end(run.script, run.course):
        raise RunError("result")
    with writing():
        _end(run.row, result, clock.now())


def resume(run: Run) -> None:
    """Go on with a script that was left, at its last step. Nothing when it is open."""
    with writing():
        ScriptRun.update(ended_at=None, result="").where(ScriptRun.id == run.row.id).execute()


def exported(runs: Iterable[Run]) -> list[dict[str, str | int]]:
    """What was followed, for an export; `result` is "" while it goes on, `step` the last one."""
    return [
        {
            "script": run.row.version.script.code,
            "version": run.row.version.number,
            "result": run.row.result,
            "step": run.step,
        }
        for run in runs
    ]


def _keep(row: ScriptRun, known: int, taken: course.Course, now: dt.datetime) -> None:
    """Keep what came to a course of which `known` steps are kept: an answer and the next step."""
    if len(taken) > known:
        before = taken[known - 1]
        own = (ScriptStep.run == row) & (ScriptStep.number == known)
        ScriptStep.update(answer=before.answer).where(own).execute()
    last = taken[-1]
    ScriptStep.create(run=row, number=len(taken), step=last.step, how=last.how, at=now)
    ScriptRun.update(step=last.step).where(ScriptRun.id == row.id).execute()


def _end(row: ScriptRun, result: str, now: dt.datetime) -> None:
    is_open = ScriptRun.ended_at.is_null()
    ScriptRun.update(ended_at=now, result=result).where(ScriptRun.id == row.id, is_open).execute()
