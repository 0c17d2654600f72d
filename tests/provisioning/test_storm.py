"""A small storm: what the services took agrees with what the outbox says, also after a kill."""

from pathlib import Path

from appliance.messaging.telegram.courier import PER_MINUTE
from tests.rig.storm.play import fill, play


def test_a_small_storm_loses_nothing_and_says_what_perhaps_went_twice(tmp_path: Path) -> None:
    fill(tmp_path / "filled", 120)
    counts = play(
        tmp_path / "filled",
        tmp_path / "storm",
        ["error", "lost", "early"],
        seed=5,
        kills=1,
        limit=500,
        most=1,
    )
    assert [count.channel for count in counts] == ["sms", "telegram"]
    for count in counts:
        assert count.right, count
        assert (count.put, count.kills) == (120, 1)
    assert counts[0].perhaps > 0
    assert counts[1].busiest <= PER_MINUTE
