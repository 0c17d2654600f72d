"""Limits of pauses and daily goals, set by managers and supervisors."""

import re

import pytest

from appliance.people import goals, pauses
from appliance.people.goals import Goals
from tests.rig.browser import Browser


@pytest.fixture
def manager(login_as) -> Browser:
    return login_as("manager")


def test_limits_are_stored_and_shown(manager) -> None:
    answer = manager.send("/workday/limits", **{"minutes-lunch": "45", "minutes-break": ""})
    assert answer.status_code == 302
    assert pauses.pause_limits() == {"lunch": 45}
    page = manager.get("/workday").text
    assert re.search(r'name="minutes-lunch"[^>]*value="45"', page)


@pytest.mark.parametrize("typed", ["0", "1441", "-5", "12,5", "x", "٣"])
def test_invalid_limit_is_reported_and_typed_values_are_kept(manager, typed: str) -> None:
    answer = manager.send("/workday/limits", **{"minutes-lunch": "45", "minutes-break": typed})
    page = manager.get(answer.headers["Location"]).text
    assert "1 dan 1440 gacha" in page
    assert re.search(r'name="minutes-lunch"[^>]*value="45"', page)
    assert f'value="{typed}"' in page
    assert pauses.pause_limits() == {}


def test_goals_are_set_for_everybody_and_for_one_operator(login_as, nilufar) -> None:
    supervisor = login_as("supervisor")
    form = {"calls-0": "60", "mark-0": "4,5", "forms-0": "95", f"calls-{nilufar.id}": "40"}
    assert supervisor.send("/workday/goals", **form).status_code == 302
    assert goals.operator_goals(nilufar) == Goals(40, 4.5, 95)
    page = supervisor.get("/workday").text
    assert re.search(rf'name="calls-{nilufar.id}"[^>]*value="40"', page)
    assert re.search(r'name="mark-0"[^>]*value="4,5"', page)
    assert re.search(rf'name="forms-{nilufar.id}"[^>]*placeholder="95"', page)
    assert "minutes-lunch" not in page  # the limits are the manager's


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("calls-0", "0", "1 dan 1000 gacha"),
        ("mark-0", "6", "Baho 1 dan 5 gacha"),
        ("mark-0", "nan", "Baho 1 dan 5 gacha"),
        ("mark-0", "a", "Baho 1 dan 5 gacha"),
        ("forms-0", "101", "1 dan 100 gacha"),
    ],
)
def test_invalid_goal_is_reported_and_nothing_is_stored(
    manager, nilufar, field: str, typed: str, message: str
) -> None:
    answer = manager.send("/workday/goals", **{f"calls-{nilufar.id}": "40", field: typed})
    page = manager.get(answer.headers["Location"]).text
    assert message in page
    assert f'value="{typed}"' in page
    assert goals.operator_goals(nilufar) == Goals()
