"""How scripts are worded: what they may name, what is found wrong, how they are drawn."""

import textwrap
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs, departments, forms, knowledge
from appliance.casework.scripts import checks, graph, texts
from appliance.casework.scripts.definition import (
    ACTIONS,
    ARTICLE,
    CALLS,
    DEPARTMENT,
    EMPLOYEE,
    HOURS,
    RUSSIAN,
    SMS,
    SPECIALIST,
    UZBEK,
    Definition,
    Step,
    When,
)
from appliance.core.i18n import named
from appliance.messaging.notices import templates
from appliance.telephony import directory, routing
from appliance.web.shell.context import site
from appliance.web.shell.formats import phone
from appliance.web.shell.language import locale

_LETTER = 7  # wide, of a number beside a drawn way
LANGUAGES: dict[str, LazyString] = {UZBEK: _l("in Uzbek (Latin)"), RUSSIAN: _l("in Russian")}
KINDS: dict[str, LazyString] = {kind: lazy_gettext(name) for kind, name in CALLS.items()}
TIMES: dict[str, LazyString] = {hours: lazy_gettext(name) for hours, name in HOURS.items()}
DOES: dict[str, LazyString] = {kind: lazy_gettext(name) for kind, name in ACTIONS.items()}
WORDS: dict[str, LazyString] = {w: lazy_gettext(name) for w, name in texts.PLACEHOLDERS.items()}
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
    "said": _l("What is said"),
    "note": _l("Note for the operator"),
    "fields": _l("Fields"),
    "actions": _l("Actions"),
    "answers": _l("Answers"),
    "ends": _l("The script may end here"),
}
BUTTONS: dict[str, tuple[LazyString, str]] = {
    "send": (_l("Send to the ministry"), "send"),
    "take_back": (_l("Take back"), "undo-2"),
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
    "target": _l("An answer leads to a step that is not there."),
    "dead_end": _l("Nothing leads on from here, and the script may not end here."),
    "loop": _l("From here no end is ever reached."),
    "said": _l("What is said is missing %(what)s."),
    "answer": _l("The words of an answer are missing %(what)s."),
    "note": _l("The note is missing %(what)s."),
    "word": _l("These braces stand for nothing: %(what)s"),
    "field": _l("No form has this field: %(what)s."),
    ARTICLE: _l("There is no article of this name: %(what)s."),
    DEPARTMENT: _l("There is no such department."),
    EMPLOYEE: _l("There is no such employee in the directory."),
    SMS: _l("There is no such SMS template."),
}
_TROUBLES: dict[str, LazyString] = {
    "title": _l("Write what the script is called."),
    "name": _l("Write what the step is called."),
    "most": _l("There are too many scripts."),
    "wrong": _l("Mend first what is found wrong."),
    "steps": _l("A script has 1 to 200 steps."),
    "twice": _l("Two steps have the same code."),
    "long": _l("Too long: what is said takes 2,000 letters, a note 1,000, an answer 120."),
    "answers": _l("A step has at most nine answers."),
    "changed": _l("Somebody else has changed the draft meanwhile. Look at it, then try again."),
    "pending": _l("There is a version to come already."),
    "words": _l("Write why it is returned."),
    "past": _l("This moment is past. Leave it empty for now."),
    "moment": _l("Write the day as dd.mm.yyyy and the time as hh:mm."),
    "step": _l("The draft has no such step any more."),
    "file": _l("This file cannot be read as a script. Send a Word document or a spreadsheet."),
    "large": _l("This file is too large: 20 MB at most."),
    "bomb": _l("This file unpacks to far more than a text needs. It was not opened."),
    "macro": _l("This file holds macros. Save it without them, as .docx or .xlsx."),
    "empty": _l("There is no text in this file."),
}


def trouble(code: str) -> LazyString | None:
    """Why something could not be done; None for no code."""
    return _TROUBLES.get(code, _l("This cannot be done so.")) if code else None


def finding(one: checks.Finding) -> str:
    """What is wrong, in a sentence."""
    what = str(LANGUAGES[one.what]) if one.what in LANGUAGES else one.what
    return str(_FINDINGS[one.code]) % {"what": what}


def action_names(slugs: Collection[str] | None = None) -> dict[str, dict[str, str]]:
    """Kind of action → what may stand as its ref → what that is called.

    `slugs`: the articles that are meant, where not all of them are.
    """
    return {
        ARTICLE: articles(slugs),
        DEPARTMENT: {one.code: named(one, locale()) for one in departments.departments()},
        EMPLOYEE: {str(one.id): _employee(one) for one in directory.employees()},
        SMS: {str(one.id): one.name for one in templates.templates()},
        SPECIALIST: {"": str(DOES[SPECIALIST])},
    }


