"""Edits scripts: a draft of the next version, its steps, and its approval by the ministry.

The actions on a version, such as its approval, and their roles are defined in casework.versions. A
change is refused with the code `changed` if the draft was changed since its `seen_revision`, the
number of the revision that the user has seen.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from appliance.casework import versions
from appliance.casework.scripts import checks, importing, seeding
from appliance.casework.scripts.definition import (
    Definition,
    LocalizedTexts,
    Step,
    definition_document,
    parse_definition,
)
from appliance.casework.scripts.queries import LIVE_TOPIC, update_search_index, version_definition
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.i18n import fold_text
from appliance.core.refusals import Refused
from appliance.models import ChangeRequest, Script, ScriptVersion, User

CHECKED_ACTIONS = ("send", "put")  # refused while the checks find errors in the script
MAX_SCRIPTS = 200  # of a site
_REFERENCE_FORMAT = "{script}/{number}"  # of a version, in the audit: script's code, its number


def add_script(
    title: LocalizedTexts, user: User, request: ChangeRequest | None = None
) -> ScriptVersion:
    """Create a script with one blank step, as a draft; returns the draft.

    `request` is the change request for which it is written. Raises Refused with the code `title` if
    every title is empty, `most` if the site has MAX_SCRIPTS already, `action` if the user's role
    may not write scripts.
    """
    name = next((text for text in title.values() if text.strip()), "")
    if not name:
        raise Refused("title")
    document = {"title": title, "steps": [{"code": "1", "name": title, "ends": True}]}
    return create_script(parse_definition(document), user, request, name)


def create_script(
    definition: Definition, user: User | None, request: ChangeRequest | None = None, name: str = ""
) -> ScriptVersion:
    """Create a script whose first draft is `definition`; returns the draft.

    The script's code is made from `name`, by default from the title. There is no `user` if it is
    called from the command line; `request` is the change request for which the script is written.
    Raises Refused with the codes `most` and `action` of add_script().
    """
    with write_transaction():
        used_codes = {row.code for row in Script.select(Script.code)}
        if len(used_codes) >= MAX_SCRIPTS:
            raise Refused("most")
        title = name or next(iter(definition.title.values()), "")
        script = Script.create(code=_available_code(title, used_codes), made_at=clock.now())
        return _begin_version(script, definition, user, request)


def begin_draft(
    script: Script,
    user: User,
    change_request: ChangeRequest | None = None,
    source_number: int | None = None,
) -> ScriptVersion:
    """Begin the next draft of a script, as a copy of the version `source_number`.

    Without the number, or if there is no such version, the draft is a copy of the version in force,
    else of the newest one. `change_request`: the request for which the draft is written.

    Raises Refused with the codes of versions.create_draft().
    """
    with write_transaction():
        rows = versions.list_versions(ScriptVersion, script)
        requested = [row for row in rows if row.number == source_number]
        source = requested or [row for row in [versions.find_in_force(rows)] if row] or rows
        return _begin_version(script, version_definition(source[0]), user, change_request)


def import_script(code: str, definition: Definition) -> ScriptVersion:
    """Store a script from the command line: as the next draft of the script with this code.

    If there is no such script, create it. Returns the draft. Raises Refused with the code `pending`
    if the script has a pending version already, `most` if the site has MAX_SCRIPTS already.
    """
    with write_transaction():
        script = Script.get_or_none(Script.code == code)
        return (
            _begin_version(script, definition, None, None)
            if script
            else create_script(definition, None, name=code)
        )


def import_into_script(
    script: Script,
    imported: Definition,
    user: User,
    seen_revision: int,
    request: ChangeRequest | None = None,
) -> ScriptVersion:
    """Merge an imported text into a script: into its draft, else into a new one; returns the draft.

    A new draft is a copy of the version in force, else of the newest one. `seen_revision` is the
    revision of the draft or of the copied version that the user has seen. Raises Refused with the
    code `pending` if the pending version can no longer be edited, `action` if the user's role may
    not write scripts, `changed` if that version has changed since.
    """
    with write_transaction():
        rows = versions.list_versions(ScriptVersion, script)
        draft: ScriptVersion | None = next(
            (row for row in rows if versions.version_status(row) in versions.EDITABLE_STATES), None
        )
        source = draft or versions.find_in_force(rows) or rows[0]
        if source.revision != seen_revision:
            raise Refused("changed")
        merged = importing.merge_imported_script(version_definition(source), imported)
        if not draft:
            return _begin_version(script, merged, user, request)
        _update_draft(draft, merged, user, seen_revision, "import")
    return draft


def change_title_and_conditions(
    row: ScriptVersion,
    title: LocalizedTexts,
    when: Mapping[str, Any],
    user: User,
    seen_revision: int,
) -> None:
    """Change the title and the conditions of a draft.

    `when` has the conditions by the names of ScriptConditions. Raises Refused with the code `title`
    if every title is empty, `changed` if the draft was changed since `seen_revision`, and the codes
    of parse_definition() and versions.edit_draft().
    """
    document = row.definition | {"title": title, "when": when}
    definition = parse_definition(document)
    if not definition.title:
        raise Refused("title")
    _update_draft(row, definition, user, seen_revision, "about")


def add_step(row: ScriptVersion, entry: Mapping[str, Any], user: User, seen_revision: int) -> str:
    """Add a step at the end of a draft; returns its code, derived from its name.

    `entry` holds the parts of the step as in a script's document: "name", "said" and "note" (texts
    by language), "fields", "actions", "answers", "ends"; empty parts may be missing. Raises Refused
    with the code `name` if every name is empty, `steps` if there are too many steps, `changed` if
    the draft was changed since the revision `seen_revision`, and the codes of parse_definition()
    and versions.edit_draft().
    """
    definition = version_definition(row)
    name = next((text for text in dict(entry.get("name", {})).values() if text.strip()), "")
    if not name:
        raise Refused("name")
    code = _available_code(name, {step.code for step in definition.steps})
    steps = [*row.definition["steps"], dict(entry) | {"code": code}]
    _update_draft(
        row, parse_definition(row.definition | {"steps": steps}), user, seen_revision, "add", code
    )
    return code


def change_step(
    row: ScriptVersion, code: str, entry: Mapping[str, Any], user: User, seen_revision: int
) -> None:
    """Replace the content of the step `code` of a draft by `entry`, as for add_step().

    Raises Refused with the code `step` if there is no such step, and the codes of add_step().
    """
    _existing_step(version_definition(row), code)
    if not any(text.strip() for text in dict(entry.get("name", {})).values()):
        raise Refused("name", subject=code)
    steps = [
        dict(entry) | {"code": code} if step_entry["code"] == code else step_entry
        for step_entry in row.definition["steps"]
    ]
    _update_draft(
        row,
        parse_definition(row.definition | {"steps": steps}),
        user,
        seen_revision,
        "change",
        code,
    )


def move_step(row: ScriptVersion, code: str, down: bool, user: User, seen_revision: int) -> None:
    """Move a step of a draft by one place: down, or, if `down` is False, up.

    Nothing moves at the end of the list. The script begins at the first step. Raises Refused with
    the code `step` if there is no such step, and the codes of versions.edit_draft(): `changed` if
    the draft was changed since the revision `seen_revision`.
    """

    def move_in_list(steps: list[Step]) -> list[Step]:
        """Return the steps in their new order."""
        index = next(position for position, step in enumerate(steps) if step.code == code)
        new_index = min(max(index + (1 if down else -1), 0), len(steps) - 1)
        rest = [step for step in steps if step.code != code]
        return [*rest[:new_index], steps[index], *rest[new_index:]]

    _rearrange_steps(row, code, move_in_list, user, seen_revision, "move")


def remove_step(row: ScriptVersion, code: str, user: User, seen_revision: int) -> None:
    """Remove a step from a draft, in the revision that the user has seen.

    Answers that led to the step stay: the checks report them as errors until they are corrected.
    Raises Refused with the code `steps` for the only step, and the codes of move_step().
    """
    _rearrange_steps(
        row, code, lambda steps: [s for s in steps if s.code != code], user, seen_revision, "remove"
    )


def change_version_status(
    action: str,
    row: ScriptVersion,
    user: User,
    seen_revision: int,
    references: checks.AvailableReferences,
    comment: str = "",
    since: dt.datetime | None = None,
) -> ScriptVersion:
    """Perform an action on a version, such as "send" or "approve"; returns the changed version.

    The actions are the moves of versions.WORKFLOW. `references` are what the script may refer to.
    `comment` is the user's remark; `since` is the time from which a version that is put in force is
    valid, by default now. `seen_revision` is the revision that the user has seen. Raises Refused
    with the code `wrong` if the script is to be sent to the ministry or put in force but
    checks.script_findings() finds errors in it, and the codes of versions.perform_version_action(),
    e.g. `changed` if the version has another revision.
    """
    if action in CHECKED_ACTIONS and checks.script_findings(version_definition(row), references):
        raise Refused("wrong")
    ref = _REFERENCE_FORMAT.format(script=row.script.code, number=row.number)
    with write_transaction():
        changed_version: ScriptVersion = versions.perform_version_action(
            action,
            row,
            user,
            expected_revision=seen_revision,
            noun="script",
            ref=ref,
            remark=comment,
            since=since,
        )
        update_search_index(row.script)
        live.publish_topics(LIVE_TOPIC)
    return changed_version


def discard_draft(row: ScriptVersion, user: User, seen_revision: int) -> None:
    """Delete a draft, and its script if it has no other version.

    The product's script stays even without a version, so that it is not created again. Raises
    Refused with the codes of versions.edit_draft(): `changed` if the draft was changed since the
    revision `seen_revision`.
    """
    with write_transaction():
        script, number = row.script, row.number
        versions.discard_version(row, user, seen_revision)
        if (
            not versions.list_versions(ScriptVersion, script)
            and script.code != seeding.product_script()[0]
        ):
            script.delete_instance()
        audit.record_entry(
            user.login,
            "script.discard",
            _REFERENCE_FORMAT.format(script=script.code, number=number),
        )
        live.publish_topics(LIVE_TOPIC)


def _begin_version(
    script: Script, definition: Definition, user: User | None, request: ChangeRequest | None
) -> ScriptVersion:
    """Create a draft of a script, record it in the audit and notify the pages; returns the draft.

    There is no `user` if it is called from the command line.
    """
    document = definition_document(definition)
    row: ScriptVersion = versions.create_draft(
        ScriptVersion, script, user, request, definition=document
    )
    ref = _REFERENCE_FORMAT.format(script=script.code, number=row.number)
    audit.record_entry(versions.actor_login(user), "script.begin", ref)
    live.publish_topics(LIVE_TOPIC)
    return row


def _update_draft(
    row: ScriptVersion,
    definition: Definition,
    user: User,
    seen_revision: int,
    change_kind: str,
    step: str = "",
) -> None:
    """Store a draft's new definition, record the change in the audit and notify the pages.

    `change_kind` and `step`, the code of the changed step, are for the audit only.
    Raises Refused with the codes of versions.edit_draft(): `changed` if the draft was changed since
    the revision `seen_revision`.
    """
    with write_transaction():
        versions.edit_draft(row, user, seen_revision, definition=definition_document(definition))
        ref = _REFERENCE_FORMAT.format(script=row.script.code, number=row.number)
        audit.record_entry(user.login, "script.change", ref, what=change_kind, step=step)
        live.publish_topics(LIVE_TOPIC)


def _rearrange_steps(
    row: ScriptVersion,
    code: str,
    change_steps: Callable[[list[Step]], list[Step]],
    user: User,
    seen_revision: int,
    change_kind: str,
) -> None:
    """Replace the steps of a draft by those that the function `change_steps` makes of them.

    `code` is that of the step to move or remove, `change_kind` is for the audit. Raises Refused
    with the code `step` if there is no such step, `steps` if no step would be left, and the codes
    of _update_draft().
    """
    definition = version_definition(row)
    _existing_step(definition, code)
    steps = change_steps(list(definition.steps))
    if not steps:
        raise Refused("steps")
    _update_draft(
        row, replace(definition, steps=tuple(steps)), user, seen_revision, change_kind, code
    )


def _existing_step(definition: Definition, code: str) -> Step:
    """Return the step with this code. Raises Refused with the code `step` if it is missing."""
    step = definition.find_step(code)
    if not step:
        raise Refused("step", subject=code)
    return step


def _available_code(text: str, used_codes: set[str]) -> str:
    """Return an unused code made from a text in Latin or Cyrillic letters; "step" for no letters.

    If it is used already, a number is added: "step-2".
    """
    code = "-".join(fold_text(text).split())[:32].strip("-") or "step"
    numbers = (f"{code}-{number}" for number in range(2, len(used_codes) + 3))
    return next(candidate for candidate in (code, *numbers) if candidate not in used_codes)
