"""Checks a script before it is sent to the ministry: returns all findings, each with its step.

A draft may have findings, because it is written step by step. A script without findings can be
followed from its beginning to an end, whatever the caller answers.
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
class AvailableReferences:
    """What exists on the site, so that a script may refer to it."""

    fields: Collection[str] = ()  # names of the fields of both forms
    numbers: Collection[str] = ()  # telephone numbers of the hotline
    topics: Collection[str] = ()  # codes of the menu's topics and of directions of an appeal
    # kind of action → what an action of this kind may have as `ref`, e.g. the slugs of articles
    refs: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One error of a script.

    `code` is the kind of error, for which the page has a text; `step` is the code of the step, ""
    for the script as a whole; `detail` is the invalid value, or the missing language.
    """

    code: str
    step: str = ""
    detail: str = ""


def script_findings(script: Definition, available: AvailableReferences) -> list[Finding]:
    """Return all errors of a script, in the order of its steps."""
    return [
        *_header_findings(script, available),
        *_path_findings(script),
        *_step_findings(script, available),
    ]


def _header_findings(script: Definition, available: AvailableReferences) -> Iterator[Finding]:
    """Yield the errors of the title and the conditions."""
    yield from (
        Finding("title", "", lang)
        for lang in script.required_languages
        if not script.title.get(lang)
    )
    yield from (
        Finding("number", "", value)
        for value in script.when.numbers
        if value not in available.numbers
    )
    yield from (
        Finding("topic", "", value) for value in script.when.topics if value not in available.topics
    )


def _path_findings(script: Definition) -> Iterator[Finding]:
    """Yield the errors of steps that are unreachable, lead nowhere, or never lead to an end.

    A step has only the first of these errors, because each may be the cause of the next.
    """
    codes = {step.code for step in script.steps}
    reachable = _reachable_steps(script, script.steps[0].code)
    for step in script.steps:
        unresolved = [answer for answer in step.answers if answer.to not in codes]
        if step.code not in reachable:
            yield Finding("unreachable", step.code)
        elif unresolved:
            yield from (Finding("target", step.code, answer.to) for answer in unresolved)
        elif not step.answers and not step.ends:
            yield Finding("dead_end", step.code)
        elif not any(_may_end(script, code) for code in _reachable_steps(script, step.code)):
            yield Finding("loop", step.code)


def _step_findings(script: Definition, available: AvailableReferences) -> Iterator[Finding]:
    """Yield the errors of the texts, fields and actions of each step."""
    for step in script.steps:
        yield from _missing_texts(script, step)
        for _kind, localized in step.all_texts():
            for text in localized.values():
                yield from (
                    Finding("word", step.code, placeholder)
                    for placeholder in texts.unknown_placeholders(text)
                )
        yield from (
            Finding("field", step.code, field_name)
            for field_name in step.fields
            if field_name not in available.fields
        )
        for action in step.actions:
            if action.kind in _REFERENCING_ACTIONS and action.ref not in available.refs.get(
                action.kind, ()
            ):
                yield Finding(action.kind, step.code, action.ref)


def _missing_texts(script: Definition, step: Step) -> Iterator[Finding]:
    """Yield an error for each required language in which a step lacks one of its texts.

    These are what the operator says, the note if there is one, and the words of the answers.
    """
    is_branching = len(step.answers) > 1  # the only answer of a step may have no words
    for language in script.required_languages:
        if not step.said.get(language):
            yield Finding("said", step.code, language)
        answers = [answer for answer in step.answers if is_branching or answer.words]
        if any(not answer.words.get(language) for answer in answers):
            yield Finding("answer", step.code, language)
        if step.note and not step.note.get(language):
            yield Finding("note", step.code, language)


def _reachable_steps(script: Definition, code: str) -> set[str]:
    """Return the codes of the steps that can be reached from the step `code`, including itself."""
    reachable, pending = {code}, [code]
    while pending:
        step = script.find_step(pending.pop())
        for answer in step.answers if step else ():
            if answer.to not in reachable and script.find_step(answer.to):
                reachable.add(answer.to)
                pending.append(answer.to)
    return reachable


def _may_end(script: Definition, code: str) -> bool:
    """Return True if a script may end at the step `code`.

    A step without answers counts as an end, too: it is reported as a "dead_end", so that the steps
    that lead to it need not be reported as a "loop".
    """
    step = script.find_step(code)
    return bool(step and (step.ends or not step.answers))


# the kinds of action with a `ref`; a mark for a specialist refers to nothing
_REFERENCING_ACTIONS = (ARTICLE, DEPARTMENT, EMPLOYEE, SMS)
