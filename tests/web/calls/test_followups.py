"""The register of missed callers: listed, closed with a note, called back from the list."""

import datetime as dt
import re

import pytest

from appliance.casework.appeals import desk
from appliance.core import clock, phone_numbers
from appliance.models import Appeal, Call, FollowUp, User
from appliance.pbx import actions
from appliance.telephony import followups
from tests.rig.citizen import Citizen, MissedCaller

CALLER_NUMBER = "+998901112233"


@pytest.fixture
def task(settings) -> FollowUp:
    """A caller who gave up in the menu an hour ago."""
    begin = clock.now() - dt.timedelta(hours=1)
    Call.create(
        id="hotline-1.1",
        direction="inbound",
        arrived_at=begin,
        ended_at=begin + dt.timedelta(seconds=9),
        caller=CALLER_NUMBER,
        stage="ended",
        outcome="abandoned_menu",
        language="ru",
    )
    followups.update_tasks(begin, CALLER_NUMBER)
    return FollowUp.get()


@pytest.fixture
def call_back(nilufar) -> MissedCaller:
    """Nilufar calls back a caller who gave up."""
    return MissedCaller(nilufar)


@pytest.mark.parametrize("role", ["operator", "supervisor", "manager"])
def test_waiting_callers_are_listed(login_as, task, role) -> None:
    browser = login_as(role)
    page = browser.get("/followups").text
    assert "+998\u00a090\u00a0111\u00a022\u00a033" in page
    assert 'data-live="followups"' in page
    piece = browser.get("/followups/list").text
    assert f'id="task-{task.id}"' in piece
    assert "<html" not in piece


def test_tasks_are_listed_page_by_page(login_as, settings) -> None:
    browser, now = login_as("supervisor"), clock.now()
    numbers = [f"+9989011122{place:02}" for place in range(45)]
    for place, number in enumerate(numbers):
        moment = now - dt.timedelta(minutes=60 - place)
        moments = {"opened_at": moment, "missed_at": moment, "joined_at": moment}
        FollowUp.create(number=number, kind="queue", call_id=f"x-{place}.0", calls=1, **moments)
    tasks = [task.id for task in followups.open_tasks(User(role="supervisor"))]
    listed_ids = []
    for page in (1, 2, 3):
        text = browser.get(f"/followups?page={page}").text
        listed_ids += [int(id) for id in re.findall(r'<tr id="task-(\d+)"', text)]
        assert len(text.encode()) <= 60_000
        linked_pages = set(re.findall(r'href="/followups\?page=(\d+)"', text))
        assert linked_pages == {str(n) for n in (page - 1, page + 1) if 1 <= n <= 3}
        assert f"/followups/list?page={page}" in text or page == 1
    assert listed_ids == tasks
    assert browser.get("/followups?page=9").text.count('<tr id="task-') == 5
    done = browser.post(
        f"/followups/{tasks[-1]}/done?page=3", data={"csrf_token": browser.token(), "note": ""}
    )
    assert done.headers["Location"] == "/followups?page=3"


def test_the_calls_of_a_task_are_headed_by_the_number(login_as, task) -> None:
    listed = login_as("supervisor").get(f"/analytics/calls?task={task.id}").text
    filter_row = listed.split('class="row asked"')[1].split("</p>")[0]
    assert phone_numbers.grouped_number(CALLER_NUMBER) in filter_row


def test_an_empty_list_shows_a_note(login_as) -> None:
    assert "Hech kim qoʻngʻiroq kutmayapti" in login_as("operator").get("/followups").text


def test_a_task_is_closed_with_a_note(login_as, task) -> None:
    browser = login_as("operator")
    answer = browser.send(f"/followups/{task.id}/done", note="Oʻzi keldi")
    assert answer.status_code == 302
    assert FollowUp.get().outcome == "done"
    assert f'id="task-{task.id}"' not in browser.get("/followups").text
    closed = browser.get("/followups?show=closed").text
    assert "Nilufar Karimova: Oʻzi keldi" in closed
    browser.send(f"/followups/{task.id}/done", note="again")
    assert FollowUp.get().note == "Oʻzi keldi"


def test_a_task_is_released_when_the_exchange_does_not_answer(login_as, task) -> None:
    browser = login_as("operator")
    page = browser.refused_page(browser.send(f"/followups/{task.id}/call"))
    assert 'class="note is-bad" role="alert"' in page
    assert FollowUp.get().claimed_until is None


def test_a_caller_being_called_back_cannot_be_called_again(login_as, task) -> None:
    assert followups.claim_task(task, by="sardor")
    browser = login_as("operator")
    page = browser.refused_page(browser.send(f"/followups/{task.id}/call"))
    assert "Sardor Ergashev" in page
    assert 'class="note is-bad" role="alert"' in page
    assert FollowUp.get().claimed_by == "sardor"


