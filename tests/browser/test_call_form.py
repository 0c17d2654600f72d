"""Form №2 in the real browser: every answered call, by keyboard, beside form №1."""

import pytest
from playwright.sync_api import Page, expect

from appliance.casework import catalogs, forms
from appliance.casework.forms import definition
from appliance.core import clock
from appliance.models import Appeal, CallForm, CatalogItem, Draft, FormVersion, User
from appliance.people import accounts
from tests.browser.test_operator import FIRST_CALL, LOCALES, form_of, page, saved, to_appeal, value
from tests.rig.citizen import PHONE, Citizen
from tests.rig.waiting import until

__all__ = ["page"]

# What is typed: free texts, and the first letters of what is chosen.
TYPED = {
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


def answered(page: Page, operator: User) -> Citizen:
    """A citizen speaks with the operator, and form №2 is there."""
    citizen = Citizen(FIRST_CALL)
    citizen.ring(operator)
    citizen.talk()
    expect(form_of(page, FIRST_CALL)).to_have_attribute("data-form", "2")
    expect(page.locator("#f-surname")).to_be_focused()
    return citizen


@pytest.mark.parametrize("locale", LOCALES)
def test_a_call_is_registered_by_keyboard_alone(window, nilufar, locale, page, record_property):
    accounts.choose_language(nilufar, locale)
    page.reload()
    answered(page, nilufar)
    surname, name, region, address, kind, gist, answer, direction = TYPED[locale]
    keys = 0

    def press(key: str) -> None:
        nonlocal keys
        keys += 1
        page.keyboard.press(key)

    page.keyboard.type(surname)
    press("Tab")
    page.keyboard.type(name)
    press("Tab")
    page.keyboard.type(region)
    press("Tab")
    page.keyboard.type(address)
    press("Tab")
    page.keyboard.type(kind)
    press("Tab")
    page.locator("#f-gist").focus()
    page.keyboard.type(gist)
    press("Tab")
    page.keyboard.type(answer)
    press("Tab")
    expect(page.locator("#f-call_direction")).not_to_have_value("")
    press("Tab")
    page.keyboard.type(direction)
    press("Tab")
    press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    record_property(f"form no. 2 by keyboard, keys besides text ({locale})", keys)
    made = CallForm.get()
    assert (made.surname, made.first_name, made.address) == (surname, name, address)
    assert (made.region_id, made.call_type, made.direction) == ("1718", "consultation", "subsidies")
    assert (made.gist, made.operator_answer, made.call_direction) == (gist, answer, "incoming")
    assert (made.call_id, made.phone, made.number[:2]) == (FIRST_CALL, PHONE, "Q-")
    assert not Appeal.select().exists()
    assert not Draft.select().exists()


def test_a_known_caller_takes_few_keys(page, nilufar, record_property):
    first = Citizen("1764000000.9")
    first.ring(nilufar)
    first.talk()
    expect(page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
    to_appeal(page)
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
    second.ring(nilufar)
    second.talk()
    expect(form_of(page, FIRST_CALL)).to_have_attribute("data-form", "2")
    assert value(page, "surname") == "Karimova"
    assert value(page, "region") == "Samarqand viloyati"
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
    made = CallForm.get(CallForm.call_id == FIRST_CALL)
    assert (made.surname, made.direction, made.gist) == ("Karimova", "subsidies", "Nafaqa haqida")


def test_what_both_forms_ask_is_typed_once(page, nilufar):
    answered(page, nilufar)
    page.keyboard.type("Karimova")
    page.locator("#f-gist").fill("Subsidiya soʻradi")
    page.locator("#f-operator_answer").fill("Murojaat yozildi")
    saved(page)
    to_appeal(page)
    assert value(page, "surname") == "Karimova"
    assert value(page, "gist") == "Subsidiya soʻradi"
    page.locator("#f-first_name").fill("Aziza")
    saved(page)
    assert value(page, "phone") == "+998 93 555 01 47"  # given, and not taken for emptied elsewhere
    page.keyboard.press("F6")
    expect(page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
    assert value(page, "first_name") == "Aziza"
    assert value(page, "operator_answer") == "Murojaat yozildi"
    to_appeal(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    appeal, made = Appeal.get(), CallForm.get()
    assert (appeal.surname, appeal.first_name, appeal.gist) == (
        *("Karimova", "Aziza"),
        "Subsidiya soʻradi",
    )
    assert (made.surname, made.first_name, made.gist) == ("Karimova", "Aziza", appeal.gist)
    assert (made.operator_answer, made.appeal_number) == ("Murojaat yozildi", appeal.number)
    assert (appeal.phone, made.call_direction) == (PHONE, "incoming")


def test_a_silent_call_takes_one_key(page, nilufar):
    citizen = answered(page, nilufar)
    page.keyboard.press("Alt+7")
    expect(page.locator(".registered")).to_be_visible()
    assert CallForm.get().call_type == "silent"
    citizen.hang_up()
    page.keyboard.press("Escape")
    expect(page.locator(".idle")).to_be_visible()
    expect(page.locator("#to-register-title")).to_have_count(0)


def test_a_call_without_a_form_waits_until_it_is_registered(page, nilufar):
    citizen = answered(page, nilufar)
    citizen.hang_up()
    page.goto("/operator/day")
    expect(page.locator("#to-register-title")).to_be_visible()
    page.locator("#to-register-title >> xpath=ancestor::section//li/a").click()
    expect(form_of(page, FIRST_CALL)).to_have_attribute("data-form", "2")
    page.keyboard.press("Alt+8")
    until(lambda: CallForm.select().exists())
    page.goto("/operator/day")
    expect(page.locator("#to-register-title")).to_have_count(0)


def test_a_field_of_the_managers_is_asked_kept_and_shown(page, nilufar, settings):
    product = FormVersion.get_or_none(FormVersion.form == "2")
    assert product is None or product.number == 1

    CatalogItem.create(
        catalog="group", code="herder", position=99, name_uz_latn="Choʻpon", name_uz_cyrl="Чўпон"
    )
    document = definition.document_of(forms.product(forms.CALL))
    label = {"uz_Latn": "Kasbi", "uz_Cyrl": "Касби", "ru": "Профессия"}
    document["fields"].append({"name": "trade", "kind": "list", "list": "group", "label": label})
    FormVersion.create(form="2", number=2, fields=document, since=clock.now(), made_at=clock.now())
    answered(page, nilufar)
    page.locator("#f-trade").fill("cho")
    expect(page.locator("#f-trade-list li").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    made = CallForm.get()
    assert (made.version, made.extra) == (2, {"trade": {"code": "herder", "text": ""}})
    page.locator(".bignumber a").click()
    expect(page.locator("dl.pages")).to_contain_text("Choʻpon")
    assert catalogs.label("group", "herder", "uz_Latn") == "Choʻpon"
