"""Imports a script from the customer's own document: a Word document or a spreadsheet, as a draft.

Each step leads to the next one: branches are added by hand afterwards. The file is parsed in a
separate process (casework.documents), which executes nothing in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from appliance.casework import documents
from appliance.casework.scripts.definition import (
    MAX_TEXT_LENGTHS,
    RUSSIAN,
    UZBEK,
    Answer,
    Definition,
    Step,
    parse_definition,
)
from appliance.casework.scripts.languages import detect_language, latin_text
from appliance.core.i18n import fold_text
from appliance.core.refusals import Refused

MAX_SCRIPT_FILE_BYTES = 20 * 1024 * 1024  # of a file

__all__ = [
    "MAX_SCRIPT_FILE_BYTES",
    "accepted_extensions",
    "merge_imported_script",
    "parse_script_file",
]


def parse_script_file(name: str, content: bytes) -> Definition:
    """Return the script that a file describes; its title is the file's `name`, without extension.

    Raises Refused with the code `large` if the file is too large, the codes of
    documents.script_steps(), and those of parse_definition() for texts that do not fit into a step.
    """
    if len(content) > MAX_SCRIPT_FILE_BYTES:
        raise Refused("large")
    steps = documents.script_steps(content)
    return parse_definition(_script_document(name.rpartition(".")[0] or name, steps))


def merge_imported_script(before: Definition, imported: Definition) -> Definition:
    """Return the script `before` with the steps of a text that was imported again.

    Title and conditions stay. The steps are those of the text, in its order: steps that it does not
    have are removed. A step with the name of an existing one keeps the code of that step, and what
    the text does not have: actions, fields, and its note and answers if the text has no others. So
    branches that were added by hand are not lost.
    """
    steps_by_name = {_name_key(step): step for step in reversed(before.steps) if _name_key(step)}
    matching_steps = {
        step.code: steps_by_name[_name_key(step)]
        for step in imported.steps
        if _name_key(step) in steps_by_name
    }
    used_codes = [old_step.code for old_step in before.steps]
    new_codes = (str(number) for number in count(1) if str(number) not in used_codes)
    code_by_imported_code = {
        new_step.code: matching_steps[new_step.code].code
        if new_step.code in matching_steps
        else next(new_codes)
        for new_step in imported.steps
    }
    return replace(
        before,
        steps=tuple(
            _merge_imported_step(matching_steps.get(step.code), step, code_by_imported_code)
            for step in imported.steps
        ),
    )


def _name_key(step: Step) -> str:
    """Return the folded name (Uzbek, else Russian) by which a step is found again, or ""."""
    return fold_text(step.name.get(UZBEK) or step.name.get(RUSSIAN) or "")


def _merge_imported_step(
    existing: Step | None, imported: Step, code_by_imported_code: Mapping[str, str]
) -> Step:
    """Return an imported step, merged into the existing step with the same name, if there is one.

    Of the existing step everything stays that is not imported: its code, actions and fields, and
    its texts in other languages. If imported answers have words, they replace its answers; if the
    two have the same number of answers, only the words are replaced, and each answer leads to the
    same step as before. `code_by_imported_code` maps the code of each imported step to its code in
    the merged script.
    """
    answers = tuple(
        Answer(answer.words, code_by_imported_code[answer.to]) for answer in imported.answers
    )
    if not existing:
        return replace(imported, code=code_by_imported_code[imported.code], answers=answers)
    has_texts = any(answer.words for answer in imported.answers)
    if has_texts and len(answers) == len(existing.answers):
        answers = tuple(
            replace(existing_answer, words=answer.words)
            for existing_answer, answer in zip(existing.answers, answers, strict=True)
        )
    return replace(
        existing,
        name={**existing.name, **imported.name},
        said={**existing.said, **imported.said},
        note={**existing.note, **imported.note},
        answers=answers if has_texts else existing.answers,
    )


def _script_document(title: str, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the document, as for parse_definition(), of a script with these steps in a row.

    `steps` are those that documents.script_steps() returns. Each answer leads to the next step; the
    script ends at the last one. A step without a name is named by the first line that is said.
    """
    entries = []
    for number, step in enumerate(steps, 1):
        next_code = str(number + 1)
        is_last = number == len(steps)
        name = step["name"] or {
            language: text.partition("\n")[0] for language, text in step["said"].items()
        }
        answers = step["answers"] or [{}]  # one without words simply leads to the next step
        entry = {
            "code": str(number),
            "name": _shorten_texts(name, "name"),
            "said": _shorten_texts(step["said"], "said"),
            "note": _shorten_texts(step["note"], "note"),
            "answers": [
                {"words": _shorten_texts(answer, "words"), "to": next_code} for answer in answers
            ],
        }
        entries.append(entry | ({"answers": [], "ends": True} if is_last else {}))
    return {
        "title": {detect_language(title): latin_text(title)[: MAX_TEXT_LENGTHS["title"]]},
        "steps": entries,
    }


def _shorten_texts(texts: dict[str, str], text_kind: str) -> dict[str, str]:
    """Return a text in each language, cut to the maximum length of its kind in MAX_TEXT_LENGTHS.

    Spoken texts and notes are not cut, because their end must not be lost without a notice: the
    parser refuses long ones with the code `long`.
    """
    if text_kind in ("said", "note"):
        return texts
    return {language: text[: MAX_TEXT_LENGTHS[text_kind]] for language, text in texts.items()}


def accepted_extensions() -> Iterable[str]:
    """Return the extensions of files that can be imported, for the page's file field."""
    return (".docx", ".xlsx")
