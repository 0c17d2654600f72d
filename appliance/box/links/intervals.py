"""The stretches of time in which a link was up or down.

Each check of a link is a look. A single failed look makes no outage.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.box.links.parties import watched_parties
from appliance.box.links.probing import Look
from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import LinkStretch

LOOKS_UNTIL_DOWN, LOOKS_UNTIL_UP = 3, 2  # how many looks in a row change the state
MAX_LOOK_AGE = dt.timedelta(minutes=3)  # after which the state of a link is unknown
STRETCH_RETENTION = dt.timedelta(days=3 * 366)


@dataclass
class ContraryLooks:
    """Consecutive looks that contradict the current stretch."""

    since: dt.datetime
    count: int = 1


def record_looks(
    looks: Mapping[str, Look], contrary: dict[str, ContraryLooks], now: dt.datetime | None = None
) -> list[str]:
    """Record one look at each link; returns the links whose state changed.

    The caller keeps `contrary` (by link) between calls. A link changes its state after
    LOOKS_UNTIL_DOWN, or LOOKS_UNTIL_UP, consecutive looks to the contrary; the new stretch starts
    at the first of them.
    """
    now = now or clock.now()
    changed_links = []
    with write_transaction():
        for name, look in looks.items():
            stretch = _open_stretch(name)
            # The link was not looked at for a while, or the clock was set back.
            if stretch and abs(now - stretch.looked_at) > MAX_LOOK_AGE:
                LinkStretch.update(until=stretch.looked_at).where(
                    LinkStretch.id == stretch.id
                ).execute()
                stretch = None
            if stretch and look.up == stretch.up:
                contrary.pop(name, None)
                LinkStretch.update(looked_at=now).where(LinkStretch.id == stretch.id).execute()
                continue
            since = now
            if stretch:
                opposing = contrary.get(name)
                if not opposing:
                    contrary[name] = opposing = ContraryLooks(now)
                else:
                    opposing.count += 1
                if opposing.count < (LOOKS_UNTIL_DOWN if stretch.up else LOOKS_UNTIL_UP):
                    LinkStretch.update(looked_at=now).where(LinkStretch.id == stretch.id).execute()
                    continue
                since = opposing.since
                LinkStretch.update(until=since).where(LinkStretch.id == stretch.id).execute()
            contrary.pop(name, None)
            LinkStretch.create(link=name, up=look.up, since=since, looked_at=now, seen=look.seen)
            changed_links.append(name)
        if changed_links:
            LinkStretch.delete().where(LinkStretch.until < now - STRETCH_RETENTION).execute()
            live.publish_topics("links")
    return changed_links


def current_stretches(settings: Settings) -> dict[str, LinkStretch | None]:
    """Map each watched link to its current stretch, or to None if it has no recent look."""
    now = clock.now()
    open_stretches = {party.name: _open_stretch(party.name) for party in watched_parties(settings)}
    return {
        name: stretch if stretch and abs(now - stretch.looked_at) <= MAX_LOOK_AGE else None
        for name, stretch in open_stretches.items()
    }


def outage_since(settings: Settings) -> dt.datetime | None:
    """Return since when nothing outside can be reached; None if something can, or if unknown.

    The link `internet` decides if it is watched; otherwise, all outside parties must be down.
    """
    names = [party.name for party in watched_parties(settings) if party.is_outside]
    if "internet" in names:
        names = ["internet"]
    stretches = current_stretches(settings)
    down_stretches = [stretch for name in names if (stretch := stretches[name]) and not stretch.up]
    return (
        max(stretch.since for stretch in down_stretches)
        if names and len(down_stretches) == len(names)
        else None
    )


def recent_stretches(limit: int = 100) -> list[LinkStretch]:
    """Return the newest stretches, up and down, newest first."""
    return list(LinkStretch.select().order_by(LinkStretch.since.desc()).limit(limit))


def _open_stretch(name: str) -> LinkStretch | None:
    """Return the stretch of a link that has not ended, if there is one."""
    open_stretches = LinkStretch.select().where(
        LinkStretch.link == name, LinkStretch.until.is_null()
    )
    newest: LinkStretch | None = open_stretches.order_by(LinkStretch.since.desc()).first()
    return newest
