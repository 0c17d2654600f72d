"""Both sides in the browser: the operator registers, the ministry sees, returns, answers."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from appliance.casework import appeals, catalogs, departments
from appliance.casework.appeals import handling
from appliance.models import Appeal, Handling, User
from appliance.people import staff
from tests.browser.conftest import WINDOW, sign_in


@pytest.fixture
def open_as(chromium: Browser, pages) -> Iterator[Callable[[str, str], Page]]:
    """A page of somebody in a window of his own."""
    windows = []

    def opened(login: str, path: str) -> Page:
        window = chromium.new_context(viewport=WINDOW, base_url=pages.url)
        windows.append(window)
        window.set_default_timeout(60_000)
        page = window.new_page()
        sign_in(page, login, path)
        return page

    yield opened
    for window in windows:
        window.close()


def answer(page: Page) -> Locator:
    """The field of the answer, once the page's scripts listen."""
    expect(page.locator("#todo[data-ready]")).to_be_visible()
    return page.locator("#text")


def test_from_the_call_to_the_answer_and_back_once(open_as, nilufar: User) -> None:
    labour = departments.add({"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, by="x")
    departments.send_direction("subsidies", labour.id, by="x")
    staff.assign(User.get(User.login == "bahodir"), labour.id, by="x")
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
    row = ministry.locator("#appeals .rows li")
    expect(row).to_contain_text("Gulchehra Yoʻldosheva")
    expect(row).to_contain_text("Bandlik boshqarmasi")
    expect(row).to_contain_text("ish kuni")

    # the ministry finds it by the keys, takes it and returns it
    ministry.keyboard.press("j")
    ministry.get_by_role("button", name="Oʻzimga olish").click()
    expect(ministry.locator("#standing")).to_contain_text("Bahodir Rahimov")
    ministry.get_by_text("Qaytarish", exact=True).click()
    expect(ministry.locator("#department")).to_be_hidden()
    answer(ministry).fill("Manzil koʻrsatilmagan")
    ministry.keyboard.press("Control+Enter")
    expect(ministry.locator("#standing")).to_contain_text("Tuzatishda")

    # it comes to the operator's desk by itself, and back when it is corrected
    operator.get_by_role("link", name="Bajarildi").click()
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
    answer(ministry).fill("Arizangiz koʻrib chiqildi.")
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
    answer(page).fill("Uzun javob")
    handling.take(appeal, "gulnora", 1)
    expect(page.locator("#history")).to_contain_text("gulnora")
    expect(page.locator("#text")).to_have_value("Uzun javob")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Boshqa xodim avvalroq")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Uzun javob")
    assert Handling.get_by_id(appeal.id).state == "taken"


def test_back_leads_to_the_list_at_once(open_as, settings, nilufar: User) -> None:
    made = []
    for name in ("Aziza", "Lola"):
        token = appeals.token_for(nilufar, None)
        calendar = catalogs.working_calendar(settings)
        values = {"first_name": name}
        made.append(
            appeals.register(
                values, operator=nilufar, token=token, tz=settings.tz, calendar=calendar
            )
        )
    Handling.update(due_on="2026-01-01").execute()
    page = open_as("bahodir", "/appeals?when=overdue")
    page.get_by_role("link", name=made[0].number).click()
    answer(page).fill("Birinchi javob")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#standing")).to_contain_text("Javob berilgan")
    answer(page)
    page.locator("body").press("n")
    page.wait_for_url(f"**/{made[1].number}*")
    answer(page).fill("Ikkinchi javob")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#standing")).to_contain_text("Javob berilgan")
    page.go_back()
    page.wait_for_url("**/appeals?when=overdue")


def test_an_answer_that_is_left_comes_back(open_as, settings, nilufar: User) -> None:
    appeal = appeals.register(
        {"first_name": "Aziza"},
        operator=nilufar,
        token=appeals.token_for(nilufar, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    page = open_as("bahodir", f"/appeals/{appeal.number}")
    answer(page).fill("Yarim javob")
    expect(page.locator("[data-draft-state]")).to_contain_text("Qoralama saqlandi")
    page.locator("#text").press_sequentially(", davomi")
    page.goto("/appeals")  # at once, before it was saved
    expect(page.locator("#appeals .rows li")).to_contain_text("Qoralama")
    page.get_by_role("link", name=appeal.number).click()
    expect(page.locator("#text")).to_have_value("Yarim javob, davomi")


def test_two_tabs_of_a_form_know_of_each_other(open_as, settings, nilufar: User) -> None:
    token = appeals.token_for(nilufar, None)
    appeals.save_draft(nilufar, token, {"first_name": "Aziza"})
    one = open_as("nilufar", f"/operator/forms/{token}")
    two = one.context.new_page()
    two.goto(f"/operator/forms/{token}")
    for page in (one, two):
        expect(page.locator("#form[data-ready]")).to_be_visible()
    with one.expect_response("**/forms/*"):
        one.locator("#f-surname").fill("Karimova")
    with two.expect_response("**/forms/*"):
        two.locator("#f-address").fill("Navroʻz, 12-uy")
    expect(two.locator("#f-surname")).to_have_value("Karimova")
    two.locator("#f-gist").fill("Subsidiya soʻragan.")
    two.keyboard.press("Control+Enter")
    expect(two.locator("#form")).to_have_count(0)
    expect(one.locator("#form")).to_have_count(0)
    made = Appeal.get()
    assert (made.surname, made.address) == ("Karimova", "Navroʻz, 12-uy")


def test_the_inbox_by_its_keys(open_as, settings, nilufar: User) -> None:
    calendar = catalogs.working_calendar(settings)
    first, second, third = (
        appeals.register(
            {"first_name": name},
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=settings.tz,
            calendar=calendar,
        )
        for name in ("Aziza", "Lola", "Malika")
    )
    Handling.update(due_on="2026-01-01").where(Handling.appeal == third).execute()
    page = open_as("bahodir", "/appeals?when=later")
    expect(page.get_by_text("Aloqa bor")).to_be_visible()
    page.keyboard.press("j")
    page.wait_for_url(f"**/{first.number}?when=later")
    expect(page.locator(".rows [aria-current]")).to_contain_text(first.number)
    answer(page)
    page.keyboard.press("a")
    page.keyboard.type("Birinchi javob")
    page.keyboard.press("Escape")
    page.keyboard.press("j")  # what is typed is kept
    page.wait_for_url(f"**/{second.number}?when=later")
    answer(page)
    page.keyboard.press("k")
    page.wait_for_url(f"**/{first.number}?when=later")
    expect(page.locator("#text")).to_have_value("Birinchi javob")

    # sent, taken back, sent again; then the next overdue one, and Back once
    answer(page).press("Control+Enter")
    expect(page.locator("[data-undo][data-ready]")).to_contain_text("Qaytarib olish")
    page.locator("body").press("z")
    expect(page.locator("#text")).to_have_value("Birinchi javob")
    assert Handling.get_by_id(first.id).state == "taken"
    answer(page).press("Control+Enter")
    expect(page.locator("[data-undo][data-ready]")).to_be_visible()
    page.locator("body").press("n")
    page.wait_for_url(f"**/{third.number}?when=later")
    page.go_back()
    page.wait_for_url("**/appeals?when=later")
    assert [s.action for s in handling.steps(first)] == ["answer", "undo", "answer"]


def test_the_button_says_what_it_does_after_a_conflict(open_as, settings, nilufar: User) -> None:
    appeal = appeals.register(
        {"first_name": "Aziza"},
        operator=nilufar,
        token=appeals.token_for(nilufar, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    page = open_as("bahodir", f"/appeals/{appeal.number}")
    answer(page).fill("Uzun javob")
    handling.dismiss(appeal, "29-modda", "gulnora", 1)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Boshqa xodim avvalroq")).to_be_visible()
    expect(page.locator("#todo [type=submit]")).to_have_text("Qayta ochish Ctrl ↵")
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator(".unsent")).to_contain_text("Uzun javob")
