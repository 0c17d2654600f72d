"""What is old enough to go: queries, and what goes in the months to come.

Recordings at least 2 months, appeals at least 2 years (report form №1, table 3). Nothing goes of
what is on hold, nor a recording whose appeal is still open.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from peewee import fn

from appliance import clock
from appliance.appeals.deadlines import add_months
from appliance.models import Appeal, Call, Handling, LegalHold, Recording, Removal
from appliance.settings import Settings


@dataclass(frozen=True)
class Coming:
    """How many recordings and appeals go from a day on, up to the next one on the list."""

    day: dt.date
    recordings: int
    appeals: int


def cutoff(settings: Settings, months: int, day: dt.date | None = None) -> dt.datetime:
    """The moment before which something is older than so many months; on a day, else now."""
    now = clock.now().astimezone(settings.tz)
    before = add_months(day or now.date(), -months)
    return dt.datetime.combine(before, now.time(), settings.tz).astimezone(dt.UTC)


def recordings(before: dt.datetime) -> Any:
    """Recordings, all known moments of which lie before one; not held, not yet removed."""
    ended = fn.COALESCE(Call.ended_at, Call.arrived_at)
    of_held = Appeal.select().where(
        Appeal.call_id == Recording.call_id, Appeal.number.in_(_held("appeal"))
    )
    of_open = (
        Appeal.select().join(Handling).where(Appeal.call_id == Recording.call_id, Handling.is_open)
    )
    return (
        Recording.select()
        .left_outer_join(Call, on=(Recording.call_id == Call.id))
        .where(
            Recording.written_at.is_null(False) | ended.is_null(False),
            Recording.written_at.is_null() | (Recording.written_at < before),
            ended.is_null() | (ended < before),
            ~fn.EXISTS(_removed("recording", Recording.file)),
            Recording.call_id.not_in(_held("call")),
            ~fn.EXISTS(of_held),
            ~fn.EXISTS(of_open),
        )
    )


def appeals(before: dt.datetime) -> Any:
    """Closed appeals with which nothing was done since a moment; not held, not yet masked."""
    return (
        Appeal.select()
        .join(Handling)
        .where(
            ~Handling.is_open,
            Handling.changed_at < before,
            Appeal.registered_at < before,
            Appeal.number.not_in(_held("appeal")),
            ~fn.EXISTS(_removed("appeal", Appeal.number)),
        )
    )


def coming(settings: Settings, months: int = 6) -> list[Coming]:
    """What goes today, and in each of the months to come, as it stands now."""
    kept, today = settings.retention, clock.now().astimezone(settings.tz).date()
    found, before = [], (0, 0)
    for number in range(months + 1):
        day = add_months(today, number)
        counts = (
            recordings(cutoff(settings, kept.recordings_months, day)).count(),
            appeals(cutoff(settings, kept.appeals_years * 12, day)).count(),
        )
        found.append(Coming(day, counts[0] - before[0], counts[1] - before[1]))
        before = counts
    return found


def _held(kind: str) -> Any:
    return LegalHold.select(LegalHold.subject).where(
        LegalHold.kind == kind, LegalHold.ended_at.is_null()
    )


def _removed(kind: str, subject: Any) -> Any:
    """The removal of a row of the query around, by its own index: there are many after years."""
    return Removal.select().where(Removal.kind == kind, Removal.subject == subject)
