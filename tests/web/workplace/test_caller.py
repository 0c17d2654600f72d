"""The card of who calls: what is known by number and person, adding to an open appeal."""

import re
from typing import Any

import pytest

from appliance.casework import appeals, call_forms
from appliance.casework.appeals import handling
from appliance.core import clock, outbox
from appliance.models import Appeal, AppealStep, AuditEntry, Draft, Handling
from tests.casework.test_appeals import FULL
from tests.rig.browser import Browser
from tests.rig.citizen import PHONE, Citizen, Missed, form_of_talk

OTHER = "+998901112233"


@pytest.fixture
def browser(login_as) -> Browser:
    """Nilufar's, signed in."""
    return login_as("nilufar")


def send(browser: Browser, path: str, **sent: Any) -> Any:
    """Post JSON, as the page's script does."""
    headers = {"X-CSRFToken": browser.token("/operator")}
    return browser.post(f"/operator/forms/{path}", json=sent, headers=headers).get_json()


def test_the_card_tells_where_appeals_stand_and_until_when(browser, nilufar, register):
    appeal = register()
    form_of_talk(nilufar)
    card = browser.get("/operator/card").text
    due = f"{Handling.get_by_id(appeal.id).due_on:%d.%m.%Y}"
    assert f"{due} gacha" in card
    assert "Yangi" in card
    assert "ish kuni" in card
    handling.do("dismiss", appeal, "bahodir", 1, clock.now().date(), "29-modda")
    card = browser.get("/operator/card").text
    assert "Yopilgan" in card
    assert f"{due} gacha" not in card


def test_the_card_lists_registered_calls_missed_ones_and_messages(
    browser, settings, nilufar, sardor
):
    token = form_of_talk(sardor, id="1764000000.0")
    made = call_forms.register(
        {"gist": "Maslahat soʻradi"}, operator=sardor, token=token, tz=settings.tz
    )
    Missed(nilufar)
    outbox.put_sms("registered", PHONE, "Javob tayyor", key="1", cause="x", tz=settings.tz)
    sent = outbox.claim("sms")
    outbox.sent(sent, "eskiz", "7")
    outbox.put_sms("registered", PHONE, "Hali ketmagan", key="2", cause="x", tz=settings.tz)
    form_of_talk(nilufar)
    card = browser.get("/operator/card").text
    assert made.number in card
    assert "Maslahat soʻradi" in card
    assert "1 ta oʻtkazib yuborilgan" in card
    assert "Javob tayyor" in card
    assert "Hali ketmagan" not in card
    row = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert row.detail["message"] == [sent.id]
    assert row.detail["call_form"] == [made.number]


def test_another_number_shows_the_persons_appeals_once_he_is_known(browser, nilufar, register):
    appeal = register()
    token = form_of_talk(nilufar, OTHER)
    assert appeal.number not in browser.get("/operator/card").text
    before = send(browser, token, values={"first_name": "Gulchehra"}, form="1")["recognised"]
    now = send(browser, token, values={"pinfl": FULL["pinfl"]}, form="1")["recognised"]
    assert now != before
    piece = browser.get(f"/operator/forms/{token}/person").text
    assert appeal.number in piece
    assert "Gulchehra" in piece
    assert browser.get(f"/appeals/{appeal.number}").status_code == 200  # its card is open to him


@pytest.mark.parametrize("passport", ["AB 1234567", "АВ1234567"])
def test_a_whole_passport_tells_the_person_too(browser, nilufar, register, passport):
    appeal = register()
    token = form_of_talk(nilufar, OTHER)
    send(browser, token, values={"passport": passport}, form="1")
    assert appeal.number in browser.get(f"/operator/forms/{token}/person").text
    send(browser, token, values={"passport": "AB 123"}, form="1")
    assert appeal.number not in browser.get(f"/operator/forms/{token}/person").text


# an open appeal of the same matter


@pytest.mark.parametrize(
    ("phone", "values", "alike"),
    [
        (PHONE, {"direction": "subsidies"}, True),
        (PHONE, {"direction": "training"}, False),
        (PHONE, {"gist": "Yana"}, False),
        (OTHER, {"direction": "subsidies"}, False),
        (OTHER, {"direction": "subsidies", "pinfl": FULL["pinfl"]}, True),
        (OTHER, {"direction": "subsidies", "phone": PHONE}, True),
    ],
)
def test_what_may_be_the_same_is_shown(browser, nilufar, register, phone, values, alike):
    appeal = register()
    token = form_of_talk(nilufar, phone)
    send(browser, token, values=values, form="1")
    assert ("data-add" in browser.get(f"/operator/forms/{token}/alike").text) is alike
    handling.do("dismiss", appeal, "bahodir", 1, clock.now().date(), "29-modda")
    assert "data-add" not in browser.get(f"/operator/forms/{token}/alike").text


