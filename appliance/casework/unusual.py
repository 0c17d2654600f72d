"""Unusual reading in the audit: many records in minutes, one's own surname, at night.

What is found is an entry of the audit itself, `reading.unusual` of the reader, and is told to the
manager on the page *Audit*. It accuses nobody: it says where to look (requirement S1).
"""

import datetime as dt
from collections import deque
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from appliance.core import audit, clock
from appliance.core.audit import entries
from appliance.core.audit.entries import Filters
from appliance.core.audit.table import AuditEntry
from appliance.core.i18n import N_, fold
from appliance.models import Appeal, User
from appliance.people import accounts

ACTION = "reading.unusual"
WHYS = {
    "many": N_("many records in minutes"),
    "surname": N_("the reader's own surname"),
    "night": N_("at night"),
}
MANY, MINUTES = 40, dt.timedelta(minutes=10)  # so many different records within
QUIET = dt.timedelta(hours=1)  # in which `many` is said of somebody once
NIGHT = (dt.time(22), dt.time(6))  # from, until; of those who work by day
BY_DAY = ("manager", "ministry")
BACK = dt.timedelta(hours=4)  # what is looked at: longer than the job may go undone
_OPENED = ("appeal.view", "call_form.view", "call.view", "recording.listen")


def look(tz: ZoneInfo) -> str:
    """Note what was unusual lately and was not noted before; returns it in words."""
    since = clock.now() - BACK
    people = {user.login: user for user in accounts.everybody()}
    noted = _noted(since - QUIET)
    found = 0
    for who, rows in _by_reader(since, people).items():
        for why, row, detail in _found(people[who], rows, tz):
            before = noted.get((who, why, "" if why == "many" else row.subject))
            if before and row.at < before + (QUIET if why == "many" else BACK):
                continue
            record = "" if why == "many" else row.subject
            audit.record(
                "jobs", ACTION, who, why=why, at=row.at.isoformat(), record=record, **detail
            )
            noted[who, why, record] = row.at
            found += 1
    return f"noted {found}" if found else ""


def noted(since: dt.datetime, limit: int = 50) -> list[AuditEntry]:
    """What was found since a moment, newest first."""
    return entries.listed(Filters(action=ACTION, since=since), limit)


def _noted(since: dt.datetime) -> dict[tuple[str, str, str], dt.datetime]:
    """(reader, why, record) → the moment of what was noted last."""
    rows = reversed(entries.listed(Filters(action=ACTION, since=since), 1000))
    return {
        (row.subject, row.detail["why"], row.detail["record"]): dt.datetime.fromisoformat(
            row.detail["at"]
        )
        for row in rows
    }


def _by_reader(since: dt.datetime, people: dict[str, User]) -> dict[str, list[AuditEntry]]:
    """What each person opened, the earliest first."""
    found: dict[str, list[AuditEntry]] = {}
    for piece in entries.pieces(Filters(since=since)):
        for row in piece:
            if row.action in _OPENED and row.who in people:
                found.setdefault(row.who, []).append(row)
    return found


def _found(
    user: User, rows: list[AuditEntry], tz: ZoneInfo
) -> Iterator[tuple[str, AuditEntry, dict[str, int]]]:
    """Why, the entry at which it shows, and what else is told of it."""
    lately: deque[AuditEntry] = deque()
    names = _stems(user)
    theirs = _surnames({row.subject for row in rows if row.action == "appeal.view"}, user)
    for row in rows:
        lately.append(row)
        while lately[0].at <= row.at - MINUTES:
            lately.popleft()
        if (count := len({(one.action, one.subject) for one in lately})) >= MANY:
            yield "many", row, {"count": count}
        if row.action == "appeal.view" and names & theirs.get(row.subject, set()):
            yield "surname", row, {}
        at = row.at.astimezone(tz).time()
        if user.role in BY_DAY and (at >= NIGHT[0] or at < NIGHT[1]):
            yield "night", row, {}


def _surnames(numbers: set[str], user: User) -> dict[str, set[str]]:
    """Number → the surname, of others' appeals."""
    rows = Appeal.select(Appeal.number, Appeal.surname).where(
        Appeal.number.in_(list(numbers)), Appeal.operator != user
    )
    return {number: {_stem(surname)} - {""} for number, surname in rows.tuples()}


def _stems(user: User) -> set[str]:
    """The surname of a person of ours; the name is written before it."""
    return {_stem(user.name.split()[-1])} if user.name.split() else set()


def _stem(surname: str) -> str:
    """Karimov and Karimova are one family."""
    return fold(surname).removesuffix("a")
