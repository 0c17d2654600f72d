"""Questions and answers on a technician's terminal, one line each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from . import wording
from .problems import Facts, Problem, problems_with_answer

EMPTY_ANSWER = "-"  # typed to reject a suggested value and leave the value empty
YES_ANSWERS, NO_ANSWERS = ("y", "yes", "ha", "да", "д"), ("n", "no", "yoʻq", "yo'q", "нет", "н")


class InputClosed(Exception):
    """The terminal was closed before the last answer."""


@dataclass
class Dialogue:
    """Asks questions in one language; `facts`: the known facts of the box."""

    language: str
    input_stream: TextIO
    output_stream: TextIO
    facts: Facts

    def print_sentence(self, sentence_id: str, **values: Any) -> None:
        """Print a sentence of the [say] table."""
        print(
            wording.format_sentence(self.language, sentence_id, **values), file=self.output_stream
        )

    def print_problems(self, faults: Sequence[Problem]) -> None:
        """Print problems."""
        for problem in faults:
            self.print_sentence("wrong", text=wording.problem_sentence(problem, self.language))

    def read_answer(self, question: str, suggestion: str = "") -> str:
        """Return one answer. Raises InputClosed."""
        hint = f" [{suggestion}]" if suggestion else ""
        print(f"{question}{hint}: ", end="", file=self.output_stream, flush=True)
        answer = self.input_stream.readline()
        if not answer:
            raise InputClosed
        answer = answer.strip() or suggestion
        return "" if answer == EMPTY_ANSWER else answer

    def ask_value(
        self,
        name: str,
        values: dict[str, Any],
        suggestion: str,
        parse: Callable[[str], Any] = str,
        question: str = "",
    ) -> Any:
        """Return the answer for a key; asks again until it has no problems."""
        prompt = wording.question_text(self.language, question or name)
        while True:
            value = parse(self.read_answer(f"{prompt} ({name})", suggestion))
            faults = problems_with_answer(name, value, values, self.facts)
            if not faults:
                return value
            self.print_problems(faults)

    def ask_yes_no(self, question: str, suggestion: str = "") -> bool:
        """Return True for yes, False for no; asks again after any other answer."""
        while True:
            answer = self.read_answer(question, suggestion).lower()
            if answer in YES_ANSWERS:
                return True
            if answer in NO_ANSWERS:
                return False
            self.print_sentence("yes_or_no")
