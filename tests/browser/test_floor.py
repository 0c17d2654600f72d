"""The floor and the panel that passes callers on, in the real browser."""

import datetime as dt

from browser.citizen import Citizen
from browser.conftest import Pages, sign_in
from playwright.sync_api import BrowserContext, expect

from appliance import calls, clock, directory, staff
from appliance.calls import CallFacts, VisitFacts
from appliance.db import writing
from appliance.directory import Entry
from appliance.models import User


def test_calls_come_and_go_by_themselves_and_a_page_that_slept_shows_the_truth(
    window: BrowserContext, pages: Pages, nilufar: User
) -> None:
    page = window.new_page()
    sign_in(page, "dilnoza")
    page.goto("/floor")
    expect(page.locator("#floor-calls .empty")).to_be_visible()
    citizen = Citizen("1764000000.1")
    row = page.locator("#live-1764000000-1")
    expect(row).to_contain_text("+998 93 555 01 47")
    citizen.ring(nilufar)
    expect(row).to_contain_text("Nilufar Karimova")
    citizen.talk()
    listen = page.locator("#listen-nilufar")
    listen.focus()
    staff.choose_state(nilufar, "pause")
    expect(listen).to_be_focused()
    listen.press("Enter")
    expect(page.locator("#said")).to_contain_text("Stansiya javob bermayapti")
    with pages.frozen():
        citizen.hang_up()
        _waits("1764000000.2", 44)
    expect(row).to_have_count(0)
    expect(page.locator("#live-1764000000-2")).to_contain_text("Kutmoqda")
    expect(page.locator("#floor-figures .sub.warn")).to_be_visible()


def _waits(id: str, seconds: float) -> None:
    now = clock.now()
    facts = CallFacts(id, "inbound", now - dt.timedelta(seconds=seconds + 5), stage="queue")
    facts.visits = [VisitFacts("uz", now - dt.timedelta(seconds=seconds))]
    with writing():
        calls.store(facts, 5)


def test_the_panel_that_passes_on_is_worked_by_keys_and_leaves_the_form_alone(
    window: BrowserContext, nilufar: User
) -> None:
    directory.save(Entry("Lola Rashidova", "712390101", "Bandlik boʻlimi"), "rustam")
    directory.save(Entry("Murod Eshonqulov", "712390102"), "rustam")
    page = window.new_page()
    sign_in(page, "nilufar")
    citizen = Citizen("1764000000.1")
    citizen.ring(nilufar)
    citizen.talk()
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
    expect(page.locator("#passing-title")).to_contain_text("oʻtkazish")
    citizen.hang_up()
    expect(trouble).to_contain_text("goʻshakni qoʻydi")
    expect(page.locator("#passing-title")).to_contain_text("Qoʻngʻiroq qilish")
    expect(search).to_have_value("лола")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()
    expect(name).to_have_value("Gulchehra")
    staff.choose_state(nilufar, "ready")
    staff.choose_state(nilufar, "pause", reason=staff.NO_ANSWER, by="asterisk")
    expect(page.locator("#paused")).to_contain_text("javob boʻlmadi")
    expect(page.locator("#state")).to_contain_text("Javobsiz")
    page.keyboard.press("F10")
    expect(page.locator("#paused form")).to_have_count(0)
    assert staff.states()["nilufar"] == "ready"
    expect(name).to_have_value("Gulchehra")
