"""Which scripts there are, which version of each was in force when, and what is to be found."""

import datetime as dt
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.casework import versions
from appliance.casework.scripts import choosing
from appliance.casework.scripts.definition import (
    CALLBACK,
    CLOSED,
    FOLLOW_UP,
    INCOMING,
    OPEN,
    UZBEK,
    Definition,
    parse,
)
from appliance.core import clock, search
from appliance.core.clock import WorkingCalendar
from appliance.core.db import in_pieces
from appliance.models import Call, Script, ScriptVersion

TOPIC = "scripts"
KIND = "script"
_PIECE = 20  # scripts read at once
_BACK = ("callback", "follow_up")  # reasons of a call out that a missed caller is called by


@dataclass(frozen=True)
class Listed:
    """A script as a list shows it: its newest version, the one in force, the one to come."""

    script: Script
    newest: ScriptVersion
    in_force: ScriptVersion | None
    to_come: ScriptVersion | None

    @property
    def shown(self) -> ScriptVersion:
        """The version that its page opens with."""
        return self.to_come or self.in_force or self.newest


def definition_of(row: ScriptVersion) -> Definition:
    """The script that a version holds."""
    return _parsed(json.dumps(row.definition, sort_keys=True))


def listed() -> list[Listed]:
    """All scripts, by their age."""
    rows = ScriptVersion.select().order_by(ScriptVersion.number.desc())
    theirs: dict[int, list[ScriptVersion]] = {}
    for row in rows:
        theirs.setdefault(row.script_id, []).append(row)
    scripts = Script.select().order_by(Script.id)
    return [_listed(script, theirs[script.id]) for script in scripts if script.id in theirs]


def find(code: str) -> Listed | None:
    """The script of this code; None when there is none."""
    script = Script.get_or_none(Script.code == code)
    rows = versions.of(ScriptVersion, script) if script else []
    return _listed(script, rows) if script and rows else None


def version(script: Script, number: int) -> ScriptVersion | None:
    """The version of this number; None when there is none."""
    return ScriptVersion.get_or_none(ScriptVersion.script == script, ScriptVersion.number == number)


def in_force(moment: dt.datetime | None = None) -> list[ScriptVersion]:
    """The versions in force at a moment, without one now; the oldest scripts first."""
    rows = ScriptVersion.select().where(versions.holding(ScriptVersion, moment))
    return list(rows.order_by(ScriptVersion.script))


def fitting(
    situation: choosing.Situation, moment: dt.datetime | None = None
) -> list[ScriptVersion]:
    """The versions for a call that were in force when it began, the one to take first."""
    held = ((row, definition_of(row).when) for row in in_force(moment))
    return choosing.chosen(held, situation)


def situation(
    call: Call | None, direction: str, calendar: WorkingCalendar, language: str = ""
) -> choosing.Situation:
    """What of a call, and of the direction of its form, decides which script it is spoken by."""
    moment = call.arrived_at if call else clock.now()
    number = (call.diverted_from or call.hotline_number or "") if call else ""
    spoken = (call.language if call else "") or language
    topics = frozenset(one for one in (direction, call.topic if call else "") if one)
    kind = INCOMING
    if call and call.direction == "outbound":
        kind = CALLBACK if call.reason in _BACK else FOLLOW_UP
    hours = OPEN if calendar.inside(moment) else CLOSED
    return choosing.Situation(number, topics, spoken, hours, kind)


def entry_of(row: ScriptVersion) -> search.Entry:
    """What a version is found by: its titles, then what is said, answered and noted in it."""
    made = definition_of(row)
    texts = [
        text for step in made.steps for _what, words in step.texts() for text in words.values()
    ]
    names = tuple(made.title.values())
    return search.Entry(KIND, str(row.id), title_of(row), "\n".join(texts), names, row=row.id)


def title_of(row: ScriptVersion) -> str:
    """What a version is called in Uzbek, else in the language in which it has a name."""
    title = definition_of(row).title
    return title.get(UZBEK) or next(iter(title.values()), "")


def remember(script: Script) -> None:
    """Let what of a script is in force, or will be, be found, and no other version of it."""
    for row in versions.of(ScriptVersion, script):
        if versions.standing(row) in versions.SHOWN:
            search.put(entry_of(row))
        else:
            search.drop(KIND, str(row.id))


def entries() -> Iterator[list[search.Entry]]:
    """All that is put for scripts, some at a time."""
    rows = ScriptVersion.select().where(versions.lasting(ScriptVersion))
    for piece in in_pieces(rows, ScriptVersion.id, _PIECE):
        yield [entry_of(row) for row in piece]


def nearest(asked: search.Query, limit: int) -> list[tuple[search.Found, ScriptVersion]]:
    """(how it was found, script) of those in force that are meant by a text, the nearest first."""
    held = ScriptVersion.select(ScriptVersion.id).where(versions.holding(ScriptVersion))
    found = search.find(asked, KIND, limit, lambda row: row.in_(held))
    found = search.meant(found)
    rows = ScriptVersion.select(ScriptVersion, Script).join(Script)
    of_row = {row.id: row for row in rows.where(ScriptVersion.id.in_([f.row for f in found]))}
    return [(one, of_row[one.row]) for one in found]


def found(text: str, limit: int) -> list[ScriptVersion]:
    """The scripts in force that are meant by a text, the nearest first."""
    return [row for _one, row in nearest(search.query(text), limit)]


def _listed(script: Script, rows: list[ScriptVersion]) -> Listed:
    to_come = next((row for row in rows if versions.standing(row) not in _DONE), None)
    return Listed(script, rows[0], versions.in_force(rows), to_come)


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> Definition:
    return parse(json.loads(text))


_DONE = ("in_force", "retired")
