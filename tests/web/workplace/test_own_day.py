"""The operator's own day against his goals, and the line of who waits for him."""

import datetime as dt
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from appliance.core import clock, db, live
from appliance.core.db import writing
from appliance.models import Presence
from appliance.people import goals, pauses
from appliance.people.goals import Goals
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, TalkFacts, VisitFacts
from appliance.web.calls import ongoing
from appliance.web.workplace import own_day
from tests.rig.browser import Browser
from tests.rig.rules import RULES
from tests.rig.streams import Stream
from tests.rig.waiting import until


@pytest.fixture
def browser(login_as) -> Browser:
    return login_as("nilufar")


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def waits(number: int, queue: str, seconds: float, language: str | None = "uz") -> CallFacts:
    now = clock.now()
    facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=seconds + 30))
    facts.caller, facts.language = f"+9989350000{number:02}", language
    facts.visits = [VisitFacts(queue, now - dt.timedelta(seconds=seconds))]
    with writing():
        calls.store(facts, RULES)
    return facts


def test_who_waits_for_me_and_since_when(browser, nilufar) -> None:
    assert "hech kim kutmayapti" in words(browser.get("/operator/queue").text)
    waits(1, "uz", 12)
    waits(2, "ru", 45, "ru")
    page = browser.get("/operator/queue").text
    assert re.search(r"2 kishi kutmoqda \(Oʻzb 1, Rus 1\) 0:4[5-9]", words(page))
    assert "data-over" in page
    assert 'data-live="queue"' in page
    assert "2 kishi kutmoqda" in words(browser.get("/operator").text)


def test_others_languages_are_others_business(browser, nilufar, login_as) -> None:
    type(nilufar).update(speaks="uz").where(type(nilufar).id == nilufar.id).execute()
    waits(1, "uz", 12)
    waits(2, "ru", 45, "ru")
    page = browser.get("/operator/queue").text
    assert "1 kishi kutmoqda 0:1" in words(page)
    assert "data-over" not in page
    assert "2 kishi kutmoqda" in words(login_as("sardor").get("/operator/queue").text)


def test_no_number_of_who_waits_is_shown(browser) -> None:
    waits(1, "uz", 12)
    assert "9350000" not in browser.get("/operator/queue").text.replace("\xa0", "")


def test_who_was_answered_waits_no_more(browser) -> None:
    facts = waits(1, "uz", 12)
    assert "1 kishi" in words(browser.get("/operator/queue").text)
    facts.visits[0].left_at, facts.visits[0].result = clock.now(), "answered"
    facts.talks = [TalkFacts("operator", "sardor", "1002", clock.now())]
    with writing():
        calls.store(facts, RULES)
    assert "hech kim kutmayapti" in words(browser.get("/operator/queue").text)


def test_pages_that_ask_after_the_same_event_are_served_by_one_count(
    app, browser, login_as, monkeypatch
) -> None:
    other = login_as("sardor")
    counted = []
    real = calls.going_on
    monkeypatch.setattr(calls, "going_on", lambda: counted.append(1) or real())
    with closing(Stream(browser)) as stream:
        waits(1, "uz", 12)
        assert stream.next()[2] == "calls"
        for asks in (browser, other, browser):
            assert "1 kishi" in words(asks.get("/operator/queue").text)
        assert counted == [1]
        with writing():
            live.publish("announcements")
        assert stream.next()[2] == "announcements"
        assert "1 kishi" in words(other.get("/operator/queue").text)
        assert counted == [1]  # no call has changed
        waits(2, "uz", 5)
        assert stream.next()[2] == "calls"
        assert "2 kishi" in words(other.get("/operator/queue").text)
        assert counted == [1, 1]


def test_who_ask_at_the_same_moment_wait_for_one_count(app, browser, monkeypatch) -> None:
    counted, meeting = [], threading.Barrier(2)
    real = calls.going_on

    def counting() -> list:
        counted.append(1)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)  # two who count would meet here
        return real()

    def ask() -> None:
        with app.app_context():
            ongoing.going_on()

    monkeypatch.setattr(calls, "going_on", counting)
    with closing(Stream(browser)), ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(db.connected, ask) for _ in range(4)]:
            one.result()
    assert counted == [1]


def test_the_day_stands_against_ones_goals(browser, nilufar) -> None:
    now = clock.now()
    for number, mark in enumerate((5, 4, None)):
        facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=60))
        begun = now - dt.timedelta(seconds=50)
        facts.talks = [TalkFacts("operator", "nilufar", "1001", begun, now)]
        facts.outcome, facts.rating, facts.ended_at = "answered", mark, now
        with writing():
            calls.store(facts, RULES)
    goals.store([(None, Goals(60, 4.5, 90)), (nilufar, Goals(calls=3))], "dilnoza")
    page = browser.get("/operator/figures").text
    tiles = {
        words(name): words(rest)
        for name, rest in re.findall(r'<div class="kpi"><dt>(.*?)</dt>(.*?)</div>', page, re.DOTALL)
    }
    assert tiles["Qabul qilingan qoʻngʻiroqlar"] == "3 maqsad: 3 , bajarildi"
    assert tiles["Baho"].startswith("4,5 / 5 2 baho, 3 qoʻngʻiroqdan maqsad: 4,5 , bajarildi")
    assert tiles["Oʻrtacha suhbat"] == "0:50 jami: 2:30"
    form = tiles["Roʻyxatga olingan qoʻngʻiroqlar"]
    assert form.startswith("0")
    assert "bajarildi" not in form
    assert "maqsad: 90" in form


