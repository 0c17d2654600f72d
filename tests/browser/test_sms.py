"""The operator's short message in the real browser: by keys, beside the form, nothing is lost."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.messaging.notices import templates
from appliance.messaging.notices.templates import Template
from appliance.models import Appeal, Message, User
from provisioning.local.settings_file import scratch
from tests.browser.conftest import sign_in
from tests.browser.test_operator import AXE, RULES, form_of, saved
from tests.rig.citizen import PHONE, Citizen

CALL = "1764000000.1"
ADDRESS = Template("Manzil", "Hurmatli {name}: Navoiy 12", "{name}: Навои 12")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The test's site, with an account whose price is known."""
    account = {"name": "first", "kind": "eskiz", "url": "http://127.0.0.1:9", "price": 9500}
    settings.file.write_text(scratch(sms=[account]))
    return site_settings.load(settings.file)


@pytest.fixture
def page(window: BrowserContext, settings: Settings, nilufar: User) -> Page:
    """Nilufar's page while she speaks, and the form of the call has a name in it."""
    templates.save(settings, ADDRESS, "sherzod")
    opened = window.new_page()
    sign_in(opened, "nilufar")
    citizen = Citizen(CALL)
    citizen.ring(nilufar)
    citizen.talk()
    expect(form_of(opened, CALL)).to_be_visible()
    opened.locator("#f-first_name").fill("Aziza")
    saved(opened)
    return opened


def faults(page: Page, part: str) -> list[str]:
    """The rules of accessibility that a part of the page breaks."""
    page.evaluate(AXE.read_text())
    run = "([part, tags]) => axe.run(part, {runOnly: {type: 'tag', values: tags}})"
    return [fault["id"] for fault in page.evaluate(run, [part, RULES])["violations"]]


def test_by_keys_alone_and_the_form_stays_as_it_is(page: Page) -> None:
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
    assert faults(page, "#sms") == []
    text.focus()
    page.keyboard.press("Control+Enter")  # sends the message, and registers nothing
    expect(page.locator(".toast")).to_be_visible()
    expect(panel).to_be_hidden()
    expect(page.locator("#sms-list .sms")).to_contain_text("soat 9 dan")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    [message] = Message.select()
    assert (message.recipient, message.cause) == (PHONE, CALL)
    assert not Appeal.select().exists()


def test_a_message_that_no_answer_came_to_is_sent_once(page: Page) -> None:
    page.keyboard.press("Alt+s")
    text = page.locator("#sms-text")
    text.fill("Salom")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/messages/form/*", lose, times=1)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_be_visible()
    expect(text).to_have_value("Salom")
    text.focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms")).to_be_hidden()
    assert Message.select().count() == 1


def test_what_hinders_it_is_said_and_what_was_typed_stays(page: Page) -> None:
    page.keyboard.press("Alt+s")
    text, trouble = page.locator("#sms-text"), page.locator("#sms-w")
    expect(trouble).to_be_hidden()
    text.fill("Murojaat {number}")
    expect(trouble).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms")).to_be_visible()
    expect(text).to_have_value("Murojaat {number}")
    page.locator("#sms-template").select_option("Manzil")  # what somebody typed is not replaced
    expect(text).to_have_value("Murojaat {number} Hurmatli Aziza: Navoiy 12")
    text.fill("Salom")
    page.locator("#sms-to").fill("71 239 41 41")
    expect(trouble).to_be_visible()
    page.locator("#sms-to").fill("90 111 22 33")
    expect(trouble).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms")).to_be_hidden()
    assert [message.recipient for message in Message.select()] == ["+998901112233"]


def test_the_panel_makes_room_for_passing_on(page: Page) -> None:
    page.keyboard.press("Alt+s")
    page.locator("#sms-text").fill("Salom")
    page.keyboard.press("F9")
    expect(page.locator("#passing-q")).to_be_focused()
    expect(page.locator("#sms")).to_be_hidden()
    page.keyboard.press("Alt+s")
    expect(page.locator("#passing")).to_be_hidden()
    expect(page.locator("#sms-text")).to_have_value("Salom")


def test_from_a_calls_card(page: Page, window: BrowserContext) -> None:
    window.clear_cookies()
    sign_in(page, "dilnoza", f"/calls/{CALL}")
    page.locator(".smswrite summary").click()
    page.locator("#sms-template").select_option("Manzil")
    page.locator(".smsform [value=ru]").check(force=True)
    text = page.locator("#sms-text")
    expect(text).to_have_value("{name}: Навои 12")  # nothing is registered of the call
    text.fill("Aziza: Навои 12")
    expect(page.locator("#sms-size")).to_have_text("1 ta SMS, 95,00 soʻm")
    assert faults(page, "main") == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#sms-list .sms")).to_contain_text("Aziza: Навои 12")
    [message] = Message.select()
    assert (message.cause, message.recipient) == (CALL, PHONE)
