"""Both sides in the browser: the operator registers; the ministry sees, returns and answers."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from appliance.casework import catalogs
from appliance.casework.appeals import handling, registering
from appliance.casework.forms import drafts
from appliance.models import Appeal, Handling, User
from appliance.people import staff
from tests.browser.conftest import WINDOW_SIZE, sign_in
from tests.rig.appeals import add_labour_department, create_appeal


@pytest.fixture
def open_as(chromium: Browser, pages) -> Iterator[Callable[[str, str], Page]]:
    """Opens a page as a user, in a window of their own."""
    windows = []

    def open_page(login: str, path: str) -> Page:
        window = chromium.new_context(viewport=WINDOW_SIZE, base_url=pages.url)
        windows.append(window)
        window.set_default_timeout(60_000)
        page = window.new_page()
        sign_in(page, login, path)
        return page

    yield open_page
    for window in windows:
        window.close()


def answer_field(page: Page) -> Locator:
    """Return the answer field, once the page's scripts are ready."""
    expect(page.locator("#todo[data-ready]")).to_be_visible()
    return page.locator("#text")


def register_subsidy_appeal(operator: Page) -> None:
    """Type an appeal about a subsidy on the operator's page, and register it."""
    operator.keyboard.press("F2")
    expect(operator.locator("#form[data-ready]")).to_be_visible()
    operator.locator("#f-first_name").fill("Gulchehra")
    operator.locator("#f-surname").fill("Yoʻldosheva")
    operator.locator("#f-direction").fill("subs")
    expect(operator.locator("#f-direction-list li").first).to_be_visible()
    operator.keyboard.press("Tab")
    operator.locator("#f-gist").fill("Subsidiya soʻragan.")
    operator.keyboard.press("Control+Enter")


def test_an_appeal_is_registered_returned_corrected_and_answered(open_as, nilufar: User) -> None:
    labour = add_labour_department()
    staff.assign_department(User.get(User.login == "bahodir"), labour.id, by="x")
    ministry = open_as("bahodir", "/appeals")
    expect(ministry.get_by_text("Aloqa bor")).to_be_visible()
    operator = open_as("nilufar", "/operator")

    # the operator registers: the appeal appears at once, with department and deadline
    register_subsidy_appeal(operator)
    row = ministry.locator("#appeals .rows li")
    expect(row).to_contain_text("Gulchehra Yoʻldosheva")
    expect(row).to_contain_text("Bandlik boshqarmasi")
    expect(row).to_contain_text("ish kuni")

    # the ministry finds it by keys, takes it and returns it
    ministry.keyboard.press("j")
    ministry.get_by_role("button", name="Oʻzimga olish").click()
    expect(ministry.locator("#standing")).to_contain_text("Bahodir Rahimov")
    ministry.get_by_text("Qaytarish", exact=True).click()
    expect(ministry.locator("#department")).to_be_hidden()
    answer_field(ministry).fill("Manzil koʻrsatilmagan")
    ministry.keyboard.press("Control+Enter")
    expect(ministry.locator("#standing")).to_contain_text("Tuzatishda")

    # it appears on the operator's desk by itself, and returns when it is corrected
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
    answer_field(ministry).fill("Arizangiz koʻrib chiqildi.")
    ministry.get_by_role("button", name="Javobni yuborish").click()
    expect(operator.locator("#history")).to_contain_text("Arizangiz koʻrib chiqildi.")
    appeal = Appeal.get()
    assert [s.action for s in reversed(handling.list_steps(appeal))] == [
        *("take", "return", "resend", "answer")
    ]


def test_a_typed_answer_remains_when_a_colleague_acts(open_as, settings, nilufar: User) -> None:
    appeal = create_appeal(settings, nilufar, {"first_name": "Aziza"})
    page = open_as("bahodir", f"/appeals/{appeal.number}")
    answer_field(page).fill("Uzun javob")
    handling.take_over(appeal, "gulnora", 1)
    expect(page.locator("#history")).to_contain_text("gulnora")
    expect(page.locator("#text")).to_have_value("Uzun javob")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Boshqa xodim avvalroq")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Uzun javob")
    assert Handling.get_by_id(appeal.id).state == "taken"


