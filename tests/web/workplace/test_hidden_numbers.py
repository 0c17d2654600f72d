"""An operator with hidden numbers works as usual: a mask takes the place of the full number."""

import re
from typing import Any

import pytest

from appliance.casework import call_forms
from appliance.casework.appeals import queries
from appliance.casework.forms import drafts
from appliance.core import phone_numbers
from appliance.models import AuditEntry, LiveEvent, NumberHiding, ScheduledCallback, User
from appliance.pbx import config
from appliance.telephony import number_hiding
from tests.rig.browser import Browser
from tests.rig.citizen import CITIZEN_NUMBER, form_token_in_talk

MASKED_NUMBER = phone_numbers.masked_number(CITIZEN_NUMBER)
OTHER_NUMBER = "+998901112233"


@pytest.fixture
def browser(login_as, settings) -> Browser:
    """The browser of Nilufar, from whom numbers are hidden."""
    number_hiding.set_enabled(True, by="dilnoza")
    return login_as("nilufar")


@pytest.fixture
def token(nilufar: User) -> str:
    """The token of Nilufar's form for a call on which they are talking."""
    return form_token_in_talk(nilufar)


def post_json(browser: Browser, path: str, **sent: Any) -> Any:
    """Post JSON, as the page's script does."""
    headers = {"X-CSRFToken": browser.token("/account")}
    return browser.post(path, json=sent, headers=headers)


def test_a_supervisor_hides_and_shows_numbers(login_as, nilufar) -> None:
    supervisor = login_as("supervisor")
    assert supervisor.send("/workday/numbers", hidden="1").status_code == 302
    assert number_hiding.is_enabled()
    assert re.search(r'name="hidden" value="1" *checked', supervisor.get("/workday").text)
    assert LiveEvent.select().where(LiveEvent.topic == "operator:nilufar").exists()
    supervisor.send("/workday/numbers", hidden="1")
    assert NumberHiding.select().count() == 1  # numbers were hidden already
    supervisor.send("/workday/numbers")
    assert not number_hiding.is_enabled()
    rows = AuditEntry.select().where(AuditEntry.action.startswith("numbers."))
    assert [(row.action, row.who) for row in rows.order_by(AuditEntry.id)] == [
        ("numbers.hide", "dilnoza"),
        ("numbers.show", "dilnoza"),
    ]


def test_a_form_keeps_the_number_when_its_mask_is_sent(browser, token, nilufar) -> None:
    card = browser.get("/operator/card?shows=1").text
    assert re.search(rf'id="f-phone"[^>]*value="{re.escape(MASKED_NUMBER)}"', card)
    form_path, sent = (
        f"/operator/forms/{token}",
        {"phone": MASKED_NUMBER, "phone_at_hand": OTHER_NUMBER},
    )
    assert post_json(browser, form_path, values=sent, form="1").status_code == 200
    stored = drafts.find_draft(nilufar, token).values
    assert (stored["phone"], stored["phone_at_hand"]) == (CITIZEN_NUMBER, OTHER_NUMBER)
    masked_phones = {
        "phone": MASKED_NUMBER,
        "phone_at_hand": phone_numbers.masked_number(OTHER_NUMBER),
    }
    answer = post_json(
        browser, form_path, values=masked_phones | {"gist": "Ish"}, base=masked_phones, form="1"
    ).get_json()
    assert (answer["elsewhere"], answer["doubts"]) == ({}, {})
    number = post_json(browser, f"{form_path}/register", values=masked_phones).get_json()["number"]
    appeal = queries.find_appeal(number, nilufar)
    assert (appeal.phone, appeal.phone_at_hand) == (CITIZEN_NUMBER, OTHER_NUMBER)


def test_another_typed_number_replaces_the_hidden_one(browser, token, nilufar) -> None:
    post_json(browser, f"/operator/forms/{token}", values={"phone": OTHER_NUMBER}, form="1")
    assert drafts.find_draft(nilufar, token).values["phone"] == OTHER_NUMBER


def test_a_correction_does_not_change_a_masked_number(browser, register, nilufar) -> None:
    appeal = register(phone=CITIZEN_NUMBER, phone_at_hand=OTHER_NUMBER)
    page = browser.get(f"/appeals/{appeal.number}/correct").text
    fields = {
        "phone": MASKED_NUMBER,
        "phone_at_hand": phone_numbers.masked_number(OTHER_NUMBER),
        "surname": "Boshqa",
    }
    assert f'value="{MASKED_NUMBER}"' in page
    browser.send(f"/appeals/{appeal.number}/correct", version="1", **fields)
    after = queries.find_appeal(appeal.number, nilufar)
    assert (after.phone, after.phone_at_hand, after.surname) == (
        CITIZEN_NUMBER,
        OTHER_NUMBER,
        "Boshqa",
    )


def test_a_registered_call_is_corrected_without_its_number(
    browser, token, settings, nilufar
) -> None:
    form = call_forms.register({"gist": "Ish"}, operator=nilufar, token=token, tz=settings.tz)
    page = browser.get(f"/call-forms/{form.number}").text
    assert MASKED_NUMBER in page.replace("\u00a0", " ")
    browser.send(f"/call-forms/{form.number}/correct", phone=MASKED_NUMBER, gist="Ish soʻradi")
    after = call_forms.find_call_form(form.number, nilufar)
    assert (after.phone, after.gist) == (CITIZEN_NUMBER, "Ish soʻradi")


def test_a_promised_call_is_made_to_the_full_number(browser, token) -> None:
    callback_path = f"/operator/forms/{token}/callback"
    page = browser.get(callback_path).text
    assert f'value="{MASKED_NUMBER}"' in page
    tomorrow = re.search(r'name="day" value="([^"]+)"', " ".join(page.split()))
    assert tomorrow
    sent = {"number": MASKED_NUMBER, "about": "", "day": tomorrow[1], "time": "10:00"}
    assert post_json(browser, callback_path, **sent).get_json()["trouble"] == ""
    assert ScheduledCallback.get().number == CITIZEN_NUMBER


def test_a_number_is_called_by_its_record(browser, token, register) -> None:
    appeal = register(phone=CITIZEN_NUMBER)
    for record in (f"form/{token}", f"appeal/{appeal.number}"):
        answer = post_json(browser, "/operator/dial", of=record, reason="follow_up").get_json()
        assert "Stansiya javob bermayapti" in answer["trouble"]
    assert (
        "terib boʻlmaydi"
        in post_json(  # the appeal came without a call
            browser, "/operator/dial", of=f"caller/{appeal.number}", reason="page"
        ).get_json()["trouble"]
    )
    for record, status in (("form/x", 404), ("appeal/2026-999999", 404), ("number/1", 422)):
        assert post_json(browser, "/operator/dial", of=record, reason="page").status_code == status


def test_phones_without_numbers_are_set_to_the_hotlines_number(settings, nilufar) -> None:
    assert "from_user" not in config.render_files(settings)["pjsip.conf"]
    number_hiding.set_enabled(True, by="dilnoza")
    phone = config.render_files(settings)["pjsip.conf"].partition(f"[{nilufar.extension}]")[2]
    assert f"from_user = {settings.calls.hotline_number}\n" in phone.partition("[")[0]
