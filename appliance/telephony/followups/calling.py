"""When a missed caller is called by the machine, and that nobody calls him at the same time."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.core.settings import Outgoing, Settings
from appliance.models import Call, FollowUp
from appliance.telephony import destinations, routing

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
    outgoing: Outgoing

    def barred(self, number: str) -> str:
        """Why the machine may not call a number, as destinations.barred; "" when it may."""
        return destinations.barred(self.outgoing, number, machine=True)


def rules(settings: Settings) -> Rules:
    """The rules of the plan in force."""
    current = routing.current(settings).follow_ups
    return Rules(
        kinds=("callback",) * current.requests + ("queue",) * current.missed,
        attempts=current.attempts,
        pause=dt.timedelta(minutes=current.pause_minutes),
        opens=dt.time.fromisoformat(current.opens),
        closes=dt.time.fromisoformat(current.closes),
        tz=settings.tz,
        outgoing=settings.outgoing,
    )


def due_at(task: FollowUp, how: Rules) -> dt.datetime | None:
    """When the machine may call; None: it will not."""
    if task.closed_at or task.kind not in how.kinds or task.attempts >= how.attempts:
        return None
    if how.barred(task.number):
        return None
    if task.tried_at:
        moment = task.tried_at + how.pause * 3 ** (task.attempts - 1)
    else:
        moment = task.missed_at + (dt.timedelta() if task.kind == "callback" else _SETTLE)
    return _within_hours(moment, how)


def due(how: Rules) -> list[FollowUp]:
    """Tasks that the machine may call now, those who asked first, each by his place in line."""
    now = clock.now()
    if _within_hours(now, how) != now:
        return []
    tasks = FollowUp.select().where(
        FollowUp.closed_at.is_null(),
        FollowUp.kind.in_(how.kinds),
        FollowUp.missed_at > now - FRESH,
        _unclaimed(now),
    )
    ready = [task for task in tasks if (moment := due_at(task, how)) and moment <= now]
    return sorted(ready, key=lambda task: (task.kind != "callback", task.joined_at, task.id))


@dataclass(frozen=True)
class Spent:
    """What the machine has called since midnight of the site, and what it may."""

    calls: int
    minutes: int
    rules: Outgoing

    @property
    def left(self) -> int:
        """How many more calls may be placed today."""
        if self.minutes >= self.rules.machine_minutes:
            return 0
        return max(0, self.rules.machine_calls - self.calls)


def spent(how: Rules) -> Spent:
    """The machine's calls of today; those that go on count up to now."""
    now = clock.now()
    midnight = dt.datetime.combine(now.astimezone(how.tz).date(), dt.time(), how.tz)
    ours = Call.reason.in_(("callback", "follow_up")) & Call.by.is_null()
    calls = Call.select(Call.arrived_at, Call.ended_at).where(
        ours, Call.direction == "outbound", Call.arrived_at >= midnight
    )
    seconds = sum(((call.ended_at or now) - call.arrived_at).total_seconds() for call in calls)
    return Spent(len(calls), int(seconds // 60), how.outgoing)


def exhausted(how: Rules) -> list[FollowUp]:
    """Open tasks that were tried as often as the rules say."""
    return list(
        FollowUp.select().where(
            FollowUp.closed_at.is_null(), FollowUp.attempts >= max(how.attempts, 1)
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


def _within_hours(moment: dt.datetime, how: Rules) -> dt.datetime:
    """The moment, or the next at which the hours open."""
    local = moment.astimezone(how.tz)
    if local.time() < how.opens:
        return dt.datetime.combine(local.date(), how.opens, how.tz)
    if local.time() >= how.closes:
        return dt.datetime.combine(local.date() + dt.timedelta(days=1), how.opens, how.tz)
    return moment
