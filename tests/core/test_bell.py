"""Readers of published events are woken when the events can be read, and not earlier."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import live
from appliance.core.db import database, write_transaction
from appliance.core.path_watch import PathWatch

LONG_SECONDS, SHORT_SECONDS = 20.0, 0.02  # a limit, and the wait for a signal that never arrives


@pytest.fixture
def bell_watch(settings) -> Iterator[PathWatch]:
    with contextlib.closing(database.commit_signal.open_watch()) as bell:
        bell.wait_for_event(SHORT_SECONDS)
        yield bell


def test_the_bell_rings_after_the_outermost_transaction(bell_watch: PathWatch) -> None:
    with write_transaction():
        with write_transaction():
            live.publish_topics("calls")
        assert not bell_watch.wait_for_event(SHORT_SECONDS)
    assert bell_watch.wait_for_event(LONG_SECONDS)
    assert not bell_watch.wait_for_event(SHORT_SECONDS)


def test_a_rollback_and_an_event_without_readers_do_not_ring(bell_watch: PathWatch) -> None:
    def publish_and_fail() -> None:
        with write_transaction():
            live.publish_topics("calls")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish_and_fail()
    with write_transaction():
        live.clear_old_events()
    assert not bell_watch.wait_for_event(SHORT_SECONDS)


def test_a_waiting_thread_is_woken(settings) -> None:
    events = live.follow_events(live.newest_event_id(), quiet_seconds=LONG_SECONDS)
    batches: list[list[tuple[int, str]]] = []

    def read_next_events() -> None:
        with database.connection_context():
            batches.append(next(events))

    waiting = threading.Thread(target=read_next_events)
    waiting.start()
    with write_transaction():
        live.publish_topics("calls", "operators")
    waiting.join(LONG_SECONDS)
    assert [topic for _number, topic in batches[0]] == ["calls", "operators"]


def test_a_removed_bell_is_created_again(bell_watch: PathWatch) -> None:
    Path(f"{database.database}-bell").unlink()
    assert bell_watch.wait_for_event(LONG_SECONDS)
    with write_transaction():
        live.publish_topics("calls")
    # the state is unknown: the reader must look for new events
    assert bell_watch.wait_for_event(LONG_SECONDS)
    assert not bell_watch.wait_for_event(SHORT_SECONDS)
    with write_transaction():
        live.publish_topics("calls")
    assert bell_watch.wait_for_event(LONG_SECONDS)


def test_without_a_bell_a_reader_polls(settings) -> None:
    Path(f"{database.database}-bell").mkdir()
    with write_transaction():
        live.publish_topics("calls")
    with contextlib.closing(live.follow_events(0, quiet_seconds=LONG_SECONDS)) as events:
        assert next(events)[-1][1] == "calls"
