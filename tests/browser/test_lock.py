"""A page that is covered while nobody uses it, and the sign-in at a shared desk."""

import re
import time

import pytest
from playwright.sync_api import expect

from appliance.people import pins, sessions
from provisioning.local.settings_file import EASY_SIGN_IN, scratch_settings
from tests.browser.conftest import sign_in

PIN = "4071"


@pytest.fixture
def locking(settings, nilufar):
    """A site whose pages lock themselves after 15 minutes; Nilufar has a PIN."""
    settings.file.write_text(scratch_settings(sign_in={**EASY_SIGN_IN, "lock_minutes": 15}))
    pins.set_pin(nilufar, PIN, settings.web.secret_key)


def test_a_locked_page_keeps_typed_text(locking, window) -> None:
    page, other_page = window.new_page(), window.new_page()
    sign_in(page, "nilufar", "/operator/forms/new")
    other_page.goto("/account")
    page.bring_to_front()
    gist = page.locator("#f-gist")
    gist.fill("Subsidiya haqida")
    page.keyboard.press("Alt+Z")
    for tab in (page, other_page):
        expect(tab.locator("#cover")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#cover")).to_be_visible()
    pin = page.locator("#cover-pin")
    expect(pin).to_be_focused()
    pin.fill("0000")
    pin.press("Enter")
    expect(page.locator("#cover [data-wrong]")).to_be_visible()
    pin.fill(PIN)
    pin.press("Enter")
    for tab in (page, other_page):
        expect(tab.locator("#cover")).to_be_hidden()
    expect(gist).to_have_value("Subsidiya haqida")
    expect(page.locator("[data-trouble='401']")).to_be_hidden()


def test_an_idle_page_locks_itself_and_a_reload_does_not_unlock_it(locking, window) -> None:
    page = window.new_page()
    page.clock.install()
    sign_in(page, "nilufar")
    page.clock.fast_forward("14:00")
    page.mouse.move(50, 50)
    page.clock.fast_forward("14:00")
    expect(page.locator("#cover")).to_be_hidden()
    with page.expect_response(lambda answer: answer.request.method == "POST"):  # stored
        page.clock.fast_forward("02:00")
    expect(page.locator("#cover")).to_be_visible()
    page.reload()
    page.wait_for_url(re.compile(r"/lock\?next="))
    page.locator("#cover-pin").fill(PIN)
    page.locator("#cover-pin").press("Enter")
    page.wait_for_url("**/operator")


def test_a_page_is_covered_when_its_session_is_ended_elsewhere(locking, window, nilufar) -> None:
    page = window.new_page()
    sign_in(page, "nilufar")
    [session] = sessions.user_sessions(nilufar)
    sessions.end_session(session, "rustam")
    expect(page.locator("#cover [data-over]")).to_be_visible()


def test_a_page_is_covered_when_its_session_ended_while_the_link_was_down(
    locking, window, nilufar
) -> None:
    """No event reports it: the stream is refused. A sign-in in another tab uncovers the page."""
    page = window.new_page()
    stream = re.compile(r"/live\?")
    page.route(stream, lambda route: route.abort())
    sign_in(page, "nilufar", "/operator/forms/new")
    page.locator("#f-gist").fill("Subsidiya haqida")
    [session] = sessions.user_sessions(nilufar)
    sessions.end_session(session, "rustam")
    page.unroute(stream)
    over = page.locator("#cover [data-over]")
    expect(over).to_be_visible()
    with window.expect_page() as opened_page:
        over.locator("a").click()
    sign_in(opened_page.value, "nilufar")
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#cover")).to_be_hidden()
    expect(page.locator("#f-gist")).to_have_value("Subsidiya haqida")


def test_the_next_operator_signs_in_by_pin_and_the_time_is_recorded(
    locking, window, record_property
) -> None:
    page = window.new_page()
    sign_in(page, "nilufar", "/account")
    page.locator("form[action='/logout'] button").first.click()
    expect(page.locator("#pin")).to_be_focused()
    started_at = time.monotonic()
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/operator")
    seconds = time.monotonic() - started_at
    record_property("sign-in by PIN, seconds", round(seconds, 2))
