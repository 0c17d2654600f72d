"""The supervisors' floor page, and the panel that transfers callers, in the real browser."""

import datetime as dt
import re

import pytest
from playwright.sync_api import BrowserContext, expect

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import User
from appliance.people import accounts, presence
from appliance.telephony import calls, directory
from appliance.telephony.calls import CallFacts, VisitFacts
from appliance.telephony.directory import DirectoryEntry
from tests.browser.conftest import Pages, sign_in
from tests.rig.citizen import Citizen
from tests.rig.people import PASSWORD
from tests.rig.rules import RULES


def test_calls_appear_and_vanish_by_themselves_and_a_late_page_catches_up(
    window: BrowserContext, pages: Pages, nilufar: User
) -> None:
    page = window.new_page()
    sign_in(page, "dilnoza", "/floor")
    page.locator(".every summary").first.click()
    expect(page.locator("#floor-calls .empty")).to_be_visible()
    citizen = Citizen("1764000000.1")
    row = page.locator("#live-1764000000-1")
    expect(row).to_contain_text("+998 93 555 01 47")
    citizen.ring_operator(nilufar)
    expect(row).to_contain_text("Nilufar Karimova")
    citizen.start_talk()
    page.locator("#desk-nilufar").click()
    listen = page.locator("#listen-nilufar")
    listen.focus()
    presence.choose_state(nilufar, "pause")
    expect(listen).to_be_focused()
    listen.press("Enter")
    expect(page.locator("#said")).to_contain_text("Stansiya javob bermayapti")
    with pages.frozen():
        citizen.hang_up()
        _add_waiting_call("1764000000.2", 44)
    expect(row).to_have_count(0)
    expect(page.locator("#live-1764000000-2")).to_contain_text("Kutmoqda")
    expect(page.locator("#floor-figures .sub.warn")).to_be_visible()


def test_an_operator_sees_how_many_wait_without_further_requests(
    window: BrowserContext, nilufar: User
) -> None:
    page = window.new_page()
    sign_in(page, "nilufar", "/operator")
    line = page.locator("#queue")
    expect(line).to_contain_text("hech kim kutmayapti")
    page.route(re.compile("queue"), lambda route: route.abort())
    _add_waiting_call("1764000000.1", 4)
    expect(line).to_contain_text("1 kishi kutmoqda")
    _add_waiting_call("1764000000.2", 4)
    expect(line).to_contain_text("2 kishi kutmoqda")


def test_hanging_up_needs_confirmation_and_cancelling_ends_no_call(
    window: BrowserContext, nilufar: User
) -> None:
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    page = window.new_page()
    sign_in(page, "dilnoza", "/floor")
    page.locator("#desk-nilufar").press("Enter")
    expect(page.locator("#desk-nilufar")).to_be_focused()
    expect(page).to_have_url(re.compile("who=nilufar"))
    hang_up, question = page.locator("#hang-up-nilufar"), page.locator(".ask")
    hang_up.press("Enter")
    expect(question).to_be_visible()
    expect(question.get_by_role("button", name="Uzilmasin")).to_be_focused()
    presence.choose_state(nilufar, "pause")  # the page is updated with the question open
    expect(page.locator("#desk-nilufar")).to_be_visible()
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(hang_up).to_be_focused()
    hang_up.press("Enter")
    page.locator("#hang-up-now").press("Enter")
    expect(page.locator("#said")).to_contain_text("Stansiya javob bermayapti")
    expect(question).to_be_hidden()
    hang_up.press("Enter")
    expect(question).to_be_visible()
    citizen.hang_up()
    follower = Citizen("1764000000.2")
    follower.ring_operator(nilufar)
    follower.start_talk()
    expect(page.locator("#ask-1764000000-2")).to_have_count(1)
    expect(question).to_be_hidden()  # it was about the former talk


def test_a_waiting_bar_runs_to_the_service_level_and_then_shows_the_breach(
    window: BrowserContext,
) -> None:
    page = window.new_page()
    sign_in(page, "dilnoza")
    _add_waiting_call("1764000000.3", 12)
    page.goto("/floor")
    bar = page.locator("#wait-1764000000-3")
    expect(bar).not_to_have_attribute("data-over", "")
    assert 12 <= bar.locator("meter").evaluate("bar => bar.value") < 20
    expect(bar).to_have_attribute("data-over", "")
    expect(bar.locator(".over")).to_be_visible()


