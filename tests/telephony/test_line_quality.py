"""The sound quality that reaches operators: stored for each talk, judged over a period."""

import dataclasses
import datetime as dt

import pytest

from appliance.core import clock
from appliance.telephony import line_quality
from appliance.telephony.line_quality import TalkQuality

pytestmark = pytest.mark.usefixtures("settings")
TALK_QUALITY = TalkQuality("hotline-1.1", 60, 1.0, 10.0, 40.0)


def lines_of_period() -> dict[str, line_quality.LineSummary]:
    now = clock.now()
    return line_quality.line_summaries(now - dt.timedelta(hours=1), now + dt.timedelta(hours=1))


def test_means_are_weighted_by_the_seconds() -> None:
    line_quality.record_talk("op01", TALK_QUALITY)
    worse = dataclasses.replace(TALK_QUALITY, seconds=180, loss=5.0, jitter=30.0, delay=None)
    line_quality.record_talk("op01", worse)
    line = lines_of_period()["op01"]
    assert (line.talks, line.seconds) == (2, 240)
    assert (line.loss, line.jitter, line.delay) == (4.0, 25.0, 40.0)
    assert line.is_bad


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
def test_a_line_beyond_a_limit_is_bad(worse, bad) -> None:
    line_quality.record_talk("op01", dataclasses.replace(TALK_QUALITY, **worse))
    assert lines_of_period()["op01"].is_bad == bad


def test_a_few_seconds_are_not_judged() -> None:
    line_quality.record_talk("op01", dataclasses.replace(TALK_QUALITY, seconds=29))
    assert lines_of_period() == {}
    line_quality.record_talk("op01", dataclasses.replace(TALK_QUALITY, seconds=1))
    assert lines_of_period()["op01"].seconds == 30


def test_talks_outside_the_period_do_not_count() -> None:
    line_quality.record_talk("op01", TALK_QUALITY)
    now = clock.now()
    assert (
        line_quality.line_summaries(now + dt.timedelta(hours=1), now + dt.timedelta(hours=2)) == {}
    )
