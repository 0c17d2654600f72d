"""Going through a script: every step that was open, how it was come to, what was answered. Pure.

Nothing is taken back from a course: a step back is one more step of it, so that it tells what was
said to the caller, in the order in which it was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.casework.scripts.definition import Definition

BEGIN, ANSWER, JUMP, BACK = "begin", "answer", "jump", "back"
HOWS = (BEGIN, ANSWER, JUMP, BACK)
MOST = 500  # steps of one course


@dataclass(frozen=True)
class Taken:
    """One step that was open: `how` is one of HOWS, `answer` the number given at it, 0 for none."""

    step: str
    how: str = BEGIN
    answer: int = 0


type Course = tuple[Taken, ...]


class CourseError(ValueError):
    """A way that the script does not have; `code` names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def begun(script: Definition) -> Course:
    """A course that is just begun, at the script's first step."""
    return (Taken(script.steps[0].code),)


def answered(script: Definition, course: Course, number: int) -> Course:
    """The course when the answer of this number, from 1, is given at the open step.

    Raises CourseError: `answer` when the step has no such answer, `long` beyond MOST.
    """
    step = script.step(course[-1].step)
    if not step or not 0 < number <= len(step.answers):
        raise CourseError("answer")
    given = (*course[:-1], replace(course[-1], answer=number))
    return _on(script, given, step.answers[number - 1].to, ANSWER)


def jumped(script: Definition, course: Course, to: str) -> Course:
    """The course when the operator goes to any step. Raises CourseError: `step`, `long`."""
    return _on(script, course, to, JUMP)


def back(script: Definition, course: Course) -> Course:
    """The course one step back; the same at the beginning. Raises CourseError: `long`."""
    path = trail(course)
    return _on(script, course, path[-2], BACK) if len(path) > 1 else course


def trail(course: Sequence[Taken]) -> list[str]:
    """The codes of the steps from the first to the open one, without those gone back from."""
    path: list[str] = []
    for taken in course:
        if taken.how == BACK:
            path.pop()
        else:
            path.append(taken.step)
    return path


def is_end(script: Definition, course: Sequence[Taken]) -> bool:
    """Whether the script may end at the step that is open."""
    step = script.step(course[-1].step)
    return bool(step and step.ends)


def _on(script: Definition, course: Course, to: str, how: str) -> Course:
    if not script.step(to):
        raise CourseError("step")
    if len(course) >= MOST:
        raise CourseError("long")
    return (*course, Taken(to, how))
