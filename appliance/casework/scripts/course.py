"""The course through a script: every opened step, how it was reached, and the answer given there.

A course only grows: a step back is one more step of it, so that it records what was said to the
caller, in the order in which it was said. Nothing here reads or writes the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.casework.scripts.definition import Definition
from appliance.core.refusals import Refused

BEGIN, ANSWER, JUMP, BACK = "begin", "answer", "jump", "back"
TRANSITIONS = (BEGIN, ANSWER, JUMP, BACK)
MAX_COURSE_STEPS = 500  # steps of one course


@dataclass(frozen=True)
class CourseStep:
    """One opened step, by its code.

    `transition`, one of TRANSITIONS, is how it was reached; `answer` is the number (from 1) of the
    answer given there, 0 if no answer was given.
    """

    step: str
    transition: str = BEGIN
    answer: int = 0


type Course = tuple[CourseStep, ...]  # the last step is the one that is open


def start_course(script: Definition) -> Course:
    """Return a new course, which contains only the script's first step."""
    return (CourseStep(script.steps[0].code),)


def answer_step(script: Definition, course: Course, number: int) -> Course:
    """Return the course after the answer `number` (from 1) was given at the open step.

    The step to which the answer leads is added, and is open then. Raises Refused with the code
    `answer` if the step has no such answer, and the codes of jump_to_step().
    """
    step = script.find_step(course[-1].step)
    if not step or not 0 < number <= len(step.answers):
        raise Refused("answer")
    answered_course = (*course[:-1], replace(course[-1], answer=number))
    return _append_step(script, answered_course, step.answers[number - 1].to, ANSWER)


def jump_to_step(script: Definition, course: Course, target: str) -> Course:
    """Return the course with a jump to the step `target` added.

    Raises Refused with the code `step` if there is no such step, `long` if the course would have
    more than MAX_COURSE_STEPS.
    """
    return _append_step(script, course, target, JUMP)


def step_back(script: Definition, course: Course) -> Course:
    """Return the course with the step before the open one added; unchanged at the first step.

    Raises Refused with the codes of jump_to_step().
    """
    path = active_path(course)
    return _append_step(script, course, path[-2], BACK) if len(path) > 1 else course


def active_path(course: Sequence[CourseStep]) -> list[str]:
    """Return the codes of the steps from the script's first step to the open one.

    A step that was left by a step back is not among them.
    """
    path: list[str] = []
    for course_step in course:
        if course_step.transition == BACK:
            path.pop()  # the step that is returned to is then the last one of the path
        else:
            path.append(course_step.step)
    return path


def is_possible_end(script: Definition, course: Sequence[CourseStep]) -> bool:
    """Return True if the script may end at the open step."""
    step = script.find_step(course[-1].step)
    return bool(step and step.ends)


def _append_step(script: Definition, course: Course, target: str, transition: str) -> Course:
    """Return the course with the step `target`, reached by `transition`, added.

    Raises Refused with the codes of jump_to_step().
    """
    if not script.find_step(target):
        raise Refused("step")
    if len(course) >= MAX_COURSE_STEPS:
        raise Refused("long")
    return (*course, CourseStep(target, transition))
