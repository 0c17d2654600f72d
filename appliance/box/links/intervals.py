"""When a link was up and when down, told from looks; one lost packet makes no outage."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.box.links.looking import Look
from appliance.box.links.parties import watched
from appliance.core import clock, live
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import LinkStretch

FALLS, RISES = 3, 2  # looks in a row until a link counts as down, as up again
FRESH = dt.timedelta(minutes=3)  # without a look, after which nothing is known
KEPT = dt.timedelta(days=3 * 366)


@dataclass
class Contrary:
    """Looks in a row that say otherwise than the stretch that goes on."""

    since: dt.datetime
    count: int = 1


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


def _going_on(name: str) -> LinkStretch | None:
    open_one = LinkStretch.select().where(LinkStretch.link == name, LinkStretch.until.is_null())
    return open_one.order_by(LinkStretch.since.desc()).first()
