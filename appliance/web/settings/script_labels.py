"""Texts of the pages of call scripts: labels, findings of the check, texts of the drawn graph."""

import textwrap
from collections.abc import Iterable, Mapping
from itertools import pairwise

from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs
from appliance.casework.scripts import checks, graph, texts
from appliance.casework.scripts.definition import (
    ARTICLE,
    CALL_KINDS,
    DEPARTMENT,
    EMPLOYEE,
    HOURS,
    RUSSIAN,
    SMS,
    UZBEK,
    Definition,
    ScriptConditions,
    Step,
)
from appliance.telephony import routing
from appliance.web.shared.script_steps import ACTION_LABELS, action_names, field_names
from appliance.web.shell.context import site
from appliance.web.shell.formats import phone
from appliance.web.shell.language import locale

_LETTER_WIDTH = 7  # width of a digit of a number next to a line, in units of the drawing
LANGUAGES: dict[str, LazyString] = {UZBEK: _l("in Uzbek (Latin)"), RUSSIAN: _l("in Russian")}
KINDS: dict[str, LazyString] = {kind: lazy_gettext(name) for kind, name in CALL_KINDS.items()}
TIMES: dict[str, LazyString] = {hours: lazy_gettext(name) for hours, name in HOURS.items()}
CHANGES: dict[str, LazyString] = {
    "added": _l("added"),
    "removed": _l("removed"),
    "changed": _l("changed"),
}
PARTS: dict[str, LazyString] = {
    "title": _l("Title"),
    "when": _l("For which calls"),
    "order": _l("Order of the steps"),
    "name": _l("Name of the step"),
    "said": _l("Spoken text"),
    "note": _l("Note for the operator"),
    "fields": _l("Fields"),
    "actions": _l("Actions"),
    "answers": _l("Answer options"),
    "ends": _l("The script may end here"),
}
BUTTONS: dict[str, tuple[LazyString, str]] = {
    "send": (_l("Send to the ministry"), "send"),
    "take_back": (_l("Bring back"), "undo-2"),
    "approve": (_l("Approve"), "check"),
    "return": (_l("Return for changes"), "undo-2"),
    "put": (_l("Put in force"), "check"),
    "withdraw": (_l("Withdraw"), "undo-2"),
    "retire": (_l("Take out of force"), "archive"),
}
_FINDINGS: dict[str, LazyString] = {
    "title": _l("The title is missing %(what)s."),
    "number": _l("This number is not ours: %(what)s."),
    "topic": _l("There is no such topic or direction: %(what)s."),
    "unreachable": _l("No answer leads to this step."),
    "target": _l("An answer leads to a step that does not exist."),
    "dead_end": _l("There is no continuation from here, and the script may not end here."),
    "loop": _l("The end cannot be reached from here."),
    "said": _l("The spoken text is missing %(what)s."),
    "answer": _l("The text of an answer is missing %(what)s."),
    "note": _l("The note is missing %(what)s."),
    "word": _l("These braces have no meaning: %(what)s"),
    "field": _l("No form has this field: %(what)s."),
    ARTICLE: _l("There is no article with this name: %(what)s."),
    DEPARTMENT: _l("There is no such department."),
    EMPLOYEE: _l("There is no such employee in the directory."),
    SMS: _l("There is no such SMS template."),
}
TROUBLES: dict[str, LazyString] = {
    "title": _l("Enter the title of the script."),
    "name": _l("Enter the name of the step."),
    "most": _l("There are too many scripts."),
    "wrong": _l("First correct the errors that were found."),
    "steps": _l("A script has 1 to 200 steps."),
    "twice": _l("Two steps have the same code."),
    "long": _l(
        "Too long: at most 2,000 characters for speech, 1,000 for a note, 120 for an answer."
    ),
    "answers": _l("A step has at most nine answers."),
    "changed": _l(
        "Another user has changed the draft in the meantime. Look at it, then try again."
    ),
    "pending": _l("There is already an upcoming version."),
    "words": _l("Enter the reason for returning it."),
    "past": _l("This time is past. Leave it empty to put it in force now."),
    "moment": _l("Enter the day as dd.mm.yyyy and the time as hh:mm."),
    "step": _l("The draft no longer has this step."),
    "file": _l("This file cannot be read as a script. Send a Word document or a spreadsheet."),
    "large": _l("This file is too large: 20 MB at most."),
    "bomb": _l("This file is far larger when unpacked than any text would be. It was not opened."),
    "macro": _l("This file contains macros. Save it without them, as .docx or .xlsx."),
    "empty": _l("This file contains no text."),
}


def finding_text(finding: checks.Finding) -> str:
    """Return a finding of the script check as a sentence."""
    what = str(LANGUAGES[finding.detail]) if finding.detail in LANGUAGES else finding.detail
    return str(_FINDINGS[finding.code]) % {"what": what}


def topic_names() -> dict[str, str]:
    """Return the names of the appeals' directions and of the call menu's topics, by code."""
    menu = {
        topic.code: topic.spoken_name(locale())
        for topic in routing.current_plan(site()).topics
        if topic.code
    }
    return menu | catalogs.labels_by_code("direction", locale())


