"""The caller's card: what is known by number and person; adding to an open appeal."""

import re
from typing import Any

import pytest

from appliance.casework import call_forms
from appliance.casework.appeals import handling
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import drafts
from appliance.core import clock, outbox
from appliance.models import Appeal, AppealStep, AuditEntry, Draft, Handling
from tests.rig.appeals import FULL_FORM
from tests.rig.browser import Browser
from tests.rig.citizen import CITIZEN_NUMBER, Citizen, MissedCaller, form_token_in_talk

OTHER_NUMBER = "+998901112233"


@pytest.fixture
def browser(login_as) -> Browser:
    """Nilufar's browser, signed in."""
    return login_as("nilufar")


def post_form(browser: Browser, path: str, **sent: Any) -> Any:
    """Post JSON, as the page's script does."""
    headers = {"X-CSRFToken": browser.token("/operator")}
    return browser.post(f"/operator/forms/{path}", json=sent, headers=headers).get_json()


def dismiss_appeal(appeal: Appeal) -> None:
    handling.dismiss_appeal(appeal, "29-modda", "bahodir", 1)


def test_the_card_shows_the_state_and_the_deadline_of_appeals(browser, nilufar, register):
    appeal = register()
    form_token_in_talk(nilufar)
    card = browser.get("/operator/card").text
    due = f"{Handling.get_by_id(appeal.id).due_on:%d.%m.%Y}"
    assert f"{due} gacha" in card
    assert "Yangi" in card
    assert "ish kuni" in card
    dismiss_appeal(appeal)
    card = browser.get("/operator/card").text
    assert "Yopilgan" in card
    assert f"{due} gacha" not in card


def test_the_card_lists_registered_calls_missed_calls_and_messages(
    browser, settings, nilufar, sardor
):
    token = form_token_in_talk(sardor, id="1764000000.0")
    form = call_forms.register(
        {"gist": "Maslahat soʻradi"}, operator=sardor, token=token, tz=settings.tz
    )
    MissedCaller(nilufar)
    outbox.queue_sms(
        "registered", CITIZEN_NUMBER, "Javob tayyor", key="1", cause="x", tz=settings.tz
    )
    sent = outbox.claim_next("sms")
    outbox.mark_sent(sent, "eskiz", "7")
    outbox.queue_sms(
        "registered", CITIZEN_NUMBER, "Hali ketmagan", key="2", cause="x", tz=settings.tz
    )
    form_token_in_talk(nilufar)
    card = browser.get("/operator/card").text
    assert form.number in card
    assert "Maslahat soʻradi" in card
    assert "1 ta oʻtkazib yuborilgan" in card
    assert "Javob tayyor" in card
    assert "Hali ketmagan" not in card
    row = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert row.detail["message"] == [sent.id]
    assert row.detail["call_form"] == [form.number]


def test_another_number_shows_a_persons_appeals_once_they_are_identified(
    browser, nilufar, register
):
    appeal = register()
    token = form_token_in_talk(nilufar, OTHER_NUMBER)
    assert appeal.number not in browser.get("/operator/card").text
    before = post_form(browser, token, values={"first_name": "Gulchehra"}, form="1")["recognised"]
    now = post_form(browser, token, values={"pinfl": FULL_FORM["pinfl"]}, form="1")["recognised"]
    assert now != before
    piece = browser.get(f"/operator/forms/{token}/person").text
    assert appeal.number in piece
    assert "Gulchehra" in piece
    assert browser.get(f"/appeals/{appeal.number}").status_code == 200  # the operator may open it


@pytest.mark.parametrize("passport", ["AB 1234567", "АВ1234567"])
def test_a_full_passport_number_identifies_the_person(browser, nilufar, register, passport):
    appeal = register()
    token = form_token_in_talk(nilufar, OTHER_NUMBER)
    post_form(browser, token, values={"passport": passport}, form="1")
    assert appeal.number in browser.get(f"/operator/forms/{token}/person").text
    post_form(browser, token, values={"passport": "AB 123"}, form="1")
    assert appeal.number not in browser.get(f"/operator/forms/{token}/person").text


# an open appeal of the same matter


@pytest.mark.parametrize(
    ("phone", "values", "alike"),
    [
        (CITIZEN_NUMBER, {"direction": "subsidies"}, True),
        (CITIZEN_NUMBER, {"direction": "training"}, False),
        (CITIZEN_NUMBER, {"gist": "Yana"}, False),
        (OTHER_NUMBER, {"direction": "subsidies"}, False),
        (OTHER_NUMBER, {"direction": "subsidies", "pinfl": FULL_FORM["pinfl"]}, True),
        (OTHER_NUMBER, {"direction": "subsidies", "phone": CITIZEN_NUMBER}, True),
    ],
)
def test_a_similar_open_appeal_is_shown(browser, nilufar, register, phone, values, alike):
    appeal = register()
    token = form_token_in_talk(nilufar, phone)
    post_form(browser, token, values=values, form="1")
    assert ("data-add" in browser.get(f"/operator/forms/{token}/alike").text) is alike
    dismiss_appeal(appeal)
    assert "data-add" not in browser.get(f"/operator/forms/{token}/alike").text


