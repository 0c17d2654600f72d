"""A day's calls and the operators' states."""

import datetime as dt
import re

import pytest

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import AuditEntry
from appliance.people import presence
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, TalkFacts, VisitFacts
from appliance.web.calls.daily_calls import CALLS_PER_PAGE
from tests.rig.rules import RULES


def store_call(
    arrived_at: dt.datetime, outcome: str | None, login: str = "", **fields
) -> CallFacts:
    """Store a call; answered ones wait 14 s and talk for 3:42."""
    facts = CallFacts(
        f"{arrived_at.timestamp():.6f}", "inbound", arrived_at, caller="+998935550147", **fields
    )
    facts.outcome, facts.language = outcome, "uz"
    facts.ended_at = arrived_at + dt.timedelta(minutes=5) if outcome else None
    if login:
        answered = arrived_at + dt.timedelta(seconds=14)
        facts.visits = [VisitFacts("uz", arrived_at, answered, "answered")]
        until = answered + dt.timedelta(seconds=222) if outcome else None
        facts.talks = [TalkFacts("operator", login, "1001", answered, until)]
    with write_transaction():
        calls.store_call(facts, RULES)
    return facts


@pytest.fixture
def noon(settings) -> dt.datetime:
    """12:00 of a day in the past, in Tashkent."""
    return dt.datetime(2026, 10, 20, 12, tzinfo=settings.tz)


def list_rows(page: str) -> list[list[str]]:
    """Return the text of the list's cells, row by row."""
    body = page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def test_each_call_has_one_row(login_as, noon) -> None:
    store_call(noon, "answered", "nilufar", rating=5)
    page = login_as("supervisor").get("/calls?day=20.10.2026").text
    assert list_rows(page) == [
        [
            *("20.10.2026 12:00", "+998 93 555 01 47", "Oʻzbekcha", "Qabul qilingan"),
            *("0:14", "3:42", "Nilufar Karimova", "5"),
        ]
    ]


def test_a_call_belongs_to_the_local_day_of_its_arrival(login_as, settings) -> None:
    midnight = dt.datetime(2026, 10, 20, tzinfo=settings.tz)
    for seconds in (-1, 0, 86399, 86400):
        store_call(midnight + dt.timedelta(seconds=seconds), "answered")
    page = login_as("supervisor").get("/calls?day=20.10.2026").text
    assert [row[0] for row in list_rows(page)] == ["20.10.2026 23:59", "20.10.2026 00:00"]


def test_calls_are_filtered_by_outcome(login_as, noon) -> None:
    store_call(noon, "answered", "nilufar")
    store_call(noon + dt.timedelta(minutes=1), "abandoned_menu")
    store_call(noon + dt.timedelta(minutes=2), None, "nilufar")
    browser = login_as("manager")
    for outcome, times in (
        ("answered", ["12:00"]),
        ("abandoned_menu", ["12:01"]),
        ("open", ["12:02"]),
        ("failed", []),
        ("nonsense", ["12:02", "12:01", "12:00"]),
    ):
        page = browser.get(f"/calls?day=20.10.2026&outcome={outcome}").text
        assert [row[0][-5:] for row in list_rows(page)] == times


def test_calls_are_sorted_by_a_column_in_both_directions(login_as, noon) -> None:
    for minute, wait in enumerate((30, None, 5)):
        at = noon + dt.timedelta(minutes=minute)
        facts = CallFacts(f"7.{minute}", "inbound", at, caller=f"+99893555014{minute}")
        if wait:
            facts.visits = [VisitFacts("uz", at, at + dt.timedelta(seconds=wait), "answered")]
        facts.outcome, facts.ended_at = "answered", at + dt.timedelta(minutes=9)
        with write_transaction():
            calls.store_call(facts, RULES)
    browser = login_as("supervisor")

    def displayed_waits(query: str) -> list[str]:
        page = browser.get(f"/calls?day=20.10.2026&{query}").text
        return [row[4].removeprefix("20 s dan ortiq: ") for row in list_rows(page)]

    assert displayed_waits("") == ["0:05", "–", "0:30"]  # newest first
    assert displayed_waits("sort=arrived") == ["0:30", "–", "0:05"]
    assert displayed_waits("sort=-wait") == ["0:30", "0:05", "–"]
    assert displayed_waits("sort=wait") == ["0:05", "0:30", "–"]
    assert displayed_waits("sort=nonsense") == displayed_waits("")
    page = browser.get("/calls?day=20.10.2026&sort=-wait&number=555").text
    head = re.search(r'<th[^>]*aria-sort="descending"[^>]*>.*?</th>', page)
    assert head
    assert "sort=wait" in head[0]
    assert "number=555" in head[0]