def number_labels() -> dict[str, str]:
    """Return our own numbers that people dial, by number; the values are formatted."""
    listed = (number.number for number in routing.current_plan(site()).numbers if number.number)
    return {number: phone(number) for number in (site().calls.hotline_number, *listed)}


def available_references() -> checks.AvailableReferences:
    """Return what a script may refer to now: fields, numbers, topics and objects of actions.

    Objects of actions are articles, departments, employees and SMS templates.
    """
    refs = {kind: frozenset(names) for kind, names in action_names().items()}
    return checks.AvailableReferences(
        frozenset(field_names()), frozenset(number_labels()), frozenset(topic_names()), refs
    )


def condition_texts(when: ScriptConditions) -> list[str]:
    """Return the conditions under which a script applies to a call, as texts; [] for all calls."""
    names = topic_names()
    conditions = [
        ", ".join(str(KINDS[kind]) for kind in when.kinds),
        ", ".join(names.get(code, code) for code in when.topics),
        ", ".join(str(LANGUAGES[item]) for item in when.languages),
        str(TIMES[when.hours]) if when.hours else "",
        ", ".join(phone(item) for item in when.numbers),
    ]
    return [item for item in conditions if item]


def step_name(step: Step) -> str:
    """Return a step's name in the reader's language, or its code if it has no name."""
    return texts.localized_text(step.name, locale()) or step.code


def part_text(script: Definition, step: Step | None, part: str) -> str:
    """Return a part of a step, or of the script, as one text; used to compare two versions.

    `part` is a key of PARTS. The parts of the script itself (title, when, order) have no `step`.
    """
    if part == "when":
        return "; ".join(condition_texts(script.when)) or _("all calls")
    if part == "order":
        return ", ".join(step_name(item) for item in script.steps)
    if part == "title" or not step:
        return _bilingual_text(script.title)
    if part == "ends":
        return str(_("yes") if step.ends else _("no"))
    if part == "fields":
        return ", ".join(field_names().get(item, item) for item in step.fields) or "–"
    if part == "actions":
        names = action_names()
        actions = (
            f"{ACTION_LABELS[a.kind]}: {names[a.kind].get(a.ref, a.ref)}" for a in step.actions
        )
        return "; ".join(actions) or "–"
    if part == "answers":
        return (
            "; ".join(
                f"{_bilingual_text(a.words)} → {_target_name(script, a.to)}" for a in step.answers
            )
            or "–"
        )
    return _bilingual_text(getattr(step, part))


def wrap_lines(text: str, width: int = 25, max_lines: int = 2) -> list[str]:
    """Return the lines of a name in a drawn box; what does not fit is replaced by "…".

    `width` is the number of characters in a line.
    """
    return textwrap.wrap(text, width, max_lines=max_lines, placeholder="…", break_long_words=True)


def svg_path(points: Iterable[tuple[float, float]]) -> str:
    """Return an SVG path through the points of a drawn line, with soft bends."""
    corners = list(points)
    path = [f"M{corners[0][0]:.0f} {corners[0][1]:.0f}"]
    for (x, y), (to_x, to_y) in pairwise(corners):
        half = (y + to_y) / 2
        path.append(f"C{x:.0f} {half:.0f} {to_x:.0f} {half:.0f} {to_x:.0f} {to_y:.0f}")
    return "".join(path)


def answer_number_positions(
    script: Definition, lines: Iterable[graph.Connection]
) -> list[tuple[str, float, float]]:
    """Return (text, x, y) of the answer numbers that are drawn next to the lines of a graph.

    A line connects a step with the step to which one or more of its answers lead. The numbers of
    these answers are drawn near the former step; if its lines are close together, side by side. The
    line of a step's only answer has no number.
    """
    positions_by_step: dict[str, list[tuple[float, float, str]]] = {}
    for line in lines:
        step = script.find_step(line.before)
        if line.numbers == (1,) and step and len(step.answers) == 1:
            continue
        (x, y), (to_x, to_y) = line.points[0], line.points[1]
        position = (x + (to_x - x) * 0.22, y + (to_y - y) * 0.3 + 4)
        positions_by_step.setdefault(line.before, []).append(
            (*position, ", ".join(map(str, line.numbers)))
        )
    labels = []
    for positions in positions_by_step.values():
        free_from = float("-inf")
        for x, y, text in sorted(positions):
            half = _LETTER_WIDTH * len(text) / 2
            center = max(x, free_from + half)
            free_from = center + half + _LETTER_WIDTH
            labels.append((text, round(center, 1), round(y, 1)))
    return labels


def _bilingual_text(texts_by_language: Mapping[str, str]) -> str:
    """Return a text in both languages, separated by a slash; "–" if it has no text."""
    return (
        " / ".join(
            texts_by_language[language] for language in LANGUAGES if texts_by_language.get(language)
        )
        or "–"
    )


def _target_name(script: Definition, code: str) -> str:
    """Return the name of the step to which an answer leads; "–" if there is no such step."""
    step = script.find_step(code)
    return step_name(step) if step else "–"
