"""Form №2 in the real browser: every answered call, by keyboard, next to form №1."""

import pytest
from playwright.sync_api import Page, expect

from appliance.casework import catalogs, forms
from appliance.casework.forms import definition
from appliance.core import clock
from appliance.models import Appeal, CallForm, CatalogItem, Draft, FormVersion, User
from appliance.people import accounts
from tests.browser.test_operator import (
    FIRST_CALL,
    LOCALES,
    field_value,
    open_form,
    page,
    switch_to_appeal,
    wait_until_saved,
)
from tests.rig.citizen import CITIZEN_NUMBER, Citizen
from tests.rig.waiting import wait_until

__all__ = ["page"]

# The typed input: free texts, and the first letters of list entries.
TYPED_TEXTS = {
    "uz_Latn": (
        "Karimova",
        "Aziza",
        "samar",
        "Registon 5",
        "maslah",
        "Nafaqa haqida",
        "Tartibni",
        "subs",
    ),
    "uz_Cyrl": (
        "Каримова",
        "Азиза",
        "самар",
        "Регистон 5",
        "маслаҳ",
        "Нафақа ҳақида",
        "Тартибни",
        "субс",
    ),
    "ru": ("Каримова", "Азиза", "самар", "Регистан 5", "консу", "О пособии", "Объяснила", "полу"),
}


def answer_call(page: Page, operator: User) -> Citizen:
    """Let a citizen talk with the operator, and wait for form №2."""
    citizen = Citizen(FIRST_CALL)
    citizen.ring_operator(operator)
    citizen.start_talk()
    expect(open_form(page, FIRST_CALL)).to_have_attribute("data-form", "2")
    expect(page.locator("#f-surname")).to_be_focused()
    return citizen


