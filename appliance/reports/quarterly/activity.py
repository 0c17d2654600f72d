"""Table 3 of report form №1: what the hotline does, known from itself where it can know.

Recordings and texts that were removed by age (box.retention) are not counted as kept; what a
person answered stands only where the site cannot know.
"""

import datetime as dt
from dataclasses import dataclass

from peewee import SQL, fn

from appliance.core.settings import Settings
from appliance.models import Appeal, Call, QuarterAnswer, Recording, Removal
from appliance.reports import sums
from appliance.reports.periods import Period
from appliance.reports.tables import ever_observed
from appliance.telephony import recordings, routing
from appliance.telephony.calls import Balance

RECORDINGS = dt.timedelta(days=62)  # "at least two months"
TEXTS = dt.timedelta(days=730)  # "at least two years"
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
    until: dt.date | None = None  # not yet known: from this day on it has been as long as is asked


@dataclass(frozen=True)
class Activity:
    """The row of table 3, and who gave the manager's answers when."""

    hours: Fact  # taken round the clock; `count`: calls that met a closed line
    callback: Fact  # by the plan in force, or because `count` callers asked for it
    telegram_bot: Fact  # by the settings
    published: Fact
    recordings_kept: Fact  # `count` of `of` talks of the last two months have their recording
    appeals_kept: Fact  # `count` texts of `of` appeals
    answered_by: str = ""
    answered_at: dt.datetime | None = None


def activity(
    settings: Settings, period: Period, balance: Balance, answer: QuarterAnswer | None
) -> Activity:
    """What was done in the period."""
    seen = bool(balance.outcomes) or ever_observed([(period.begin, period.end)], balance.unobserved)
    closed = balance.outcomes.get("closed", 0)
    requests = balance.outcomes.get("callback", 0)
    return Activity(
        hours=Fact((not closed) if seen else None, count=closed),
        callback=Fact(requests > 0 or routing.current(settings).callback.offered, count=requests),
        telegram_bot=Fact(settings.telegram is not None),
        published=_published(answer),
        recordings_kept=_recordings(settings, period),
        appeals_kept=_appeals(settings, period),
        answered_by=answer.by.name if answer else "",
        answered_at=answer.at if answer else None,
    )


def _published(answer: QuarterAnswer | None) -> Fact:
    if answer is None:
        return Fact(None, MANAGER)
    return Fact(answer.published, MANAGER, answer.published_note)


def _recordings(settings: Settings, period: Period) -> Fact:
    """Whether the talks of the period's last two months still have their recordings."""
    talks = Call.select(Call.id).where(
        Call.direction == "inbound", Call.outcome == "answered", Call.arrived_at < period.end
    )
    due = talks.where(Call.arrived_at >= period.end - RECORDINGS)
    there = Recording.select().where(Recording.call_id == Call.id, recordings.there())
    of, count = due.select(fn.COUNT(SQL("*")), sums.count(fn.EXISTS(there))).tuples()[0]
    count = count or 0
    first = Call.select(Call.arrived_at).where(Call.arrived_at < period.end, fn.EXISTS(there))
    oldest = first.order_by(Call.arrived_at).limit(1).scalar()
    begun = talks.select(fn.MIN(Call.arrived_at)).scalar()
    holds = count > 0 if of else None
    until = _until(settings, begun, RECORDINGS, period) if count >= of else None
    oldest = _date(settings, oldest)
    return Fact(None if until else holds, count=count, of=of, oldest=oldest, until=until)


def _appeals(settings: Settings, period: Period) -> Fact:
    """Whether each text is there, or was until it was two years old."""
    masked = Removal.select().where(Removal.kind == "appeal", Removal.subject == Appeal.number)
    known = Appeal.select(fn.COUNT(Appeal.id), fn.MIN(Appeal.received_at)).where(
        Appeal.received_at < period.end
    )
    of, begun = known.tuples()[0]
    count, oldest = known.where(~fn.EXISTS(masked)).tuples()[0]
    if not of:
        return Fact(None)
    youngest = (
        Removal.select(fn.MIN(Removal.at - Appeal.received_at))
        .join(Appeal, on=(Removal.kind == "appeal") & (Removal.subject == Appeal.number))
        .where(Appeal.received_at < period.end)
        .scalar()
    )
    if youngest is not None and dt.timedelta(microseconds=int(youngest)) < TEXTS:
        return Fact(False, count=count, of=of, oldest=_date(settings, oldest))
    until = _until(settings, begun, TEXTS, period)
    facts = {"count": count, "of": of, "oldest": _date(settings, oldest)}
    return Fact(None if until else True, until=until, **facts)


def _until(
    settings: Settings, begun: dt.datetime | int | None, asked: dt.timedelta, period: Period
) -> dt.date | None:
    """The day on which something has been kept as long as is asked; None when it has been."""
    first = _date(settings, begun)
    return first + asked if first and first + asked > period.last else None


def _date(settings: Settings, moment: dt.datetime | int | None) -> dt.date | None:
    """An aggregate may come back as the table holds it (models.base.MomentField)."""
    known = Call.arrived_at.python_value(moment) if isinstance(moment, int) else moment
    return known.astimezone(settings.tz).date() if known else None
