"""A day's calls and the operators' states."""

import datetime as dt
import re

import pytest

from appliance.core import clock
from appliance.core.db import writing
from appliance.models import AuditEntry
from appliance.people import presence
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, TalkFacts, VisitFacts
from appliance.web.calls.of_day import PAGE
from tests.rig.rules import RULES


def call(at: dt.datetime, outcome: str | None, who: str = "", **known) -> CallFacts:
    """Write down a call; answered ones wait 14 s and speak 3:42."""
    facts = CallFacts(f"{at.timestamp():.6f}", "inbound", at, caller="+998935550147", **known)
    facts.outcome, facts.language = outcome, "uz"
    facts.ended_at = at + dt.timedelta(minutes=5) if outcome else None
    if who:
        answered = at + dt.timedelta(seconds=14)
        facts.visits = [VisitFacts("uz", at, answered, "answered")]
        until = answered + dt.timedelta(seconds=222) if outcome else None
        facts.talks = [TalkFacts("operator", who, "1001", answered, until)]
    with writing():
        calls.store(facts, RULES)
    return facts


@pytest.fixture
def noon(settings) -> dt.datetime:
    """12:00 of a day in the past, in Tashkent."""
    return dt.datetime(2026, 10, 20, 12, tzinfo=settings.tz)


def rows(page: str) -> list[list[str]]:
    """The cells of the list, as read."""
    body = page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def test_a_call_is_one_row(login_as, noon) -> None:
    call(noon, "answered", "nilufar", rating=5)
    page = login_as("supervisor").get("/calls?day=20.10.2026").text
    assert rows(page) == [
        [
            *("20.10.2026 12:00", "+998 93 555 01 47", "Oʻzbekcha", "Qabul qilingan"),
            *("0:14", "3:42", "Nilufar Karimova", "5"),
        ]
    ]


def test_a_call_belongs_to_the_day_of_its_arrival_here(login_as, settings) -> None:
    midnight = dt.datetime(2026, 10, 20, tzinfo=settings.tz)
    for seconds in (-1, 0, 86399, 86400):
        call(midnight + dt.timedelta(seconds=seconds), "answered")
    page = login_as("supervisor").get("/calls?day=20.10.2026").text
    assert [row[0] for row in rows(page)] == ["20.10.2026 23:59", "20.10.2026 00:00"]


def test_of_one_outcome(login_as, noon) -> None:
    call(noon, "answered", "nilufar")
    call(noon + dt.timedelta(minutes=1), "abandoned_menu")
    call(noon + dt.timedelta(minutes=2), None, "nilufar")
    browser = login_as("manager")
    for outcome, times in (
        ("answered", ["12:00"]),
        ("abandoned_menu", ["12:01"]),
        ("open", ["12:02"]),
        ("failed", []),
        ("nonsense", ["12:02", "12:01", "12:00"]),
    ):
        page = browser.get(f"/calls?day=20.10.2026&outcome={outcome}").text
        assert [row[0][-5:] for row in rows(page)] == times


def test_sorted_by_a_column_and_the_other_way_round(login_as, noon) -> None:
    for minute, wait in enumerate((30, None, 5)):
        at = noon + dt.timedelta(minutes=minute)
        facts = CallFacts(f"7.{minute}", "inbound", at, caller=f"+99893555014{minute}")
        if wait:
            facts.visits = [VisitFacts("uz", at, at + dt.timedelta(seconds=wait), "answered")]
        facts.outcome, facts.ended_at = "answered", at + dt.timedelta(minutes=9)
        with writing():
            calls.store(facts, RULES)
    browser = login_as("supervisor")

    def waits(query: str) -> list[str]:
        page = browser.get(f"/calls?day=20.10.2026&{query}").text
        return [row[4].removeprefix("20 s dan ortiq: ") for row in rows(page)]

    assert waits("") == ["0:05", "–", "0:30"]  # newest first
    assert waits("sort=arrived") == ["0:30", "–", "0:05"]
    assert waits("sort=-wait") == ["0:30", "0:05", "–"]
    assert waits("sort=wait") == ["0:05", "0:30", "–"]
    assert waits("sort=nonsense") == waits("")
    page = browser.get("/calls?day=20.10.2026&sort=-wait&number=555").text
    head = re.search(r'<th[^>]*aria-sort="descending"[^>]*>.*?</th>', page)
    assert head
    assert "sort=wait" in head[0]
    assert "number=555" in head[0]


