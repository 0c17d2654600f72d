"""How long pauses lasted, by reason; their limits; goals of a day."""

import datetime as dt

import pytest

from appliance.core.audit.table import AuditEntry
from appliance.core.clock import moment
from appliance.models import Presence
from appliance.people import goals, pauses, presence
from appliance.people.accounts import StaffError
from appliance.people.goals import Goals

NOON = dt.datetime(2026, 11, 18, 7, tzinfo=dt.UTC)


def at(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def states(user, *rows) -> None:
    """(minute, state, reason) each."""
    for minute, state, reason in rows:
        Presence.create(user=user, since=at(minute), state=state, reason=reason)


def test_a_states_time_is_cut_to_what_is_asked(nilufar, sardor) -> None:
    states(
        nilufar,
        (-60, "ready", ""),
        (10, "pause", "lunch"),
        (30, "back_office", ""),
        (40, "pause", "break"),
        (45, "pause", "lunch"),
        (50, "off", ""),
    )
    found = presence.intervals_of(nilufar, at(0), at(47))
    assert [(s.state, s.reason, s.seconds / 60) for s in found] == [
        ("ready", "", 10),
        ("pause", "lunch", 20),
        ("back_office", "", 10),
        ("pause", "break", 5),
        ("pause", "lunch", 2),
    ]
    assert pauses.taken(nilufar, at(0), at(47)) == {"lunch": 22 * 60, "break": 5 * 60}
    told = presence.stretches(at(0), at(47))
    assert [(moment(b), moment(e)) for *_, b, e in told["nilufar"]] == [
        (one.begin, one.end) for one in found
    ]
    assert told.keys() == {"nilufar"}
    assert presence.intervals_of(sardor, at(0), at(47)) == []


def test_limits_come_along_are_set_and_taken_away(settings) -> None:
    pauses.seed()
    assert pauses.limits() == {"lunch": 60, "break": 30}
    pauses.limit({"lunch": 45, "break": None}, "rustam")
    pauses.seed()
    assert pauses.limits() == {"lunch": 45}
    assert AuditEntry.get(AuditEntry.action == "pause.limits").who == "rustam"


@pytest.mark.parametrize("minutes", [0, -1, 1441])
def test_a_limit_that_cannot_be(settings, minutes: int) -> None:
    with pytest.raises(StaffError) as refused:
        pauses.limit({"lunch": 10, "break": minutes}, "rustam")
    assert refused.value.code == "minutes"
    assert pauses.limits() == {}


def test_goals_of_ones_own_stand_before_everybodys(nilufar, sardor) -> None:
    goals.store([(None, Goals(60, 4.5, 95)), (nilufar, Goals(calls=40))], "dilnoza")
    assert goals.of(nilufar) == Goals(40, 4.5, 95)
    assert goals.of(sardor) == Goals(60, 4.5, 95)
    goals.store([(None, Goals(60, 4.5, 95)), (nilufar, Goals())], "dilnoza")
    assert goals.of(nilufar) == Goals(60, 4.5, 95)
    subjects = [e.subject for e in AuditEntry.select().where(AuditEntry.action == "operator.goals")]
    assert subjects == ["", "nilufar", "nilufar"]


@pytest.mark.parametrize(
    ("wrong", "code"), [(Goals(0), "calls"), (Goals(mark=5.1), "mark"), (Goals(forms=101), "forms")]
)
def test_goals_that_cannot_be_leave_all_as_it_was(nilufar, wrong: Goals, code: str) -> None:
    with pytest.raises(StaffError) as refused:
        goals.store([(None, Goals(60)), (nilufar, wrong)], "dilnoza")
    assert refused.value.code == code
    assert goals.of_everybody() == Goals()


def test_no_such_state(nilufar) -> None:
    with pytest.raises(StaffError):
        presence.choose_state(nilufar, "asleep")
    assert presence.state_of(nilufar) is None
