"""The register of missed callers: listed, written off, called from the list."""

import datetime as dt
import re

import pytest

from appliance.casework import appeals
from appliance.core import clock, phone_numbers
from appliance.models import Appeal, Call, FollowUp, User
from appliance.pbx import actions
from appliance.telephony import followups
from tests.rig.citizen import Citizen, Missed

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


@pytest.fixture
def back(nilufar) -> Missed:
    """Nilufar calls back a caller who gave up."""
    return Missed(nilufar)


@pytest.mark.parametrize("role", ["operator", "supervisor", "manager"])
def test_who_waits_is_listed(login_as, task, role) -> None:
    browser = login_as(role)
    page = browser.get("/followups").text
    assert "+998\u00a090\u00a0111\u00a022\u00a033" in page
    assert 'data-live="followups"' in page
    piece = browser.get("/followups/list").text
    assert f'id="task-{task.id}"' in piece
    assert "<html" not in piece


def test_many_are_listed_page_by_page(login_as, settings) -> None:
    browser, now = login_as("supervisor"), clock.now()
    numbers = [f"+9989011122{place:02}" for place in range(45)]
    for place, number in enumerate(numbers):
        moment = now - dt.timedelta(minutes=60 - place)
        moments = {"opened_at": moment, "missed_at": moment, "joined_at": moment}
        FollowUp.create(number=number, kind="queue", call_id=f"x-{place}.0", calls=1, **moments)
    tasks = [task.id for task in followups.opened(User(role="supervisor"))]
    found = []
    for page in (1, 2, 3):
        text = browser.get(f"/followups?page={page}").text
        found += [int(id) for id in re.findall(r'<tr id="task-(\d+)"', text)]
        assert len(text.encode()) <= 60_000
        there = set(re.findall(r'href="/followups\?page=(\d+)"', text))
        assert there == {str(n) for n in (page - 1, page + 1) if 1 <= n <= 3}
        assert f"/followups/list?page={page}" in text or page == 1
    assert found == tasks
    assert browser.get("/followups?page=9").text.count('<tr id="task-') == 5
    done = browser.post(
        f"/followups/{tasks[-1]}/done?page=3", data={"csrf_token": browser.token(), "note": ""}
    )
    assert done.headers["Location"] == "/followups?page=3"


def test_the_calls_of_a_task_are_named_by_the_number(login_as, task) -> None:
    listed = login_as("supervisor").get(f"/analytics/calls?task={task.id}").text
    asked = listed.split('class="row asked"')[1].split("</p>")[0]
    assert phone_numbers.grouped(NUMBER) in asked


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
    browser = login_as("operator")
    page = browser.refused(browser.send(f"/followups/{task.id}/call"))
    assert 'class="note is-bad" role="alert"' in page
    assert FollowUp.get().claimed_until is None


def test_who_is_being_called_cannot_be_called(login_as, task) -> None:
    assert followups.claim(task, by="sardor")
    browser = login_as("operator")
    page = browser.refused(browser.send(f"/followups/{task.id}/call"))
    assert "Sardor Ergashev" in page
    assert 'class="note is-bad" role="alert"' in page
    assert FollowUp.get().claimed_by == "sardor"


def test_a_task_that_is_not_there(login_as) -> None:
    browser = login_as("operator")
    assert browser.send("/followups/99/done").status_code == 404
    assert browser.send("/followups/99/call").status_code == 404


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+883510001234", "bu raqamga qoʻngʻiroq qilish taqiqlangan"),
        ("+74951234567", "qurilma bu raqamga qoʻngʻiroq qilmaydi: qoʻlda"),
    ],
)
def test_why_the_machine_does_not_call_is_told(login_as, task, number, reason) -> None:
    FollowUp.update(number=number).execute()
    piece = login_as("operator").get("/followups/list").text
    assert reason in piece
    assert (f"/followups/{task.id}/call" in piece) == number.startswith("+7")


def test_the_days_limit_is_told(login_as, task, settings) -> None:
    most = settings.outgoing.machine_calls
    notice = "Qurilma bugungi chegarasiga yetdi"
    assert notice not in login_as("operator").get("/followups/list").text
    now = clock.now()
    facts = {"direction": "outbound", "arrived_at": now, "ended_at": now, "stage": "ended"}
    Call.insert_many(
        {"id": f"hotline-2.{n}", "reason": "callback", **facts} for n in range(most)
    ).execute()
    assert notice in login_as("operator").get("/followups/list").text


@pytest.mark.parametrize(("role", "place"), [("operator", "/operator"), ("manager", "/followups")])
def test_a_call_back_leads_to_where_its_form_comes(
    login_as, task, monkeypatch, role, place
) -> None:
    placed = []
    monkeypatch.setattr(actions, "dial", lambda *facts: placed.append(facts[2:]))
    answer = login_as(role).send(f"/followups/{task.id}/call")
    assert (answer.status_code, answer.location) == (302, place)
    assert placed == [(NUMBER, "follow_up", str(task.id))]


def test_a_call_back_has_its_bar_its_clock_and_its_form(login_as, back, nilufar) -> None:
    browser = login_as("nilufar")
    back.is_rung()
    begun = back.facts.arrived_at.isoformat(timespec="seconds")
    for path in ("/followups", "/operator/bar"):
        page = browser.get(path).text
        assert 'class="callbar" data-stage="dialling"' in page
        assert f'datetime="{begun}" data-since' in page
        assert f'data-form="{back.facts.id}-{nilufar.id}-0"' in page
    card = browser.get("/operator/card").text
    assert 'data-stage="dialling"' in card
    assert 'value="+998 93 555 01 47"' in browser.get("/operator/card?shows=1").text
    back.talk()
    assert 'class="callbar" data-stage="talk"' in browser.get("/operator/bar").text
    back.end("answered")
    assert 'data-stage="wrap_up"' in browser.get("/operator").text
    token = appeals.at_hand(nilufar, clock.now()).token
    asked = {"json": {"values": {"first_name": "Aziza"}}}
    head = {"X-CSRFToken": browser.token("/operator")}
    browser.post(f"/operator/forms/{token}/register", headers=head, **asked)
    assert Appeal.get().call_id == back.facts.id


@pytest.mark.parametrize(
    ("outcome", "cause", "words"),
    [
        ("busy", "17", "raqam band"),
        ("no_answer", None, "javob berilmadi"),
        ("failed", "1", "bunday raqam yoʻq"),
        ("failed", "38", "tarmoq qoʻngʻiroqni ulamadi"),
    ],
)
def test_why_a_call_back_reached_nobody_is_told(
    login_as, back, nilufar, outcome, cause, words
) -> None:
    browser = login_as("nilufar")
    back.is_rung()
    back.end(outcome, cause)
    for path in ("/operator", "/operator/paused", "/followups"):
        page = browser.get(path).text.replace("\xa0", " ")
        assert "+998 93 555 01 47" in page
        assert f": {words}." in page, path
    assert f", {words}</span>" in browser.get("/followups/list").text
    assert 'id="form"' not in browser.get("/operator").text
    assert words not in login_as("sardor").get("/operator/paused").text
    Citizen("1764000000.1").ring(nilufar)  # the next call matters more
    assert words not in browser.get("/operator/paused").text
    assert "Chiquvchi qoʻngʻiroq" in browser.get("/operator/card").text


def test_a_call_to_somebody_else_brings_no_form(login_as, back) -> None:
    back.facts.reason, back.facts.serves = "page", None
    back.is_rung()
    assert 'data-form=""' in login_as("nilufar").get("/operator/bar").text
