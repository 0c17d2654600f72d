"""The operator's own day compared with their goals, and the queue that waits for them."""

import datetime as dt
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from appliance.core import clock, db, live
from appliance.core.db import write_transaction
from appliance.models import Presence
from appliance.people import goals, pauses
from appliance.people.goals import Goals
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, TalkFacts, VisitFacts
from appliance.web.shared import ongoing_calls
from appliance.web.workplace import own_day
from tests.rig.browser import Browser
from tests.rig.rules import RULES
from tests.rig.streams import TopicStream
from tests.rig.waiting import wait_until


@pytest.fixture
def browser(login_as) -> Browser:
    return login_as("nilufar")


def visible_text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def store_waiting_call(
    number: int, queue: str, seconds: float, language: str | None = "uz"
) -> CallFacts:
    now = clock.now()
    facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=seconds + 30))
    facts.caller, facts.language = f"+9989350000{number:02}", language
    facts.visits = [VisitFacts(queue, now - dt.timedelta(seconds=seconds))]
    with write_transaction():
        calls.store_call(facts, RULES)
    return facts


def test_the_queue_shows_waiting_callers_and_the_longest_wait(browser, nilufar) -> None:
    assert "hech kim kutmayapti" in visible_text(browser.get("/operator/queue").text)
    store_waiting_call(1, "uz", 12)
    store_waiting_call(2, "ru", 45, "ru")
    page = browser.get("/operator/queue").text
    assert re.search(r"2 kishi kutmoqda \(Oʻzb 1, Rus 1\) 0:4[5-9]", visible_text(page))
    assert "data-over" in page
    assert 'data-live="queue"' in page
    assert "2 kishi kutmoqda" in visible_text(browser.get("/operator").text)


def test_callers_in_other_languages_are_not_counted(browser, nilufar, login_as) -> None:
    type(nilufar).update(speaks="uz").where(type(nilufar).id == nilufar.id).execute()
    store_waiting_call(1, "uz", 12)
    store_waiting_call(2, "ru", 45, "ru")
    page = browser.get("/operator/queue").text
    assert "1 kishi kutmoqda 0:1" in visible_text(page)
    assert "data-over" not in page
    assert "2 kishi kutmoqda" in visible_text(login_as("sardor").get("/operator/queue").text)


def test_numbers_of_waiting_callers_are_not_shown(browser) -> None:
    store_waiting_call(1, "uz", 12)
    assert "9350000" not in browser.get("/operator/queue").text.replace("\xa0", "")


def test_an_answered_caller_is_no_longer_waiting(browser) -> None:
    facts = store_waiting_call(1, "uz", 12)
    assert "1 kishi" in visible_text(browser.get("/operator/queue").text)
    facts.visits[0].left_at, facts.visits[0].result = clock.now(), "answered"
    facts.talks = [TalkFacts("operator", "sardor", "1002", clock.now())]
    with write_transaction():
        calls.store_call(facts, RULES)
    assert "hech kim kutmayapti" in visible_text(browser.get("/operator/queue").text)


def test_pages_refreshed_by_the_same_event_share_one_count(
    app, browser, login_as, monkeypatch
) -> None:
    other = login_as("sardor")
    counted = []
    real = calls.live_calls
    monkeypatch.setattr(calls, "live_calls", lambda: counted.append(1) or real())
    with closing(TopicStream(browser)) as stream:
        store_waiting_call(1, "uz", 12)
        assert stream.next_event()[2] == "calls"
        for page_browser in (browser, other, browser):
            assert "1 kishi" in visible_text(page_browser.get("/operator/queue").text)
        assert counted == [1]
        with write_transaction():
            live.publish_topics("announcements")
        assert stream.next_event()[2] == "announcements"
        assert "1 kishi" in visible_text(other.get("/operator/queue").text)
        assert counted == [1]  # no call has changed
        store_waiting_call(2, "uz", 5)
        assert stream.next_event()[2] == "calls"
        assert "2 kishi" in visible_text(other.get("/operator/queue").text)
        assert counted == [1, 1]


