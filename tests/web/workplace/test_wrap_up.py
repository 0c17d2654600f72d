"""After a talk: until when the phone does not ring, setting ready early, and more time."""

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
    """A site where 30 seconds of wrap-up follow a talk."""
    settings.file.write_text(settings.file.read_text().replace("[calls]", "[calls]\nwrap_up = 30"))
    return site_settings.load_settings(settings.file)


@pytest.fixture
def browser(login_as) -> Browser:
    """Nilufar's browser, signed in."""
    return login_as("nilufar")


@pytest.fixture
def citizen(nilufar) -> Citizen:
    """A call on which Nilufar, who was ready, is talking."""
    presence.choose_state(nilufar, "ready")
    caller = Citizen("1764000000.1")
    caller.ring_operator(nilufar)
    caller.start_talk()
    return caller


def post_json(browser: Browser, path: str, **sent: str) -> str:
    token = {"X-CSRFToken": browser.token("/operator")}
    return browser.post(f"/operator/{path}", json=sent, headers=token).get_json()["trouble"]


def test_the_bar_counts_down_and_offers_ready_and_more_time(browser, citizen):
    assert "Hozir tayyor" not in browser.get("/operator/bar").text
    citizen.hang_up()
    bar = browser.get("/operator/bar").text
    assert "data-until" in bar
    assert "Hozir tayyor" in bar
    assert "Yana vaqt" in bar


def test_setting_ready_ends_the_wrap_up(browser, citizen, nilufar):
    citizen.hang_up()
    post_json(browser, "state", state="ready")  # the exchange is unavailable: the state is saved
    assert "data-until" not in browser.get("/operator/bar").text
    assert presence.state_of(nilufar).state == "ready"


def test_more_time_is_a_state_with_an_end(browser, citizen, nilufar, settings):
    citizen.hang_up()
    post_json(browser, "more-time")
    assert presence.state_of(nilufar).state == presence.WRAP_UP
    bar = browser.get("/operator/bar").text
    assert "data-until" in bar
    assert "Yana vaqt" not in bar
    assert "Yakunlash vaqti" in browser.get("/operator/state").text
    assert "tugagan" in post_json(browser, "more-time")  # only once
    most = dt.timedelta(seconds=settings.calls.more_time)
    assert presence.end_wrap_ups(most) == []
    assert presence.end_wrap_ups(dt.timedelta()) == ["nilufar"]
    assert "data-until" not in browser.get("/operator/bar").text


def test_more_time_is_granted_only_after_a_talk(browser, nilufar):
    presence.choose_state(nilufar, "ready")
    assert "tugagan" in post_json(browser, "more-time")
    assert presence.state_of(nilufar).state == "ready"


def test_a_pause_chosen_during_the_talk_replaces_the_wrap_up(browser, citizen, nilufar):
    presence.choose_state(nilufar, "pause")
    citizen.hang_up()
    assert "data-until" not in browser.get("/operator/bar").text


def test_a_wrap_up_is_not_a_pause_in_the_figures(nilufar):
    presence.choose_state(nilufar, presence.WRAP_UP)
    now = clock.now()
    [(state, *_)] = presence.intervals_of(nilufar, now - dt.timedelta(hours=1), clock.now())
    assert state == "wrap_up"


def test_ended_wrap_ups_are_found_by_one_query(nilufar, sardor, monkeypatch):
    for user in (nilufar, sardor):
        presence.choose_state(user, presence.WRAP_UP)
    presence.choose_state(sardor, "pause")  # after the wrap-up began
    statements, real = [], db.database.execute_sql
    monkeypatch.setattr(
        db.database, "execute_sql", lambda sql, *rest: statements.append(sql) or real(sql, *rest)
    )
    assert presence.end_wrap_ups(dt.timedelta(hours=1)) == []
    assert len(statements) == 1
    monkeypatch.undo()
    assert presence.end_wrap_ups(dt.timedelta()) == ["nilufar"]
