"""Table 3 of report form №1: which services the hotline offers, and what it keeps.

The answers come from the site's own data; a manager's answer is used only where there are no data.
Recordings and texts removed because of their age (box.retention) do not count as existing.
"""

import datetime as dt
from dataclasses import dataclass

from peewee import SQL, fn

from appliance.core.settings import Settings
from appliance.models import Appeal, Call, QuarterAnswer, Recording, Removal
from appliance.reports import sums
from appliance.reports.periods import Period
from appliance.reports.tables import is_any_observed
from appliance.telephony import recordings, routing
from appliance.telephony.calls import Balance

RECORDINGS_RETENTION = dt.timedelta(days=62)  # "at least two months"
TEXTS_RETENTION = dt.timedelta(days=730)  # "at least two years"
SYSTEM_SOURCE, MANAGER_SOURCE = "system", "manager"


@dataclass(frozen=True)
class ActivityFact:
    """One cell of table 3: whether the requirement is fulfilled, if that is known, and why."""

    is_fulfilled: bool | None
    source: str = SYSTEM_SOURCE
    note: str = ""  # typed by the manager
    count: int = 0  # the number of items, if the fact counts something; see Activity
    of: int = 0  # the number of items that there should be
    oldest: dt.date | None = None  # date of the oldest item
    until: dt.date | None = None  # when items will have been kept as long as required, if not yet


@dataclass(frozen=True)
class Activity:
    """The row of table 3, with the name of the manager who gave the answers, and when."""

    hours: (
        ActivityFact  # calls are taken round the clock; `count` is calls that reached a closed line
    )
    callback: ActivityFact  # offered by the current routing plan, or requested by `count` callers
    telegram_bot: ActivityFact  # from the settings
    published: ActivityFact  # the hotline's phone numbers, on official websites
    recordings_kept: ActivityFact  # `count` of `of` calls of the last two months have a recording
    appeals_kept: ActivityFact  # `count` of `of` appeals still have their text
    answered_by: str = ""  # "" if no manager has answered
    answered_at: dt.datetime | None = None


def count_activity(
    settings: Settings, period: Period, balance: Balance, answer: QuarterAnswer | None
) -> Activity:
    """Return the row of table 3 for a period.

    `answer` are the manager's answers for the quarter, if the manager has answered.
    """
    is_observed = bool(balance.outcomes) or is_any_observed(
        [(period.begin, period.end)], balance.unobserved
    )
    closed_line_calls = balance.outcomes.get("closed", 0)
    callback_requests = balance.outcomes.get("callback", 0)
    return Activity(
        hours=ActivityFact(
            (not closed_line_calls) if is_observed else None, count=closed_line_calls
        ),
        callback=ActivityFact(
            callback_requests > 0 or routing.current_plan(settings).callback.offered,
            count=callback_requests,
        ),
        telegram_bot=ActivityFact(settings.telegram is not None),
        published=_published_fact(answer),
        recordings_kept=_recordings_fact(settings, period),
        appeals_kept=_appeals_fact(settings, period),
        answered_by=answer.by.name if answer else "",
        answered_at=answer.at if answer else None,
    )


def _published_fact(answer: QuarterAnswer | None) -> ActivityFact:
    """Return whether the hotline's numbers are on official websites, as the manager answered."""
    if answer is None:
        return ActivityFact(None, MANAGER_SOURCE)
    return ActivityFact(answer.published, MANAGER_SOURCE, answer.published_note)


def _recordings_fact(settings: Settings, period: Period) -> ActivityFact:
    """Return whether answered calls of the period's last two months still have recordings.

    It is fulfilled if any of them has one; the printed cell says how many have. It is unknown if
    there were no such calls, and if all have one but the hotline's first answered call was less
    than two months before the period's end.
    """
    talks = Call.select(Call.id).where(
        Call.direction == "inbound", Call.outcome == "answered", Call.arrived_at < period.end
    )
    due_talks = talks.where(Call.arrived_at >= period.end - RECORDINGS_RETENTION)
    existing_recording = Recording.select().where(
        Recording.call_id == Call.id, recordings.has_sound()
    )
    total, count = due_talks.select(
        fn.COUNT(SQL("*")), sums.count_where(fn.EXISTS(existing_recording))
    ).tuples()[0]
    count = count or 0
    calls_with_recording = Call.select(Call.arrived_at).where(
        Call.arrived_at < period.end, fn.EXISTS(existing_recording)
    )
    oldest = calls_with_recording.order_by(Call.arrived_at).limit(1).scalar()
    first_talk_at = talks.select(fn.MIN(Call.arrived_at)).scalar()
    is_fulfilled = count > 0 if total else None
    until = (
        _retention_reached_on(settings, first_talk_at, RECORDINGS_RETENTION, period)
        if count >= total
        else None
    )
    oldest = _local_date(settings, oldest)
    return ActivityFact(
        None if until else is_fulfilled, count=count, of=total, oldest=oldest, until=until
    )


def _appeals_fact(settings: Settings, period: Period) -> ActivityFact:
    """Return whether the text of every appeal exists, or was removed after two years or later.

    It is unknown if there are no appeals, or if the first one is not two years old yet.
    """
    removals = Removal.select().where(Removal.kind == "appeal", Removal.subject == Appeal.number)
    appeals = Appeal.select(fn.COUNT(Appeal.id), fn.MIN(Appeal.received_at)).where(
        Appeal.received_at < period.end
    )
    total, first_appeal_at = appeals.tuples()[0]
    count, oldest = appeals.where(~fn.EXISTS(removals)).tuples()[0]
    if not total:
        return ActivityFact(None)
    shortest_retention = (
        Removal.select(fn.MIN(Removal.at - Appeal.received_at))
        .join(Appeal, on=(Removal.kind == "appeal") & (Removal.subject == Appeal.number))
        .where(Appeal.received_at < period.end)
        .scalar()
    )
    if (
        shortest_retention is not None
        and dt.timedelta(microseconds=int(shortest_retention)) < TEXTS_RETENTION
    ):
        return ActivityFact(False, count=count, of=total, oldest=_local_date(settings, oldest))
    until = _retention_reached_on(settings, first_appeal_at, TEXTS_RETENTION, period)
    facts = {"count": count, "of": total, "oldest": _local_date(settings, oldest)}
    return ActivityFact(None if until else True, until=until, **facts)


def _retention_reached_on(
    settings: Settings, first_at: dt.datetime | int | None, retention: dt.timedelta, period: Period
) -> dt.date | None:
    """Return the day on which items will have been kept as long as required.

    None if they already have been on the period's last day, or there are no items. `first_at` is
    the time of the first call or appeal.
    """
    first_day = _local_date(settings, first_at)
    return first_day + retention if first_day and first_day + retention > period.last else None


def _local_date(settings: Settings, moment: dt.datetime | int | None) -> dt.date | None:
    """Return the local date of a datetime, or of microseconds since 1970; None stays None.

    A query with MIN() may return microseconds, the raw value in the table
    (core.tables.MomentField).
    """
    local_time = Call.arrived_at.python_value(moment) if isinstance(moment, int) else moment
    return local_time.astimezone(settings.tz).date() if local_time else None