def test_simultaneous_requests_share_one_count(app, browser, monkeypatch) -> None:
    counted, meeting = [], threading.Barrier(2)
    real = calls.live_calls

    def count_slowly() -> list:
        counted.append(1)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)  # two concurrent counts would meet here
        return real()

    def request_count() -> None:
        with app.app_context():
            ongoing_calls.ongoing_calls()

    monkeypatch.setattr(calls, "live_calls", count_slowly)
    with closing(TopicStream(browser)), ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(db.run_with_connection, request_count) for _ in range(4)]:
            future.result()
    assert counted == [1]


def test_the_day_is_compared_with_the_operators_goals(browser, nilufar) -> None:
    now = clock.now()
    for number, mark in enumerate((5, 4, None)):
        facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=60))
        talk_start = now - dt.timedelta(seconds=50)
        facts.talks = [TalkFacts("operator", "nilufar", "1001", talk_start, now)]
        facts.outcome, facts.rating, facts.ended_at = "answered", mark, now
        with write_transaction():
            calls.store_call(facts, RULES)
    goals.store_goals([(None, Goals(60, 4.5, 90)), (nilufar, Goals(calls=3))], "dilnoza")
    page = browser.get("/operator/figures").text
    tiles = {
        visible_text(name): visible_text(rest)
        for name, rest in re.findall(r'<div class="kpi"><dt>(.*?)</dt>(.*?)</div>', page, re.DOTALL)
    }
    assert tiles["Qabul qilingan qoʻngʻiroqlar"] == "3 maqsad: 3 , bajarildi"
    assert tiles["Baho"].startswith("4,5 / 5 2 baho, 3 qoʻngʻiroqdan maqsad: 4,5 , bajarildi")
    assert tiles["Oʻrtacha suhbat"] == "0:50 jami: 2:30"
    form = tiles["Roʻyxatga olingan qoʻngʻiroqlar"]
    assert form.startswith("0")
    assert "bajarildi" not in form
    assert "maqsad: 90" in form


def test_pauses_are_listed_by_reason_with_the_remaining_time(browser, nilufar, at_noon) -> None:
    pauses.set_limits({"lunch": 60, "break": 10}, "rustam")

    def create_presence(minutes: int, state: str, reason: str = "") -> None:
        since = at_noon - dt.timedelta(minutes=minutes)
        Presence.create(user=nilufar, state=state, reason=reason, since=since)

    create_presence(120, "pause", "lunch")
    create_presence(90, "pause", "break")
    create_presence(79, "back_office")
    create_presence(70, "pause")
    create_presence(69, "ready")
    page = browser.get("/operator/figures").text
    pauses_text = visible_text(page[page.index("pauses") :])
    assert "Tushlik 30:00 / 1:00:00 qoldi: 30:00" in pauses_text
    assert "Dam olish 11:00 / 10:00 bugungi chegara tugadi" in pauses_text
    assert "sababi aytilmagan 1:00" in pauses_text
    assert "Navbatdan tashqari ish 9:00" in pauses_text


def test_the_operators_page_contains_the_figures(browser) -> None:
    assert 'id="own-figures"' in browser.get("/operator").text


def test_after_an_event_the_queue_shows_arrivals_and_departures(login_as) -> None:
    browser = login_as("nilufar")
    with closing(TopicStream(browser)) as stream:
        first = store_waiting_call(1, "uz", 12)
        assert stream.next_event()[2] == "calls"
        assert "1 kishi" in visible_text(browser.get("/operator/queue").text)
        store_waiting_call(2, "uz", 3)
        assert stream.next_event()[2] == "calls"
        assert "2 kishi" in visible_text(browser.get("/operator/queue").text)
        first.ended_at = first.visits[0].left_at = clock.now()
        with write_transaction():
            calls.store_call(first, 5)
        assert stream.next_event()[2] == "calls"
        assert "1 kishi" in visible_text(browser.get("/operator/queue").text)


@pytest.fixture
def line(app):
    """The queue section that is pushed to open pages, without a pause between pushes."""
    (queue_section,) = app.extensions["live"]._fragments
    queue_section.interval_seconds = 0.0
    return queue_section


def without_timers(line: str) -> str:
    """Return a queue section without its running timers and the values that belong to them."""
    return re.sub(r'>\d+:\d\d<|value="[\d.]+"', "", line)


