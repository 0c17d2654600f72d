"""Keys of every page in the real browser: the list of keys, and other keyboard layouts."""

import pytest
from playwright.sync_api import Page, expect

from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.models import User
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry
from tests.browser.conftest import sign_in
from tests.browser.test_operator import AXE_RULES, AXE_SCRIPT, FIRST_CALL, open_form, open_page
from tests.rig.citizen import Citizen


def press_key(page: Page, code: str, letter: str, control: bool = False) -> None:
    """Press a key as under another layout: the key's position and the letter it produces there."""
    session = page.context.new_cdp_session(page)
    key = {"code": code, "key": letter, "modifiers": 2 if control else 0}
    for kind in ("keyDown", "keyUp"):
        session.send("Input.dispatchKeyEvent", {"type": kind, **key})
    session.detach()


def test_the_list_of_keys_opens_and_gives_way_to_a_call(window, nilufar: User) -> None:
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
    citizen.ring_operator(nilufar)
    expect(open_form(page, FIRST_CALL)).to_be_visible()
    expect(sheet).to_be_hidden()  # the call has precedence
    citizen.start_talk()
    expect(page.locator("#f-surname")).to_be_focused()
    page.keyboard.press("F1")
    expect(sheet.locator("[data-action=call_out]")).to_have_attribute("data-off", "")
    page.keyboard.press("F9")  # the list of keys closes
    expect(page.locator("#passing-q")).to_be_focused()
    expect(sheet).to_be_hidden()
    page.keyboard.type("?j")
    expect(page.locator("#passing-q")).to_have_value("?j")


@pytest.mark.parametrize("layout", ["uz_Latn", "cyrillic"])
def test_letter_keys_act_by_their_position_on_the_keyboard(
    window, nilufar: User, settings, layout: str
) -> None:
    first, second = (
        registering.register(
            {"first_name": name},
            operator=nilufar,
            token=drafts.token_for(nilufar, None),
            tz=settings.tz,
        )
        for name in ("Aziza", "Lola")
    )
    j, k, slash, question = "jk/?" if layout == "uz_Latn" else "ол.?"
    page = window.new_page()
    sign_in(page, "dilnoza", "/appeals")
    rows = page.locator("#appeals .rowlink")
    expect(rows).to_have_count(2)
    press_key(page, "KeyJ", j)
    press_key(page, "KeyJ", j)
    expect(rows.nth(1)).to_be_focused()
    press_key(page, "KeyK", k)
    expect(rows.nth(0)).to_be_focused()
    press_key(page, "Digit7" if layout == "cyrillic" else "Slash", question)
    expect(page.locator("#shortcuts")).to_be_visible()
    expect(page.locator("#shortcuts [data-action=next_row]")).not_to_have_attribute("data-off", "")
    page.keyboard.press("Escape")
    press_key(page, "Slash", slash)
    expect(page.locator("#q")).to_be_focused()
    press_key(page, "KeyJ", j)  # typed as text
    expect(page.locator("#q")).to_be_focused()
    assert {first.number, second.number} == set(rows.all_inner_texts())
    page.keyboard.press("F1")
    page.locator("[data-letters]").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    rows.nth(1).focus()
    press_key(page, "KeyK", k)
    press_key(page, "Slash", slash)
    expect(rows.nth(1)).to_be_focused()


def test_the_command_line_works_by_keys_alone(window, nilufar: User) -> None:
    directory.save_employee(
        DirectoryEntry("Lola Rashidova", "712390101", "Bandlik boʻlimi"), "rustam"
    )
    page = open_page(window)
    line, marked = page.locator("#commands"), page.locator("#commands [aria-selected=true]")

    page.keyboard.press("Control+k")
    expect(line.get_by_role("combobox")).to_be_focused()
    expect(line.locator("[data-act=call_out]")).to_be_visible()
    expect(line.locator("[data-act=register]")).to_have_count(0)  # there is no form
    page.keyboard.type("мурожаат топ")  # a page, in another script
    expect(marked).to_have_text("Murojaatni topishMurojaatlar")
    page.keyboard.press("Enter")
    page.wait_for_url("**/appeals/mine")

    press_key(page, "KeyK", "л", control=True)  # under a Cyrillic layout
    page.keyboard.type("лола")
    page.keyboard.press("Enter")  # faster than the server answers
    expect(page.locator("#passing-q")).to_have_value("712390101")
    expect(page.locator("#passing-found [data-marked]")).to_contain_text("Lola")
    page.keyboard.press("Escape")

    page.goto("/operator")
    page.keyboard.press("F2")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("urgut")
    expect(marked).to_contain_text("Urgut")
    page.keyboard.press("Enter")
    expect(page.locator("#f-district")).to_have_value("Urgut tumani")
    expect(page.locator("#f-region")).to_have_value("Samarqand viloyati")
    page.keyboard.press("Control+k")
    page.keyboard.type("qx")
    expect(line.locator("[data-nothing]")).to_be_visible()
    expect(line.get_by_role("status")).to_have_text("Hech narsa topilmadi")
    page.keyboard.press("Escape")
    expect(line).to_be_hidden()
    expect(page.locator("#f-district")).to_be_focused()
    run = "([part, tags]) => axe.run(part, {runOnly: {type: 'tag', values: tags}})"
    page.keyboard.press("Control+k")
    page.keyboard.type("urgut")  # replaces the text typed before
    expect(marked).to_contain_text("Urgut")
    page.wait_for_load_state()  # with its stylesheets
    page.evaluate(AXE_SCRIPT.read_text("utf-8"))
    assert page.evaluate(run, ["#commands", AXE_RULES])["violations"] == []
    page.keyboard.press("F1")
    assert page.evaluate(run, ["#shortcuts", AXE_RULES])["violations"] == []
