"""What is still wrong with a script before the ministry gets it: all of it, each with its step.

A draft may hold any of this, for it is written piece by piece. A script without a finding can be
walked from its beginning to an end, whatever the caller answers.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from appliance.casework.scripts import texts
from appliance.casework.scripts.definition import (
    ARTICLE,
    DEPARTMENT,
    EMPLOYEE,
    SMS,
    Definition,
    Step,
)


@dataclass(frozen=True)
class Known:
    """What a script may name: each by its code or slug."""

    fields: Collection[str] = ()
    numbers: Collection[str] = ()
    topics: Collection[str] = ()
    refs: Mapping[str, Collection[str]] = field(default_factory=dict)  # kind of action → refs


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: `code` says what (worded by the page), `step` where.

    `what`: the word that is meant, or the language that is missing.
    """

    code: str
    step: str = ""
    what: str = ""


def findings(made: Definition, known: Known) -> list[Finding]:
    """Everything that is wrong with a script, in the order of its steps."""
    return [*_about(made, known), *_ways(made), *_steps(made, known)]


def _about(made: Definition, known: Known) -> Iterator[Finding]:
    yield from (Finding("title", "", lang) for lang in made.needed if not made.title.get(lang))
    yield from (Finding("number", "", one) for one in made.when.numbers if one not in known.numbers)
    yield from (Finding("topic", "", one) for one in made.when.topics if one not in known.topics)


def _ways(made: Definition) -> Iterator[Finding]:
    """Steps that are never reached, that lead nowhere, or from which no end is reached."""
    codes = {step.code for step in made.steps}
    reached = _reached(made, made.steps[0].code)
    for step in made.steps:
        lost = [answer for answer in step.answers if answer.to not in codes]
        if step.code not in reached:
            yield Finding("unreachable", step.code)
        elif lost:
            yield from (Finding("target", step.code, answer.to) for answer in lost)
        elif not step.answers and not step.ends:
            yield Finding("dead_end", step.code)
        elif not any(_ends(made, code) for code in _reached(made, step.code)):
            yield Finding("loop", step.code)


def _steps(made: Definition, known: Known) -> Iterator[Finding]:
    for step in made.steps:
        yield from _missing(made, step)
        for _what, words in step.texts():
            for text in words.values():
                yield from (Finding("word", step.code, one) for one in texts.unknown(text))
        yield from (Finding("field", step.code, f) for f in step.fields if f not in known.fields)
        for action in step.actions:
            if action.kind in _NAMED and action.ref not in known.refs.get(action.kind, ()):
                yield Finding(action.kind, step.code, action.ref)


def _missing(made: Definition, step: Step) -> Iterator[Finding]:
    """The languages in which a step lacks what is said, or an answer its words."""
    branches = len(step.answers) > 1
    for language in made.needed:
        if not step.said.get(language):
            yield Finding("said", step.code, language)
        answers = [answer for answer in step.answers if branches or answer.words]
        if any(not answer.words.get(language) for answer in answers):
            yield Finding("answer", step.code, language)
        if step.note and not step.note.get(language):
            yield Finding("note", step.code, language)


def _reached(made: Definition, code: str) -> set[str]:
    """The steps to which answers lead from one, itself among them."""
    found, open_ = {code}, [code]
    while open_:
        step = made.step(open_.pop())
        for answer in step.answers if step else ():
            if answer.to not in found and made.step(answer.to):
                found.add(answer.to)
                open_.append(answer.to)
    return found


def _ends(made: Definition, code: str) -> bool:
    """Whether a script may end at a step; one that leads nowhere is told of by itself."""
    step = made.step(code)
    return bool(step and (step.ends or not step.answers))


_NAMED = (ARTICLE, DEPARTMENT, EMPLOYEE, SMS)
