"""Writing scripts: a draft of the next version, its steps, and its way to the ministry and back.

What a version may become, and who may do it, says casework.versions.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from appliance.casework import versions
from appliance.casework.scripts import checks, importing, seeding
from appliance.casework.scripts.definition import (
    Definition,
    DefinitionError,
    Step,
    Words,
    document_of,
    parse,
)
from appliance.casework.scripts.queries import TOPIC, definition_of, remember
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.i18n import fold
from appliance.models import ChangeRequest, Script, ScriptVersion, User

CHECKED = ("send", "put")  # what is not done while something is wrong
MOST = 200  # scripts
_REF = "{script}/{number}"


class ScriptError(ValueError):
    """It cannot be done; `code` names why, `step` where."""

    def __init__(self, code: str, step: str = "") -> None:
        super().__init__(f"{step}: {code}" if step else code)
        self.code, self.step = code, step


def add(title: Words, user: User, request: ChangeRequest | None = None) -> ScriptVersion:
    """A new script with one blank step, as a draft.

    Raises ScriptError: `title` without one, `most`; VersionError for another role.
    """
    name = next((text for text in title.values() if text.strip()), "")
    if not name:
        raise ScriptError("title")
    document = {"title": title, "steps": [{"code": "1", "name": title, "ends": True}]}
    return put_in(parse(document), user, request, name)


def put_in(
    made: Definition, user: User | None, request: ChangeRequest | None = None, name: str = ""
) -> ScriptVersion:
    """A new script with this draft, as it was imported; without a user from the command line.

    Raises as add() does.
    """
    with writing():
        taken = {row.code for row in Script.select(Script.code)}
        if len(taken) >= MOST:
            raise ScriptError("most")
        called = name or next(iter(made.title.values()), "")
        script = Script.create(code=_free(called, taken), made_at=clock.now())
        return _begin(script, made, user, request)


def begin(
    script: Script, user: User, request: ChangeRequest | None = None, number: int | None = None
) -> ScriptVersion:
    """The next draft of a script, from its version of this number, else from the newest one.

    Raises VersionError: `pending` when a version is to come already, `action`.
    """
    with writing():
        rows = versions.of(ScriptVersion, script)
        wanted = [row for row in rows if row.number == number]
        source = wanted or [row for row in [versions.in_force(rows)] if row] or rows
        return _begin(script, definition_of(source[0]), user, request)


def take_back_in(code: str, made: Definition) -> ScriptVersion:
    """Keep a script from the command line as the next draft of that name, else as a new script.

    Raises VersionError `pending` when a version is to come already; ScriptError `most`.
    """
    with writing():
        script = Script.get_or_none(Script.code == code)
        return _begin(script, made, None, None) if script else put_in(made, None, name=code)


def take_in(
    script: Script, made: Definition, user: User, seen: int, request: ChangeRequest | None = None
) -> ScriptVersion:
    """Put a text that was read into a script: into its draft, else into a new one.

    `seen` is the revision of the version that whoever acts has seen. Raises VersionError:
    `pending` when a version to come is no draft, `action`, `changed`.
    """
    with writing():
        rows = versions.of(ScriptVersion, script)
        coming = next((row for row in rows if versions.standing(row) in versions.OPEN), None)
        source = coming or versions.in_force(rows) or rows[0]
        if source.revision != seen:
            raise versions.VersionError("changed")
        now = importing.into(definition_of(source), made)
        if not coming:
            return _begin(script, now, user, request)
        _write(coming, now, user, seen, "import")
    return coming


def describe(
    row: ScriptVersion, title: Words, when: Mapping[str, Any], user: User, seen: int
) -> None:
    """Say what a draft is called and for which calls it is.

    Raises DefinitionError, ScriptError (`title`), VersionError (`action`, `changed`).
    """
    document = row.definition | {"title": title, "when": when}
    made = parse(document)
    if not made.title:
        raise ScriptError("title")
    _write(row, made, user, seen, "about")


def add_step(row: ScriptVersion, entry: Mapping[str, Any], user: User, seen: int) -> str:
    """Add a step at the end of a draft; its code, made of its name, is returned.

    Raises DefinitionError (`steps` when there are too many), ScriptError (`name`), VersionError.
    """
    made = definition_of(row)
    name = next((text for text in dict(entry.get("name", {})).values() if text.strip()), "")
    if not name:
        raise ScriptError("name")
    code = _free(name, {step.code for step in made.steps})
    steps = [*row.definition["steps"], dict(entry) | {"code": code}]
    _write(row, parse(row.definition | {"steps": steps}), user, seen, "add", code)
    return code


def change_step(
    row: ScriptVersion, code: str, entry: Mapping[str, Any], user: User, seen: int
) -> None:
    """Change a step of a draft. Raises as add_step() does, and ScriptError `step` for none."""
    _step(definition_of(row), code)
    if not any(text.strip() for text in dict(entry.get("name", {})).values()):
        raise ScriptError("name", code)
    steps = [
        dict(entry) | {"code": code} if one["code"] == code else one
        for one in row.definition["steps"]
    ]
    _write(row, parse(row.definition | {"steps": steps}), user, seen, "change", code)


def move_step(row: ScriptVersion, code: str, down: bool, user: User, seen: int) -> None:
    """Move a step by one place; the first is where the script begins. Raises as change_step()."""

    def moved(steps: list[Step]) -> list[Step]:
        at = next(n for n, one in enumerate(steps) if one.code == code)
        there = min(max(at + (1 if down else -1), 0), len(steps) - 1)
        rest = [one for one in steps if one.code != code]
        return [*rest[:there], steps[at], *rest[there:]]

    _rearrange(row, code, moved, user, seen, "move")


def remove_step(row: ScriptVersion, code: str, user: User, seen: int) -> None:
    """Take a step out of a draft; answers that led to it are found wrong until they are mended.

    Raises as change_step() does, and DefinitionError `steps` for the only one.
    """
    _rearrange(row, code, lambda steps: [s for s in steps if s.code != code], user, seen, "remove")


def do(
    action: str,
    row: ScriptVersion,
    user: User,
    seen: int,
    known: checks.Known,
    words: str = "",
    since: dt.datetime | None = None,
) -> ScriptVersion:
    """A step of a version by its name in versions.MOVES.

    Raises VersionError, and ScriptError `wrong` while something is found wrong with what is to be
    sent or put in force.
    """
    if action in CHECKED and checks.findings(definition_of(row), known):
        raise ScriptError("wrong")
    ref = _REF.format(script=row.script.code, number=row.number)
    with writing():
        made: ScriptVersion = versions.do(action, row, user, seen, "script", ref, words, since)
        remember(row.script)
        live.publish(TOPIC)
    return made


def discard(row: ScriptVersion, user: User, seen: int) -> None:
    """Throw a draft away, and its script when that never had another. Raises VersionError.

    The product's script stays without a version, so that it does not come again.
    """
    with writing():
        script, number = row.script, row.number
        versions.discard(row, user, seen)
        if not versions.of(ScriptVersion, script) and script.code != seeding.document()[0]:
            script.delete_instance()
        audit.record(user.login, "script.discard", _REF.format(script=script.code, number=number))
        live.publish(TOPIC)


def _begin(
    script: Script, made: Definition, user: User | None, request: ChangeRequest | None
) -> ScriptVersion:
    document = document_of(made)
    row: ScriptVersion = versions.begin(ScriptVersion, script, user, request, definition=document)
    ref = _REF.format(script=script.code, number=row.number)
    audit.record(versions.login_of(user), "script.begin", ref)
    live.publish(TOPIC)
    return row


def _write(
    row: ScriptVersion, made: Definition, user: User, seen: int, what: str, step: str = ""
) -> None:
    with writing():
        versions.write(row, user, seen, definition=document_of(made))
        ref = _REF.format(script=row.script.code, number=row.number)
        audit.record(user.login, "script.change", ref, what=what, step=step)
        live.publish(TOPIC)


def _rearrange(
    row: ScriptVersion,
    code: str,
    changed: Callable[[list[Step]], list[Step]],
    user: User,
    seen: int,
    what: str,
) -> None:
    made = definition_of(row)
    _step(made, code)
    steps = changed(list(made.steps))
    if not steps:
        raise DefinitionError("steps")
    _write(row, replace(made, steps=tuple(steps)), user, seen, what, code)


def _step(made: Definition, code: str) -> Step:
    found = made.step(code)
    if not found:
        raise ScriptError("step", code)
    return found


def _free(text: str, taken: set[str]) -> str:
    """A code that none has yet, made of words in any script."""
    code = "-".join(fold(text).split())[:32].strip("-") or "step"
    numbers = (f"{code}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (code, *numbers) if one not in taken)
