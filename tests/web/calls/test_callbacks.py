"""Promised calls: on the operator's list, reminded of, handed over, shown to a supervisor."""

import datetime as dt
from typing import Any

import pytest

from appliance.box.retention import rules
from appliance.core import clock
from appliance.models import AuditEntry, ScheduledCallback, User
from appliance.people import presence
from appliance.telephony import scheduled_callbacks
from tests.rig.browser import Browser
from tests.rig.citizen import CITIZEN_NUMBER, form_token_in_talk

FIVE_MINUTES = dt.timedelta(minutes=5)


@pytest.fixture
def token(nilufar: User) -> str:
    """The form of a call on which Nilufar is talking."""
    return form_token_in_talk(nilufar)


def post_promise(browser: Browser, token: str, **changes: Any) -> str:
    headers = {"X-CSRFToken": browser.token("/operator")}
    values = {"number": CITIZEN_NUMBER, "day": "01.02.2027", "time": "9:30", "about": ""} | changes
    path = f"/operator/forms/{token}/callback"
    return browser.post(path, json=values, headers=headers).get_json()["trouble"]


def schedule_callback(operator: User, overdue: bool = False) -> ScheduledCallback:
    callback = scheduled_callbacks.schedule_callback(
        operator, CITIZEN_NUMBER, clock.now() + FIVE_MINUTES, "Hujjat haqida"
    )
    if overdue:
        past = clock.now() - FIVE_MINUTES
        ScheduledCallback.update(due_at=past).where(ScheduledCallback.id == callback.id).execute()
    return callback


def test_a_promised_call_is_on_the_operators_own_list(login_as, token, at_noon):
    browser = login_as("nilufar")
    assert "+998 93 555 01 47" in browser.get(f"/operator/forms/{token}/callback").text
    assert post_promise(browser, token, about="Hujjat haqida") == ""
    callback = ScheduledCallback.get()
    assert (callback.operator.login, callback.number, callback.call_id) == (
        "nilufar",
        CITIZEN_NUMBER,
        "1764000000.1",
    )
    assert callback.due_at == dt.datetime(2027, 2, 1, 4, 30, tzinfo=dt.UTC)
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
def test_an_invalid_promise_is_refused_with_a_reason(login_as, token, at_noon, sent, words):
    assert words in post_promise(login_as("nilufar"), token, **sent)
    assert not ScheduledCallback.select().exists()


def test_the_operator_is_reminded_when_a_promised_call_is_due(login_as, nilufar):
    task = schedule_callback(nilufar)
    browser = login_as("nilufar")
    piece = browser.get("/callbacks/due").text
    assert "data-until" in piece
    assert "Hujjat haqida" not in piece
    past = clock.now() - FIVE_MINUTES
    ScheduledCallback.update(due_at=past).where(ScheduledCallback.id == task.id).execute()
    assert "Hujjat haqida" in browser.get("/callbacks/due").text
    browser.send(f"/callbacks/{task.id}/done")
    assert "Hujjat haqida" not in browser.get("/callbacks/due").text
    assert ScheduledCallback.get().done_by == "nilufar"


def test_a_colleague_takes_over_from_an_operator_off_duty(login_as, nilufar, sardor):
    task, browser = schedule_callback(nilufar), login_as("sardor")
    presence.choose_state(nilufar, "ready")
    assert "Hujjat haqida" not in browser.get("/followups").text
    token = browser.token("/operator")
    assert browser.post(f"/callbacks/{task.id}/take", data={"csrf_token": token}).status_code == 404
    presence.choose_state(nilufar, "off")
    assert "Hujjat haqida" in browser.get("/followups").text
    browser.send(f"/callbacks/{task.id}/take")
    assert ScheduledCallback.get().operator == sardor


def test_a_supervisor_hands_over_an_overdue_call(login_as, nilufar, sardor):
    task, browser = schedule_callback(nilufar, overdue=True), login_as("supervisor")
    page = browser.get("/followups").text
    assert "Hujjat haqida" in page
    assert "Muddati oʻtgan" in page
    browser.send(f"/callbacks/{task.id}/hand", login="sardor")
    assert ScheduledCallback.get().operator == sardor
    assert AuditEntry.get(AuditEntry.action == "callback.hand_over").detail == {"to": "sardor"}
    answer = browser.send(f"/callbacks/{task.id}/hand", login="nobody")
    assert "Operatorni tanlang" in browser.get(answer.headers["Location"]).text


def test_calling_without_an_exchange_reports_an_error(login_as, nilufar):
    task, browser = schedule_callback(nilufar), login_as("nilufar")
    answer = browser.send(f"/callbacks/{task.id}/call")
    assert "stansiya" in browser.get(answer.headers["Location"]).text.lower()


def test_finished_callbacks_are_masked_by_age(settings, nilufar):
    task = schedule_callback(nilufar)
    later = clock.now() + dt.timedelta(days=1)
    assert [*rules.due_callbacks(later)] == []
    scheduled_callbacks.finish_callback(task, "nilufar")
    assert not scheduled_callbacks.finish_callback(task, "nilufar")
    assert [callback.id for callback in rules.due_callbacks(later)] == [task.id]
