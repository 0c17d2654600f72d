"""Text messages written by hand on the pages: who may write about what, and what is reported."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from appliance.casework import catalogs
from appliance.casework.appeals import registering
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import drafts
from appliance.core.settings import Messages, Settings, SmsAccount
from appliance.messaging.notices import citizens, templates
from appliance.messaging.notices.templates import Template
from appliance.models import Appeal, AuditEntry, Message, User
from tests.rig.appeals import FULL_FORM
from tests.rig.browser import Browser
from tests.rig.citizen import CITIZEN_NUMBER, Citizen

CALL_ID = "1764000000.1"


@pytest.fixture
def site(app: Flask, settings: Settings) -> Settings:
    """A site that sends text messages, at most two a day to one number."""
    account = SmsAccount("first", "eskiz", "http://127.0.0.1:9", price=9500)
    sms_site = dataclasses.replace(settings, sms=(account,), messages=Messages(per_number=2))
    app.config["SITE"] = sms_site
    return sms_site


@pytest.fixture
def token(site: Settings, nilufar: User) -> str:
    """The token of Nilufar's form for a call on which they are talking."""
    citizen = Citizen(CALL_ID)
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, citizen.facts.arrived_at)
    assert desk
    return desk.token


@pytest.fixture
def appeal(settings: Settings, nilufar: User, token: str) -> Appeal:
    calendar = catalogs.working_calendar(settings)
    return registering.register(
        FULL_FORM, operator=nilufar, token=token, tz=settings.tz, calendar=calendar
    )


def post_message(browser: Browser, about: str, path: str = "", **sent: Any) -> TestResponse:
    """Post JSON, as the operator's page does."""
    values = {"sms": "Salom", "to": CITIZEN_NUMBER, "sending": "1"} | sent
    headers = {"X-CSRFToken": browser.token()}
    return browser.post(f"/messages/{about}{path}", json=values, headers=headers)


def test_the_desk_sends_one_message_to_the_caller_and_shows_its_state(login_as, token) -> None:
    browser, about = login_as("operator"), f"form/{token}"
    form = browser.get(f"/messages/{about}").text
    assert 'value="+998 93 555 01 47"' in form
    for _ in range(2):
        answer = post_message(browser, about).json
        assert answer == {"trouble": "", "done": "Yuboriladi."}
    [message] = Message.select()
    assert (message.cause, message.recipient) == (CALL_ID, CITIZEN_NUMBER)
    message_list = browser.get(f"/messages/{about}/list").text
    assert "Salom" in message_list
    assert "Kutmoqda" in message_list
    assert post_message(browser, about, sms="", sending="2").json["trouble"] == "Matn yozing."
    assert post_message(browser, about, sending="").status_code == 400
    assert post_message(login_as("sardor"), about).status_code == 404


def test_a_template_is_filled_from_the_draft_and_the_view_is_audited(
    login_as, site, token, nilufar
) -> None:
    text = Template("Manzil", "{name}: Navoiy 12, {number}", "{name}: Навои 12, {number}")
    template = templates.save_template(site, text, "sherzod")
    drafts.save_draft(nilufar, token, {"first_name": "Aziza"})
    browser, about = login_as("operator"), f"form/{token}"
    assert "Manzil" in browser.get(f"/messages/{about}").text
    before = AuditEntry.select().where(AuditEntry.action == "draft.view").count()
    preview = post_message(
        browser, about, "/preview", fill=True, template=str(template.id), language="ru"
    ).json
    assert preview["text"] == "Aziza: Навои 12, {number}"
    assert preview["size"] == "1 ta SMS, 95,00 soʻm"
    assert (preview["field"], bool(preview["trouble"])) == ("sms", True)
    assert AuditEntry.select().where(AuditEntry.action == "draft.view").count() == before + 1
    preview = post_message(browser, about, "/preview", sms="я" * 71).json
    assert (preview["text"], preview["size"], preview["trouble"]) == (
        "я" * 71,
        "2 ta SMS, 190,00 soʻm",
        "",
    )


def test_opt_outs_and_the_daily_limit_are_reported(login_as, token) -> None:
    browser, about = login_as("operator"), f"form/{token}"
    for sending in "12":
        post_message(browser, about, sending=sending)
    late = post_message(browser, about, "/preview").json
    assert late["trouble"] == ""
    assert "meʼyori" in late["late"]
    assert "da yuboriladi." in post_message(browser, about, sending="3").json["done"]
    assert "dan oldin emas" in browser.get(f"/messages/{about}/list").text
    citizens.opt_out_number(CITIZEN_NUMBER, "sherzod")
    refused = post_message(browser, about, "/preview").json
    assert (refused["field"], refused["trouble"]) == ("to", "Bu raqam xabar olishni istamagan.")
    assert post_message(browser, about, sending="4").json["trouble"] == refused["trouble"]
    assert Message.select().count() == 3


@pytest.mark.parametrize("who", ["supervisor", "manager"])
def test_leads_write_from_the_calls_card(login_as, appeal, who: str) -> None:
    browser, card = login_as(who), f"/calls/{CALL_ID}"
    assert f'action="/messages/call/{CALL_ID}"' in browser.get(card).text
    sent = browser.send(f"/messages/call/{CALL_ID}", sms="Salom", to="90 111 22 33", sending="1")
    assert sent.headers["Location"] == card
    [message] = Message.select()
    assert (message.cause, message.recipient) == (CALL_ID, "+998901112233")
    page = browser.get(card).text
    assert "+998\N{NO-BREAK SPACE}90\N{NO-BREAK SPACE}111" in page
    assert "Salom" in browser.get(f"/appeals/{appeal.number}").text
    typed = {"sms": "Hujjatlar", "to": "raqam", "sending": "2"}
    refused = browser.refused_page(browser.send(f"/messages/call/{CALL_ID}", **typed))
    assert "Hujjatlar</textarea>" in refused
    assert 'value="raqam"' in refused
    assert '<details class="smswrite" open>' in refused


def test_users_without_the_right_cannot_write(login_as, appeal) -> None:
    ministry = login_as("ministry")
    assert 'action="/messages/' not in ministry.get(f"/appeals/{appeal.number}").text
    for about in (f"appeal/{appeal.number}", f"call/{CALL_ID}", f"form/{appeal.token}"):
        assert post_message(ministry, about).status_code == 403
        assert post_message(login_as("sardor"), about).status_code in (403, 404)
    # no such card here
    assert post_message(login_as("operator"), f"call/{CALL_ID}").status_code == 404
    assert post_message(login_as("supervisor"), f"form/{appeal.token}").status_code == 404
    assert not Message.select().exists()


def test_a_just_registered_form_still_sends_messages(login_as, appeal) -> None:
    assert post_message(login_as("operator"), f"form/{appeal.token}").json["trouble"] == ""
    assert [message.cause for message in citizens.messages_of_appeal(appeal)] == [CALL_ID]


def test_cards_offer_no_messages_without_an_account(login_as, app, settings, appeal) -> None:
    app.config["SITE"] = settings
    supervisor = login_as("supervisor")
    for card in (f"/calls/{CALL_ID}", f"/appeals/{appeal.number}"):
        assert 'action="/messages/' not in supervisor.get(card).text
    form = login_as("operator").get(f"/messages/appeal/{appeal.number}").text
    assert "SMS xizmati" in form
