"""The control of an operator's state: reasons, the rest of their limits, states set by others."""

import datetime as dt
import re

import pytest

from appliance.models import Presence
from appliance.people import pauses, presence
from tests.rig.browser import Browser


@pytest.fixture
def browser(login_as) -> Browser:
    return login_as("nilufar")


def post_state(browser: Browser, **values: object) -> int:
    sent = {"json": values, "headers": {"X-CSRFToken": browser.token()}}
    return browser.post("/operator/state", **sent).status_code


def visible_text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_pause_shows_its_reason(browser, nilufar) -> None:
    assert post_state(browser, state="pause", reason="lunch") == 200
    current_state = presence.state_of(nilufar)
    assert (current_state.state, current_state.reason, current_state.by) == (
        "pause",
        "lunch",
        "nilufar",
    )
    page = browser.get("/operator/state").text
    summary = page[page.index("<summary") : page.index("</summary>")]
    assert "Tushlik" in summary
    assert "Tanaffus" not in summary


@pytest.mark.parametrize(
    "sent",
    [
        {"state": "asleep"},
        {"state": "pause", "reason": "no such reason"},
        {"state": "pause", "reason": presence.FORCED},
        {"state": "pause", "reason": ["lunch"]},
        {"state": "ready", "reason": "lunch"},
        {"reason": "lunch"},
    ],
)
def test_an_invalid_state_changes_nothing(browser, nilufar, sent) -> None:
    assert post_state(browser, **sent) == 422
    assert presence.state_of(nilufar) is None


def test_back_office_work_is_not_a_pause(browser, nilufar) -> None:
    assert post_state(browser, state="back_office") == 200
    assert "Navbatdan tashqari ish" in visible_text(browser.get("/operator/state").text)
    now = dt.datetime.now(dt.UTC)
    assert pauses.pause_seconds(nilufar, now - dt.timedelta(hours=1), now) == {}


def test_each_reason_has_a_key_and_a_ready_operator_can_open_them(browser, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    page = browser.get("/operator/state").text
    assert re.findall(r'name="reason" value="(\w+)"[^>]*data-pick="(\d)"', page) == [
        ("lunch", "1"),
        ("break", "2"),
        ("training", "3"),
        ("technical", "4"),
        ("other", "5"),
    ]
    assert re.search(r'value="back_office"[^>]*data-pick="0"', page)
    assert re.findall(r'<(\w+)[^>]*data-key="F10"', page) == ["summary"]
    presence.choose_state(nilufar, "pause", reason="lunch")
    page = browser.get("/operator/state").text
    assert re.findall(r'<(\w+)[^>]*data-key="F10"', page) == ["button"]


def test_a_limit_counts_all_pauses_of_the_day_and_warns_when_reached(
    browser, nilufar, at_noon
) -> None:
    pauses.set_limits({"lunch": 60}, "rustam")

    def create_presence(minutes: int, state: str, reason: str = "") -> None:
        since = at_noon - dt.timedelta(minutes=minutes)
        Presence.create(user=nilufar, state=state, reason=reason, since=since)

    create_presence(14 * 60, "pause", "lunch")  # before midnight, with two hours of today
    create_presence(10 * 60, "ready")
    assert "120 / 60 daqiqa" in visible_text(browser.get("/operator/state").text)
    Presence.delete().execute()
    create_presence(90, "pause", "lunch")
    create_presence(61, "ready")
    create_presence(30, "pause", "lunch")
    page = browser.get("/operator/state").text
    assert "59 / 60 daqiqa" in visible_text(page[: page.index("</summary>")])
    assert "is-over" not in page
    assert "banner" not in browser.get("/operator/paused").text
    Presence.delete().execute()
    create_presence(60, "pause", "lunch")
    assert "is-over" in browser.get("/operator/state").text
    paused_text = visible_text(browser.get("/operator/paused").text)
    assert "Tushlik: bugungi 60 daqiqa tugadi." in paused_text
    assert "Yana tayyorman" in paused_text
    assert presence.state_of(nilufar).state == "pause"


@pytest.mark.parametrize(
    ("reason", "message"), [(presence.FORCED, "Supervayzer"), (presence.NO_ANSWER, "jiringladi")]
)
def test_a_forced_pause_shows_who_or_what_set_it(
    browser, nilufar, reason: str, message: str
) -> None:
    presence.choose_state(nilufar, "pause", reason=reason, by="dilnoza")
    assert message in visible_text(browser.get("/operator/paused").text)


def test_an_open_page_keeps_the_operator_online(browser, nilufar, login_as, settings) -> None:
    presence.choose_state(nilufar, "ready")
    supervisor = login_as("supervisor")
    page = browser.get("/operator/state").text
    assert "every 60s" in page
    assert "aloqada emas" not in supervisor.get("/floor/operators").text
    old = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=4)
    type(nilufar).update(seen_at=old).execute()
    assert "aloqada emas" in supervisor.get("/floor/operators").text
    assert "hech kimni" in supervisor.get("/floor/operators/nilufar").text
    assert presence.state_of(nilufar).state == "ready"
