"""Short messages by hand in the pages: who may write about what, and what he is told."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from appliance.casework import appeals, catalogs
from appliance.core.settings import Messages, Settings, SmsAccount
from appliance.messaging import notices
from appliance.messaging.notices import templates
from appliance.messaging.notices.templates import Template
from appliance.models import Appeal, AuditEntry, Message, User
from tests.casework.test_appeals import FULL
from tests.rig.browser import Browser
from tests.rig.citizen import PHONE, Citizen

CALL = "1764000000.1"


@pytest.fixture
def site(app: Flask, settings: Settings) -> Settings:
    """A site that sends short messages, two a day to one number."""
    account = SmsAccount("first", "eskiz", "http://127.0.0.1:9", price=9500)
    made = dataclasses.replace(settings, sms=(account,), messages=Messages(per_number=2))
    app.config["SITE"] = made
    return made


@pytest.fixture
def token(site: Settings, nilufar: User) -> str:
    """The name of Nilufar's form for a call that speaks with her."""
    citizen = Citizen(CALL)
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, citizen.facts.arrived_at)
    assert desk
    return desk.token


@pytest.fixture
def appeal(settings: Settings, nilufar: User, token: str) -> Appeal:
    calendar = catalogs.working_calendar(settings)
    return appeals.register(FULL, operator=nilufar, token=token, tz=settings.tz, calendar=calendar)


def send(browser: Browser, about: str, path: str = "", **sent: Any) -> TestResponse:
    """Post JSON, as the operator's page does."""
    values = {"sms": "Salom", "to": PHONE, "sending": "1"} | sent
    headers = {"X-CSRFToken": browser.token()}
    return browser.post(f"/messages/{about}{path}", json=values, headers=headers)


def test_the_desk_writes_to_the_caller_once_and_shows_what_became_of_it(login_as, token) -> None:
    browser, about = login_as("operator"), f"form/{token}"
    form = browser.get(f"/messages/{about}").text
    assert 'value="+998 93 555 01 47"' in form
    for _ in range(2):
        answer = send(browser, about).json
        assert answer == {"trouble": "", "done": "Yuboriladi."}
    [message] = Message.select()
    assert (message.cause, message.recipient) == (CALL, PHONE)
    shown = browser.get(f"/messages/{about}/list").text
    assert "Salom" in shown
    assert "Kutmoqda" in shown
    assert send(browser, about, sms="", sending="2").json["trouble"] == "Matn yozing."
    assert send(browser, about, sending="").status_code == 400
    assert send(login_as("sardor"), about).status_code == 404


def test_a_template_is_filled_from_the_draft_and_seeing_it_leaves_a_row(
    login_as, site, token, nilufar
) -> None:
    text = Template("Manzil", "{name}: Navoiy 12, {number}", "{name}: Навои 12, {number}")
    one = templates.save(site, text, "sherzod")
    appeals.save_draft(nilufar, token, {"first_name": "Aziza"})
    browser, about = login_as("operator"), f"form/{token}"
    assert "Manzil" in browser.get(f"/messages/{about}").text
    before = AuditEntry.select().where(AuditEntry.action == "draft.view").count()
    seen = send(browser, about, "/preview", fill=True, template=str(one.id), language="ru").json
    assert seen["text"] == "Aziza: Навои 12, {number}"
    assert seen["size"] == "1 ta SMS, 95,00 soʻm"
    assert (seen["field"], bool(seen["trouble"])) == ("sms", True)
    assert AuditEntry.select().where(AuditEntry.action == "draft.view").count() == before + 1
    seen = send(browser, about, "/preview", sms="я" * 71).json
    assert (seen["text"], seen["size"], seen["trouble"]) == ("я" * 71, "2 ta SMS, 190,00 soʻm", "")


def test_opt_outs_and_the_days_limit_are_said(login_as, token) -> None:
    browser, about = login_as("operator"), f"form/{token}"
    for sending in "12":
        send(browser, about, sending=sending)
    late = send(browser, about, "/preview").json
    assert late["trouble"] == ""
    assert "meʼyori" in late["late"]
    assert "da yuboriladi." in send(browser, about, sending="3").json["done"]
    assert "dan oldin emas" in browser.get(f"/messages/{about}/list").text
    notices.opt_out(PHONE, "sherzod")
    refused = send(browser, about, "/preview").json
    assert (refused["field"], refused["trouble"]) == ("to", "Bu raqam xabar olishni istamagan.")
    assert send(browser, about, sending="4").json["trouble"] == refused["trouble"]
    assert Message.select().count() == 3


@pytest.mark.parametrize("who", ["supervisor", "manager"])
def test_leads_write_from_the_calls_card(login_as, appeal, who: str) -> None:
    browser, card = login_as(who), f"/calls/{CALL}"
    assert f'action="/messages/call/{CALL}"' in browser.get(card).text
    sent = browser.send(f"/messages/call/{CALL}", sms="Salom", to="90 111 22 33", sending="1")
    assert sent.headers["Location"] == card
    [message] = Message.select()
    assert (message.cause, message.recipient) == (CALL, "+998901112233")
    page = browser.get(card).text
    assert "+998\N{NO-BREAK SPACE}90\N{NO-BREAK SPACE}111" in page
    assert "Salom" in browser.get(f"/appeals/{appeal.number}").text
    typed = {"sms": "Hujjatlar", "to": "raqam", "sending": "2"}
    refused = browser.refused(browser.send(f"/messages/call/{CALL}", **typed))
    assert "Hujjatlar</textarea>" in refused
    assert 'value="raqam"' in refused
    assert '<details class="smswrite" open>' in refused


def test_nobody_else_writes(login_as, appeal) -> None:
    ministry = login_as("ministry")
    assert 'action="/messages/' not in ministry.get(f"/appeals/{appeal.number}").text
    for about in (f"appeal/{appeal.number}", f"call/{CALL}", f"form/{appeal.token}"):
        assert send(ministry, about).status_code == 403
        assert send(login_as("sardor"), about).status_code in (403, 404)
    assert send(login_as("operator"), f"call/{CALL}").status_code == 404  # has no such card
    assert send(login_as("supervisor"), f"form/{appeal.token}").status_code == 404
    assert not Message.select().exists()


def test_a_form_that_was_just_registered_still_sends(login_as, appeal) -> None:
    assert send(login_as("operator"), f"form/{appeal.token}").json["trouble"] == ""
    assert [message.cause for message in notices.of_appeal(appeal)] == [CALL]


def test_without_an_account_cards_offer_nothing(login_as, app, settings, appeal) -> None:
    app.config["SITE"] = settings
    supervisor = login_as("supervisor")
    for card in (f"/calls/{CALL}", f"/appeals/{appeal.number}"):
        assert 'action="/messages/' not in supervisor.get(card).text
    form = login_as("operator").get(f"/messages/appeal/{appeal.number}").text
    assert "SMS xizmati" in form
