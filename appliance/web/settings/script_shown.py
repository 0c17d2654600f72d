"""What the pages of scripts show: a graph, a step, what is different, and what was typed of it."""

from typing import TYPE_CHECKING, Any

from flask import abort
from werkzeug.datastructures import MultiDict

from appliance.casework import forms, versions
from appliance.casework.scripts import checks, comparing, definition, graph, queries, texts
from appliance.people import accounts, rights
from appliance.web.settings import script_words as words
from appliance.web.shell.context import me
from appliance.web.shell.language import locale
from appliance.web.shell.refusals import Refusal

if TYPE_CHECKING:
    from appliance.models import ScriptVersion

_FRESH = {"answers": 4, "actions": 2}  # blank ones to type into


def common(code: str = "") -> dict[str, Any]:
    """What all of them show."""
    return {
        "code": code,
        "words": words,
        "standing": lambda row: versions.STANDINGS[versions.standing(row)],
        "title_of": lambda made: texts.read(made.title, locale()),
        "people": accounts.names(locale()),
        "may_write": rights.has(me(), "script.write"),
    }


def drawn(made: definition.Definition) -> dict[str, Any]:
    """A script as its pages show it: the graph, the steps, what is wrong with each."""
    found: dict[str, list[str]] = {}
    for one in checks.findings(made, words.known()):
        found.setdefault(one.step, []).append(words.finding(one))
    return {
        "made": made,
        "graph": graph.drawn(made),
        "size": graph,
        "found_wrong": found,
        "names": {one.code: words.step_name(one) for one in made.steps},
        "field_names": words.field_names(),
        "action_names": words.action_names(),
    }


def differences(found: queries.Listed) -> list[tuple[str, str, str, str]]:
    """What the version to come says otherwise than the one in force; none without both."""
    if not found.to_come or not found.in_force:
        return []
    return changed(queries.definition_of(found.in_force), queries.definition_of(found.to_come))


def changed(
    before: definition.Definition, after: definition.Definition
) -> list[tuple[str, str, str, str]]:
    """(step, what of it, before, after) of everything that two versions say otherwise."""
    found = []
    for one in comparing.changes(before, after):
        shown = one.after or one.before
        name = words.step_name(shown) if shown else ""
        if one.kind != "changed":
            found.append((name, str(words.CHANGES[one.kind]), "–", "–"))
        for part in one.parts:
            was = words.part(before, one.before, part)
            now = words.part(after, one.after, part)
            found.append((name, str(words.PARTS[part]), was, now))
    return found


def title(row: "ScriptVersion") -> str:
    """What a version is called in the reader's language."""
    return texts.read(queries.definition_of(row).title, locale())


def step_page(row: "ScriptVersion", name: str, was: Refusal) -> dict[str, Any]:
    """A step of a draft as its page shows it, with blank lines to type into; "" for a new one.

    404 when the draft has no such step.
    """
    made = queries.definition_of(row)
    found = made.step(name) if name else None
    if name and not found:
        abort(404)
    typed = entry(was.values) if was else definition.entry_of(found) if found else {}
    wrong = [one for one in checks.findings(made, words.known()) if name and one.step == name]
    blank_answer, blank_action = {"words": {}, "to": ""}, {"kind": "", "ref": ""}
    answers = [*typed.get("answers", []), *[blank_answer] * _FRESH["answers"]]
    actions = [*typed.get("actions", []), *[blank_action] * _FRESH["actions"]]
    by_form = [
        (forms.in_force(form).title[locale()], forms.in_force(form).fields) for form in forms.FORMS
    ]
    return {
        "row": row,
        "step": found,
        "entry": typed,
        "answers": answers[: definition.MOST_ANSWERS],
        "actions": actions[: definition.MOST_BESIDE],
        "steps": [(one.code, words.step_name(one)) for one in made.steps],
        "by_form": by_form,
        "action_names": words.action_names(),
        "wrong": [words.finding(one) for one in wrong],
        "longest": definition.LONGEST,
        "trouble": words.trouble(was.trouble),
        **common(row.script.code),
    }


def entry(sent: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed of a step, as it stands in a definition; blank lines are left out."""

    def both(name: str) -> dict[str, str]:
        return {one: sent.get(f"{name}-{one}", "") for one in words.LANGUAGES}

    said = zip(*(sent.getlist(f"answer-{one}") for one in words.LANGUAGES), strict=False)
    answers = [
        {"words": dict(zip(words.LANGUAGES, texts_, strict=True)), "to": to}
        for texts_, to in zip(said, sent.getlist("answer-to"), strict=False)
        if to or any(text.strip() for text in texts_)
    ]
    chosen = (text.partition(":") for text in sent.getlist("action") if text)
    return {
        "name": both("name"),
        "said": both("said"),
        "note": both("note"),
        "fields": sent.getlist("fields"),
        "actions": [{"kind": kind, "ref": ref} for kind, _colon, ref in chosen],
        "answers": answers,
        "ends": "ends" in sent,
    }
