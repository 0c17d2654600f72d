"""The caller's card in the real browser: a repeated appeal, a note, a call by a click."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from appliance.models import Appeal, AppealStep, NumberNote, ScheduledCallback, User
from tests.browser.talk import open_page_in_talk
from tests.rig.appeals import FULL_FORM, create_appeal


@pytest.fixture
def page(window: BrowserContext, nilufar: User, settings) -> Page:
    """Nilufar's page with a call from a number that has an open appeal."""
    create_appeal(settings, nilufar, FULL_FORM)
    return open_page_in_talk(window, nilufar)


def test_a_similar_appeal_is_shown_while_typing_and_can_be_extended(page: Page) -> None:
    page.keyboard.press("F6")
    page.wait_for_selector("#form[data-form='1'][data-ready]")
    expect(page.locator("[data-add]")).to_have_count(0)
    page.locator("#f-direction").fill("subs")
    page.locator("#f-direction-list [role=option]").first.click()
    expect(page.locator("[data-add]")).to_have_count(1)
    page.keyboard.press("Alt+KeyA")
    expect(page.locator("#alike [data-trouble]")).to_contain_text("mazmunini")
    expect(page.locator("#f-gist")).to_be_focused()
    page.keyboard.type("Hujjat topshirdi")
    page.keyboard.press("Alt+KeyA")
    expect(page.locator(".bignumber")).to_contain_text("Q-")
    assert Appeal.select().count() == 1
    assert AppealStep.get().text == "Hujjat topshirdi"


def test_a_note_and_a_scheduled_callback_leave_the_form_unchanged(page: Page) -> None:
    page.locator("#f-gist").fill("Ish soʻradi")
    page.keyboard.press("Alt+KeyN")
    page.locator("#note-text").fill("Eshitishi past")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#number-notes")).to_contain_text("Eshitishi past")
    page.keyboard.press("Alt+KeyB")
    page.locator("#callback-day").fill("31.02.2027")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#callback-trouble")).not_to_be_empty()
    expect(page.locator("#callback-day")).to_have_value("31.02.2027")
    page.keyboard.press("Escape")
    expect(page.locator("#aside")).to_be_hidden()
    expect(page.locator("#f-gist")).to_have_value("Ish soʻradi")
    assert NumberNote.select().count() == 1
    assert ScheduledCallback.select().count() == 0


def test_a_click_on_a_number_requests_a_call_from_asterisk(page: Page) -> None:
    page.locator("[data-dial]:not(#passing)").first.click()
    expect(page.locator("#toasts .toast")).to_contain_text("Stansiya javob bermayapti")