@pytest.mark.parametrize("language", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_pushed_queue_equals_the_response_of_its_address(
    browser, nilufar, line, language
) -> None:
    type(nilufar).update(language=language).where(type(nilufar).id == nilufar.id).execute()
    store_waiting_call(1, "uz", 12)
    with closing(TopicStream(browser)) as stream:
        store_waiting_call(2, "ru", 45, "ru")
        address, fragment = stream.next_fragment()
        assert address == "/operator/queue"
        assert without_timers(fragment) == without_timers(browser.get(address).text)
        assert ("2 kishi" in fragment) == (language == "uz_Latn")


def test_each_operators_queue_is_rendered_once_for_all_their_pages(
    login_as, nilufar, line, monkeypatch
) -> None:
    people = type(nilufar)
    people.update(speaks="uz").where(people.login == "nilufar").execute()
    people.update(speaks="uz ru").where(people.login == "sardor").execute()
    renderings, real = [], own_day.render_template
    monkeypatch.setattr(
        own_day, "render_template", lambda *a, **k: renderings.append(1) or real(*a, **k)
    )
    with (
        closing(TopicStream(login_as("nilufar"))) as nilufar_page,
        closing(TopicStream(login_as("nilufar"))) as another,
        closing(TopicStream(login_as("sardor"))) as sardor_page,
    ):
        line.interval_seconds = 1e9  # a single push
        with write_transaction():
            store_waiting_call(1, "uz", 12)
            store_waiting_call(2, "ru", 45, "ru")
        assert "1 kishi kutmoqda" in visible_text(nilufar_page.next_fragment()[1])
        assert "1 kishi kutmoqda" in visible_text(another.next_fragment()[1])
        assert "2 kishi kutmoqda (Oʻzb 1, Rus 1)" in visible_text(sardor_page.next_fragment()[1])
        assert len(renderings) == 2


def test_operators_with_the_same_queue_share_one_rendering(login_as, nilufar, line, monkeypatch):
    people = type(nilufar)
    people.update(speaks="uz", language="ru").where(people.role == "operator").execute()
    renderings, real = [], own_day.render_template
    with (
        closing(TopicStream(login_as("nilufar"))) as nilufar_page,
        closing(TopicStream(login_as("sardor"))) as sardor_page,
    ):
        monkeypatch.setattr(
            own_day, "render_template", lambda *a, **k: renderings.append(1) or real(*a, **k)
        )
        store_waiting_call(1, "uz", 12)
        assert nilufar_page.next_fragment() == sardor_page.next_fragment()
        assert renderings == [1]


def test_pushes_keep_their_pace_and_the_last_one_is_sent(browser, line) -> None:
    line.interval_seconds = 1e9
    line.rendered_at = time.monotonic()  # just now
    with closing(TopicStream(browser)) as stream:
        store_waiting_call(1, "uz", 12)
        store_waiting_call(2, "uz", 5)
        wait_until(lambda: line.is_due)
        with write_transaction():
            live.publish_topics("announcements")
        assert stream.read_until("announcements").count("event: piece") == 0
        line.interval_seconds = 0.0
        assert "2 kishi" in stream.next_fragment()[1]


def test_an_unchanged_queue_is_not_pushed_again(browser, line) -> None:
    with closing(TopicStream(browser)) as stream:
        with write_transaction():
            live.publish_topics("calls")
        assert "hech kim kutmayapti" in visible_text(stream.next_fragment()[1])
        with write_transaction():
            live.publish_topics("calls")
        wait_until(lambda: not line.is_due)
        store_waiting_call(1, "uz", 12)
        assert "1 kishi" in stream.next_fragment()[1]


def test_a_late_stream_receives_changes_since_its_page_was_rendered(browser, login_as, line):
    with closing(TopicStream(login_as("sardor"))) as first:
        rendered_at = live.newest_event_id()
        store_waiting_call(1, "uz", 12)
        assert "1 kishi" in first.next_fragment()[1]
        with closing(TopicStream(browser, f"/live?after={rendered_at}")) as stream:
            assert "1 kishi" in stream.next_fragment()[1]


def test_the_queue_is_pushed_to_operators_only(login_as, browser, line) -> None:
    with (
        closing(TopicStream(login_as("supervisor"))) as other,
        closing(TopicStream(browser)) as stream,
    ):
        store_waiting_call(1, "uz", 12)
        assert "1 kishi" in stream.next_fragment()[1]
        with write_transaction():
            live.publish_topics("announcements")
        assert "event: piece" not in other.read_until("announcements")