def test_adding_keeps_typed_values_and_registers_no_second_appeal(
    browser, nilufar, register, login_as, bahodir
):
    appeal = register()
    token = form_token_in_talk(nilufar)
    typed = {
        "direction": "subsidies",
        "direction_text": "Subsidiya",
        "surname": "Yoʻldosheva",
        "phone": "+998 93 555 01 47",
        "phone_at_hand": "90 111 22 33",
        "gist": "Hujjatlarini topshirdi.",
    }
    post_form(browser, token, values=typed, form="1")
    answer = post_form(browser, f"{token}/add", values=typed, appeal=appeal.number)
    assert answer["trouble"] == ""
    assert post_form(browser, f"{token}/add", values=typed, appeal=appeal.number) == answer
    assert Appeal.select().count() == 1
    assert not Draft.select().exists()
    [step] = AppealStep.select()
    assert (step.action, step.who, step.text) == ("add", "nilufar", "Hujjatlarini topshirdi.")
    assert step.detail["call"] == "1764000000.1"
    assert step.detail["changes"] == {"phone_at_hand": ["", "90 111 22 33"]}
    form = call_forms.find_call_form(answer["number"], nilufar)
    assert form
    assert form.appeal_number == appeal.number
    assert form.gist == step.text
    assert appeal.number in browser.get(f"/operator/registered/{form.number}").text
    assert AuditEntry.select().where(AuditEntry.action == "appeal.add").count() == 1
    ministry = login_as("bahodir")
    assert "Qoʻshimcha" in ministry.get("/appeals").text
    history = ministry.get(f"/appeals/{appeal.number}/history").text
    assert "Hujjatlarini topshirdi." in history
    assert "111" in history
    handling.take_over(appeal, "bahodir", Handling.get_by_id(appeal.id).version)
    rows = ministry.get("/appeals/list").text
    assert appeal.number in rows
    assert "Qoʻshimcha" not in rows


def test_adding_without_a_gist_or_too_late_is_refused_and_loses_nothing(browser, nilufar, register):
    appeal = register()
    token = form_token_in_talk(nilufar)
    post_form(browser, token, values={"surname": "Yoʻldosheva", "direction": "subsidies"}, form="1")
    answer = post_form(browser, f"{token}/add", values={"gist": " "}, appeal=appeal.number)
    assert answer["trouble"].startswith("Avval mazmunini yozing")
    dismiss_appeal(appeal)
    answer = post_form(browser, f"{token}/add", values={"gist": "Yana"}, appeal=appeal.number)
    assert answer["trouble"].startswith("Bu murojaat yopilgan")
    assert Draft.get().values["surname"] == "Yoʻldosheva"
    assert not AppealStep.select().where(AppealStep.action == "add").exists()


def test_operators_add_only_to_appeals_they_may_see(browser, sardor, register, nilufar):
    appeal = register()
    Appeal.update(operator=sardor).where(Appeal.id == appeal.id).execute()
    token = form_token_in_talk(nilufar, OTHER_NUMBER)
    path = f"/operator/forms/{token}/add"
    headers = {"X-CSRFToken": browser.token("/operator")}
    sent = {"values": {"gist": "Yana"}, "appeal": appeal.number}
    assert browser.post(path, json=sent, headers=headers).status_code == 404


def test_a_form_without_a_call_is_added_and_closed(browser, nilufar, register):
    appeal = register()
    token = drafts.token_for(nilufar, None)
    values = {"phone": CITIZEN_NUMBER, "direction": "subsidies", "gist": "Xat keldi"}
    post_form(browser, token, values=values, form="1")
    answer = post_form(browser, f"{token}/add", values=values, appeal=appeal.number)
    assert answer["number"] == ""
    assert answer["trouble"] == ""
    assert [step.text for step in handling.list_steps(appeal)] == ["Xat keldi"]
    assert not re.search('id="form"', browser.get("/operator/card?registered=").text)


# the outcome of the call


def test_the_transfer_and_the_rating_are_shown_with_the_number(browser, nilufar):
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, clock.now())
    registered = post_form(browser, f"{desk.token}/register-call", values={"gist": "Ish soʻradi"})
    page = browser.get(f"/operator/registered/{registered['number']}").text
    assert "hali berilmagan" in page
    assert "Ulab berildi" not in page
    citizen.start_transfer("2001")
    citizen.return_from_transfer("no_answer")
    piece = browser.get(f"/operator/forms/{desk.token}/after").text
    assert "2001" in piece
    assert "qoʻngʻiroq qiluvchi qaytib keldi" in piece
    citizen.facts.rating, citizen.facts.rating_channel = 4, "keypad"
    citizen.hang_up()
    assert "<dd>4</dd>" in browser.get(f"/operator/forms/{desk.token}/after").text


def test_only_operators_call_a_number_by_a_click(browser, nilufar, login_as):
    token = form_token_in_talk(nilufar)
    assert f'data-dial="form/{token}"' in browser.get("/operator/card").text
    form_number = post_form(browser, f"{token}/register-call", values={"gist": "Ish soʻradi"})[
        "number"
    ]
    assert f'data-dial="call_form/{form_number}"' in browser.get(f"/call-forms/{form_number}").text
    assert "data-dial" not in login_as("supervisor").get(f"/call-forms/{form_number}").text
