"""When a link was up and when down, told from looks; one lost packet makes no outage."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from appliance import clock, live
from appliance.db import writing
from appliance.links.looking import Look
from appliance.links.parties import watched
from appliance.models import LinkStretch
from appliance.settings import Settings

FALLS, RISES = 3, 2  # looks in a row until a link counts as down, as up again
FRESH = dt.timedelta(minutes=3)  # without a look, after which nothing is known
KEPT = dt.timedelta(days=3 * 366)


@dataclass
class Contrary:
    """Looks in a row that say otherwise than the stretch that goes on."""

    since: dt.datetime
    count: int = 1


@dataclass(frozen=True)
class Availability:
    """What is known of a link in a period; seconds."""

    link: str
    up: float
    down: float
    outages: int

    @property
    def share(self) -> float | None:
        """Per cent of the time in which it was looked at; None when it never was."""
        known = self.up + self.down
        return 100 * self.up / known if known else None


def observe(
    looks: Mapping[str, Look], contrary: dict[str, Contrary], now: dt.datetime | None = None
) -> list[str]:
    """Take in one look at each link; returns those that changed.

    `contrary` is kept by the caller from one look to the next. A link goes down, or up, when FALLS,
    or RISES, looks in a row have said so, and then since the first of them.
    """
    now = now or clock.now()
    changed = []
    with writing():
        for name, look in looks.items():
            going = _going_on(name)
            # Nobody looked meanwhile, or the clock was put back.
            if going and abs(now - going.looked_at) > FRESH:
                LinkStretch.update(until=going.looked_at).where(
                    LinkStretch.id == going.id
                ).execute()
                going = None
            if going and look.up == going.up:
                contrary.pop(name, None)
                LinkStretch.update(looked_at=now).where(LinkStretch.id == going.id).execute()
                continue
            since = now
            if going:
                doubt = contrary.get(name)
                if not doubt:
                    contrary[name] = doubt = Contrary(now)
                else:
                    doubt.count += 1
                if doubt.count < (FALLS if going.up else RISES):
                    LinkStretch.update(looked_at=now).where(LinkStretch.id == going.id).execute()
                    continue
                since = doubt.since
                LinkStretch.update(until=since).where(LinkStretch.id == going.id).execute()
            contrary.pop(name, None)
            LinkStretch.create(link=name, up=look.up, since=since, looked_at=now, seen=look.seen)
            changed.append(name)
        if changed:
            LinkStretch.delete().where(LinkStretch.until < now - KEPT).execute()
            live.publish("links")
    return changed


def current(settings: Settings) -> dict[str, LinkStretch | None]:
    """Each watched link → what it does now; None where nobody has looked lately."""
    now = clock.now()
    found = {party.name: _going_on(party.name) for party in watched(settings)}
    return {
        name: going if going and abs(now - going.looked_at) <= FRESH else None
        for name, going in found.items()
    }


def outage(settings: Settings) -> dt.datetime | None:
    """Since when nothing outside can be reached; None when something can, or nothing is known.

    The link that stands for the internet tells; without one, all outside parties together.
    """
    names = [party.name for party in watched(settings) if party.is_outside]
    if "internet" in names:
        names = ["internet"]
    now = current(settings)
    down = [going for name in names if (going := now[name]) and not going.up]
    return max(going.since for going in down) if names and len(down) == len(names) else None


def recent(limit: int = 100) -> list[LinkStretch]:
    """The log: outages and what was between them, the newest first."""
    return list(LinkStretch.select().order_by(LinkStretch.since.desc()).limit(limit))


def availability(begin: dt.datetime, end: dt.datetime) -> list[Availability]:
    """Every link that was looked at in [begin, end), by name."""
    known = LinkStretch.until.is_null(False) & (LinkStretch.until <= begin)
    rows = LinkStretch.select().where(LinkStretch.since < end, ~known)
    seconds: dict[str, dict[bool, float]] = {}
    outages: dict[str, int] = {}
    for row in rows.order_by(LinkStretch.link, LinkStretch.since):
        until = min(row.until or row.looked_at, end)
        length = max(0.0, (until - max(row.since, begin)).total_seconds())
        seconds.setdefault(row.link, {True: 0.0, False: 0.0})[row.up] += length
        outages[row.link] = outages.get(row.link, 0) + (not row.up)
    return [Availability(n, part[True], part[False], outages[n]) for n, part in seconds.items()]


def _going_on(name: str) -> LinkStretch | None:
    open_one = LinkStretch.select().where(LinkStretch.link == name, LinkStretch.until.is_null())
    return open_one.order_by(LinkStretch.since.desc()).first()