def test_browser_back_leads_straight_to_the_list(open_as, settings, nilufar: User) -> None:
    overdue = [create_appeal(settings, nilufar, {"first_name": name}) for name in ("Aziza", "Lola")]
    Handling.update(due_on="2026-01-01").execute()
    page = open_as("bahodir", "/appeals?when=overdue")
    page.get_by_role("link", name=overdue[0].number).click()
    answer_field(page).fill("Birinchi javob")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#standing")).to_contain_text("Javob berilgan")
    answer_field(page)
    page.locator("body").press("n")
    page.wait_for_url(f"**/{overdue[1].number}*")
    answer_field(page).fill("Ikkinchi javob")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#standing")).to_contain_text("Javob berilgan")
    page.go_back()
    page.wait_for_url("**/appeals?when=overdue")


def test_an_unfinished_answer_is_restored(open_as, settings, nilufar: User) -> None:
    appeal = create_appeal(settings, nilufar, {"first_name": "Aziza"})
    page = open_as("bahodir", f"/appeals/{appeal.number}")
    answer_field(page).fill("Yarim javob")
    expect(page.locator("[data-draft-state]")).to_contain_text("Qoralama saqlandi")
    page.locator("#text").press_sequentially(", davomi")
    page.goto("/appeals")  # at once, before it was saved
    expect(page.locator("#appeals .rows li")).to_contain_text("Qoralama")
    page.get_by_role("link", name=appeal.number).click()
    expect(page.locator("#text")).to_have_value("Yarim javob, davomi")


def test_two_tabs_of_a_form_stay_in_step(open_as, settings, nilufar: User) -> None:
    token = drafts.token_for(nilufar, None)
    drafts.save_draft(nilufar, token, {"first_name": "Aziza"})
    first_tab = open_as("nilufar", f"/operator/forms/{token}")
    second_tab = first_tab.context.new_page()
    second_tab.goto(f"/operator/forms/{token}")
    for page in (first_tab, second_tab):
        expect(page.locator("#form[data-ready]")).to_be_visible()
    with first_tab.expect_response("**/forms/*"):
        first_tab.locator("#f-surname").fill("Karimova")
    with second_tab.expect_response("**/forms/*"):
        second_tab.locator("#f-address").fill("Navroʻz, 12-uy")
    expect(second_tab.locator("#f-surname")).to_have_value("Karimova")
    second_tab.locator("#f-gist").fill("Subsidiya soʻragan.")
    second_tab.keyboard.press("Control+Enter")
    expect(second_tab.locator("#form")).to_have_count(0)
    expect(first_tab.locator("#form")).to_have_count(0)
    appeal = Appeal.get()
    assert (appeal.surname, appeal.address) == ("Karimova", "Navroʻz, 12-uy")


def test_the_inbox_works_by_keys(open_as, settings, nilufar: User) -> None:
    calendar = catalogs.working_calendar(settings)
    first, second, third = (
        registering.register(
            {"first_name": name},
            operator=nilufar,
            token=drafts.token_for(nilufar, None),
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
    answer_field(page)
    page.keyboard.press("a")
    page.keyboard.type("Birinchi javob")
    page.keyboard.press("Escape")
    page.keyboard.press("j")  # the typed text is stored
    page.wait_for_url(f"**/{second.number}?when=later")
    answer_field(page)
    page.keyboard.press("k")
    page.wait_for_url(f"**/{first.number}?when=later")
    expect(page.locator("#text")).to_have_value("Birinchi javob")

    # sent, withdrawn, sent again; then the next overdue one, and Back once
    answer_field(page).press("Control+Enter")
    expect(page.locator("[data-undo][data-ready]")).to_contain_text("Qaytarib olish")
    page.locator("body").press("z")
    expect(page.locator("#text")).to_have_value("Birinchi javob")
    assert Handling.get_by_id(first.id).state == "taken"
    answer_field(page).press("Control+Enter")
    expect(page.locator("[data-undo][data-ready]")).to_be_visible()
    page.locator("body").press("n")
    page.wait_for_url(f"**/{third.number}?when=later")
    page.go_back()
    page.wait_for_url("**/appeals?when=later")
    assert [s.action for s in handling.list_steps(first)] == ["answer", "undo", "answer"]


def test_the_button_shows_its_new_action_after_a_conflict(open_as, settings, nilufar: User) -> None:
    appeal = create_appeal(settings, nilufar, {"first_name": "Aziza"})
    page = open_as("bahodir", f"/appeals/{appeal.number}")
    answer_field(page).fill("Uzun javob")
    handling.dismiss_appeal(appeal, "29-modda", "gulnora", 1)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Boshqa xodim avvalroq")).to_be_visible()
    expect(page.locator("#todo [type=submit]")).to_have_text("Qayta ochish Ctrl ↵")
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator(".unsent")).to_contain_text("Uzun javob")
