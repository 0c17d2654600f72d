"""Runs: how an operator follows a script in a call, and where they leave it (A8, B12).

A run keeps the version that was in force when its call began, even if another one comes into force.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.casework.scripts import course
from appliance.casework.scripts.definition import LANGUAGES, Definition
from appliance.casework.scripts.queries import version_definition
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import Appeal, Call, CallForm, ScriptRun, ScriptStep, ScriptVersion, User

FINISHED, LEFT = "finished", "left"
RESULTS = (FINISHED, LEFT)
MAX_RUNS_PER_FORM = 20  # runs of one form


@dataclass(frozen=True)
class Run:
    """One use of a script by an operator, in a call or for a form without a call.

    `script` is the version that is followed. `course` lists every step opened so far, in order; a
    step that was opened twice is in it twice.
    """

    row: ScriptRun
    script: Definition
    course: course.Course
    step_times: tuple[dt.datetime, ...]  # when each step of the course was opened

    @property
    def step(self) -> str:
        """The code of the step that is open; of a closed run, the step that was open last."""
        return self.course[-1].step

    @property
    def is_open(self) -> bool:
        """True while the script is being followed."""
        return self.row.ended_at is None

    def step_durations(self) -> list[tuple[str, float]]:
        """Return (step's code, seconds for which it was open) of each step of the course.

        The step that is still open is counted until now.
        """
        ends = [*self.step_times[1:], self.row.ended_at or clock.now()]
        return [
            (course_step.step, (end - begin).total_seconds())
            for course_step, begin, end in zip(self.course, self.step_times, ends, strict=True)
        ]


def latest_run(operator: User, token: str, call: Call | None) -> Run | None:
    """Return the operator's newest run for a call, if any, open or closed.

    Without a call, return the newest run for the form that `token` identifies.
    """
    runs = ScriptRun.select().where(ScriptRun.operator == operator)
    is_same_form = (ScriptRun.call_id == call.id) if call else (ScriptRun.token == token)
    row = runs.where(is_same_form).order_by(ScriptRun.id.desc()).first()
    return load_run(row) if row else None


def articles_at_open_step(operator: User, token: str, call: Call | None) -> tuple[str, ...]:
    """Return the slugs of the articles at the step that the operator has open; () without one.

    The step is that of the run for the call or, without a call, for the form `token`.
    """
    run = latest_run(operator, token, call)
    step = run.script.find_step(run.step) if run and run.is_open else None
    return step.articles if step else ()


def runs_of_call(call_id: str) -> list[Run]:
    """Return the runs of a call, the oldest first."""
    rows = ScriptRun.select().where(ScriptRun.call_id == call_id).order_by(ScriptRun.id)
    return [load_run(row) for row in rows]


def runs_of_registered_form(row: Appeal | CallForm) -> list[Run]:
    """Return the runs of a registered form's call, or of the form itself if it has no call.

    The oldest are first.
    """
    if row.call_id:
        return runs_of_call(row.call_id)
    is_own = (ScriptRun.operator == row.operator_id, ScriptRun.token == (row.token or ""))
    return [load_run(run) for run in ScriptRun.select().where(*is_own).order_by(ScriptRun.id)]


def load_run(row: ScriptRun) -> Run:
    """Return the run stored in a row, with its script, and its course from the table of steps."""
    steps = list(row.steps.order_by(ScriptStep.number))
    run_course = tuple(course.CourseStep(step.step, step.how, step.answer) for step in steps)
    return Run(row, version_definition(row.version), run_course, tuple(step.at for step in steps))


def begin_run(
    operator: User, token: str, call: Call | None, version: ScriptVersion, language: str
) -> Run:
    """Begin to follow a script version for a form, which `token` identifies; returns the run.

    If the operator has an open run for the call or form, it is returned unchanged if it is of this
    version, else it is closed with the result "left". Raises Refused with the code `language` if
    that is not one of LANGUAGES, `most` if the form has MAX_RUNS_PER_FORM already.
    """
    if language not in LANGUAGES:
        raise Refused("language")
    with write_transaction():
        now = clock.now()
        current = latest_run(operator, token, call)
        if current and current.is_open:
            if current.row.version_id == version.id:
                return current
            _close_run(current.row, LEFT, now)
        form_runs = ScriptRun.select().where(
            ScriptRun.operator == operator, ScriptRun.token == token
        )
        if form_runs.count() >= MAX_RUNS_PER_FORM:
            raise Refused("most")
        new_course = course.start_course(version_definition(version))
        row = ScriptRun.create(
            token=token,
            call_id=call and call.id,
            operator=operator,
            version=version,
            language=language,
            begun_at=now,
            step=new_course[0].step,
        )
        _store_step(row, 1, new_course, now)
    return load_run(row)


def open_step(
    run: Run, seen_steps: int, *, answer: int = 0, target: str = "", back: bool = False
) -> Run:
    """Open another step of a run; returns the changed run.

    With `back`, it is the step before the open one; else the step with the code `target`, if given;
    else the step to which the answer with the number `answer` (from 1) leads. The step is added to
    the end of the course, after a step back, too: the course is the history of opened steps.

    `seen_steps` is the length of the course that the user has seen, so that a key pressed twice
    counts once: Refused with the code `changed` is raised if the course has another length, `none`
    if the run is closed, `answer` for no such answer, `step` or `long` as by course.jump_to_step().
    """
    with write_transaction():
        current = load_run(ScriptRun.get_by_id(run.row.id))
        if not current.is_open:
            raise Refused("none")
        if len(current.course) != seen_steps:
            raise Refused("changed")
        if back:
            new_course = course.step_back(current.script, current.course)
        elif target:
            new_course = course.jump_to_step(current.script, current.course, target)
        else:
            new_course = course.answer_step(current.script, current.course, answer)
        if len(new_course) > len(current.course):  # not after a step back at the first step
            _store_step(current.row, seen_steps, new_course, clock.now())
    return load_run(current.row)


def change_language(run: Run, language: str) -> None:
    """Set the language in which a run is continued.

    Raises Refused with the code `language` if it is not one of LANGUAGES.
    """
    if language not in LANGUAGES:
        raise Refused("language")
    with write_transaction():
        ScriptRun.update(language=language).where(ScriptRun.id == run.row.id).execute()


def end_run(run: Run, result: str) -> None:
    """Close a run with a result, finished or left; nothing changes if it is closed already.

    Raises Refused with the code `result` if it is not one of RESULTS, or if it is "finished" at a
    step where the script may not end.
    """
    if result not in RESULTS:
        raise Refused("result")
    if result == FINISHED and not course.is_possible_end(run.script, run.course):
        raise Refused("result")
    with write_transaction():
        _close_run(run.row, result, clock.now())


def resume_run(run: Run) -> None:
    """Open a closed run again, at its last step; nothing changes if it is open."""
    with write_transaction():
        ScriptRun.update(ended_at=None, result="").where(ScriptRun.id == run.row.id).execute()


def export_runs(runs: Iterable[Run]) -> list[dict[str, str | int]]:
    """Return the script, version, result and last step of each run, for an export.

    The result is "" while a run is open.
    """
    return [
        {
            "script": run.row.version.script.code,
            "version": run.row.version.number,
            "result": run.row.result,
            "step": run.step,
        }
        for run in runs
    ]


def _store_step(
    row: ScriptRun, stored_count: int, run_course: course.Course, now: dt.datetime
) -> None:
    """Store the last step of a course, and the answer that was given at the step before it.

    `stored_count` is the length of the course before this step was added. It is 1 for a new course:
    its only step is stored, and no answer, because there is no step before it.
    """
    if len(run_course) > stored_count:
        previous = run_course[stored_count - 1]
        is_previous = (ScriptStep.run == row) & (ScriptStep.number == stored_count)
        ScriptStep.update(answer=previous.answer).where(is_previous).execute()
    last_step = run_course[-1]
    ScriptStep.create(
        run=row, number=len(run_course), step=last_step.step, how=last_step.transition, at=now
    )
    ScriptRun.update(step=last_step.step).where(ScriptRun.id == row.id).execute()


def _close_run(row: ScriptRun, result: str, now: dt.datetime) -> None:
    """Store the result and the end of a run, unless it is closed already."""
    is_open = ScriptRun.ended_at.is_null()
    ScriptRun.update(ended_at=now, result=result).where(ScriptRun.id == row.id, is_open).execute()