def test_found_by_a_part_of_the_number_however_it_is_spaced(login_as, noon) -> None:
    call(noon, "answered", "nilufar")
    with writing():
        other = CallFacts("8.8", "inbound", noon, caller="+998901112233", outcome="failed")
        calls.store(other, RULES)
        calls.store(CallFacts("9.9", "inbound", noon, outcome="failed"), RULES)
    browser = login_as("supervisor")
    for typed in ("%2B998 93 555 01 47", "93 555", "0147"):
        page = browser.get(f"/calls?day=20.10.2026&number={typed}").text
        assert [row[1] for row in rows(page)] == ["+998 93 555 01 47"], typed
        assert re.search(r'of-all"[^>]*>[^<]*<b class="count">1<', page)
    assert rows(browser.get("/calls?day=20.10.2026&number=777").text) == []
    seen = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert seen.detail["asked"] == {"number": "777"}


def test_a_wait_over_the_promise_is_marked(login_as, noon) -> None:
    for number, wait in enumerate((20, 21)):
        at = noon + dt.timedelta(minutes=number)
        facts = CallFacts(f"6.{number}", "inbound", at, outcome="answered")
        facts.visits = [VisitFacts("uz", at, at + dt.timedelta(seconds=wait), "answered")]
        facts.ended_at = at + dt.timedelta(minutes=9)
        with writing():
            calls.store(facts, RULES)
    page = login_as("supervisor").get("/calls?day=20.10.2026").text
    assert [row[4] for row in rows(page)] == ["20 s dan ortiq: 0:21", "0:20"]


def test_test_calls_and_outgoing_ones_are_left_out(login_as, noon) -> None:
    facts = call(noon, "answered")
    facts.id, facts.direction = "2.2", "outbound"
    with writing():
        calls.store(facts, RULES)
    assert len(rows(login_as("manager").get("/calls?day=20.10.2026").text)) == 1


def test_page_by_page(login_as, noon) -> None:
    with writing():
        for n in range(PAGE + 1):
            at = noon + dt.timedelta(seconds=n)
            calls.store(CallFacts(str(n), "inbound", at, outcome="failed"), RULES)
    browser = login_as("manager")
    assert len(rows(browser.get("/calls?day=20.10.2026").text)) == PAGE
    assert len(rows(browser.get("/calls?day=20.10.2026&page=2").text)) == 1
    assert rows(browser.get("/calls?day=20.10.2026&page=9").text) == []


@pytest.mark.parametrize("day", ["", "31.02.2026", "x", "2026-99-99"])
def test_a_day_that_is_none_is_today(login_as, at_noon, day) -> None:
    call(at_noon, None)
    page = login_as("manager").get(f"/calls?day={day}").text
    assert "Bugungi qoʻngʻiroqlar" in page
    assert len(rows(page)) == 1


def test_only_today_is_live(login_as) -> None:
    browser = login_as("manager")
    assert 'data-live="calls"' in browser.get("/calls").text
    assert 'data-live="calls"' not in browser.get("/calls?day=20.10.2026").text


def test_a_day_without_calls_says_so(login_as) -> None:
    assert "Qoʻngʻiroq yoʻq" in login_as("manager").get("/calls?day=20.10.2026").text


def test_operators_by_what_they_do(login_as, nilufar, sardor) -> None:
    presence.choose_state(nilufar, "pause")
    presence.choose_state(sardor, "ready")
    browser = login_as("supervisor")
    panel = browser.get("/calls/operators").text
    assert panel.index("Sardor") < panel.index("Nilufar")
    assert "1 tayyor, 0 suhbatda" in panel
    call(clock.now(), None, "nilufar")
    panel = browser.get("/calls/operators").text
    assert panel.index("Nilufar") < panel.index("Sardor")
    assert "1 tayyor, 1 suhbatda" in panel


def test_the_pieces_are_those_of_the_page(login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get("/calls").text
    for piece, id in (("/calls/list", "calls"), ("/calls/operators", "operators")):
        fragment = browser.get(piece).text
        assert f'id="{id}"' in fragment
        assert "<html" not in fragment
        assert f'id="{id}"' in page
