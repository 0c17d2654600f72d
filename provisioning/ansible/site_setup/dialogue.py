"""A technician's answers on a terminal, one line each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from . import words
from .problems import Facts, Problem, problems_of

EMPTY = "-"  # what is typed to leave a suggested value out
YES, NO = ("y", "yes", "ha", "да", "д"), ("n", "no", "yoʻq", "yo'q", "нет", "н")


class Unanswered(Exception):
    """The terminal was closed before the last answer."""


@dataclass
class Dialogue:
    """Asks in one language; `facts`: what is known of the box."""

    language: str
    source: TextIO
    screen: TextIO
    facts: Facts

    def say(self, what: str, **values: Any) -> None:
        """Print a sentence of [say]."""
        print(words.say(self.language, what, **values), file=self.screen)

    def show(self, faults: Sequence[Problem]) -> None:
        """Print what is wrong."""
        for problem in faults:
            self.say("wrong", text=words.sentence(problem, self.language))

    def line(self, question: str, suggested: str = "") -> str:
        """One answer. Raises Unanswered."""
        hint = f" [{suggested}]" if suggested else ""
        print(f"{question}{hint}: ", end="", file=self.screen, flush=True)
        answer = self.source.readline()
        if not answer:
            raise Unanswered
        answer = answer.strip() or suggested
        return "" if answer == EMPTY else answer

    def value(
        self,
        name: str,
        values: dict[str, Any],
        suggested: str,
        parse: Callable[[str], Any] = str,
        question: str = "",
    ) -> Any:
        """The answer for a key, asked until nothing is wrong with it."""
        prompt = words.question(self.language, question or name)
        while True:
            value = parse(self.line(f"{prompt} ({name})", suggested))
            faults = problems_of(name, value, values, self.facts)
            if not faults:
                return value
            self.show(faults)

    def is_yes(self, question: str, suggested: str = "") -> bool:
        """An answer of yes or no."""
        while True:
            answer = self.line(question, suggested).lower()
            if answer in YES:
                return True
            if answer in NO:
                return False
            self.say("yes_or_no")
