"""Both sides in the browser: the operator registers, the ministry sees, returns, answers."""

from collections.abc import Callable, Iterator

import pytest
from browser.conftest import WINDOW, sign_in
from playwright.sync_api import Browser, Page, expect

from appliance import appeals, catalogs, departments
from appliance.appeals import handling
from appliance.models import Appeal, Handling, User


@pytest.fixture
def open_as(chromium: Browser, pages) -> Iterator[Callable[[str, str], Page]]:
    """A page of somebody in a window of his own."""
    windows = []

    def opened(login: str, path: str) -> Page:
        window = chromium.new_context(viewport=WINDOW, base_url=pages.url)
        windows.append(window)
        window.set_default_timeout(60_000)
        page = window.new_page()
        sign_in(page, login)
        page.goto(path)
        return page

    yield opened
    for window in windows:
        window.close()


def test_from_the_call_to_the_answer_and_back_once(open_as, nilufar: User) -> None:
    labour = departments.add({"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, by="x")
    departments.send_direction("subsidies", labour.id, by="x")
    departments.assign(User.get(User.login == "bahodir"), labour.id, by="x")
    ministry = open_as("bahodir", "/appeals")
    expect(ministry.get_by_text("Aloqa bor")).to_be_visible()
    operator = open_as("nilufar", "/operator")

    # the operator registers: it is there at once, with department and deadline
    operator.keyboard.press("F2")
    expect(operator.locator("#form[data-ready]")).to_be_visible()
    operator.locator("#f-first_name").fill("Gulchehra")
    operator.locator("#f-surname").fill("Yoʻldosheva")
    operator.locator("#f-direction").fill("subs")
    expect(operator.locator("#f-direction-list li").first).to_be_visible()
    operator.keyboard.press("Tab")
    operator.locator("#f-gist").fill("Subsidiya soʻragan.")
    operator.keyboard.press("Control+Enter")
    row = ministry.locator("#appeals tbody tr")
    expect(row).to_contain_text("Gulchehra Yoʻldosheva")
    expect(row).to_contain_text("Bandlik boshqarmasi")
    expect(row).to_contain_text("ish kuni")

    # the ministry finds it by the keys, takes it and returns it
    ministry.keyboard.press("j")
    ministry.keyboard.press("Enter")
    ministry.get_by_role("button", name="Oʻzimga olish").click()
    expect(ministry.locator("#standing")).to_contain_text("Bahodir Rahimov")
    ministry.get_by_text("Qaytarish", exact=True).click()
    expect(ministry.locator("#department")).to_be_hidden()
    ministry.locator("#text").fill("Manzil koʻrsatilmagan")
    ministry.keyboard.press("Control+Enter")
    expect(ministry.locator("#standing")).to_contain_text("Qayta ishlashda")

    # it comes to the operator's desk by itself, and back when it is corrected
    returned = operator.locator("#returned")
    expect(returned).to_contain_text("Manzil koʻrsatilmagan")
    returned.get_by_role("link").click()
    expect(operator.locator("main")).to_contain_text("Manzil koʻrsatilmagan")
    operator.locator("#f-address").fill("Navroʻz koʻchasi, 12-uy")
    operator.locator("#f-region").fill("samar")
    expect(operator.locator("#f-region-list li").first).to_be_visible()
    operator.keyboard.press("Tab")
    operator.keyboard.press("Control+Enter")
    expect(operator.locator("#standing")).to_contain_text("Ijroda")
    history = ministry.locator("#history")
    expect(history).to_contain_text("Tuzatib, qayta yuborildi")
    expect(history).to_contain_text("Navroʻz koʻchasi, 12-uy")
    expect(history).to_contain_text("Samarqand")

    # the answer; the operator's card follows by itself
    ministry.reload()
    ministry.locator("#text").fill("Arizangiz koʻrib chiqildi.")
    ministry.get_by_role("button", name="Javobni yuborish").click()
    expect(operator.locator("#history")).to_contain_text("Arizangiz koʻrib chiqildi.")
    appeal = Appeal.get()
    assert [s.action for s in reversed(handling.steps(appeal))] == [
        *("take", "return", "resend", "answer")
    ]


def test_what_is_typed_stays_when_a_colleague_acts(open_as, settings, nilufar: User) -> None:
    appeal = appeals.register(
        {"first_name": "Aziza"},
        operator=nilufar,
        token=appeals.token_for(nilufar, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    page = open_as("bahodir", f"/appeals/{appeal.number}")
    page.locator("#text").fill("Uzun javob")
    handling.take(appeal, "gulnora", 1)
    expect(page.locator("#history")).to_contain_text("gulnora")
    expect(page.locator("#text")).to_have_value("Uzun javob")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Kimdir oldinroq")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Uzun javob")
    assert Handling.get_by_id(appeal.id).state == "taken"
