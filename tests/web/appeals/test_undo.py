"""An answer can be taken back for ten seconds, and nobody outside is told of it before."""

import dataclasses
import datetime as dt

import pytest

from appliance.casework.appeals import answer_drafts, handling
from appliance.core import clock, outbox
from appliance.core.settings import SmsAccount
from appliance.models import Appeal, Handling, Message
from tests.rig.browser import Browser

TEXT = "Arizangiz koʻrib chiqildi."


@pytest.fixture
def ministry(app, settings, login_as, at_noon) -> Browser:
    """Bahodir's browser, on a site that sends short messages."""
    account = SmsAccount("first", "eskiz", "http://127.0.0.1:9", "user", "secret", "4546", "hush")
    app.config["SITE"] = dataclasses.replace(settings, sms=(account,))
    return login_as("bahodir")


def answered(browser: Browser, appeal: Appeal) -> None:
    version = Handling.get_by_id(appeal.id).version
    sent = {"action": "answer", "text": TEXT, "version": str(version)}
    assert browser.send(f"/appeals/{appeal.number}/steps", **sent).status_code == 302


def undo(browser: Browser, appeal: Appeal):
    version = Handling.get_by_id(appeal.id).version
    return browser.send(f"/appeals/{appeal.number}/undo", version=str(version))


def card(browser: Browser, appeal: Appeal) -> str:
    return browser.get(f"/appeals/{appeal.number}").text


def test_taken_back_it_is_a_draft_and_nobody_was_told(
    ministry, register, bahodir, at_noon, monkeypatch
) -> None:
    appeal = register()
    before = Handling.get_by_id(appeal.id)
    answered(ministry, appeal)
    [message] = Message.select().where(Message.purpose == "answered")
    assert message.due_at - at_noon == handling.HELD_BACK
    assert outbox.claim("sms") is None  # it waits
    assert f"/appeals/{appeal.number}/undo" in card(ministry, appeal)
    later = at_noon + dt.timedelta(seconds=9)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert undo(ministry, appeal).status_code == 302
    now = Handling.get_by_id(appeal.id)
    assert (now.state, now.holder, now.answered_on) == ("taken", "bahodir", None)
    assert (now.due_on, now.term, now.is_open) == (before.due_on, before.term, True)
    assert not Message.select().where(Message.purpose == "answered").exists()
    assert answer_drafts.of(bahodir, appeal).text == TEXT
    page = card(ministry, appeal)
    assert f"{TEXT}</textarea>" in page
    assert 'id="answer-title"' not in page
    assert [step.action for step in handling.steps(appeal)] == ["undo", "answer"]
    answered(ministry, appeal)  # and sent after all: told once
    assert Message.select().where(Message.purpose == "answered").count() == 1


def test_later_it_stands(ministry, register, at_noon, monkeypatch) -> None:
    appeal = register()
    answered(ministry, appeal)
    later = at_noon + handling.HELD_BACK
    monkeypatch.setattr(clock, "now", lambda: later)
    assert f"/appeals/{appeal.number}/undo" not in card(ministry, appeal)
    page = ministry.refused(undo(ministry, appeal))
    assert "Javob yuborilgan" in page
    assert Handling.get_by_id(appeal.id).state == "answered"
    assert outbox.claim("sms")


def test_what_is_under_way_is_not_taken_back(ministry, register) -> None:
    appeal = register()
    answered(ministry, appeal)
    Message.update(state="claimed", attempts=1).where(Message.purpose == "answered").execute()
    ministry.refused(undo(ministry, appeal))
    assert Handling.get_by_id(appeal.id).state == "answered"


def test_nobody_takes_back_another_answer_or_another_step(ministry, login_as, register) -> None:
    appeal, other = register(), register()
    handling.answer(appeal, "Javob", "gulnora", 1, clock.now().date())
    ministry.refused(undo(ministry, appeal))
    assert Handling.get_by_id(appeal.id).state == "answered"
    handling.take(other, "bahodir", 1)
    ministry.refused(undo(ministry, other))
    assert undo(login_as("supervisor"), appeal).status_code == 403


def test_what_an_operator_wrote_meanwhile_goes_out(ministry, register, settings) -> None:
    appeal = register()
    answered(ministry, appeal)
    by_hand = outbox.put_sms(
        "manual", "+998935550147", "x", key="1", cause=appeal.number, tz=settings.tz
    )
    assert undo(ministry, appeal).status_code == 302
    assert list(Message.select().where(Message.channel == "sms")) == [by_hand]