@pytest.mark.parametrize("locale", LOCALES)
def test_a_call_is_registered_by_keyboard_alone(window, nilufar, locale, page, record_property):
    accounts.choose_language(nilufar, locale)
    page.reload()
    answer_call(page, nilufar)
    surname, name, region, address, kind, gist, answer, direction = TYPED_TEXTS[locale]
    keys = 0

    def press_key(key: str) -> None:
        nonlocal keys
        keys += 1
        page.keyboard.press(key)

    page.keyboard.type(surname)
    press_key("Tab")
    page.keyboard.type(name)
    press_key("Tab")
    page.keyboard.type(region)
    press_key("Tab")
    page.keyboard.type(address)
    press_key("Tab")
    page.keyboard.type(kind)
    press_key("Tab")
    page.locator("#f-gist").focus()
    page.keyboard.type(gist)
    press_key("Tab")
    page.keyboard.type(answer)
    press_key("Tab")
    expect(page.locator("#f-call_direction")).not_to_have_value("")
    press_key("Tab")
    page.keyboard.type(direction)
    press_key("Tab")
    press_key("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    record_property(f"form no. 2 by keyboard, keys besides text ({locale})", keys)
    form = CallForm.get()
    assert (form.surname, form.first_name, form.address) == (surname, name, address)
    assert (form.region_id, form.call_type, form.direction) == ("1718", "consultation", "subsidies")
    assert (form.gist, form.operator_answer, form.call_direction) == (gist, answer, "incoming")
    assert (form.call_id, form.phone, form.number[:2]) == (FIRST_CALL, CITIZEN_NUMBER, "Q-")
    assert not Appeal.select().exists()
    assert not Draft.select().exists()


def test_a_known_caller_is_registered_with_few_keys(page, nilufar, record_property):
    first = Citizen("1764000000.9")
    first.ring_operator(nilufar)
    first.start_talk()
    expect(page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
    switch_to_appeal(page)
    for field, text in {
        "first_name": "Aziza",
        "surname": "Karimova",
        "address": "Registon",
    }.items():
        page.locator(f"#f-{field}").fill(text)
    page.locator("#f-region").fill("samar")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    first.hang_up()
    page.goto("/operator/day")
    second = Citizen(FIRST_CALL)
    second.ring_operator(nilufar)
    second.start_talk()
    expect(open_form(page, FIRST_CALL)).to_have_attribute("data-form", "2")
    assert field_value(page, "surname") == "Karimova"
    assert field_value(page, "region") == "Samarqand viloyati"
    expect(page.locator("[data-field=surname]")).to_have_attribute("data-known", "")
    expect(page.locator("#f-call_type")).to_be_focused()
    page.keyboard.type("masl")
    keys = ["Tab", "Alt+M", "Tab", "Tab", "Tab", "Control+Enter"]
    page.keyboard.press(keys[0])
    page.keyboard.press(keys[1])
    page.keyboard.type("Nafaqa haqida")
    page.keyboard.press(keys[2])
    page.keyboard.type("Tushuntirdim")
    page.keyboard.press(keys[3])
    page.keyboard.press(keys[4])
    page.keyboard.type("subs")
    page.keyboard.press(keys[5])
    expect(page.locator(".registered")).to_be_visible()
    record_property("form no. 2 of a known caller, keys besides text", len(keys))
    form = CallForm.get(CallForm.call_id == FIRST_CALL)
    assert (form.surname, form.direction, form.gist) == ("Karimova", "subsidies", "Nafaqa haqida")


def test_fields_of_both_forms_are_typed_once(page, nilufar):
    answer_call(page, nilufar)
    page.keyboard.type("Karimova")
    page.locator("#f-gist").fill("Subsidiya soʻradi")
    page.locator("#f-operator_answer").fill("Murojaat yozildi")
    wait_until_saved(page)
    switch_to_appeal(page)
    assert field_value(page, "surname") == "Karimova"
    assert field_value(page, "gist") == "Subsidiya soʻradi"
    page.locator("#f-first_name").fill("Aziza")
    wait_until_saved(page)
    assert field_value(page, "phone") == "+998 93 555 01 47"  # filled in, not emptied
    page.keyboard.press("F6")
    expect(page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
    assert field_value(page, "first_name") == "Aziza"
    assert field_value(page, "operator_answer") == "Murojaat yozildi"
    switch_to_appeal(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    appeal, form = Appeal.get(), CallForm.get()
    assert (appeal.surname, appeal.first_name, appeal.gist) == (
        *("Karimova", "Aziza"),
        "Subsidiya soʻradi",
    )
    assert (form.surname, form.first_name, form.gist) == ("Karimova", "Aziza", appeal.gist)
    assert (form.operator_answer, form.appeal_number) == ("Murojaat yozildi", appeal.number)
    assert (appeal.phone, form.call_direction) == (CITIZEN_NUMBER, "incoming")


def test_a_silent_call_is_registered_with_one_key(page, nilufar):
    citizen = answer_call(page, nilufar)
    page.keyboard.press("Alt+7")
    expect(page.locator(".registered")).to_be_visible()
    assert CallForm.get().call_type == "silent"
    citizen.hang_up()
    page.keyboard.press("Escape")
    expect(page.locator(".idle")).to_be_visible()
    expect(page.locator("#to-register-title")).to_have_count(0)


def test_a_call_without_a_form_waits_until_it_is_registered(page, nilufar):
    citizen = answer_call(page, nilufar)
    citizen.hang_up()
    page.goto("/operator/day")
    expect(page.locator("#to-register-title")).to_be_visible()
    page.locator("#to-register-title >> xpath=ancestor::section//li/a").click()
    expect(open_form(page, FIRST_CALL)).to_have_attribute("data-form", "2")
    page.keyboard.press("Alt+8")
    wait_until(lambda: CallForm.select().exists())
    page.goto("/operator/day")
    expect(page.locator("#to-register-title")).to_have_count(0)


def test_a_field_of_the_manager_is_asked_stored_and_shown(page, nilufar, settings):
    product = FormVersion.get_or_none(FormVersion.form == "2")
    assert product is None or product.number == 1

    CatalogItem.create(
        catalog="group", code="herder", position=99, name_uz_latn="Choʻpon", name_uz_cyrl="Чўпон"
    )
    document = definition.definition_document(forms.product_definition(forms.CALL_FORM))
    label = {"uz_Latn": "Kasbi", "uz_Cyrl": "Касби", "ru": "Профессия"}
    document["fields"].append({"name": "trade", "kind": "list", "list": "group", "label": label})
    FormVersion.create(form="2", number=2, fields=document, since=clock.now(), made_at=clock.now())
    answer_call(page, nilufar)
    page.locator("#f-trade").fill("cho")
    expect(page.locator("#f-trade-list li").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    form = CallForm.get()
    assert (form.version, form.extra) == (2, {"trade": {"code": "herder", "text": ""}})
    page.locator(".bignumber a").click()
    expect(page.locator("dl.pages")).to_contain_text("Choʻpon")
    assert catalogs.value_label("group", "herder", "uz_Latn") == "Choʻpon"