def articles(slugs: Collection[str] | None = None) -> dict[str, str]:
    """Slug → title of the articles in force and of those to come, which are named so."""
    return {
        slug: one.title if one.in_force else _("%(title)s (not in force)", title=one.title)
        for slug, one in knowledge.titled(locale(), slugs).items()
    }


def field_names() -> dict[str, str]:
    """Name → label of the fields of both forms, as they are filled in now."""
    return {
        field.name: field.called(locale())
        for form in reversed(forms.FORMS)
        for field in forms.in_force(form).fields
    }


def topics() -> dict[str, str]:
    """Code → name of the directions of appeals, and of the topics of the menu beside them."""
    menu = {
        one.code: one.ru if locale() == "ru" else one.uz
        for one in routing.current(site()).topics
        if one.code
    }
    return menu | catalogs.labels("direction", locale())


def numbers() -> dict[str, str]:
    """Our numbers that people dial → how they are written."""
    listed = (one.number for one in routing.current(site()).numbers if one.number)
    return {one: phone(one) for one in (site().calls.hotline_number, *listed)}


def known() -> checks.Known:
    """What a script may name now."""
    refs = {kind: frozenset(names) for kind, names in action_names().items()}
    return checks.Known(frozenset(field_names()), frozenset(numbers()), frozenset(topics()), refs)


def described(when: When) -> list[str]:
    """For which calls a script is, condition by condition; none for all calls."""
    called = topics()
    said = [
        ", ".join(str(KINDS[kind]) for kind in when.kinds),
        ", ".join(called.get(code, code) for code in when.topics),
        ", ".join(str(LANGUAGES[one]) for one in when.languages),
        str(TIMES[when.hours]) if when.hours else "",
        ", ".join(phone(one) for one in when.numbers),
    ]
    return [one for one in said if one]


def step_name(step: Step) -> str:
    """What a step is called, for its reader."""
    return texts.read(step.name, locale()) or step.code


def part(made: Definition, step: Step | None, name: str) -> str:
    """A part of a step, or of a script, in one text: for the difference of two versions."""
    if name == "when":
        return "; ".join(described(made.when)) or _("all calls")
    if name == "order":
        return ", ".join(step_name(one) for one in made.steps)
    if name == "title" or not step:
        return _both(made.title)
    if name == "ends":
        return _("yes") if step.ends else _("no")
    if name == "fields":
        return ", ".join(field_names().get(one, one) for one in step.fields) or "–"
    if name == "actions":
        called = action_names()
        done = (f"{DOES[a.kind]}: {called[a.kind].get(a.ref, a.ref)}" for a in step.actions)
        return "; ".join(done) or "–"
    if name == "answers":
        return "; ".join(f"{_both(a.words)} → {_target(made, a.to)}" for a in step.answers) or "–"
    return _both(getattr(step, name))


def lines(text: str, wide: int = 25, most: int = 2) -> list[str]:
    """A name in the lines of a drawn box."""
    return textwrap.wrap(text, wide, max_lines=most, placeholder="…", break_long_words=True)


def curve(points: Iterable[tuple[float, float]]) -> str:
    """The points of a drawn way as an SVG path that bends softly."""
    at = list(points)
    path = [f"M{at[0][0]:.0f} {at[0][1]:.0f}"]
    for (x, y), (to_x, to_y) in pairwise(at):
        half = (y + to_y) / 2
        path.append(f"C{x:.0f} {half:.0f} {to_x:.0f} {half:.0f} {to_x:.0f} {to_y:.0f}")
    return "".join(path)


def numbered(made: Definition, ways: Iterable[graph.Way]) -> list[tuple[str, float, float]]:
    """(numbers of answers, x, y) of each drawn way that has some: beside its line, near its step.

    Numbers of ways that leave a step close to each other stand side by side.
    """
    found: dict[str, list[tuple[float, float, str]]] = {}
    for way in ways:
        step = made.step(way.before)
        if way.numbers == (1,) and step and len(step.answers) == 1:
            continue
        (x, y), (to_x, to_y) = way.points[0], way.points[1]
        at = (x + (to_x - x) * 0.22, y + (to_y - y) * 0.3 + 4)
        found.setdefault(way.before, []).append((*at, ", ".join(map(str, way.numbers))))
    told = []
    for beside in found.values():
        free = float("-inf")
        for x, y, text in sorted(beside):
            half = _LETTER * len(text) / 2
            place = max(x, free + half)
            free = place + half + _LETTER
            told.append((text, round(place, 1), round(y, 1)))
    return told


def _both(words: Mapping[str, str]) -> str:
    return " / ".join(words[one] for one in LANGUAGES if words.get(one)) or "–"


def _target(made: Definition, code: str) -> str:
    step = made.step(code)
    return step_name(step) if step else "–"


def _employee(one: object) -> str:
    name, department = getattr(one, "name", ""), getattr(one, "department", "")
    return f"{name}, {department}" if department else str(name)