@pytest.mark.parametrize("language", ["uz_Latn", "uz_Cyrl", "ru"])
def test_forty_operators_fit_a_small_screen(window: BrowserContext, language: str) -> None:
    _add_operators(38)  # as well as the two operators of the test site
    page = window.new_page()
    sign_in(page, "dilnoza", "/floor")
    page.locator(f".lang [value={language}]").click()
    page.goto("/floor?who=op5")
    expect(page.locator(".cards a")).to_have_count(40)
    expect(page.locator("#floor-chosen .acts button")).not_to_have_count(0)
    page.evaluate("document.fonts.ready")
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollHeight - innerHeight") <= 0
    assert page.evaluate(f"{root}.scrollWidth - innerWidth") <= 0


def _add_operators(count: int) -> None:
    """Put 40 operators to work: many talk, one rings, the others are ready or on a pause."""
    for number in range(count):
        phone = {"extension": f"{1100 + number}", "speaks": ("uz", "ru")}
        name = f"Shahnoza Abdurahmonova {number}"
        accounts.create_account(f"op{number}", name, "operator", PASSWORD, **phone)
    for number, user in enumerate(accounts.active_operators()):
        presence.choose_state(user, "pause" if number % 7 == 0 else "ready")
        if number % 7 not in (0, 1):
            citizen = Citizen(f"1764000000.{100 + number}")
            citizen.ring_operator(user)
            if number != 2:
                citizen.start_talk()
    for number in range(6):
        _add_waiting_call(f"1764000000.{10 + number}", 3 * number)


def _add_waiting_call(id: str, seconds: float) -> None:
    now = clock.now()
    facts = CallFacts(id, "inbound", now - dt.timedelta(seconds=seconds + 5), stage="queue")
    facts.visits = [VisitFacts("uz", now - dt.timedelta(seconds=seconds))]
    with write_transaction():
        calls.store_call(facts, RULES)


def test_the_transfer_panel_works_by_keys_and_leaves_the_form_unchanged(
    window: BrowserContext, nilufar: User
) -> None:
    directory.save_employee(
        DirectoryEntry("Lola Rashidova", "712390101", "Bandlik boʻlimi"), "rustam"
    )
    directory.save_employee(DirectoryEntry("Murod Eshonqulov", "712390102"), "rustam")
    page = window.new_page()
    sign_in(page, "nilufar")
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    name, search = page.locator("#f-first_name"), page.locator("#passing-q")
    name.fill("Gulchehra")
    page.keyboard.press("F9")
    expect(search).to_be_focused()
    marked = page.locator("#passing-found [data-marked]")
    expect(marked).to_contain_text("Murod")
    page.keyboard.press("ArrowDown")
    expect(marked).to_contain_text("Lola")
    page.keyboard.type("лола")
    expect(page.locator("#passing-found li")).to_have_count(1)
    page.keyboard.press("Enter")
    trouble = page.locator("#passing [data-trouble-here]")
    expect(trouble).to_contain_text("Stansiya javob bermayapti")
    expect(page.locator("#passing-title")).to_contain_text("ulab berish")
    citizen.hang_up()
    expect(trouble).to_contain_text("goʻshakni qoʻydi")
    expect(page.locator("#passing-title")).to_contain_text("Qoʻngʻiroq qilish")
    expect(search).to_have_value("лола")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()
    expect(name).to_have_value("Gulchehra")
    presence.choose_state(nilufar, "ready")
    presence.choose_state(nilufar, "pause", reason=presence.NO_ANSWER, by="asterisk")
    expect(page.locator("#paused")).to_contain_text("javob boʻlmadi")
    expect(page.locator("#state")).to_contain_text("Javobsiz")
    page.keyboard.press("F10")
    expect(page.locator("#paused form")).to_have_count(0)
    assert presence.states_by_login()["nilufar"] == "ready"
    expect(name).to_have_value("Gulchehra")
