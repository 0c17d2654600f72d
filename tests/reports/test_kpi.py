"""Each figure against a day counted by hand."""

import pytest

from appliance.reports import kpi
from appliance.reports.kpi import Rate
from appliance.reports.sums import CallGroup, InboundCall, single_call_group
from tests.reports.ledger_world import site_time

CALL_TIME = site_time("7 12:00:00")


def call_group(outcome: str | None, wait: float | None = None, **fields: object) -> CallGroup:
    inbound_call = InboundCall(CALL_TIME, outcome, wait_seconds=wait, menu_seconds=10.0, **fields)  # type: ignore[arg-type]
    return single_call_group(inbound_call)


CALLS_OF_DAY = [
    call_group("answered", 5.0, ended_by="operator", rating=5),
    call_group("answered", 20.0, ended_by="operator", rating=4),
    call_group("answered", 20.1, ended_by="operator"),
    call_group("answered", 34.9, ended_by="caller"),
    call_group("abandoned_menu"),
    call_group("abandoned_queue", 40.0),
    call_group("abandoned_queue", 3.0, short=True),
    call_group("timed_out", 300.0),
    call_group(None, 2.0),
    call_group("rejected"),
    call_group("answered", 500.0, synthetic=True, ended_by="operator", rating=1),
]


def test_incoming_calls_exclude_rejected_and_synthetic_calls() -> None:
    assert len(kpi.incoming_groups(CALLS_OF_DAY)) == 9
    assert kpi.tally_groups(CALLS_OF_DAY).accepted == 4


def test_an_ongoing_call_is_not_missed() -> None:
    assert kpi.tally_groups(CALLS_OF_DAY).missed == 4


def test_answer_speed_is_the_mean_wait_of_answered_calls() -> None:
    assert kpi.tally_groups(CALLS_OF_DAY).answer_speed == Rate(pytest.approx(20.0), 4)
    assert kpi.tally_groups(CALLS_OF_DAY).answer_speed_from_arrival == Rate(pytest.approx(30.0), 4)


def test_the_service_level_includes_the_limit_and_excludes_short_abandons() -> None:
    # 2 of 4 answered + 1 abandoned
    assert kpi.tally_groups(CALLS_OF_DAY, 20.0).service_level == Rate(40.0, 5)


def test_the_abandon_rate_excludes_short_abandons() -> None:
    # 1 of 8 joined - 1 short
    assert kpi.tally_groups(CALLS_OF_DAY).abandon_rate == Rate(pytest.approx(100 / 7), 7)


def test_the_rating_has_its_marks_and_response_rate() -> None:
    assert kpi.tally_groups(CALLS_OF_DAY).rating == Rate(4.5, 2)
    assert kpi.tally_groups(CALLS_OF_DAY).marks == [0, 0, 0, 1, 1]
    assert kpi.tally_groups(CALLS_OF_DAY).rating_response == Rate(pytest.approx(200 / 3), 3)


def test_a_wait_belongs_to_the_band_of_its_upper_bound() -> None:
    assert kpi.accepted_calls_by_wait(CALLS_OF_DAY, [5.0, 20.0, 30.0]) == [1, 1, 1, 1]


def test_a_rate_without_cases_has_no_value_and_few_cases_are_marked() -> None:
    assert (
        kpi.tally_groups([]).answer_speed
        == kpi.tally_groups([], 20.0).service_level
        == Rate(None, 0)
    )
    assert not kpi.tally_groups([]).rating_response.few
    assert [Rate(1.0, cases).few for cases in (1, 4, 5)] == [True, True, False]
