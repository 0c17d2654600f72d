"""A small storm: the messages received agree with the outbox, even after a kill."""

from pathlib import Path

from appliance.messaging.telegram.courier import MAX_MESSAGES_PER_MINUTE
from tests.rig.storm.play import fill_site, run_storm


def test_a_small_storm_loses_no_message_and_counts_possible_duplicates(tmp_path: Path) -> None:
    fill_site(tmp_path / "filled", 120)
    counts = run_storm(
        tmp_path / "filled",
        tmp_path / "storm",
        ["error", "lost", "early"],
        seed=5,
        kills=1,
        limit=500,
        max_faults=1,
    )
    assert [count.channel for count in counts] == ["sms", "telegram"]
    for count in counts:
        assert count.is_right, count
        assert (count.put, count.kills) == (120, 1)
    assert counts[0].perhaps > 0
    assert counts[1].busiest <= MAX_MESSAGES_PER_MINUTE