def test_adding_keeps_all_that_was_typed_and_registers_no_second_appeal(
    browser, nilufar, register, login_as, bahodir
):
    appeal = register()
    token = form_of_talk(nilufar)
    typed = {
        "direction": "subsidies",
        "direction_text": "Subsidiya",
        "surname": "Yoʻldosheva",
        "phone": "+998 93 555 01 47",
        "phone_at_hand": "90 111 22 33",
        "gist": "Hujjatlarini topshirdi.",
    }
    send(browser, token, values=typed, form="1")
    answer = send(browser, f"{token}/add", values=typed, appeal=appeal.number)
    assert answer["trouble"] == ""
    assert send(browser, f"{token}/add", values=typed, appeal=appeal.number) == answer
    assert Appeal.select().count() == 1
    assert not Draft.select().exists()
    [step] = AppealStep.select()
    assert (step.action, step.who, step.text) == ("add", "nilufar", "Hujjatlarini topshirdi.")
    assert step.detail["call"] == "1764000000.1"
    assert step.detail["changes"] == {"phone_at_hand": ["", "90 111 22 33"]}
    made = call_forms.find(answer["number"], nilufar)
    assert made
    assert made.appeal_number == appeal.number
    assert made.gist == step.text
    assert appeal.number in browser.get(f"/operator/registered/{made.number}").text
    assert AuditEntry.select().where(AuditEntry.action == "appeal.add").count() == 1
    ministry = login_as("bahodir")
    assert "Qoʻshimcha" in ministry.get("/appeals").text
    history = ministry.get(f"/appeals/{appeal.number}/history").text
    assert "Hujjatlarini topshirdi." in history
    assert "111" in history
    handling.take(appeal, "bahodir", Handling.get_by_id(appeal.id).version)
    rows = ministry.get("/appeals/list").text
    assert appeal.number in rows
    assert "Qoʻshimcha" not in rows


def test_adding_without_a_gist_or_too_late_says_so_and_loses_nothing(browser, nilufar, register):
    appeal = register()
    token = form_of_talk(nilufar)
    send(browser, token, values={"surname": "Yoʻldosheva", "direction": "subsidies"}, form="1")
    answer = send(browser, f"{token}/add", values={"gist": " "}, appeal=appeal.number)
    assert answer["trouble"].startswith("Avval mazmunini yozing")
    handling.do("dismiss", appeal, "bahodir", 1, clock.now().date(), "29-modda")
    answer = send(browser, f"{token}/add", values={"gist": "Yana"}, appeal=appeal.number)
    assert answer["trouble"].startswith("Bu murojaat yopilgan")
    assert Draft.get().values["surname"] == "Yoʻldosheva"
    assert not AppealStep.select().where(AppealStep.action == "add").exists()


def test_only_to_an_appeal_that_he_may_see(browser, sardor, register, nilufar):
    appeal = register()
    Appeal.update(operator=sardor).where(Appeal.id == appeal.id).execute()
    token = form_of_talk(nilufar, OTHER)
    path = f"/operator/forms/{token}/add"
    headers = {"X-CSRFToken": browser.token("/operator")}
    sent = {"values": {"gist": "Yana"}, "appeal": appeal.number}
    assert browser.post(path, json=sent, headers=headers).status_code == 404


def test_a_form_without_a_call_is_added_and_closed(browser, nilufar, register):
    appeal = register()
    token = appeals.token_for(nilufar, None)
    values = {"phone": PHONE, "direction": "subsidies", "gist": "Xat keldi"}
    send(browser, token, values=values, form="1")
    answer = send(browser, f"{token}/add", values=values, appeal=appeal.number)
    assert answer["number"] == ""
    assert answer["trouble"] == ""
    assert [step.text for step in handling.steps(appeal)] == ["Xat keldi"]
    assert not re.search('id="form"', browser.get("/operator/card?registered=").text)


# what came of the call


def test_passing_on_and_the_mark_stand_beside_the_number(browser, nilufar):
    citizen = Citizen("1764000000.1")
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, clock.now())
    made = send(browser, f"{desk.token}/register-call", values={"gist": "Ish soʻradi"})
    page = browser.get(f"/operator/registered/{made['number']}").text
    assert "hali berilmagan" in page
    assert "Ulab berildi" not in page
    citizen.asks("2001")
    citizen.comes_back("no_answer")
    piece = browser.get(f"/operator/forms/{desk.token}/after").text
    assert "2001" in piece
    assert "murojaatchi qaytib keldi" in piece
    citizen.facts.rating, citizen.facts.rating_channel = 4, "keypad"
    citizen.hang_up()
    assert "<dd>4</dd>" in browser.get(f"/operator/forms/{desk.token}/after").text


def test_an_operator_calls_a_number_by_a_click_and_nobody_else(browser, nilufar, login_as):
    token = form_of_talk(nilufar)
    assert f'data-dial="form/{token}"' in browser.get("/operator/card").text
    made = send(browser, f"{token}/register-call", values={"gist": "Ish soʻradi"})["number"]
    assert f'data-dial="call_form/{made}"' in browser.get(f"/call-forms/{made}").text
    assert "data-dial" not in login_as("supervisor").get(f"/call-forms/{made}").text
