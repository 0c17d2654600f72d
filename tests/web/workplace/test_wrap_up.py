"""After a talk: until when the phone does not ring, ready now, and more time."""

import datetime as dt

import pytest

from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.people import presence
from tests.rig.browser import Browser
from tests.rig.citizen import Citizen


@pytest.fixture
def settings(settings) -> Settings:
    """Of a site where 30 seconds of wrap-up follow a talk."""
    settings.file.write_text(settings.file.read_text().replace("[calls]", "[calls]\nwrap_up = 30"))
    return site_settings.load(settings.file)


@pytest.fixture
def browser(login_as) -> Browser:
    """Nilufar's, signed in."""
    return login_as("nilufar")


@pytest.fixture
def citizen(nilufar) -> Citizen:
    """A call that speaks with Nilufar, who was ready."""
    presence.choose_state(nilufar, "ready")
    made = Citizen("1764000000.1")
    made.ring(nilufar)
    made.talk()
    return made


def send(browser: Browser, path: str, **sent: str) -> str:
    token = {"X-CSRFToken": browser.token("/operator")}
    return browser.post(f"/operator/{path}", json=sent, headers=token).get_json()["trouble"]


def test_the_bar_counts_down_and_offers_both(browser, citizen):
    assert "Hozir tayyor" not in browser.get("/operator/bar").text
    citizen.hang_up()
    bar = browser.get("/operator/bar").text
    assert "data-until" in bar
    assert "Hozir tayyor" in bar
    assert "Yana vaqt" in bar


def test_ready_now_ends_it(browser, citizen, nilufar):
    citizen.hang_up()
    send(browser, "state", state="ready")  # the exchange is not there: it is kept
    assert "data-until" not in browser.get("/operator/bar").text
    assert presence.state_of(nilufar).state == "ready"


def test_more_time_is_a_state_that_ends(browser, citizen, nilufar, settings):
    citizen.hang_up()
    send(browser, "more-time")
    assert presence.state_of(nilufar).state == presence.WRAP_UP
    bar = browser.get("/operator/bar").text
    assert "data-until" in bar
    assert "Yana vaqt" not in bar
    assert "Yakunlash vaqti" in browser.get("/operator/state").text
    assert "tugagan" in send(browser, "more-time")  # once
    most = dt.timedelta(seconds=settings.calls.more_time)
    assert presence.end_wrap_ups(most) == []
    assert presence.end_wrap_ups(dt.timedelta()) == ["nilufar"]
    assert "data-until" not in browser.get("/operator/bar").text


def test_more_time_is_given_after_a_talk_only(browser, nilufar):
    presence.choose_state(nilufar, "ready")
    assert "tugagan" in send(browser, "more-time")
    assert presence.state_of(nilufar).state == "ready"


def test_a_pause_chosen_for_after_is_no_wrap_up(browser, citizen, nilufar):
    presence.choose_state(nilufar, "pause")
    citizen.hang_up()
    assert "data-until" not in browser.get("/operator/bar").text


def test_a_wrap_up_is_no_pause_in_the_figures(nilufar):
    presence.choose_state(nilufar, presence.WRAP_UP)
    now = clock.now()
    [(state, *_)] = presence.intervals_of(nilufar, now - dt.timedelta(hours=1), clock.now())
    assert state == "wrap_up"


def test_whose_wrap_up_is_over_is_asked_by_one_question(nilufar, sardor, monkeypatch):
    for user in (nilufar, sardor):
        presence.choose_state(user, presence.WRAP_UP)
    presence.choose_state(sardor, "pause")  # since then
    asked, real = [], db.database.execute_sql
    monkeypatch.setattr(
        db.database, "execute_sql", lambda sql, *rest: asked.append(sql) or real(sql, *rest)
    )
    assert presence.end_wrap_ups(dt.timedelta(hours=1)) == []
    assert len(asked) == 1
    monkeypatch.undo()
    assert presence.end_wrap_ups(dt.timedelta()) == ["nilufar"]
