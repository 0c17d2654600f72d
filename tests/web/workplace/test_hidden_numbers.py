"""An operator from whom numbers are hidden works as before: a mask stands for the whole number."""

import re
from typing import Any

import pytest

from appliance.casework import appeals, call_forms
from appliance.core import phone_numbers
from appliance.models import AuditEntry, LiveEvent, NumberHiding, ScheduledCallback, User
from appliance.pbx import config
from appliance.telephony import number_hiding
from tests.rig.browser import Browser
from tests.rig.citizen import PHONE, form_of_talk

MASK = phone_numbers.masked(PHONE)
OTHER = "+998901112233"


@pytest.fixture
def browser(login_as, settings) -> Browser:
    """Nilufar's, from whom numbers are hidden."""
    number_hiding.switch(True, by="dilnoza")
    return login_as("nilufar")


@pytest.fixture
def token(nilufar: User) -> str:
    """The name of her form for a call that speaks with her."""
    return form_of_talk(nilufar)


def post(browser: Browser, path: str, **sent: Any) -> Any:
    """Post JSON, as the page's script does."""
    headers = {"X-CSRFToken": browser.token("/account")}
    return browser.post(path, json=sent, headers=headers)


def test_a_supervisor_hides_and_shows_them(login_as, nilufar) -> None:
    supervisor = login_as("supervisor")
    assert supervisor.send("/workday/numbers", hidden="1").status_code == 302
    assert number_hiding.is_on()
    assert re.search(r'name="hidden" value="1" *checked', supervisor.get("/workday").text)
    assert LiveEvent.select().where(LiveEvent.topic == "operator:nilufar").exists()
    supervisor.send("/workday/numbers", hidden="1")
    assert NumberHiding.select().count() == 1  # it was so already
    supervisor.send("/workday/numbers")
    assert not number_hiding.is_on()
    rows = AuditEntry.select().where(AuditEntry.action.startswith("numbers."))
    assert [(row.action, row.who) for row in rows.order_by(AuditEntry.id)] == [
        ("numbers.hide", "dilnoza"),
        ("numbers.show", "dilnoza"),
    ]


def test_a_form_keeps_the_number_for_which_a_mask_is_sent(browser, token, nilufar) -> None:
    card = browser.get("/operator/card?shows=1").text
    assert re.search(rf'id="f-phone"[^>]*value="{re.escape(MASK)}"', card)
    there, sent = f"/operator/forms/{token}", {"phone": MASK, "phone_at_hand": OTHER}
    assert post(browser, there, values=sent, form="1").status_code == 200
    kept = appeals.draft(nilufar, token).values
    assert (kept["phone"], kept["phone_at_hand"]) == (PHONE, OTHER)
    both = {"phone": MASK, "phone_at_hand": phone_numbers.masked(OTHER)}
    answer = post(browser, there, values=both | {"gist": "Ish"}, base=both, form="1").get_json()
    assert (answer["elsewhere"], answer["doubts"]) == ({}, {})
    number = post(browser, f"{there}/register", values=both).get_json()["number"]
    appeal = appeals.find(number, nilufar)
    assert (appeal.phone, appeal.phone_at_hand) == (PHONE, OTHER)


def test_another_number_that_is_typed_replaces_it(browser, token, nilufar) -> None:
    post(browser, f"/operator/forms/{token}", values={"phone": OTHER}, form="1")
    assert appeals.draft(nilufar, token).values["phone"] == OTHER


def test_a_correction_leaves_a_masked_number_as_it_was(browser, register, nilufar) -> None:
    appeal = register(phone=PHONE, phone_at_hand=OTHER)
    page = browser.get(f"/appeals/{appeal.number}/correct").text
    fields = {"phone": MASK, "phone_at_hand": phone_numbers.masked(OTHER), "surname": "Boshqa"}
    assert f'value="{MASK}"' in page
    browser.send(f"/appeals/{appeal.number}/correct", version="1", **fields)
    after = appeals.find(appeal.number, nilufar)
    assert (after.phone, after.phone_at_hand, after.surname) == (PHONE, OTHER, "Boshqa")


def test_a_registered_call_is_corrected_without_its_number(
    browser, token, settings, nilufar
) -> None:
    made = call_forms.register({"gist": "Ish"}, operator=nilufar, token=token, tz=settings.tz)
    page = browser.get(f"/call-forms/{made.number}").text
    assert MASK in page.replace("\u00a0", " ")
    browser.send(f"/call-forms/{made.number}/correct", phone=MASK, gist="Ish soʻradi")
    after = call_forms.find(made.number, nilufar)
    assert (after.phone, after.gist) == (PHONE, "Ish soʻradi")


def test_a_promised_call_is_to_the_whole_number(browser, token) -> None:
    there = f"/operator/forms/{token}/callback"
    page = browser.get(there).text
    assert f'value="{MASK}"' in page
    tomorrow = re.search(r'name="day" value="([^"]+)"', " ".join(page.split()))
    assert tomorrow
    sent = {"number": MASK, "about": "", "day": tomorrow[1], "time": "10:00"}
    assert post(browser, there, **sent).get_json()["trouble"] == ""
    assert ScheduledCallback.get().number == PHONE


def test_a_number_is_called_by_what_it_belongs_to(browser, token, register) -> None:
    appeal = register(phone=PHONE)
    for of in (f"form/{token}", f"appeal/{appeal.number}"):
        answer = post(browser, "/operator/dial", of=of, reason="follow_up").get_json()
        assert "Stansiya javob bermayapti" in answer["trouble"]
    assert (
        "terib boʻlmaydi"
        in post(  # it came without a call
            browser, "/operator/dial", of=f"caller/{appeal.number}", reason="page"
        ).get_json()["trouble"]
    )
    for of, status in (("form/x", 404), ("appeal/2026-999999", 404), ("number/1", 422)):
        assert post(browser, "/operator/dial", of=of, reason="page").status_code == status


def test_their_phones_are_told_the_hotlines_number(settings, nilufar) -> None:
    assert "from_user" not in config.render(settings)["pjsip.conf"]
    number_hiding.switch(True, by="dilnoza")
    phone = config.render(settings)["pjsip.conf"].partition(f"[{nilufar.extension}]")[2]
    assert f"from_user = {settings.calls.hotline_number}\n" in phone.partition("[")[0]
