"""A field that the manager adds appears in an operator's next form, for its direction only."""

from playwright.sync_api import BrowserContext, Page, expect

from appliance.casework import catalogs, forms
from appliance.models import Appeal, CallForm
from tests.browser.conftest import sign_in
from tests.browser.test_call_form import answer_call
from tests.browser.test_operator import (
    SECOND_CALL,
    open_form,
    page,
    switch_to_appeal,
    wait_until_saved,
)
from tests.rig.citizen import Citizen

__all__ = ["page"]

LABELS = {"uz_Latn": "Kimning ro'yxati", "uz_Cyrl": "Кимнинг рўйхати", "ru": "Чей список"}


def add_manager_field(manager: Page) -> str:
    """Add a list field for subsidies as the manager and put it in force; return its name."""
    manager.goto("/forms")
    main = manager.locator("main")
    main.locator("form[action$='/forms/1/draft'] button").first.click()
    main.get_by_role("link", name="Maydon qoʻshish").click()
    expect(manager.locator("[data-kind=list]")).to_be_hidden()
    for language, text in LABELS.items():
        manager.locator(f"[name=label-{language}]").fill(text)
    manager.locator("[name=kind]").select_option("list")
    expect(manager.locator("[data-kind=list]")).to_be_visible()
    manager.locator("[name=list]").select_option("group")
    manager.locator("[name=topics][value=subsidies]").check()
    manager.locator("[name=required]").check()
    manager.locator("#field button[type=submit]").click()
    expect(manager.locator("#field-kimning_royxati")).to_be_visible()
    manager.goto("/forms/1/preview")
    preview_field = manager.locator("[data-field=kimning_royxati]")
    expect(preview_field).to_be_hidden()
    manager.locator("#f-direction").fill("subs")
    manager.keyboard.press("Tab")
    expect(preview_field).to_be_visible()
    expect(preview_field).to_have_attribute("data-empty", "")
    manager.goto("/forms/1")
    manager.locator("button[form=put]").click()
    expect(manager.locator("#put")).to_have_count(0)
    return "kimning_royxati"


def test_a_field_for_one_direction_appears_in_the_form_and_on_the_card(
    pages, window: BrowserContext, chromium, page: Page, nilufar, dilnoza, settings
) -> None:
    first = answer_call(page, nilufar)
    switch_to_appeal(page)
    page.locator("#f-surname").fill("Karimova")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    first.hang_up()
    earlier = Appeal.get()

    manager_window = chromium.new_context(base_url=pages.url)
    manager = manager_window.new_page()
    sign_in(manager, "sherzod")
    name = add_manager_field(manager)
    assert forms.definition_in_force(forms.APPEAL_FORM).find_field(name)

    page.goto("/operator/day")
    second = Citizen(SECOND_CALL)
    second.ring_operator(nilufar)
    second.start_talk()
    expect(open_form(page, SECOND_CALL)).to_be_visible()
    switch_to_appeal(page)
    field = page.locator(f"[data-field={name}]")
    expect(field).to_be_hidden()
    page.locator("#f-direction").fill("subs")
    page.keyboard.press("Tab")
    expect(field).to_be_visible()
    code, text = catalogs.item_choices("group", "uz_Latn")[0]
    page.locator(f"#f-{name}").fill(text)
    page.keyboard.press("Tab")
    wait_until_saved(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    later = Appeal.select().order_by(Appeal.id.desc()).get()
    assert later.id != earlier.id
    assert (later.form_version, later.extra) == (2, {name: {"code": code, "text": ""}})
    assert CallForm.select().count() == 2

    card = manager_window.new_page()
    card.goto(f"/appeals/{later.number}")
    expect(card.locator("main")).to_contain_text("Kimning roʻyxati")
    expect(card.locator("main")).to_contain_text(text)
    card.goto(f"/appeals/{earlier.number}")
    expect(card.locator("main")).to_contain_text("Karimova")
    expect(card.locator("main")).not_to_contain_text("Kimning roʻyxati")
    manager_window.close()
