"""Who waits for what is published is told when it can be read, and not before."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import live
from appliance.core.db import database, writing
from appliance.core.watching import Watch

LONG, SHORT = 20.0, 0.02  # seconds: a limit, and for what is known not to come


@pytest.fixture
def heard(settings) -> Iterator[Watch]:
    with contextlib.closing(database.bell.listen()) as bell:
        bell.wait(SHORT)
        yield bell


def test_it_is_rung_when_all_is_written(heard: Watch) -> None:
    with writing():
        with writing():
            live.publish("calls")
        assert not heard.wait(SHORT)
    assert heard.wait(LONG)
    assert not heard.wait(SHORT)


def test_what_is_undone_or_waited_for_by_nobody_does_not_ring(heard: Watch) -> None:
    def fail() -> None:
        with writing():
            live.publish("calls")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with writing():
        live.clear()
    assert not heard.wait(SHORT)


def test_another_thread_is_woken(settings) -> None:
    events = live.follow(live.newest(), quiet=LONG)
    told: list[list[tuple[int, str]]] = []

    def follow() -> None:
        with database.connection_context():
            told.append(next(events))

    waiting = threading.Thread(target=follow)
    waiting.start()
    with writing():
        live.publish("calls", "operators")
    waiting.join(LONG)
    assert [topic for _number, topic in told[0]] == ["calls", "operators"]


def test_a_bell_that_was_removed_is_hung_anew(heard: Watch) -> None:
    Path(f"{database.database}-bell").unlink()
    assert heard.wait(LONG)
    with writing():
        live.publish("calls")
    assert heard.wait(LONG)  # nothing is known: whoever waits is to look himself
    assert not heard.wait(SHORT)
    with writing():
        live.publish("calls")
    assert heard.wait(LONG)


def test_where_no_bell_can_be_hung_who_waits_looks(settings) -> None:
    Path(f"{database.database}-bell").mkdir()
    with writing():
        live.publish("calls")
    with contextlib.closing(live.follow(0, quiet=LONG)) as events:
        assert next(events)[-1][1] == "calls"
