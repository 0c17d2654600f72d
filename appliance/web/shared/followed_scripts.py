"""The scripts that operators followed in a call, as the page of a call or appeal shows them."""

from dataclasses import dataclass

from appliance.casework.scripts import runs, texts
from appliance.people import accounts
from appliance.web.shell.language import locale


@dataclass(frozen=True)
class FollowedStep:
    """A step that was open in a run.

    `answer` is the caller's answer, or "" without one; `seconds`: for how long the step was open.
    """

    name: str
    answer: str
    seconds: float


@dataclass(frozen=True)
class FollowedScript:
    """A run (one use) of a script, with texts in the reader's language.

    `operator` is the operator's name; `steps` are in the order in which they were opened.
    """

    title: str
    run: runs.Run
    operator: str
    steps: tuple[FollowedStep, ...]


def followed_scripts(script_runs: list[runs.Run]) -> list[FollowedScript]:
    """Return the runs with texts in the reader's language, in the given order."""
    return [_followed_script(run) for run in script_runs]


def _followed_script(run: runs.Run) -> FollowedScript:
    """Return a run with the names of its steps and answers, in the order in which they were opened.

    A step that the script's version does not have is named by its code.
    """
    steps = []
    for course_step, (code, seconds) in zip(run.course, run.step_durations(), strict=True):
        step = run.script.find_step(code)
        answers = step.answers if step else ()
        answer_texts = (
            answers[course_step.answer - 1].words if 0 < course_step.answer <= len(answers) else {}
        )
        name = texts.localized_text(step.name, locale()) if step else code
        steps.append(FollowedStep(name, texts.localized_text(answer_texts, locale()), seconds))
    title = texts.localized_text(run.script.title, locale())
    return FollowedScript(
        title, run, accounts.display_name(run.row.operator, locale()), tuple(steps)
    )
