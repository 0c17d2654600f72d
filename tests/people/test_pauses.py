"""The duration of pauses by reason, their limits, and daily goals."""

import datetime as dt

import pytest

from appliance.core.audit.table import AuditEntry
from appliance.core.clock import datetime_from_microseconds
from appliance.core.refusals import Refused
from appliance.models import Presence
from appliance.people import goals, pauses, presence
from appliance.people.goals import Goals

NOON = dt.datetime(2026, 11, 18, 7, tzinfo=dt.UTC)


def minutes_after_noon(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def create_states(user, *rows) -> None:
    """Each row is (minute, state, reason)."""
    for minute, state, reason in rows:
        Presence.create(user=user, since=minutes_after_noon(minute), state=state, reason=reason)


def test_durations_are_clipped_to_the_requested_period(nilufar, sardor) -> None:
    create_states(
        nilufar,
        (-60, "ready", ""),
        (10, "pause", "lunch"),
        (30, "back_office", ""),
        (40, "pause", "break"),
        (45, "pause", "lunch"),
        (50, "off", ""),
    )
    intervals = presence.intervals_of(nilufar, minutes_after_noon(0), minutes_after_noon(47))
    assert [(s.state, s.reason, s.seconds / 60) for s in intervals] == [
        ("ready", "", 10),
        ("pause", "lunch", 20),
        ("back_office", "", 10),
        ("pause", "break", 5),
        ("pause", "lunch", 2),
    ]
    assert pauses.pause_seconds(nilufar, minutes_after_noon(0), minutes_after_noon(47)) == {
        "lunch": 22 * 60,
        "break": 5 * 60,
    }
    periods = presence.intervals_by_login(minutes_after_noon(0), minutes_after_noon(47))
    assert [
        (datetime_from_microseconds(b), datetime_from_microseconds(e))
        for *_, b, e in periods["nilufar"]
    ] == [(interval.begin, interval.end) for interval in intervals]
    assert periods.keys() == {"nilufar"}
    assert presence.intervals_of(sardor, minutes_after_noon(0), minutes_after_noon(47)) == []


def test_default_limits_are_seeded_changed_and_removed(settings) -> None:
    pauses.seed_limits()
    assert pauses.pause_limits() == {"lunch": 60, "break": 30}
    pauses.set_limits({"lunch": 45, "break": None}, "rustam")
    pauses.seed_limits()
    assert pauses.pause_limits() == {"lunch": 45}
    assert AuditEntry.get(AuditEntry.action == "pause.limits").who == "rustam"


@pytest.mark.parametrize("minutes", [0, -1, 1441])
def test_an_invalid_limit_is_refused(settings, minutes: int) -> None:
    with pytest.raises(Refused) as error:
        pauses.set_limits({"lunch": 10, "break": minutes}, "rustam")
    assert error.value.code == "minutes"
    assert pauses.pause_limits() == {}


def test_a_users_own_goals_override_those_of_everybody(nilufar, sardor) -> None:
    goals.store_goals([(None, Goals(60, 4.5, 95)), (nilufar, Goals(calls=40))], "dilnoza")
    assert goals.operator_goals(nilufar) == Goals(40, 4.5, 95)
    assert goals.operator_goals(sardor) == Goals(60, 4.5, 95)
    goals.store_goals([(None, Goals(60, 4.5, 95)), (nilufar, Goals())], "dilnoza")
    assert goals.operator_goals(nilufar) == Goals(60, 4.5, 95)
    subjects = [e.subject for e in AuditEntry.select().where(AuditEntry.action == "operator.goals")]
    assert subjects == ["", "nilufar", "nilufar"]


@pytest.mark.parametrize(
    ("wrong", "code"), [(Goals(0), "calls"), (Goals(mark=5.1), "mark"), (Goals(forms=101), "forms")]
)
def test_invalid_goals_change_nothing(nilufar, wrong: Goals, code: str) -> None:
    with pytest.raises(Refused) as error:
        goals.store_goals([(None, Goals(60)), (nilufar, wrong)], "dilnoza")
    assert error.value.code == code
    assert goals.common_goals() == Goals()


def test_an_unknown_state_is_refused(nilufar) -> None:
    with pytest.raises(Refused):
        presence.choose_state(nilufar, "asleep")
    assert presence.state_of(nilufar) is None
