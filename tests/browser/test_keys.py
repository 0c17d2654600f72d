"""Keys of every page in the real browser: the sheet, and layouts that write other letters."""

import pytest
from playwright.sync_api import Page, expect

from appliance.casework import appeals
from appliance.models import User
from tests.browser.conftest import sign_in
from tests.browser.test_operator import FIRST_CALL, form_of, open_page
from tests.rig.citizen import Citizen


def strike(page: Page, code: str, letter: str) -> None:
    """A key as a keyboard under another layout sends it: the place, and what it writes there."""
    session = page.context.new_cdp_session(page)
    for kind in ("keyDown", "keyUp"):
        session.send("Input.dispatchKeyEvent", {"type": kind, "code": code, "key": letter})
    session.detach()


def test_the_sheet_tells_the_keys_and_stops_no_call(window, nilufar: User) -> None:
    page = open_page(window)
    page.get_by_role("link", name="Yangi murojaat").focus()
    page.keyboard.press("?")
    sheet = page.locator("#shortcuts")
    expect(sheet).to_be_visible()
    expect(sheet.locator("h2")).to_be_focused()
    expect(sheet.locator("[data-action=hang_up]")).to_have_attribute("data-off", "")
    expect(sheet.locator("[data-action=call_out]")).not_to_have_attribute("data-off", "")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("link", name="Yangi murojaat")).to_be_focused()

    citizen = Citizen(FIRST_CALL)
    page.keyboard.press("F1")
    citizen.ring(nilufar)
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    expect(sheet).to_be_hidden()  # the call comes first
    citizen.talk()
    expect(page.locator("#f-surname")).to_be_focused()
    page.keyboard.press("F1")
    expect(sheet.locator("[data-action=call_out]")).to_have_attribute("data-off", "")
    page.keyboard.press("F9")  # the sheet makes way
    expect(page.locator("#passing-q")).to_be_focused()
    expect(sheet).to_be_hidden()
    page.keyboard.type("?j")
    expect(page.locator("#passing-q")).to_have_value("?j")


@pytest.mark.parametrize("layout", ["uz_Latn", "cyrillic"])
def test_letters_act_by_their_place(window, nilufar: User, settings, layout: str) -> None:
    one, two = (
        appeals.register(
            {"first_name": name},
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=settings.tz,
        )
        for name in ("Aziza", "Lola")
    )
    j, k, slash, question = "jk/?" if layout == "uz_Latn" else "ол.?"
    page = window.new_page()
    sign_in(page, "dilnoza")
    page.goto("/appeals")
    rows = page.locator("#appeals .rowlink")
    expect(rows).to_have_count(2)
    strike(page, "KeyJ", j)
    strike(page, "KeyJ", j)
    expect(rows.nth(1)).to_be_focused()
    strike(page, "KeyK", k)
    expect(rows.nth(0)).to_be_focused()
    strike(page, "Digit7" if layout == "cyrillic" else "Slash", question)
    expect(page.locator("#shortcuts")).to_be_visible()
    expect(page.locator("#shortcuts [data-action=next_row]")).not_to_have_attribute("data-off", "")
    page.keyboard.press("Escape")
    strike(page, "Slash", slash)
    expect(page.locator("#q")).to_be_focused()
    strike(page, "KeyJ", j)  # a letter that is typed
    expect(page.locator("#q")).to_be_focused()
    assert {one.number, two.number} == set(rows.all_inner_texts())
