"""Table 3 of report form №1: what the hotline does, known from itself where it can know.

Nothing in a site removes recordings or appeals, so they are kept as long as the ledger and the
disk show them; what a person answered stands only where the site cannot know.
"""

import datetime as dt
from dataclasses import dataclass

from peewee import fn

from appliance import calls
from appliance.calls import Balance
from appliance.models import Appeal, Call, QuarterAnswer, Recording
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
    callback: Fact  # `count`: callers who asked to be called back
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
        callback=Fact(callback_offered(asked) if seen else None, count=asked),
        telegram_bot=_answered(answer, "telegram_bot"),
        published=_answered(answer, "published"),
        recordings_kept=_recordings(settings, period),
        appeals_kept=_appeals(settings, period),
        answered_by=answer.by.name if answer else "",
        answered_at=answer.at if answer else None,
    )


def callback_offered(asked: int) -> bool:
    """Whether callers can ask to be called back: seen by those who did in the period."""
    return asked > 0


def _answered(answer: QuarterAnswer | None, name: str) -> Fact:
    if answer is None:
        return Fact(None, MANAGER)
    return Fact(getattr(answer, name), MANAGER, getattr(answer, f"{name}_note"))


def _recordings(settings: Settings, period: Period) -> Fact:
    """Whether the talks of the period's last two months still have their recordings."""
    kept = calls.balance(period.end - RECORDINGS, period.end)
    oldest = (
        Recording.select(fn.MIN(Call.arrived_at))
        .join(Call, on=Recording.call_id == Call.id)
        .where(Recording.seconds > 0, Call.arrived_at < period.end)
        .scalar()
    )
    holds = kept.recordings_found > 0 if kept.recordings_expected else None
    return Fact(
        holds,
        count=kept.recordings_found,
        of=kept.recordings_expected,
        oldest=_date(settings, oldest),
    )


def _appeals(settings: Settings, period: Period) -> Fact:
    row = (
        Appeal.select(fn.COUNT(Appeal.id), fn.MIN(Appeal.received_at))
        .where(Appeal.received_at < period.end)
        .tuples()
        .first()
    )
    count, oldest = row
    return Fact(True if count else None, count=count, oldest=_date(settings, oldest))


def _date(settings: Settings, moment: dt.datetime | int | None) -> dt.date | None:
    """An aggregate may come back as the table holds it (models.base.MomentField)."""
    known = Call.arrived_at.python_value(moment) if isinstance(moment, int) else moment
    return known.astimezone(settings.tz).date() if known else None
