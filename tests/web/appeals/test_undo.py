"""An answer can be withdrawn for ten seconds; nobody outside is notified before."""

import dataclasses
import datetime as dt

import pytest

from appliance.casework import hooks
from appliance.casework.appeals import answer_drafts, handling
from appliance.core import clock, outbox
from appliance.core.settings import SmsAccount
from appliance.messaging.casework_hooks import connect_hooks
from appliance.models import Appeal, Handling, Message
from tests.rig.browser import Browser

ANSWER_TEXT = "Arizangiz koʻrib chiqildi."


@pytest.fixture
def ministry(app, settings, login_as, at_noon) -> Browser:
    """Bahodir's browser, on a site that sends text messages."""
    account = SmsAccount("first", "eskiz", "http://127.0.0.1:9", "user", "secret", "4546", "hush")
    app.config["SITE"] = site = dataclasses.replace(settings, sms=(account,))
    connect_hooks(site)
    hooks.appeal_registered.connect()  # only the messages of answers are counted
    return login_as("bahodir")


def send_answer(browser: Browser, appeal: Appeal) -> None:
    version = Handling.get_by_id(appeal.id).version
    sent = {"action": "answer", "text": ANSWER_TEXT, "version": str(version)}
    assert browser.send(f"/appeals/{appeal.number}/steps", **sent).status_code == 302


def send_undo(browser: Browser, appeal: Appeal):
    version = Handling.get_by_id(appeal.id).version
    return browser.send(f"/appeals/{appeal.number}/undo", version=str(version))


def card_page(browser: Browser, appeal: Appeal) -> str:
    return browser.get(f"/appeals/{appeal.number}").text


def test_a_withdrawn_answer_becomes_a_draft_and_nobody_is_notified(
    ministry, register, bahodir, at_noon, monkeypatch
) -> None:
    appeal = register()
    before = Handling.get_by_id(appeal.id)
    send_answer(ministry, appeal)
    [message] = Message.select().where(Message.purpose == "answered")
    assert message.due_at - at_noon == handling.NOTIFICATION_DELAY
    assert outbox.claim_next("sms") is None  # it is not due yet
    assert f"/appeals/{appeal.number}/undo" in card_page(ministry, appeal)
    later = at_noon + dt.timedelta(seconds=9)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert send_undo(ministry, appeal).status_code == 302
    now = Handling.get_by_id(appeal.id)
    assert (now.state, now.holder, now.answered_on) == ("taken", "bahodir", None)
    assert (now.due_on, now.term, now.is_open) == (before.due_on, before.term, True)
    assert not Message.select().where(Message.purpose == "answered").exists()
    assert answer_drafts.find_draft(bahodir, appeal).text == ANSWER_TEXT
    page = card_page(ministry, appeal)
    assert f"{ANSWER_TEXT}</textarea>" in page
    assert 'id="answer-title"' not in page
    assert [step.action for step in handling.list_steps(appeal)] == ["undo", "answer"]
    send_answer(ministry, appeal)  # sent again after all: one notification
    assert Message.select().where(Message.purpose == "answered").count() == 1


def test_an_answer_cannot_be_withdrawn_later(ministry, register, at_noon, monkeypatch) -> None:
    appeal = register()
    send_answer(ministry, appeal)
    later = at_noon + handling.NOTIFICATION_DELAY
    monkeypatch.setattr(clock, "now", lambda: later)
    assert f"/appeals/{appeal.number}/undo" not in card_page(ministry, appeal)
    page = ministry.refused_page(send_undo(ministry, appeal))
    assert "Javob yuborilgan" in page
    assert Handling.get_by_id(appeal.id).state == "answered"
    assert outbox.claim_next("sms")


def test_an_answer_whose_message_is_being_sent_is_not_withdrawn(ministry, register) -> None:
    appeal = register()
    send_answer(ministry, appeal)
    Message.update(state="claimed", attempts=1).where(Message.purpose == "answered").execute()
    ministry.refused_page(send_undo(ministry, appeal))
    assert Handling.get_by_id(appeal.id).state == "answered"


def test_only_ones_own_answer_can_be_withdrawn(ministry, login_as, register) -> None:
    appeal, other = register(), register()
    handling.answer_appeal(appeal, "Javob", "gulnora", 1, clock.now().date())
    ministry.refused_page(send_undo(ministry, appeal))
    assert Handling.get_by_id(appeal.id).state == "answered"
    handling.take_over(other, "bahodir", 1)
    ministry.refused_page(send_undo(ministry, other))
    assert send_undo(login_as("supervisor"), appeal).status_code == 403


def test_a_message_written_by_an_operator_is_still_sent(ministry, register, settings) -> None:
    appeal = register()
    send_answer(ministry, appeal)
    by_hand = outbox.queue_sms(
        "manual", "+998935550147", "x", key="1", cause=appeal.number, tz=settings.tz
    )
    assert send_undo(ministry, appeal).status_code == 302
    assert list(Message.select().where(Message.channel == "sms")) == [by_hand]


def test_an_answer_is_withdrawn_only_by_its_own_button(ministry, register) -> None:
    appeal = register()
    send_answer(ministry, appeal)
    version = Handling.get_by_id(appeal.id).version
    sent = {"action": "undo", "version": str(version)}
    assert ministry.send(f"/appeals/{appeal.number}/steps", **sent).status_code == 400
    assert Handling.get_by_id(appeal.id).state == "answered"
