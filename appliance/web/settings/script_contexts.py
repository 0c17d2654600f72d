"""Template contexts of the pages of call scripts: the graph, a step, differences of versions."""

from typing import TYPE_CHECKING, Any

from flask import abort
from werkzeug.datastructures import MultiDict

from appliance.casework import forms, versions
from appliance.casework.scripts import checks, comparing, definition, graph, queries, texts
from appliance.people import accounts, rights
from appliance.web.settings import script_labels as words
from appliance.web.shared.script_steps import PLACEHOLDER_LABELS, action_names, field_names
from appliance.web.shell.context import me
from appliance.web.shell.language import locale
from appliance.web.shell.refusals import Refusal, trouble_message

if TYPE_CHECKING:
    from appliance.models import ScriptVersion

_BLANK_LINES = {"answers": 4, "actions": 2}  # blank input rows in the form of a step


def common_context(code: str = "") -> dict[str, Any]:
    """Return the template context that all script pages share.

    `code` is the script's code, for the pages whose links need it (the preview, a step). `standing`
    and `title_of` are functions that return the state of a version and the title of a script.
    """
    return {
        "code": code,
        "words": words,
        "standing": lambda row: versions.WORKFLOW.states_by_code[versions.version_status(row)],
        "title_of": lambda script: texts.localized_text(script.title, locale()),
        "people": accounts.display_names(locale()),
        "may_write": rights.has_right(me(), "script.write"),
    }


def script_context(script: definition.Definition) -> dict[str, Any]:
    """Return the template context of a script: its graph, its steps, and the faults found.

    `made` is the script, `found_wrong` has the texts of the faults by step ("": of the script
    itself), `size` is the module with the measures of the drawing.
    """
    findings: dict[str, list[str]] = {}
    for item in checks.script_findings(script, words.available_references()):
        findings.setdefault(item.step, []).append(words.finding_text(item))
    return {
        "made": script,
        "graph": graph.layout_script(script),
        "size": graph,
        "found_wrong": findings,
        "names": {item.code: words.step_name(item) for item in script.steps},
        "field_names": field_names(),
        "action_names": action_names(),
    }


def pending_differences(script: queries.ScriptOverview) -> list[tuple[str, str, str, str]]:
    """Return how the pending version differs from the one in force.

    Each difference is (step, attribute, before, after). Returns [] unless there are both versions.
    """
    if not script.pending_version or not script.in_force:
        return []
    return version_differences(
        queries.version_definition(script.in_force),
        queries.version_definition(script.pending_version),
    )


def version_differences(
    before: definition.Definition, after: definition.Definition
) -> list[tuple[str, str, str, str]]:
    """Return (step, attribute, before, after) of each difference between two versions, as text."""
    rows = []
    for change in comparing.step_changes(before, after):
        changed_step = change.after or change.before
        name = words.step_name(changed_step) if changed_step else ""
        if change.kind != "changed":
            rows.append((name, str(words.CHANGES[change.kind]), "–", "–"))
        for part in change.parts:
            old_text = words.part_text(before, change.before, part)
            new_text = words.part_text(after, change.after, part)
            rows.append((name, str(words.PARTS[part]), old_text, new_text))
    return rows


def version_title(row: "ScriptVersion") -> str:
    """Return the title of a version in the reader's language."""
    return texts.localized_text(queries.version_definition(row).title, locale())


def step_form_context(row: "ScriptVersion", name: str, refusal: Refusal) -> dict[str, Any]:
    """Return the template context of the form of a draft's step, with blank input rows.

    `name` is the step's code, "" for a new step. The form has the values of `refusal` (see
    refusals.latest_refusal) if it is one. Aborts with 404 if the draft has no such step.
    """
    script = queries.version_definition(row)
    current_step = script.find_step(name) if name else None
    if name and not current_step:
        abort(404)
    typed = (
        step_entry(refusal.values)
        if refusal
        else definition.step_entry(current_step)
        if current_step
        else {}
    )
    step_findings = [
        item
        for item in checks.script_findings(script, words.available_references())
        if name and item.step == name
    ]
    blank_answer, blank_action = {"words": {}, "to": ""}, {"kind": "", "ref": ""}
    answers = [*typed.get("answers", []), *[blank_answer] * _BLANK_LINES["answers"]]
    actions = [*typed.get("actions", []), *[blank_action] * _BLANK_LINES["actions"]]
    by_form = [
        (forms.definition_in_force(form).title[locale()], forms.definition_in_force(form).fields)
        for form in forms.FORMS
    ]
    return {
        "row": row,
        "step": current_step,
        "entry": typed,
        "answers": answers[: definition.MAX_ANSWERS],
        "actions": actions[: definition.MAX_LIST_LENGTH],
        "steps": [(item.code, words.step_name(item)) for item in script.steps],
        "by_form": by_form,
        "action_names": action_names(),
        "wrong": [words.finding_text(item) for item in step_findings],
        "placeholders": PLACEHOLDER_LABELS,
        "longest": definition.MAX_TEXT_LENGTHS,
        "trouble": trouble_message(words.TROUBLES, refusal.trouble),
        **common_context(row.script.code),
    }


def step_entry(form_data: MultiDict[str, str]) -> dict[str, Any]:
    """Return the typed step, as a dictionary like a step of a stored definition.

    Blank rows are left out.
    """

    def texts_by_language(name: str) -> dict[str, str]:
        """Return the texts typed in the fields with this name, by language."""
        return {language: form_data.get(f"{name}-{language}", "") for language in words.LANGUAGES}

    answer_texts = zip(
        *(form_data.getlist(f"answer-{language}") for language in words.LANGUAGES), strict=False
    )
    answers = [
        {"words": dict(zip(words.LANGUAGES, texts_of_answer, strict=True)), "to": target}
        for texts_of_answer, target in zip(
            answer_texts, form_data.getlist("answer-to"), strict=False
        )
        if target or any(text.strip() for text in texts_of_answer)
    ]
    selected_actions = (text.partition(":") for text in form_data.getlist("action") if text)
    return {
        "name": texts_by_language("name"),
        "said": texts_by_language("said"),
        "note": texts_by_language("note"),
        "fields": form_data.getlist("fields"),
        "actions": [{"kind": kind, "ref": ref} for kind, _colon, ref in selected_actions],
        "answers": answers,
        "ends": "ends" in form_data,
    }
