"""Live updates: a process publishes that a topic changed; open web pages follow the topics."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator

from peewee import AutoField, CharField

from appliance.core import clock
from appliance.core.db import database
from appliance.core.statements import PreparedQuery, insert_rows, query_parameter
from appliance.core.tables import MomentField, Table

EVENT_RETENTION = dt.timedelta(hours=1)
_POLL_SECONDS = 0.2  # seconds between two polls for events whose signal was lost


class LiveEvent(Table):
    """One change of a topic, with its time; open pages then fetch what depends on the topic.

    A topic is a text that a process and the pages agree on, such as "outbox".
    """

    id = AutoField()
    topic = CharField()
    at = MomentField(index=True)


_NEWEST_ID_QUERY = PreparedQuery(
    lambda: LiveEvent.select(LiveEvent.id).order_by(LiveEvent.id.desc()).limit(1)
)

_LATER_EVENTS_QUERY = PreparedQuery(
    lambda: (
        LiveEvent.select(LiveEvent.id, LiveEvent.topic)
        .where(LiveEvent.id > query_parameter("after"))
        .order_by(LiveEvent.id)
    )
)


def publish_topics(*topics: str) -> None:
    """Notify open pages and waiting processes that something changed, so that they fetch it.

    Each of `topics` is a text that names what changed, such as "outbox". Call it in the transaction
    of the change: the followers of a topic are notified when it is committed.
    """
    published_at = clock.now()
    insert_rows(LiveEvent, [{"topic": topic, "at": published_at} for topic in topics])
    database.commit_signal.request_signal()


def newest_event_id() -> int:
    """Return the id of the newest event (a change of a topic); 0 if there is no event.

    Pass it to `follow_events` to receive only later ones.
    """
    return next((id for (id,) in _NEWEST_ID_QUERY.fetch_tuples()), 0)


def newest_topic_event_id(*topics: str) -> int:
    """Return the id of the newest event, at which one of `topics` changed; 0 if there is no event.

    A process that polls sees by a higher id that something changed.
    """
    events = LiveEvent.select(LiveEvent.id).where(LiveEvent.topic.in_(topics))
    return events.order_by(LiveEvent.id.desc()).limit(1).scalar() or 0


def topic_numbers(prefix: str) -> list[int]:
    """Return the numbers at the end of the published topics that begin with `prefix`.

    For instance 12 for the prefix "plan.taken." and the topic "plan.taken.12". By such a topic a
    process publishes a number, such as the id of an event that it has handled. The number of the
    newest event is first.
    """
    events = LiveEvent.select(LiveEvent.topic).where(LiveEvent.topic.startswith(prefix))
    return [int(event.topic.removeprefix(prefix)) for event in events.order_by(LiveEvent.id.desc())]


def follow_events(after_id: int, quiet_seconds: float = 15.0) -> Iterator[list[tuple[int, str]]]:
    """Yield, forever, lists of new events, each (event id, topic that changed), in their order.

    The first event has an id above `after_id`. If nothing happens for `quiet_seconds`, an empty
    list is yielded, so that the follower can do other work or stop. Events published in one
    transaction are yielded together. An event that was removed while the follower slept is lost: a
    page that wakes after more than an hour fetches everything again.
    """
    yielded_at = time.monotonic()
    with contextlib.closing(database.commit_signal.open_watch()) as watch:
        while True:
            events = _LATER_EVENTS_QUERY.fetch_tuples(after=after_id)
            if events or time.monotonic() - yielded_at > quiet_seconds:
                yield events
                yielded_at = time.monotonic()
            if events:
                after_id = events[-1][0]
            watch.wait_for_event(_POLL_SECONDS)


def clear_old_events() -> int:
    """Remove events older than EVENT_RETENTION, which no follower needs; returns their number.

    The newest event stays: in an empty table, ids would start from 1 again, and followers that wait
    for higher ids would receive nothing.
    """
    conditions = (LiveEvent.at < clock.now() - EVENT_RETENTION, LiveEvent.id < newest_event_id())
    count: int = LiveEvent.delete().where(*conditions).execute()
    return count
