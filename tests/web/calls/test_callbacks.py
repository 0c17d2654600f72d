"""Promised calls: on the operator's list, reminded of, handed over, seen by a supervisor."""

import datetime as dt
from typing import Any

import pytest

from appliance.box.retention import rules
from appliance.core import clock
from appliance.models import AuditEntry, ScheduledCallback, User
from appliance.people import presence
from appliance.telephony import scheduled_callbacks
from tests.rig.browser import Browser
from tests.rig.citizen import PHONE, form_of_talk

SOON = dt.timedelta(minutes=5)


@pytest.fixture
def token(nilufar: User) -> str:
    """The form of a call that speaks with Nilufar."""
    return form_of_talk(nilufar)


def promise(browser: Browser, token: str, **sent: Any) -> str:
    headers = {"X-CSRFToken": browser.token("/operator")}
    asked = {"number": PHONE, "day": "01.02.2027", "time": "9:30", "about": ""} | sent
    path = f"/operator/forms/{token}/callback"
    return browser.post(path, json=asked, headers=headers).get_json()["trouble"]


def promised(operator: User, late: bool = False) -> ScheduledCallback:
    made = scheduled_callbacks.schedule(operator, PHONE, clock.now() + SOON, "Hujjat haqida")
    if late:
        past = clock.now() - SOON
        ScheduledCallback.update(due_at=past).where(ScheduledCallback.id == made.id).execute()
    return made


def test_a_promise_stands_on_ones_own_list(login_as, token, at_noon):
    browser = login_as("nilufar")
    assert "+998 93 555 01 47" in browser.get(f"/operator/forms/{token}/callback").text
    assert promise(browser, token, about="Hujjat haqida") == ""
    made = ScheduledCallback.get()
    assert (made.operator.login, made.number, made.call_id) == ("nilufar", PHONE, "1764000000.1")
    assert made.due_at == dt.datetime(2027, 2, 1, 4, 30, tzinfo=dt.UTC)
    day = browser.get("/operator/day").text
    assert "Hujjat haqida" in day
    assert 'id="reminders"' in day
    assert "vaʼda qilingan vaqt" not in day
    assert AuditEntry.get(AuditEntry.action == "callback.schedule").who == "nilufar"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"day": "31.02.2027"}, "kk.oo.yyyy"),
        ({"time": "25:00"}, "kk.oo.yyyy"),
        ({"day": "01.02.2026"}, "oʻtib ketgan"),
        ({"day": "01.02.2028"}, "yarim yil"),
        ({"number": "abc"}, "raqam"),
        ({"about": "x" * 501}, "500"),
    ],
)
def test_what_cannot_be_promised_is_said(login_as, token, at_noon, sent, words):
    assert words in promise(login_as("nilufar"), token, **sent)
    assert not ScheduledCallback.select().exists()


def test_one_is_reminded_once_its_moment_has_come(login_as, nilufar):
    task = promised(nilufar)
    browser = login_as("nilufar")
    piece = browser.get("/callbacks/due").text
    assert "data-until" in piece
    assert "Hujjat haqida" not in piece
    past = clock.now() - SOON
    ScheduledCallback.update(due_at=past).where(ScheduledCallback.id == task.id).execute()
    assert "Hujjat haqida" in browser.get("/callbacks/due").text
    browser.send(f"/callbacks/{task.id}/done")
    assert "Hujjat haqida" not in browser.get("/callbacks/due").text
    assert ScheduledCallback.get().done_by == "nilufar"


def test_of_who_is_not_at_work_a_colleague_takes_it_over(login_as, nilufar, sardor):
    task, browser = promised(nilufar), login_as("sardor")
    presence.choose_state(nilufar, "ready")
    assert "Hujjat haqida" not in browser.get("/followups").text
    token = browser.token("/operator")
    assert browser.post(f"/callbacks/{task.id}/take", data={"csrf_token": token}).status_code == 404
    presence.choose_state(nilufar, "off")
    assert "Hujjat haqida" in browser.get("/followups").text
    browser.send(f"/callbacks/{task.id}/take")
    assert ScheduledCallback.get().operator == sardor


def test_a_supervisor_sees_what_is_overdue_and_hands_it_over(login_as, nilufar, sardor):
    task, browser = promised(nilufar, late=True), login_as("supervisor")
    page = browser.get("/followups").text
    assert "Hujjat haqida" in page
    assert "Muddati oʻtgan" in page
    browser.send(f"/callbacks/{task.id}/hand", login="sardor")
    assert ScheduledCallback.get().operator == sardor
    assert AuditEntry.get(AuditEntry.action == "callback.hand_over").detail == {"to": "sardor"}
    answer = browser.send(f"/callbacks/{task.id}/hand", login="nobody")
    assert "Operatorni tanlang" in browser.get(answer.headers["Location"]).text


def test_calling_without_an_exchange_says_so(login_as, nilufar):
    task, browser = promised(nilufar), login_as("nilufar")
    answer = browser.send(f"/callbacks/{task.id}/call")
    assert "stansiya" in browser.get(answer.headers["Location"]).text.lower()


def test_done_ones_are_masked_by_age(settings, nilufar):
    task = promised(nilufar)
    later = clock.now() + dt.timedelta(days=1)
    assert [*rules.callbacks(later)] == []
    scheduled_callbacks.finish(task, "nilufar")
    assert not scheduled_callbacks.finish(task, "nilufar")
    assert [one.id for one in rules.callbacks(later)] == [task.id]
