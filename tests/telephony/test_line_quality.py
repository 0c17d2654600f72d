"""How operators are heard: kept for each talk, judged over a period."""

import dataclasses
import datetime as dt

import pytest

from appliance.core import clock
from appliance.telephony import line_quality
from appliance.telephony.line_quality import Heard

pytestmark = pytest.mark.usefixtures("settings")
TALK = Heard("hotline-1.1", 60, 1.0, 10.0, 40.0)


def lines() -> dict[str, line_quality.Line]:
    now = clock.now()
    return line_quality.lines(now - dt.timedelta(hours=1), now + dt.timedelta(hours=1))


def test_means_are_weighted_by_the_seconds() -> None:
    line_quality.record("op01", TALK)
    worse = dataclasses.replace(TALK, seconds=180, loss=5.0, jitter=30.0, delay=None)
    line_quality.record("op01", worse)
    found = lines()["op01"]
    assert (found.talks, found.seconds) == (2, 240)
    assert (found.loss, found.jitter, found.delay) == (4.0, 25.0, 40.0)
    assert found.is_bad


@pytest.mark.parametrize(
    ("worse", "bad"),
    [
        ({"loss": 3.0}, False),
        ({"loss": 3.1}, True),
        ({"jitter": 40.0}, False),
        ({"jitter": 41.0}, True),
        ({"delay": 300.0}, False),
        ({"delay": 301.0}, True),
        ({"delay": None}, False),
    ],
)
def test_when_a_line_is_bad(worse, bad) -> None:
    line_quality.record("op01", dataclasses.replace(TALK, **worse))
    assert lines()["op01"].is_bad == bad


def test_by_some_seconds_nobody_is_judged() -> None:
    line_quality.record("op01", dataclasses.replace(TALK, seconds=29))
    assert lines() == {}
    line_quality.record("op01", dataclasses.replace(TALK, seconds=1))
    assert lines()["op01"].seconds == 30


def test_what_is_outside_of_the_period_does_not_count() -> None:
    line_quality.record("op01", TALK)
    now = clock.now()
    assert line_quality.lines(now + dt.timedelta(hours=1), now + dt.timedelta(hours=2)) == {}