def test_an_unknown_task_is_not_found(login_as) -> None:
    browser = login_as("operator")
    assert browser.send("/followups/99/done").status_code == 404
    assert browser.send("/followups/99/call").status_code == 404


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+883510001234", "bu raqamga qoʻngʻiroq qilish taqiqlangan"),
        ("+74951234567", "tizim bu raqamga qoʻngʻiroq qilmaydi: qoʻlda"),
    ],
)
def test_the_reason_why_the_machine_does_not_call_is_shown(login_as, task, number, reason) -> None:
    FollowUp.update(number=number).execute()
    piece = login_as("operator").get("/followups/list").text
    assert reason in piece
    assert (f"/followups/{task.id}/call" in piece) == number.startswith("+7")


def test_reaching_the_daily_limit_is_shown(login_as, task, settings) -> None:
    most = settings.outgoing.machine_calls
    notice = "Tizim bugungi chegarasiga yetdi"
    assert notice not in login_as("operator").get("/followups/list").text
    now = clock.now()
    facts = {"direction": "outbound", "arrived_at": now, "ended_at": now, "stage": "ended"}
    Call.insert_many(
        {"id": f"hotline-2.{n}", "reason": "callback", **facts} for n in range(most)
    ).execute()
    assert notice in login_as("operator").get("/followups/list").text


@pytest.mark.parametrize(("role", "place"), [("operator", "/operator"), ("manager", "/followups")])
def test_a_call_back_leads_to_the_page_of_its_form(
    login_as, task, monkeypatch, role, place
) -> None:
    placed_calls = []
    monkeypatch.setattr(actions, "dial_number", lambda *facts: placed_calls.append(facts[2:]))
    answer = login_as(role).send(f"/followups/{task.id}/call")
    assert (answer.status_code, answer.location) == (302, place)
    assert placed_calls == [(CALLER_NUMBER, "follow_up", str(task.id))]


def test_a_call_back_has_a_call_bar_a_timer_and_a_form(login_as, call_back, nilufar) -> None:
    browser = login_as("nilufar")
    call_back.start_ringing()
    started_at = call_back.facts.arrived_at.isoformat(timespec="seconds")
    for path in ("/followups", "/operator/bar"):
        page = browser.get(path).text
        assert 'class="callbar" data-stage="dialling"' in page
        assert f'datetime="{started_at}" data-since' in page
        assert f'data-form="{call_back.facts.id}-{nilufar.id}-0"' in page
    card = browser.get("/operator/card").text
    assert 'data-stage="dialling"' in card
    assert 'value="+998 93 555 01 47"' in browser.get("/operator/card?shows=1").text
    call_back.answer_call()
    assert 'class="callbar" data-stage="talk"' in browser.get("/operator/bar").text
    call_back.end_call("answered")
    assert 'data-stage="wrap_up"' in browser.get("/operator").text
    token = desk.current_desk(nilufar, clock.now()).token
    body = {"json": {"values": {"first_name": "Aziza"}}}
    head = {"X-CSRFToken": browser.token("/operator")}
    browser.post(f"/operator/forms/{token}/register", headers=head, **body)
    assert Appeal.get().call_id == call_back.facts.id


@pytest.mark.parametrize(
    ("outcome", "cause", "words"),
    [
        ("busy", "17", "raqam band"),
        ("no_answer", None, "javob berilmadi"),
        ("failed", "1", "bunday raqam yoʻq"),
        ("failed", "38", "tarmoq qoʻngʻiroqni ulamadi"),
    ],
)
def test_the_reason_why_a_call_back_failed_is_shown(
    login_as, call_back, nilufar, outcome, cause, words
) -> None:
    browser = login_as("nilufar")
    call_back.start_ringing()
    call_back.end_call(outcome, cause)
    for path in ("/operator", "/operator/paused", "/followups"):
        page = browser.get(path).text.replace("\xa0", " ")
        assert "+998 93 555 01 47" in page
        assert f": {words}." in page, path
    assert f", {words}</span>" in browser.get("/followups/list").text
    assert 'id="form"' not in browser.get("/operator").text
    assert words not in login_as("sardor").get("/operator/paused").text
    Citizen("1764000000.1").ring_operator(nilufar)  # the next call has priority
    assert words not in browser.get("/operator/paused").text
    assert "Chiquvchi qoʻngʻiroq" in browser.get("/operator/card").text


def test_an_outgoing_call_that_is_no_call_back_opens_no_form(login_as, call_back) -> None:
    call_back.facts.reason, call_back.facts.serves = "page", None
    call_back.start_ringing()
    assert 'data-form=""' in login_as("nilufar").get("/operator/bar").text
