"""Each figure against a day counted by hand."""

import pytest

from appliance.reports import kpi
from appliance.reports.kpi import Rate
from appliance.reports.sums import Group, Inbound, alone
from tests.reports.ledger_world import at

NOON = at("7 12:00:00")


def call(outcome: str | None, wait: float | None = None, **known: object) -> Group:
    one = Inbound(NOON, outcome, wait_seconds=wait, menu_seconds=10.0, **known)  # type: ignore[arg-type]
    return alone(one)


DAY = [
    call("answered", 5.0, ended_by="operator", rating=5),
    call("answered", 20.0, ended_by="operator", rating=4),
    call("answered", 20.1, ended_by="operator"),
    call("answered", 34.9, ended_by="caller"),
    call("abandoned_menu"),
    call("abandoned_queue", 40.0),
    call("abandoned_queue", 3.0, short=True),
    call("timed_out", 300.0),
    call(None, 2.0),
    call("rejected"),
    call("answered", 500.0, synthetic=True, ended_by="operator", rating=1),
]


def test_incoming_leaves_out_rejected_and_synthetic_calls() -> None:
    assert len(kpi.incoming(DAY)) == 9
    assert kpi.tally(DAY).accepted == 4


def test_missed_is_not_what_still_goes_on() -> None:
    assert kpi.tally(DAY).missed == 4


def test_answer_speed() -> None:
    assert kpi.tally(DAY).answer_speed == Rate(pytest.approx(20.0), 4)
    assert kpi.tally(DAY).answer_speed_from_arrival == Rate(pytest.approx(30.0), 4)


def test_service_level_counts_the_limit_in_and_short_abandons_out() -> None:
    assert kpi.tally(DAY, 20.0).service_level == Rate(40.0, 5)  # 2 of 4 answered + 1 abandoned


def test_abandon_rate() -> None:
    assert kpi.tally(DAY).abandon_rate == Rate(pytest.approx(100 / 7), 7)  # 1 of 8 joined - 1 short


def test_rating_comes_with_its_marks_and_its_response() -> None:
    assert kpi.tally(DAY).rating == Rate(4.5, 2)
    assert kpi.tally(DAY).marks == [0, 0, 0, 1, 1]
    assert kpi.tally(DAY).rating_response == Rate(pytest.approx(200 / 3), 3)


def test_waits_fall_into_bands_with_their_upper_edge() -> None:
    assert kpi.by_wait(DAY, [5.0, 20.0, 30.0]) == [1, 1, 1, 1]


def test_no_cases_no_value_and_few_are_marked() -> None:
    assert kpi.tally([]).answer_speed == kpi.tally([], 20.0).service_level == Rate(None, 0)
    assert not kpi.tally([]).rating_response.few
    assert [Rate(1.0, cases).few for cases in (1, 4, 5)] == [True, True, False]
