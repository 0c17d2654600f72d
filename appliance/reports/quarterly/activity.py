"""Table 3 of report form №1: what the hotline does, known from itself where it can know.

Recordings and texts that were removed by age (appliance.retention) are not counted as kept; what a
person answered stands only where the site cannot know.
"""

import datetime as dt
from dataclasses import dataclass

from peewee import fn

from appliance import plan, recordings
from appliance.calls import Balance
from appliance.models import Appeal, Call, QuarterAnswer, Recording, Removal
from appliance.reports.periods import Period
from appliance.reports.tables import ever_observed
from appliance.settings import Settings

RECORDINGS = dt.timedelta(days=62)  # "at least two months"
SYSTEM, MANAGER = "system", "manager"


@dataclass(frozen=True)
class Fact:
    """One cell: yes, no or (None) unknown, who says so, and what it stands on."""

    holds: bool | None
    source: str = SYSTEM
    note: str = ""  # as the manager typed it
    count: int = 0  # how many, where it counts something
    of: int = 0
    oldest: dt.date | None = None


@dataclass(frozen=True)
class Activity:
    """The row of table 3, and who gave the manager's answers when."""

    hours: Fact  # taken round the clock; `count`: calls that met a closed line
    callback: Fact  # by the plan in force, or because `count` callers asked for it
    telegram_bot: Fact
    published: Fact
    recordings_kept: Fact  # `count` of `of` talks of the last two months have their recording
    appeals_kept: Fact  # `count` texts
    answered_by: str = ""
    answered_at: dt.datetime | None = None


def activity(
    settings: Settings, period: Period, balance: Balance, answer: QuarterAnswer | None
) -> Activity:
    """What was done in the period."""
    seen = bool(balance.outcomes) or ever_observed([(period.begin, period.end)], balance.unobserved)
    closed = balance.outcomes.get("closed", 0)
    asked = balance.outcomes.get("callback", 0)
    return Activity(
        hours=Fact((not closed) if seen else None, count=closed),
        callback=Fact(asked > 0 or plan.current(settings).callback.offered, count=asked),
        telegram_bot=_answered(answer, "telegram_bot"),
        published=_answered(answer, "published"),
        recordings_kept=_recordings(settings, period),
        appeals_kept=_appeals(settings, period),
        answered_by=answer.by.name if answer else "",
        answered_at=answer.at if answer else None,
    )


def _answered(answer: QuarterAnswer | None, name: str) -> Fact:
    if answer is None:
        return Fact(None, MANAGER)
    return Fact(getattr(answer, name), MANAGER, getattr(answer, f"{name}_note"))


def _recordings(settings: Settings, period: Period) -> Fact:
    """Whether the talks of the period's last two months still have their recordings."""
    talks = Call.select(Call.id).where(
        Call.direction == "inbound",
        Call.outcome == "answered",
        Call.arrived_at >= period.end - RECORDINGS,
        Call.arrived_at < period.end,
    )
    kept = Recording.select().where(Recording.call_id == Call.id, recordings.there())
    of = talks.count()
    count = talks.where(fn.EXISTS(kept)).count()
    first = Call.select(Call.arrived_at).where(Call.arrived_at < period.end, fn.EXISTS(kept))
    oldest = first.order_by(Call.arrived_at).limit(1).scalar()
    holds = count > 0 if of else None
    return Fact(holds, count=count, of=of, oldest=_date(settings, oldest))


def _appeals(settings: Settings, period: Period) -> Fact:
    masked = Removal.select().where(Removal.kind == "appeal", Removal.subject == Appeal.number)
    row = (
        Appeal.select(fn.COUNT(Appeal.id), fn.MIN(Appeal.received_at))
        .where(Appeal.received_at < period.end, ~fn.EXISTS(masked))
        .tuples()
        .first()
    )
    count, oldest = row
    return Fact(True if count else None, count=count, oldest=_date(settings, oldest))


def _date(settings: Settings, moment: dt.datetime | int | None) -> dt.date | None:
    """An aggregate may come back as the table holds it (models.base.MomentField)."""
    known = Call.arrived_at.python_value(moment) if isinstance(moment, int) else moment
    return known.astimezone(settings.tz).date() if known else None
