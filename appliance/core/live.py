"""What changed just now: topics published by any process, followed by open pages."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator

from peewee import AutoField, CharField

from appliance.core import clock
from appliance.core.db import database
from appliance.core.statements import Question, insert, value
from appliance.core.tables import MomentField, Table

KEPT = dt.timedelta(hours=1)
_LOOK = 0.2  # seconds between two looks for what nobody tells of


class LiveEvent(Table):
    """A topic that changed at a moment; browsers fetch anew what depends on it."""

    id = AutoField()
    topic = CharField()
    at = MomentField(index=True)


_NEWEST = Question(lambda: LiveEvent.select(LiveEvent.id).order_by(LiveEvent.id.desc()).limit(1))

_LATER = Question(
    lambda: (
        LiveEvent.select(LiveEvent.id, LiveEvent.topic)
        .where(LiveEvent.id > value("after"))
        .order_by(LiveEvent.id)
    )
)


def publish(*topics: str) -> None:
    """Tell whoever follows that these topics changed. Call it inside the change's transaction."""
    moment = clock.now()
    insert(LiveEvent, [{"topic": topic, "at": moment} for topic in topics])
    database.bell.ask()


def newest() -> int:
    """The id of the newest event; follow from here to see only what comes after."""
    return next((id for (id,) in _NEWEST.ask()), 0)


def newest_of(*topics: str) -> int:
    """The id of the newest event of these topics; 0 when there is none."""
    found = LiveEvent.select(LiveEvent.id).where(LiveEvent.topic.in_(topics))
    return found.order_by(LiveEvent.id.desc()).limit(1).scalar() or 0


def numbered(topic: str) -> list[int]:
    """The numbers at the end of those topics that begin so, the newest first."""
    found = LiveEvent.select(LiveEvent.topic).where(LiveEvent.topic.startswith(topic))
    return [int(one.topic.removeprefix(topic)) for one in found.order_by(LiveEvent.id.desc())]


def follow(after: int, quiet: float = 15.0) -> Iterator[list[tuple[int, str]]]:
    """Yield for ever the (event id, topic) that came since, in order; none after `quiet` seconds.

    What was published in one transaction comes together. An event that was cleared away while the
    follower slept cannot be yielded: a page that wakes after more than an hour fetches everything
    anew.
    """
    told = time.monotonic()
    with contextlib.closing(database.bell.listen()) as bell:
        while True:
            events = _LATER.ask(after=after)
            if events or time.monotonic() - told > quiet:
                yield events
                told = time.monotonic()
            if events:
                after = events[-1][0]
            bell.wait(_LOOK)


def clear() -> int:
    """Remove events that nobody can still need; returns how many.

    The newest one stays: ids would begin again from 1, and no follower would hear of them.
    """
    old = (LiveEvent.at < clock.now() - KEPT, LiveEvent.id < newest())
    return LiveEvent.delete().where(*old).execute()
