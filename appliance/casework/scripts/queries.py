"""Queries for scripts: all scripts, the version in force at a time, and the search."""

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
    parse_definition,
)
from appliance.core import clock, search
from appliance.core.clock import WorkingCalendar
from appliance.core.db import row_batches
from appliance.core.statements import find_row
from appliance.models import Call, Script, ScriptVersion

LIVE_TOPIC = "scripts"
ENTRY_KIND = "script"
_BATCH_SIZE = 20  # scripts read at once
_CALLBACK_REASONS = ("callback", "follow_up")  # values of Call.reason for calls to missed callers


@dataclass(frozen=True)
class ScriptOverview:
    """A script with its newest version, the one in force, and the pending (not yet valid) one."""

    script: Script
    newest: ScriptVersion
    in_force: ScriptVersion | None
    pending_version: ScriptVersion | None

    @property
    def displayed_version(self) -> ScriptVersion:
        """The version that the script's page shows first."""
        return self.pending_version or self.in_force or self.newest


def version_definition(row: ScriptVersion) -> Definition:
    """Return the parsed definition of a version."""
    # as JSON text, which can be a key of the cache of parsed definitions
    return _parse_definition_json(json.dumps(row.definition, sort_keys=True))


def list_scripts() -> list[ScriptOverview]:
    """Return all scripts that have a version, the oldest first."""
    rows = ScriptVersion.select().order_by(ScriptVersion.number.desc())
    versions_by_script: dict[int, list[ScriptVersion]] = {}
    for row in rows:
        versions_by_script.setdefault(row.script_id, []).append(row)
    scripts = Script.select().order_by(Script.id)
    return [
        _script_overview(script, versions_by_script[script.id])
        for script in scripts
        if script.id in versions_by_script
    ]


def find_script(code: str) -> ScriptOverview | None:
    """Return the script with this code, if there is one and it has a version."""
    script = Script.get_or_none(Script.code == code)
    rows = versions.list_versions(ScriptVersion, script) if script else []
    return _script_overview(script, rows) if script and rows else None


def find_version(script: Script, number: int) -> ScriptVersion | None:
    """Return the version with this number, if any."""
    return find_row(ScriptVersion, script=script.id, number=number)


def versions_in_force(at: dt.datetime | None = None) -> list[ScriptVersion]:
    """Return the versions in force at a time, by default now; the oldest scripts first."""
    rows = ScriptVersion.select().where(versions.in_force_condition(ScriptVersion, at))
    return list(rows.order_by(ScriptVersion.script))


def versions_for_call(
    situation: choosing.Situation, at: dt.datetime | None = None
) -> list[ScriptVersion]:
    """Return the script versions that are for a call, the preferred one first.

    They are those in force at `at`, the beginning of the call; by default now.
    """
    candidates = ((row, version_definition(row).when) for row in versions_in_force(at))
    return choosing.applicable_scripts(candidates, situation)


def call_situation(
    call: Call | None, direction: str, calendar: WorkingCalendar, language: str = ""
) -> choosing.Situation:
    """Return the properties that decide which script is used for a call.

    Without a call, an incoming call that arrives now is assumed. `direction` is the code of the
    direction (subject) entered in the form, "" if it is not entered yet. `language` is used if the
    call's own is unknown. `calendar` decides whether the call arrives in working hours.
    """
    call_time = call.arrived_at if call else clock.now()
    number = (call.diverted_from or call.hotline_number or "") if call else ""
    call_language = (call.language if call else "") or language
    topics = frozenset(topic for topic in (direction, call.topic if call else "") if topic)
    kind = INCOMING
    if call and call.direction == "outbound":
        kind = CALLBACK if call.reason in _CALLBACK_REASONS else FOLLOW_UP
    hours = OPEN if calendar.is_working_time(call_time) else CLOSED
    return choosing.Situation(number, topics, call_language, hours, kind)


def search_entry(row: ScriptVersion) -> search.SearchItem:
    """Return the entry by which a version is found: by its titles, or by any text of its steps."""
    script = version_definition(row)
    texts = [
        text
        for step in script.steps
        for _kind, localized in step.all_texts()
        for text in localized.values()
    ]
    names = tuple(script.title.values())
    return search.SearchItem(
        ENTRY_KIND, str(row.id), version_title(row), "\n".join(texts), names, row=row.id
    )


def version_title(row: ScriptVersion) -> str:
    """Return the title of a version in Uzbek, else in Russian."""
    title = version_definition(row).title
    return title.get(UZBEK) or next(iter(title.values()), "")


def update_search_index(script: Script) -> None:
    """Index the versions of a script that are or will be in force, and no others."""
    for row in versions.list_versions(ScriptVersion, script):
        if versions.version_status(row) in versions.SEARCHABLE_STATUSES:
            search.index_item(search_entry(row))
        else:
            search.drop_entry(ENTRY_KIND, str(row.id))


def search_entries() -> Iterator[list[search.SearchItem]]:
    """Yield the search entries of all script versions in force or planned, in batches."""
    rows = ScriptVersion.select().where(versions.in_force_or_planned_condition(ScriptVersion))
    for batch in row_batches(rows, ScriptVersion.id, _BATCH_SIZE):
        yield [search_entry(row) for row in batch]


def rank_scripts(
    query: search.SearchQuery, limit: int
) -> list[tuple[search.SearchResult, ScriptVersion]]:
    """Return (search result, version) of the scripts in force that match a query, best first.

    If some contain every word, only these are returned, else only those that match nearly as well
    as the best one. At most `limit` are returned.
    """
    valid_ids = ScriptVersion.select(ScriptVersion.id).where(
        versions.in_force_condition(ScriptVersion)
    )
    matches = search.find_entries(query, ENTRY_KIND, limit, lambda row: row.in_(valid_ids))
    matches = search.likely_results(matches)
    rows = ScriptVersion.select(ScriptVersion, Script).join(Script)
    versions_by_id = {
        row.id: row for row in rows.where(ScriptVersion.id.in_([match.row for match in matches]))
    }
    return [(match, versions_by_id[match.row]) for match in matches]


def search_scripts(text: str, limit: int) -> list[ScriptVersion]:
    """Return the at most `limit` script versions in force that match a text, best first."""
    return [row for _match, row in rank_scripts(search.parse_query(text), limit)]


def _script_overview(script: Script, rows: list[ScriptVersion]) -> ScriptOverview:
    """Return the overview of a script from its versions, of which the newest is the first."""
    pending = next(
        (row for row in rows if versions.version_status(row) not in _SETTLED_STATUSES), None
    )
    return ScriptOverview(script, rows[0], versions.find_in_force(rows), pending)


@functools.lru_cache(maxsize=256)
def _parse_definition_json(text: str) -> Definition:
    """Return the parsed definition; cached, because pages often parse the same versions."""
    return parse_definition(json.loads(text))


_SETTLED_STATUSES = ("in_force", "retired")