def test_a_call_is_found_by_part_of_its_number_with_any_spacing(login_as, noon) -> None:
    store_call(noon, "answered", "nilufar")
    with write_transaction():
        other = CallFacts("8.8", "inbound", noon, caller="+998901112233", outcome="failed")
        calls.store_call(other, RULES)
        calls.store_call(CallFacts("9.9", "inbound", noon, outcome="failed"), RULES)
    browser = login_as("supervisor")
    for typed in ("%2B998 93 555 01 47", "93 555", "0147"):
        page = browser.get(f"/calls?day=20.10.2026&number={typed}").text
        assert [row[1] for row in list_rows(page)] == ["+998 93 555 01 47"], typed
        assert re.search(r'of-all"[^>]*>[^<]*<b class="count">1<', page)
    assert list_rows(browser.get("/calls?day=20.10.2026&number=777").text) == []
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert entry.detail["asked"] == {"number": "777"}


def test_a_wait_over_the_service_level_target_is_marked(login_as, noon) -> None:
    for number, wait in enumerate((20, 21)):
        at = noon + dt.timedelta(minutes=number)
        facts = CallFacts(f"6.{number}", "inbound", at, outcome="answered")
        facts.visits = [VisitFacts("uz", at, at + dt.timedelta(seconds=wait), "answered")]
        facts.ended_at = at + dt.timedelta(minutes=9)
        with write_transaction():
            calls.store_call(facts, RULES)
    page = login_as("supervisor").get("/calls?day=20.10.2026").text
    assert [row[4] for row in list_rows(page)] == ["20 s dan ortiq: 0:21", "0:20"]


def test_outgoing_calls_are_not_listed(login_as, noon) -> None:
    facts = store_call(noon, "answered")
    facts.id, facts.direction = "2.2", "outbound"
    with write_transaction():
        calls.store_call(facts, RULES)
    assert len(list_rows(login_as("manager").get("/calls?day=20.10.2026").text)) == 1


def test_calls_are_listed_page_by_page(login_as, noon) -> None:
    with write_transaction():
        for n in range(CALLS_PER_PAGE + 1):
            at = noon + dt.timedelta(seconds=n)
            calls.store_call(CallFacts(str(n), "inbound", at, outcome="failed"), RULES)
    browser = login_as("manager")
    assert len(list_rows(browser.get("/calls?day=20.10.2026").text)) == CALLS_PER_PAGE
    assert len(list_rows(browser.get("/calls?day=20.10.2026&page=2").text)) == 1
    assert list_rows(browser.get("/calls?day=20.10.2026&page=9").text) == []


@pytest.mark.parametrize("day", ["", "31.02.2026", "x", "2026-99-99"])
def test_an_invalid_day_means_today(login_as, at_noon, day) -> None:
    store_call(at_noon, None)
    page = login_as("manager").get(f"/calls?day={day}").text
    assert "Bugungi qoʻngʻiroqlar" in page
    assert len(list_rows(page)) == 1


def test_only_todays_list_updates_live(login_as) -> None:
    browser = login_as("manager")
    assert 'data-live="calls"' in browser.get("/calls").text
    assert 'data-live="calls"' not in browser.get("/calls?day=20.10.2026").text


def test_a_day_without_calls_shows_a_note(login_as) -> None:
    assert "Qoʻngʻiroq yoʻq" in login_as("manager").get("/calls?day=20.10.2026").text


def test_operators_are_sorted_by_activity(login_as, nilufar, sardor) -> None:
    presence.choose_state(nilufar, "pause")
    presence.choose_state(sardor, "ready")
    browser = login_as("supervisor")
    panel = browser.get("/calls/operators").text
    assert panel.index("Sardor") < panel.index("Nilufar")
    assert "1 tayyor, 0 suhbatda" in panel
    store_call(clock.now(), None, "nilufar")
    panel = browser.get("/calls/operators").text
    assert panel.index("Nilufar") < panel.index("Sardor")
    assert "1 tayyor, 1 suhbatda" in panel


def test_the_fragments_are_those_of_the_page(login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get("/calls").text
    for piece, id in (("/calls/list", "calls"), ("/calls/operators", "operators")):
        fragment = browser.get(piece).text
        assert f'id="{id}"' in fragment
        assert "<html" not in fragment
        assert f'id="{id}"' in page
