"""The register of missed callers: listed, written off, called from the list."""

import datetime as dt

import pytest

from appliance import clock, followups
from appliance.models import Call, FollowUp

NUMBER = "+998901112233"


@pytest.fixture
def task(settings) -> FollowUp:
    """A caller who gave up in the menu an hour ago."""
    begin = clock.now() - dt.timedelta(hours=1)
    Call.create(
        id="hotline-1.1",
        direction="inbound",
        arrived_at=begin,
        ended_at=begin + dt.timedelta(seconds=9),
        caller=NUMBER,
        stage="ended",
        outcome="abandoned_menu",
        language="ru",
    )
    followups.follow(begin, NUMBER)
    return FollowUp.get()


@pytest.mark.parametrize("role", ["operator", "supervisor", "manager"])
def test_who_waits_is_listed(login_as, task, role) -> None:
    browser = login_as(role)
    page = browser.get("/followups").text
    assert "+998\u00a090\u00a0111\u00a022\u00a033" in page
    assert 'data-live="followups"' in page
    piece = browser.get("/followups/list").text
    assert f'id="task-{task.id}"' in piece
    assert "<html" not in piece


def test_nobody_waits(login_as) -> None:
    assert "Hech kim qoʻngʻiroq kutmayapti" in login_as("operator").get("/followups").text


def test_a_task_is_written_off_with_a_note(login_as, task) -> None:
    browser = login_as("operator")
    answer = browser.send(f"/followups/{task.id}/done", note="Oʻzi keldi")
    assert answer.status_code == 302
    assert FollowUp.get().outcome == "done"
    assert f'id="task-{task.id}"' not in browser.get("/followups").text
    closed = browser.get("/followups?show=closed").text
    assert "Nilufar Karimova: Oʻzi keldi" in closed
    browser.send(f"/followups/{task.id}/done", note="again")
    assert FollowUp.get().note == "Oʻzi keldi"


def test_a_silent_exchange_leaves_the_task_to_others(login_as, task) -> None:
    answer = login_as("operator").send(f"/followups/{task.id}/call")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert FollowUp.get().claimed_until is None


def test_who_is_being_called_cannot_be_called(login_as, task) -> None:
    assert followups.claim(task, by="sardor")
    browser = login_as("operator")
    answer = browser.send(f"/followups/{task.id}/call")
    assert answer.status_code == 409
    assert "Sardor Ergashev" in answer.text
    assert FollowUp.get().claimed_by == "sardor"


def test_a_task_that_is_not_there(login_as) -> None:
    browser = login_as("operator")
    assert browser.send("/followups/99/done").status_code == 404
    assert browser.send("/followups/99/call").status_code == 404
