"""A script out of the customer's own document: a Word document or a spreadsheet, as a draft.

Each step leads to the next one: branches are drawn by hand afterwards. The file is read by a
process of its own (casework.documents), which runs nothing that is in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from appliance.casework import documents
from appliance.casework.scripts.definition import (
    LONGEST,
    RUSSIAN,
    UZBEK,
    Answer,
    Definition,
    Step,
    parse,
)
from appliance.casework.scripts.languages import in_latin, language_of
from appliance.core.i18n import fold

LARGEST = 20 * 1024 * 1024  # bytes of a file

__all__ = ["LARGEST", "UnreadableError", "accepted", "into", "read"]


class UnreadableError(ValueError):
    """A file that is no script; `code` names why: large, file, bomb, macro, empty, steps."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(name: str, content: bytes) -> Definition:
    """The draft of a file's text; `name` is what the file is called.

    Raises UnreadableError, and DefinitionError for texts that no step can hold.
    """
    if len(content) > LARGEST:
        raise UnreadableError("large")
    try:
        steps = documents.script_steps(content)
    except documents.DocumentError as error:
        raise UnreadableError(error.code) from error
    return parse(_document(name.rpartition(".")[0] or name, steps))


def into(before: Definition, made: Definition) -> Definition:
    """A text that was read anew, as the next version of a script.

    Title and calls stay. A step is known by its name: its actions, fields, note and ways stay where
    the text says nothing else, so that what was drawn by hand is not drawn twice.
    """
    known = {_key(step): step for step in reversed(before.steps) if _key(step)}
    kept = {step.code: known[_key(step)] for step in made.steps if _key(step) in known}
    taken = [one.code for one in before.steps]
    fresh = (str(n) for n in count(1) if str(n) not in taken)
    codes = {s.code: kept[s.code].code if s.code in kept else next(fresh) for s in made.steps}
    return replace(
        before, steps=tuple(_over(kept.get(step.code), step, codes) for step in made.steps)
    )


def _key(step: Step) -> str:
    return fold(step.name.get(UZBEK) or step.name.get(RUSSIAN) or "")


def _over(old: Step | None, new: Step, codes: Mapping[str, str]) -> Step:
    """A step of the text over the one of its name."""
    ways = tuple(Answer(one.words, codes[one.to]) for one in new.answers)
    if not old:
        return replace(new, code=codes[new.code], answers=ways)
    worded = any(one.words for one in new.answers)
    if worded and len(ways) == len(old.answers):
        ways = tuple(
            replace(was, words=one.words) for was, one in zip(old.answers, ways, strict=True)
        )
    return replace(
        old,
        name={**old.name, **new.name},
        said={**old.said, **new.said},
        note={**old.note, **new.note},
        answers=ways if worded else old.answers,
    )


def _document(title: str, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    entries = []
    for number, step in enumerate(steps, 1):
        after = str(number + 1)
        is_last = number == len(steps)
        name = step["name"] or {
            language: text.partition("\n")[0] for language, text in step["said"].items()
        }
        answers = step["answers"] or [{}]
        entry = {
            "code": str(number),
            "name": _cut(name, "name"),
            "said": _cut(step["said"], "said"),
            "note": _cut(step["note"], "note"),
            "answers": [{"words": _cut(one, "words"), "to": after} for one in answers],
        }
        entries.append(entry | ({"answers": [], "ends": True} if is_last else {}))
    return {"title": {language_of(title): in_latin(title)[: LONGEST["title"]]}, "steps": entries}


def _cut(words: dict[str, str], what: str) -> dict[str, str]:
    """Names shortened to what one holds; what is said is never cut, but refused (`long`)."""
    if what in ("said", "note"):
        return words
    return {language: text[: LONGEST[what]] for language, text in words.items()}


def accepted() -> Iterable[str]:
    """How names of files end that can be imported, for the page's field."""
    return (".docx", ".xlsx")
