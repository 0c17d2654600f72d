"""The scripts that were followed in a call, for cards: each step, its answer, its time."""

from dataclasses import dataclass

from appliance.casework.scripts import runs, texts
from appliance.people import accounts
from appliance.web.shell.language import locale


@dataclass(frozen=True)
class Said:
    """One step that was open: its name, what was answered ("" for nothing), seconds."""

    name: str
    answer: str
    seconds: float


@dataclass(frozen=True)
class Followed:
    """A run as the card shows it."""

    title: str
    run: runs.Run
    operator: str
    steps: tuple[Said, ...]


def shown(found: list[runs.Run]) -> list[Followed]:
    """What was followed, in order."""
    return [_followed(run) for run in found]


def _followed(run: runs.Run) -> Followed:
    steps = []
    for taken, (code, seconds) in zip(run.course, run.seconds(), strict=True):
        step = run.script.step(code)
        answers = step.answers if step else ()
        words = answers[taken.answer - 1].words if 0 < taken.answer <= len(answers) else {}
        name = texts.read(step.name, locale()) if step else code
        steps.append(Said(name, texts.read(words, locale()), seconds))
    title = texts.read(run.script.title, locale())
    return Followed(title, run, accounts.named(run.row.operator, locale()), tuple(steps))