def test_pauses_stand_by_reason_with_what_is_left(browser, nilufar, at_noon) -> None:
    pauses.limit({"lunch": 60, "break": 10}, "rustam")

    def ago(minutes: int, state: str, reason: str = "") -> None:
        since = at_noon - dt.timedelta(minutes=minutes)
        Presence.create(user=nilufar, state=state, reason=reason, since=since)

    ago(120, "pause", "lunch")
    ago(90, "pause", "break")
    ago(79, "back_office")
    ago(70, "pause")
    ago(69, "ready")
    page = browser.get("/operator/figures").text
    told = words(page[page.index("pauses") :])
    assert "Tushlik 30:00 / 1:00:00 qoldi: 30:00" in told
    assert "Dam olish 11:00 / 10:00 bugungi chegara tugadi" in told
    assert "sababi aytilmagan 1:00" in told
    assert "Navbatdan tashqari ish 9:00" in told


def test_a_page_of_the_day_holds_the_same(browser) -> None:
    assert 'id="own-figures"' in browser.get("/operator").text


def test_who_heard_of_it_sees_who_came_and_went_since(login_as) -> None:
    browser = login_as("nilufar")
    with closing(Stream(browser)) as stream:
        first = waits(1, "uz", 12)
        assert stream.next()[2] == "calls"
        assert "1 kishi" in words(browser.get("/operator/queue").text)
        waits(2, "uz", 3)
        assert stream.next()[2] == "calls"
        assert "2 kishi" in words(browser.get("/operator/queue").text)
        first.ended_at = first.visits[0].left_at = clock.now()
        with writing():
            calls.store(first, 5)
        assert stream.next()[2] == "calls"
        assert "1 kishi" in words(browser.get("/operator/queue").text)


@pytest.fixture
def line(app):
    """The line of who waits, as it is told to open pages without a pause between."""
    (found,) = app.extensions["live"]._pieces
    found.pace = 0.0
    return found


def settled(line: str) -> str:
    """A line without what counts up by itself, and what stands beside it for the counting."""
    return re.sub(r'>\d+:\d\d<|value="[\d.]+"', "", line)


@pytest.mark.parametrize("language", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_line_is_told_as_its_address_gives_it(browser, nilufar, line, language) -> None:
    type(nilufar).update(language=language).where(type(nilufar).id == nilufar.id).execute()
    waits(1, "uz", 12)
    with closing(Stream(browser)) as stream:
        waits(2, "ru", 45, "ru")
        at, told = stream.piece()
        assert at == "/operator/queue"
        assert settled(told) == settled(browser.get(at).text)
        assert ("2 kishi" in told) == (language == "uz_Latn")


def test_each_is_told_of_his_own_languages_worded_once_for_all_his_pages(
    login_as, nilufar, line, monkeypatch
) -> None:
    people = type(nilufar)
    people.update(speaks="uz").where(people.login == "nilufar").execute()
    people.update(speaks="uz ru").where(people.login == "sardor").execute()
    worded, real = [], own_day.render_template
    monkeypatch.setattr(
        own_day, "render_template", lambda *a, **k: worded.append(1) or real(*a, **k)
    )
    with (
        closing(Stream(login_as("nilufar"))) as hers,
        closing(Stream(login_as("nilufar"))) as another,
        closing(Stream(login_as("sardor"))) as his,
    ):
        line.pace = 1e9  # once
        with writing():
            waits(1, "uz", 12)
            waits(2, "ru", 45, "ru")
        assert "1 kishi kutmoqda" in words(hers.piece()[1])
        assert "1 kishi kutmoqda" in words(another.piece()[1])
        assert "2 kishi kutmoqda (Oʻzb 1, Rus 1)" in words(his.piece()[1])
        assert len(worded) == 2


def test_operators_who_see_the_same_are_told_by_one_wording(login_as, nilufar, line, monkeypatch):
    people = type(nilufar)
    people.update(speaks="uz", language="ru").where(people.role == "operator").execute()
    worded, real = [], own_day.render_template
    with closing(Stream(login_as("nilufar"))) as hers, closing(Stream(login_as("sardor"))) as his:
        monkeypatch.setattr(
            own_day, "render_template", lambda *a, **k: worded.append(1) or real(*a, **k)
        )
        waits(1, "uz", 12)
        assert hers.piece() == his.piece()
        assert worded == [1]


def test_lines_are_told_at_their_pace_the_last_one_too(browser, line) -> None:
    line.pace = 1e9
    line.made = time.monotonic()  # just now
    with closing(Stream(browser)) as stream:
        waits(1, "uz", 12)
        waits(2, "uz", 5)
        until(lambda: line.due)
        with writing():
            live.publish("announcements")
        assert stream.text_up_to("announcements").count("event: piece") == 0
        line.pace = 0.0
        assert "2 kishi" in stream.piece()[1]


def test_a_line_that_stands_so_already_is_not_told_again(browser, line) -> None:
    with closing(Stream(browser)) as stream:
        with writing():
            live.publish("calls")
        assert "hech kim kutmayapti" in words(stream.piece()[1])
        with writing():
            live.publish("calls")
        until(lambda: not line.due)
        waits(1, "uz", 12)
        assert "1 kishi" in stream.piece()[1]


def test_who_comes_late_is_told_what_changed_since_his_page_was_made(browser, login_as, line):
    with closing(Stream(login_as("sardor"))) as first:
        made = live.newest()
        waits(1, "uz", 12)
        assert "1 kishi" in first.piece()[1]
        with closing(Stream(browser, f"/live?after={made}")) as stream:
            assert "1 kishi" in stream.piece()[1]


def test_only_operators_are_told(login_as, browser, line) -> None:
    with closing(Stream(login_as("supervisor"))) as other, closing(Stream(browser)) as stream:
        waits(1, "uz", 12)
        assert "1 kishi" in stream.piece()[1]
        with writing():
            live.publish("announcements")
        assert "event: piece" not in other.text_up_to("announcements")
