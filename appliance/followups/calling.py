"""When a missed caller is called by the machine, and that nobody calls him at the same time."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance import clock, live
from appliance.db import writing
from appliance.models import FollowUp

FRESH = dt.timedelta(days=2)  # the machine calls nobody who was missed before
CLAIM = dt.timedelta(minutes=3)  # longer than a call rings and waits
_SETTLE = dt.timedelta(minutes=2)  # who gave up may be calling again himself


@dataclass(frozen=True)
class Rules:
    """How the machine calls: which kinds of tasks, how often, at what hours of the site."""

    kinds: tuple[str, ...]
    attempts: int
    pause: dt.timedelta  # before the second attempt; three times as long before each later one
    opens: dt.time
    closes: dt.time
    tz: ZoneInfo


def due_at(task: FollowUp, rules: Rules) -> dt.datetime | None:
    """When the machine may call; None: it will not."""
    if task.closed_at or task.kind not in rules.kinds or task.attempts >= rules.attempts:
        return None
    if task.tried_at:
        moment = task.tried_at + rules.pause * 3 ** (task.attempts - 1)
    else:
        moment = task.missed_at + (dt.timedelta() if task.kind == "callback" else _SETTLE)
    return _within_hours(moment, rules)


def due(rules: Rules) -> list[FollowUp]:
    """Tasks that the machine may call now, those who asked first, each by his place in line."""
    now = clock.now()
    if _within_hours(now, rules) != now:
        return []
    tasks = FollowUp.select().where(
        FollowUp.closed_at.is_null(),
        FollowUp.kind.in_(rules.kinds),
        FollowUp.missed_at > now - FRESH,
        _unclaimed(now),
    )
    ready = [task for task in tasks if (moment := due_at(task, rules)) and moment <= now]
    return sorted(ready, key=lambda task: (task.kind != "callback", task.joined_at, task.id))


def exhausted(rules: Rules) -> list[FollowUp]:
    """Open tasks that were tried as often as the rules say."""
    return list(
        FollowUp.select().where(
            FollowUp.closed_at.is_null(), FollowUp.attempts >= max(rules.attempts, 1)
        )
    )


def claim(task: FollowUp, by: str = "") -> bool:
    """Take a task to call its number: one at a time can. The claim lapses by itself (CLAIM)."""
    now = clock.now()
    with writing():
        taken = (
            FollowUp.update(claimed_until=now + CLAIM, claimed_by=by)
            .where(
                FollowUp.id == task.id,
                FollowUp.closed_at.is_null(),
                FollowUp.attempts == task.attempts,
                _unclaimed(now),
            )
            .execute()
        )
        if taken:
            live.publish("followups")
    return bool(taken)


def release(task: FollowUp) -> None:
    """Give a claim back: the number was not called after all."""
    with writing():
        FollowUp.update(claimed_until=None, claimed_by="").where(FollowUp.id == task.id).execute()
        live.publish("followups")


def claimed() -> list[FollowUp]:
    """Tasks that the machine is calling."""
    return list(
        FollowUp.select().where(FollowUp.claimed_until > clock.now(), FollowUp.claimed_by == "")
    )


def _unclaimed(now: dt.datetime):  # type: ignore[no-untyped-def]  # peewee's expression
    return FollowUp.claimed_until.is_null() | (FollowUp.claimed_until <= now)


def _within_hours(moment: dt.datetime, rules: Rules) -> dt.datetime:
    """The moment, or the next at which the hours open."""
    local = moment.astimezone(rules.tz)
    if local.time() < rules.opens:
        return dt.datetime.combine(local.date(), rules.opens, rules.tz)
    if local.time() >= rules.closes:
        return dt.datetime.combine(local.date() + dt.timedelta(days=1), rules.opens, rules.tz)
    return moment
