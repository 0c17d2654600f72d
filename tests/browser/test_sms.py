"""The operator's short message in the real browser: by keys, next to the form, without any loss."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from appliance.core.settings import Settings
from appliance.messaging.notices import templates
from appliance.messaging.notices.templates import Template
from appliance.models import Appeal, Message, User
from tests.browser.conftest import sign_in
from tests.browser.talk import CALL, add_sms_account, open_named_form
from tests.browser.test_operator import AXE_RULES, AXE_SCRIPT
from tests.rig.citizen import CITIZEN_NUMBER

ADDRESS = Template("Manzil", "Hurmatli {name}: Navoiy 12", "{name}: Навои 12")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The test's site with an SMS account whose price is set."""
    return add_sms_account(settings)


@pytest.fixture
def page(window: BrowserContext, settings: Settings, nilufar: User) -> Page:
    """Nilufar's page during a talk; the form of the call has a name in it."""
    templates.save_template(settings, ADDRESS, "sherzod")
    return open_named_form(window, nilufar)


def accessibility_faults(page: Page, part: str) -> list[str]:
    """Return the accessibility rules that a part of the page breaks."""
    page.evaluate(AXE_SCRIPT.read_text())
    run = "([part, tags]) => axe.run(part, {runOnly: {type: 'tag', values: tags}})"
    return [fault["id"] for fault in page.evaluate(run, [part, AXE_RULES])["violations"]]


def test_a_message_is_sent_by_keys_alone_and_the_form_is_unchanged(page: Page) -> None:
    page.locator("#f-gist").focus()
    page.keyboard.press("Alt+s")
    panel, text = page.locator("#sms"), page.locator("#sms-text")
    expect(page.locator("#sms-template")).to_be_focused()
    expect(page.locator("#sms-to")).to_have_value("+998 93 555 01 47")
    page.locator("#sms-template").select_option("Manzil")
    expect(text).to_have_value("Hurmatli Aziza: Navoiy 12")
    expect(page.locator("#sms-size")).to_have_text("1 ta SMS, 95,00 soʻm")
    text.press("End")
    text.press_sequentially(", soat 9 dan")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#f-gist")).to_be_focused()
    page.keyboard.press("Alt+s")
    expect(text).to_have_value("Hurmatli Aziza: Navoiy 12, soat 9 dan")
    assert accessibility_faults(page, "#sms") == []
    text.focus()
    page.keyboard.press("Control+Enter")  # sends the message and registers nothing
    expect(page.locator(".toast")).to_be_visible()
    expect(panel).to_be_hidden()
    expect(page.locator("#sms-list .sms")).to_contain_text("soat 9 dan")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    [message] = Message.select()
    assert (message.recipient, message.cause) == (CITIZEN_NUMBER, CALL)
    assert not Appeal.select().exists()


def test_a_message_without_a_response_is_sent_once(page: Page) -> None:
    page.keyboard.press("Alt+s")
    text = page.locator("#sms-text")
    text.fill("Salom")

    def lose_response(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/messages/form/*", lose_response, times=1)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_be_visible()
    expect(text).to_have_value("Salom")
    text.focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms")).to_be_hidden()
    assert Message.select().count() == 1


def test_an_obstacle_is_shown_and_the_typed_text_remains(page: Page) -> None:
    page.keyboard.press("Alt+s")
    text, trouble = page.locator("#sms-text"), page.locator("#sms-w")
    expect(trouble).to_be_hidden()
    text.fill("Murojaat {number}")
    expect(trouble).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms")).to_be_visible()
    expect(text).to_have_value("Murojaat {number}")
    page.locator("#sms-template").select_option("Manzil")  # typed text is not replaced
    expect(text).to_have_value("Murojaat {number} Hurmatli Aziza: Navoiy 12")
    text.fill("Salom")
    page.locator("#sms-to").fill("71 239 41 41")
    expect(trouble).to_be_visible()
    page.locator("#sms-to").fill("90 111 22 33")
    expect(trouble).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms")).to_be_hidden()
    assert [message.recipient for message in Message.select()] == ["+998901112233"]


def test_the_message_panel_closes_for_the_transfer_panel(page: Page) -> None:
    page.keyboard.press("Alt+s")
    page.locator("#sms-text").fill("Salom")
    page.keyboard.press("F9")
    expect(page.locator("#passing-q")).to_be_focused()
    expect(page.locator("#sms")).to_be_hidden()
    page.keyboard.press("Alt+s")
    expect(page.locator("#passing")).to_be_hidden()
    expect(page.locator("#sms-text")).to_have_value("Salom")


def test_a_message_is_sent_from_the_card_of_a_call(page: Page, window: BrowserContext) -> None:
    window.clear_cookies()
    sign_in(page, "dilnoza", f"/calls/{CALL}")
    page.locator(".smswrite summary").click()
    page.locator("#sms-template").select_option("Manzil")
    page.locator(".smsform [value=ru]").check(force=True)
    text = page.locator("#sms-text")
    expect(text).to_have_value("{name}: Навои 12")  # nothing is registered for the call
    text.fill("Aziza: Навои 12")
    expect(page.locator("#sms-size")).to_have_text("1 ta SMS, 95,00 soʻm")
    assert accessibility_faults(page, "main") == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms-list .sms")).to_contain_text("Aziza: Навои 12")
    [message] = Message.select()
    assert (message.cause, message.recipient) == (CALL, CITIZEN_NUMBER)
