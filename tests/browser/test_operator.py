"""The workplace in the real browser: the form opens by itself, and no typed text is lost."""

import datetime as dt
import io
import json
import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect

from appliance.casework import catalogs
from appliance.casework.forms import drafts
from appliance.models import Appeal, CallForm, Draft, Handling, User
from appliance.people import accounts, presence
from tests.browser.conftest import sign_in, sign_in_by_form
from tests.rig.chromium import CHROMIUM_FLAGS, CHROMIUM_PROGRAM, WINDOW_SIZE
from tests.rig.citizen import CITIZEN_NUMBER, Citizen, MissedCaller
from tests.rig.waiting import wait_until

AXE_SCRIPT = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MAHALLA_CSV = """code,district_soato,name_uz_latn,name_uz_cyrl
1,1718236,Koʻktepa MFY,Кўктепа МФЙ
2,1718236,Navroʻz MFY,Наврўз МФЙ
3,1703202,Eski koʻktepa MFY,Эски кўктепа МФЙ
"""
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
FIRST_CALL, SECOND_CALL = "1764000000.1", "1764000000.2"

# The text typed into each field, in the form's order, in each language.
TYPED_TEXTS = {
    "uz_Latn": {
        "first_name": "Gulchehra",
        "surname": "Yoʻldosheva",
        "call_type": "mur",
        "region": "samar",
        "district": "urg",
        "mahalla": "kok",
        "address": "Navroʻz koʻchasi, 12-uy",
        "group": "kam",
        "employment": "vaqt",
        "direction": "subs",
        "gist": "Tikuv mashinasi uchun subsidiya soʻragan.",
    },
    "uz_Cyrl": {
        "first_name": "Гулчеҳра",
        "surname": "Йўлдошева",
        "call_type": "мур",
        "region": "самар",
        "district": "ург",
        "mahalla": "кўк",
        "address": "Наврўз кўчаси, 12-уй",
        "group": "кам",
        "employment": "вақт",
        "direction": "субс",
        "gist": "Тикув машинаси учун субсидия сўраган.",
    },
    "ru": {
        "first_name": "Гульчехра",
        "surname": "Юлдашева",
        "call_type": "обр",
        "region": "самар",
        "district": "ург",
        "mahalla": "кўк",
        "address": "ул. Навруз, 12",
        "group": "мало",
        "employment": "врем",
        "direction": "полу",
        "gist": "Просит субсидию на швейную машину.",
    },
}
DRAFT_URLS = "**/operator/forms/*"  # where drafts are saved
SAVED_TIME = re.compile(r"\d\d:\d\d$")


@pytest.fixture
def page(window: BrowserContext, nilufar: User) -> Page:
    """Nilufar's page, between calls."""
    catalogs.import_list_csv("mahallas", io.StringIO(MAHALLA_CSV))
    return open_page(window)


def open_page(window: BrowserContext) -> Page:
    page = window.new_page()
    sign_in(page, "nilufar")
    expect(page.locator("#bar")).to_be_attached()
    return page


def ring_operator(page: Page, operator: User, id: str = FIRST_CALL) -> Citizen:
    """Let a citizen call the operator, and wait for form №1 of the call."""
    citizen = Citizen(id)
    citizen.ring_operator(operator)
    expect(open_form(page, id)).to_be_visible()
    switch_to_appeal(page)
    return citizen


def switch_to_appeal(page: Page) -> None:
    """Switch from form №2 of the current call to form №1."""
    page.keyboard.press("F6")
    expect(page.locator("#form[data-form='1'][data-ready]")).to_be_visible()


def open_form(page: Page, call: str) -> Locator:
    """Return the open form of a call."""
    return page.locator(f"#form[data-token^='{call}-'][data-ready]")


def wait_until_saved(page: Page) -> None:
    """Wait until the server has stored the form's content."""
    expect(page.locator("#saved.safe")).to_have_text(SAVED_TIME)
    has_local_copy = "() => Object.keys(localStorage).some((key) => key.startsWith('form:'))"
    wait_until(lambda: not page.evaluate(has_local_copy))


def pick_from_list(page: Page, field: str, letters: str) -> None:
    page.locator(f"#f-{field}").fill(letters)
    expect(page.locator(f"#f-{field}-list li").first).to_be_visible()
    page.keyboard.press("Tab")


def field_value(page: Page, field: str) -> str:
    return page.locator(f"#f-{field}").input_value()


# the call's form


def test_the_form_opens_by_itself_while_the_phone_rings(page, nilufar):
    expect(page.locator("#form")).to_have_count(0)
    citizen = ring_operator(page, nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    assert field_value(page, "phone") == "+998 93 555 01 47"
    citizen.start_talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    expect(page.locator(".callbar time").first).to_have_text(re.compile(r"\d+:(?!00)\d\d"))


def test_an_unanswered_ring_removes_its_unused_form(page, nilufar):
    citizen = ring_operator(page, nilufar)
    citizen.miss_ring()
    expect(page.locator(".idle")).to_be_visible()


def test_the_form_remains_after_the_call_and_a_new_call_opens_a_new_one(page, nilufar):
    first = ring_operator(page, nilufar)
    first.start_talk()
    page.locator("#f-first_name").fill("Aziza")
    first.hang_up()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "wrap_up")
    assert field_value(page, "first_name") == "Aziza"
    page.locator("#f-surname").press_sequentially("Karimova")  # still typing when the phone rings
    second = Citizen(SECOND_CALL)
    second.ring_operator(nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    second.start_talk()
    expect(open_form(page, SECOND_CALL)).to_be_visible()
    assert field_value(page, "first_name") == ""
    draft = page.locator(".drafts a")
    expect(draft).to_have_text("Karimova Aziza")
    second.hang_up()
    draft.click()
    expect(page.locator("#form[data-ready] #f-surname")).to_have_value("Karimova")


def test_a_ring_does_not_interrupt_typing_in_the_open_form(page, nilufar):
    page.keyboard.press("F2")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    gist = page.locator("#f-gist")
    gist.focus()
    page.keyboard.type("0123456789", delay=40)
    citizen = Citizen(FIRST_CALL)
    citizen.ring_operator(nilufar)
    page.keyboard.type("ringringri", delay=40)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    expect(page.locator("#said")).to_have_text("Qoʻngʻiroq jiringlamoqda: +998 93 555 01 47")
    expect(gist).to_be_focused()
    citizen.start_talk()
    page.keyboard.type("talktalkta", delay=40)
    expect(open_form(page, FIRST_CALL)).to_be_visible()
    expect(page.locator("#f-surname")).to_be_focused()
    assert field_value(page, "gist") == field_value(page, "first_name") == ""
    page.keyboard.press("F3")
    expect(gist).to_have_value("0123456789ringringritalktalkta")
    page.keyboard.press("F3")
    expect(open_form(page, FIRST_CALL)).to_be_visible()


def test_an_unanswered_ring_leaves_the_open_form_unchanged(page, nilufar):
    page.keyboard.press("F2")
    page.locator("#form[data-ready] #f-first_name").fill("Aziza")
    citizen = Citizen(FIRST_CALL)
    citizen.ring_operator(nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    page.keyboard.press("F3")  # to see who calls
    expect(open_form(page, FIRST_CALL)).to_be_visible()
    page.keyboard.press("F3")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    citizen.miss_ring()
    expect(page.locator(".callbar")).to_have_count(0)
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


@pytest.mark.parametrize("locale", LOCALES)
def test_form_1_is_filled_by_keyboard_in_each_language(page, nilufar, locale):
    accounts.choose_language(nilufar, locale)
    page.reload()
    citizen = ring_operator(page, nilufar)
    citizen.start_talk()
    expect(page.locator("#f-appeal_type")).to_be_focused()
    texts, key = TYPED_TEXTS[locale], page.keyboard

    def type_in(field: str, text: str) -> None:
        expect(page.locator(f"#f-{field}")).to_be_focused()
        key.type(text)
        key.press("Tab")

    key.press("Space")
    key.press("ArrowRight")  # from the first kind of appeal to the next
    key.press("Tab")
    for field in ("first_name", "surname", "call_type", "region", "district", "mahalla", "address"):
        type_in(field, texts[field])
    type_in("passport", "ab 1234567")
    type_in("pinfl", "40201902050010")
    key.press("Space")
    key.press("ArrowRight")  # female
    key.press("Tab")
    type_in("born", "02.01.1990")
    type_in("group", texts["group"])
    key.press("Tab")  # the phone number is already filled in
    type_in("phone_at_hand", "90 123 45 67")
    type_in("employment", texts["employment"])
    key.press("ArrowRight")  # personal
    key.press("Tab")
    type_in("direction", texts["direction"])
    key.type(texts["gist"])
    key.press("Alt+t")
    key.press("Tab")
    key.type("Subsidiya shartlari")
    key.press("Tab")
    key.type("B. Rahimov")
    key.press("Control+Enter")
    expect(page.locator(".registered .bignumber a")).to_have_text(re.compile(r"\d{4}-000001"))
    appeal = Appeal.get()
    stored = {name: getattr(appeal, name) for name in ("first_name", "surname", "address", "gist")}
    assert stored == {name: texts[name] for name in stored}
    assert (appeal.region_id, appeal.district_id, appeal.mahalla.code) == ("1718", "1718236", "1")
    assert (appeal.passport, appeal.pinfl) == ("AB1234567", "40201902050010")
    assert (appeal.sex, appeal.born_on) == ("f", dt.date(1990, 1, 2))
    assert (appeal.applicant_kind, appeal.appeal_type) == ("person", "complaint")
    assert (appeal.call_type, appeal.group) == ("appeal", "low_income_family")
    assert (appeal.employment, appeal.direction) == ("temporarily_unemployed", "subsidies")
    assert (appeal.phone, appeal.phone_at_hand) == (CITIZEN_NUMBER, "+998901234567")
    assert (appeal.openness, appeal.call_id) == ("personal", FIRST_CALL)
    assert (appeal.consultation_issue, appeal.consultation_contact) == (
        "Subsidiya shartlari",
        "B. Rahimov",
    )
    assert appeal.warnings == []
    page.locator(".registered .bignumber a").click()
    expect(page.locator("h1")).to_have_text(appeal.number)


def test_a_legal_entity_is_asked_for_its_name_and_not_for_a_birth_date(page, nilufar):
    ring_operator(page, nilufar)
    page.locator("[name=applicant_kind][value=entity]").check(force=True)
    expect(page.locator("#f-born")).to_be_hidden()
    page.locator("#f-entity_name").fill("Baraka MCHJ")
    page.locator("#f-stir").fill("301234567")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    appeal = Appeal.get()
    assert (appeal.entity_name, appeal.stir) == ("Baraka MCHJ", "301234567")
    assert "born:empty" not in appeal.warnings


def test_registering_during_a_talk_keeps_the_caller_and_shows_the_number_once(page, nilufar):
    citizen = ring_operator(page, nilufar)
    citizen.start_talk()
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Control+Enter")
    number = page.locator(".registered .bignumber")
    expect(number).to_have_text(re.compile(r"\d{4}-000001"))
    expect(number).to_have_css("font-size", re.compile(r"^(3[2-9]|[4-9]\d)(\.\d+)?px$"))
    expect(page.locator("#card-title")).to_be_focused()
    expect(page.get_by_text(Appeal.get().number).locator("visible=true")).to_have_count(2)
    expect(page.locator("#caller-name")).to_have_text("Aziza")
    due = Handling.get().due_on
    expect(page.locator(".registered .facts").first).to_contain_text(f"{due:%d.%m.%Y}")
    expect(page.locator("[data-key=F9]").locator("visible=true")).to_have_count(1)
    page.reload()
    expect(number).to_be_visible()
    page.keyboard.press("F2")
    expect(open_form(page, FIRST_CALL)).to_be_visible()
    page.keyboard.press("Alt+1")
    assert field_value(page, "first_name") == "Aziza"
    page.keyboard.press("Control+Enter")
    expect(number).to_have_text(re.compile(r"\d{4}-000002"))
    citizen.hang_up()
    expect(page.locator(".callbar")).to_have_count(0)
    expect(number).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".idle")).to_be_visible()


def test_submitting_several_times_registers_once(page, nilufar):
    ring_operator(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('form').requestSubmit()")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.select().count() == 1


def test_registering_waits_for_the_lookup_of_the_last_field(page, nilufar):
    ring_operator(page, nilufar)
    delayed_routes = []
    page.route("**/choices/direction*", lambda route: delayed_routes.append(route))
    page.locator("#f-direction").press_sequentially("subs")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#form [type=submit]")).to_be_disabled()
    wait_until(lambda: page.evaluate("true") and delayed_routes)
    delayed_routes[-1].continue_()
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.get().direction == "subsidies"


def test_a_known_number_fills_the_form_with_one_key(page, nilufar):
    first = ring_operator(page, nilufar)
    first.start_talk()
    page.locator("#f-first_name").fill("Aziza")
    pick_from_list(page, "mahalla", "nav")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    first.hang_up()
    ring_operator(page, nilufar, SECOND_CALL)
    page.locator("#f-address").fill("Yangi manzil")
    page.keyboard.press("Alt+1")
    assert field_value(page, "first_name") == "Aziza"
    assert field_value(page, "district") == "Urgut tumani"
    expect(page.locator("#f-appeal_type")).to_be_focused()  # asked in each call
    expect(page.locator("[data-field=first_name]")).to_have_attribute("data-known", "")
    page.locator("#f-first_name").fill("Aziz")
    expect(page.locator("[data-field=first_name]")).not_to_have_attribute("data-known", "")


# places and doubts


def test_a_mahalla_fills_in_its_district_and_region(page, nilufar):
    ring_operator(page, nilufar)
    pick_from_list(page, "mahalla", "кўктепа")
    assert [field_value(page, f) for f in ("mahalla", "district", "region")] == [
        "Koʻktepa MFY",
        "Urgut tumani",
        "Samarqand viloyati",
    ]


def test_a_wider_place_limits_the_choice_and_a_new_one_clears_the_narrower(page, nilufar):
    ring_operator(page, nilufar)
    pick_from_list(page, "region", "andij")
    page.locator("#f-mahalla").fill("k")
    expect(page.locator("#f-mahalla-list li")).to_have_count(1)
    page.keyboard.press("Tab")
    assert field_value(page, "district") == "Oltinkoʻl tumani"
    pick_from_list(page, "region", "buxoro")
    assert [field_value(page, f) for f in ("mahalla", "district")] == ["", ""]


def test_a_mahalla_not_in_the_list_is_marked_stored_and_offered_again(page, nilufar):
    ring_operator(page, nilufar)
    pick_from_list(page, "district", "urgut")
    page.locator("#f-mahalla").fill("Yangi hayot")
    page.keyboard.press("Tab")
    doubt = page.locator("#f-mahalla-doubt")
    expect(doubt).to_contain_text("Roʻyxatda yoʻq")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    ring_operator(page, nilufar, SECOND_CALL)
    pick_from_list(page, "mahalla", "yangi")
    assert field_value(page, "mahalla") == "Yangi hayot"


def test_tab_does_not_move_into_an_open_list(page, nilufar):
    ring_operator(page, nilufar).start_talk()
    district = page.locator("#f-district")
    district.press_sequentially("a")
    rows = page.locator("#f-district-list li")
    expect(rows.nth(5)).to_be_visible()
    page.keyboard.type("n")  # typing continues before the server's answer can arrive
    page.keyboard.press("Tab")
    page.keyboard.type("kok")
    page.keyboard.press("Tab")
    page.keyboard.type("Navroʻz koʻchasi")
    expect(page.locator("#f-address")).to_have_value("Navroʻz koʻchasi")
    expect(district).to_have_value(re.compile("n", re.IGNORECASE))
    assert field_value(page, "mahalla")


def test_fast_typing_enters_each_letter_into_its_field(page, nilufar):
    ring_operator(page, nilufar).start_talk()
    page.locator("#f-call_type").focus()
    texts = TYPED_TEXTS["uz_Latn"]
    for field in ("call_type", "region", "district", "mahalla", "address", "passport", "pinfl"):
        page.keyboard.type(texts.get(field, ""), delay=65)  # 15 keys a second
        page.keyboard.press("Tab")
    expect(page.locator("#f-mahalla")).to_have_value("Koʻktepa MFY")
    expect(page.locator("#f-district")).to_have_value(re.compile("^Urgut"))
    assert field_value(page, "address") == texts["address"]
    page.locator("#f-group").focus()
    page.keyboard.type(texts["group"], delay=65)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(texts["employment"], delay=65)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(texts["direction"], delay=65)
    page.keyboard.press("Tab")
    page.keyboard.type(texts["gist"], delay=65)
    expect(page.locator("#f-gist")).to_have_value(texts["gist"])
    for field in ("group", "employment", "direction"):
        expect(page.locator(f"[name={field}]")).not_to_have_value("")


def test_doubts_appear_while_typing_and_do_not_block_registering(page, nilufar):
    ring_operator(page, nilufar)
    height = page.locator(".form").bounding_box()["height"]
    page.locator("#f-pinfl").press_sequentially("31210632040244")
    page.locator("#f-born").press_sequentially("14.03.1978")
    expect(page.locator("#f-pinfl-doubt")).to_contain_text("Sana mos emas")
    expect(page.locator("#form-summary")).to_contain_text("saqlashga toʻsiq emas")
    assert page.locator(".form").bounding_box()["height"] == height
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert "pinfl:born" in Appeal.get().warnings


# no typed text is lost


def test_a_draft_survives_a_reload(page, nilufar):
    ring_operator(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    page.reload()  # before the automatic save
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    wait_until_saved(page)
    assert Draft.get().values["first_name"] == "Aziza"


def test_a_letter_typed_during_a_save_survives_a_reload(page, nilufar):
    citizen = ring_operator(page, nilufar)
    citizen.start_talk()
    gist = page.locator("#f-gist")
    gist.fill("Ish haq")
    wait_until_saved(page)
    delayed_routes = []

    def delay_first_save(route):
        if route.request.method == "GET":
            route.continue_()
        elif delayed_routes:
            route.abort()
        else:
            delayed_routes.append(route)

    page.route(DRAFT_URLS, delay_first_save)
    with page.expect_request(DRAFT_URLS):
        gist.press_sequentially("i")
    gist.press_sequentially("!")
    with page.expect_response(DRAFT_URLS):
        delayed_routes[0].continue_()
    page.reload()
    expect(gist).to_have_value("Ish haqi!")


def test_a_letter_survives_pages_that_load_slowly(page, nilufar):
    """Their clocks are behind, and a former page's save arrives after the next page has loaded."""
    ring_operator(page, nilufar).start_talk()
    gist = page.locator("#f-gist")
    page.route(DRAFT_URLS, abort_saves)
    gist.fill("Ish haqi")
    token = page.locator("#form").get_attribute("data-token")
    local_copy = json.loads(
        page.evaluate("name => localStorage.getItem(name)", f"form:nilufar:{token}")
    )
    typed_at = dt.datetime.fromtimestamp(local_copy["at"] / 1000, dt.UTC)
    page.route("**/operator**", set_page_clock_back)
    page.reload()
    expect(gist).to_have_value("Ish haqi")
    drafts.save_draft(nilufar, token, local_copy["values"], form="2", typed_at=typed_at)
    gist.press_sequentially("!")
    page.unroute("**/operator**")
    page.reload()
    expect(gist).to_have_value("Ish haqi!")


def test_a_letter_survives_an_earlier_save_with_a_later_time(page, nilufar):
    """As with a page whose clock is behind: nobody has changed the field since."""
    ring_operator(page, nilufar).start_talk()
    gist = page.locator("#f-gist")
    gist.fill("Ish haqi")
    wait_until_saved(page)
    token = page.locator("#form").get_attribute("data-token")
    page.route(DRAFT_URLS, abort_saves)
    gist.press_sequentially("!")
    drafts.save_draft(nilufar, token, drafts.find_draft(nilufar, token).values, form="2")
    page.reload()
    expect(gist).to_have_value("Ish haqi!")
    drafts.save_draft(nilufar, token, {"gist": "Nafaqa"}, form="2")
    page.reload()
    expect(gist).to_have_value("Nafaqa")


def abort_saves(route):
    """Abort every request that saves, so that nothing reaches the server."""
    route.abort() if route.request.method == "POST" else route.continue_()


def set_page_clock_back(route):
    """Serve the page with the time of an hour ago, as if it had taken an hour to load."""
    if not route.request.is_navigation_request():
        route.fallback()
        return
    response = route.fetch()
    hour_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat()
    meta = r'(<meta name="now" content=")[^"]*'
    route.fulfill(response=response, body=re.sub(meta, rf"\g<1>{hour_ago}", response.text()))


def test_returning_to_a_form_focuses_its_next_field(page, nilufar):
    page.keyboard.press("F2")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Aziza")
    wait_until_saved(page)
    page.reload()
    expect(page.locator("#f-surname")).to_be_focused()
    page.locator(".lang button[lang=ru]").click()
    expect(page.locator("#f-surname")).to_be_focused()
    expect(page.locator("#form-summary")).to_contain_text("обязательных полей не заполнено")
    page.keyboard.press("Alt+l")
    page.locator(".idle .drafts a").click()
    expect(page.locator("#f-surname")).to_be_focused()


def test_a_draft_survives_signing_out_and_in(page, nilufar):
    ring_operator(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    page.goto("/account")
    page.get_by_role("button", name="Chiqish").click()
    sign_in_by_form(page, "nilufar")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


def test_a_session_lost_while_typing_is_restored_in_another_tab(page, window, nilufar):
    ring_operator(page, nilufar)
    window.clear_cookies()
    page.locator("#f-first_name").fill("Aziza")
    banner = page.locator("[data-trouble='401']")
    expect(banner).to_be_visible()
    assert field_value(page, "first_name") == "Aziza"
    assert Draft.select().count() == 0
    with window.expect_page() as opened_page:
        banner.locator("a").click()
    login_page = opened_page.value
    login_page.locator("[name=login]").fill("nilufar")
    login_page.locator("[name=password]").fill("parol-parol")
    login_page.keyboard.press("Enter")
    login_page.wait_for_url("**/operator")
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(banner).to_be_hidden()
    wait_until(lambda: drafts.operator_drafts(nilufar))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()


def test_a_form_is_registered_although_the_token_is_of_an_earlier_session(page, nilufar):
    ring_operator(page, nilufar)
    page.evaluate("document.querySelector('meta[name=csrf-token]').content = 'earlier'")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.select().count() == 1


def test_an_earlier_response_does_not_hide_that_the_session_is_lost(page, window, nilufar):
    ring_operator(page, nilufar)
    delayed_responses = []
    page.route(
        re.compile("/operator/bar"), lambda route: delayed_responses.append((route, route.fetch()))
    )
    page.evaluate("document.getElementById('bar').dispatchEvent(new Event('live'))")
    wait_until(lambda: page.evaluate("true") and delayed_responses)
    window.clear_cookies()
    page.locator("#f-first_name").fill("Aziza")
    banner = page.locator("[data-trouble='401']")
    expect(banner).to_be_visible()
    route, response = delayed_responses[0]
    with page.expect_response(re.compile("/operator/bar")):
        route.fulfill(response=response)
    expect(page.locator("#bar:not(.htmx-request)")).to_be_attached()
    expect(banner).to_be_visible()


def test_a_session_lost_before_registering_loses_nothing(page, window, nilufar):
    ring_operator(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    wait_until_saved(page)
    window.clear_cookies()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-trouble='401']")).to_be_visible()
    assert Appeal.select().count() == 0
    sign_in_by_form(page, "nilufar")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


def test_a_killed_browser_loses_nothing(playwright: Playwright, pages, nilufar, tmp_path):
    folder = tmp_path / "profile"
    options = {"executable_path": CHROMIUM_PROGRAM, "args": CHROMIUM_FLAGS, "viewport": WINDOW_SIZE}
    window = playwright.chromium.launch_persistent_context(folder, base_url=pages.url, **options)
    page = open_page(window)
    ring_operator(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    wait_until_saved(page)
    with window.expect_event("close"):
        os.kill(browser_pid(folder), signal.SIGKILL)
    for lock in folder.glob("Singleton*"):
        lock.unlink()
    window = playwright.chromium.launch_persistent_context(folder, base_url=pages.url, **options)
    page = window.new_page()
    page.goto("/operator")
    if "/login" in page.url:  # the cookie was not yet on the disk
        sign_in_by_form(page, "nilufar")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    window.close()


def browser_pid(folder: Path) -> int:
    """Return the id of the first process of the Chromium that works in this folder."""
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda p: int(p.name)):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        is_main = not any(word.startswith(b"--type=") for word in arguments)
        if is_main and f"--user-data-dir={folder}".encode() in arguments:
            return int(process.name)
    raise AssertionError("no such browser")


def test_typed_text_waits_in_the_browser_while_the_pages_are_down(page, pages, nilufar):
    ring_operator(page, nilufar)
    pages.kill()
    page.locator("#f-first_name").fill("Aziza")
    expect(page.locator("#saved")).to_contain_text("shu kompyuterda saqlandi")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#form [type=submit]")).to_be_enabled()
    assert Draft.select().count() == 0
    pages.start()
    wait_until_saved(page)
    assert Draft.get().values["first_name"] == "Aziza"
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.select().count() == 1


def test_pages_that_hang_are_reported_as_unavailable(page, pages, nilufar):
    ring_operator(page, nilufar)
    with pages.frozen():
        page.locator("#f-first_name").fill("Aziza")
        expect(page.locator("#saved")).to_contain_text("shu kompyuterda saqlandi", timeout=30_000)
    wait_until_saved(page)
    assert Draft.get().values["first_name"] == "Aziza"


def test_text_stored_by_the_browser_for_a_former_call_reaches_the_server_later(
    page, window, pages, nilufar
):
    first = ring_operator(page, nilufar)
    first.start_talk()
    pages.kill()
    page.locator("#f-first_name").fill("Aziza")
    expect(page.locator("#saved")).to_contain_text("shu kompyuterda saqlandi")
    first.hang_up()
    Citizen(SECOND_CALL).ring_operator(nilufar)
    page.close()
    pages.start()
    window.new_page().goto("/operator")
    wait_until(lambda: drafts.operator_drafts(nilufar))
    assert [draft.call_id for draft in drafts.operator_drafts(nilufar)] == [FIRST_CALL]


def test_a_form_is_put_aside_reopened_and_discarded(page, nilufar):
    citizen = ring_operator(page, nilufar)
    citizen.start_talk()
    citizen.hang_up()
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Alt+l")
    page.locator(".idle .drafts a").click()
    expect(page.locator("#form[data-ready] #f-first_name")).to_have_value("Aziza")
    page.keyboard.press("Alt+l")
    page.locator("[data-discard]").click()
    page.locator("#discard-dialog [data-yes]").click()
    expect(page.locator(".drafts li")).to_have_count(0)
    assert drafts.operator_drafts(nilufar) == []


def test_a_form_is_put_aside_and_reopened_during_a_call(page, nilufar):
    ring_operator(page, nilufar).start_talk()
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Alt+l")
    expect(page.locator(".callbar")).to_be_visible()
    page.locator(".idle .drafts a").click()
    page.locator("#form[data-ready] #f-surname").fill("Karimova")
    wait_until_saved(page)
    page.reload()
    expect(page.locator("#f-surname")).to_have_value("Karimova")


def test_f2_opens_a_form_without_a_call_that_survives_a_reload(page):
    page.keyboard.press("F2")
    page.locator("#form[data-ready] #f-first_name").fill("Aziza")
    page.reload()
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


# away from the workplace


def test_a_call_is_shown_on_every_page_and_one_key_opens_its_form(page, nilufar):
    page.goto("/followups")
    before = page.title()
    citizen = Citizen(FIRST_CALL)
    citizen.ring_operator(nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    expect(page).to_have_title(f"Jiringlayapti · {before}")
    citizen.start_talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    expect(page).to_have_title(f"Suhbat · {before}")
    expect(page.locator(".callbar time").first).to_have_text(re.compile(r"\d+:(?!00)\d\d"))
    page.keyboard.press("F10")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F9")
    expect(page.locator("#passing-q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("F3")
    expect(open_form(page, FIRST_CALL)).to_be_visible()
    citizen.hang_up()
    expect(page).to_have_title(re.compile("^(?!Suhbat)"))


def test_a_form_that_opens_does_not_take_the_focus_from_a_transfer(page, nilufar):
    page.keyboard.press("F9")
    page.locator("#passing-q").fill("71239")
    citizen = Citizen(FIRST_CALL)
    citizen.ring_operator(nilufar)
    expect(open_form(page, FIRST_CALL)).to_be_visible()
    citizen.start_talk()
    expect(page.locator("#form[data-stage=talk]")).to_be_visible()
    expect(page.locator("#passing-title")).to_contain_text("ulab berish")
    expect(page.locator("#passing-q")).to_be_focused()
    page.keyboard.type("0101")
    expect(page.locator("#passing-q")).to_have_value("712390101")
    expect(page.locator("#passing-found li")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#passing [data-trouble-here]")).to_contain_text(
        "Stansiya javob bermayapti"
    )
    expect(open_form(page, FIRST_CALL)).to_be_visible()  # it was not registered
    assert CallForm.select().count() == 0


# calling a missed caller back


def test_a_callback_opens_its_form_and_a_failed_one_removes_it_with_a_reason(page, nilufar):
    failed = MissedCaller(nilufar)
    failed.start_ringing()
    expect(open_form(page, failed.facts.id)).to_be_visible()
    assert field_value(page, "call_direction") == "Qayta qoʻngʻiroq"
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "dialling")
    expect(page.locator(".callbar time").first).to_have_text(re.compile(r"\d+:(?!00)\d\d"))
    failed.end_call("failed", "1")
    expect(page.locator(".idle")).to_be_visible()
    expect(page.locator("#paused")).to_contain_text("bunday raqam yoʻq")
    successful = MissedCaller(nilufar)
    successful.facts.id = SECOND_CALL
    successful.start_ringing()
    successful.answer_call()
    expect(page.locator("#f-surname")).to_be_focused()
    successful.end_call("answered")
    switch_to_appeal(page)
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.get().call_id == SECOND_CALL


def test_consulting_an_employee_leaves_the_clock_and_the_form_unchanged(page, nilufar):
    citizen = ring_operator(page, nilufar)
    citizen.start_talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    started_at = page.locator(".callbar time").first.get_attribute("datetime")
    page.locator("#f-first_name").fill("Aziza")
    citizen.start_transfer("+998712390101")
    citizen.return_from_transfer("no_answer")
    alert = page.locator(".callbar [role=alert]")
    expect(alert).to_contain_text("71")
    expect(page.locator(".callbar time").first).to_have_attribute("datetime", started_at)
    assert field_value(page, "first_name") == "Aziza"


# the operator's state, and the appearance of the page


def test_f10_changes_the_state_and_reports_that_asterisk_does_not_answer(page, nilufar):
    page.keyboard.press("F10")
    expect(page.locator(".toast")).to_contain_text("stansiyasi javob bermayapti")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    assert presence.state_of(nilufar).state == "ready"


def test_two_keys_choose_the_reason_of_a_pause_and_the_focus_stays_in_the_form(page, nilufar):
    presence.choose_state(nilufar, "ready")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F2")
    switch_to_appeal(page)
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("F10")
    expect(page.locator("#state [data-pick='1']")).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("#state summary")).to_contain_text("Dam olish")
    expect(page.locator("#f-first_name")).to_be_focused()
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    page.keyboard.press("F10")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F10")
    page.keyboard.press("0")
    expect(page.locator("#state summary")).to_contain_text("Navbatdan tashqari ish")
    assert presence.state_of(nilufar).state == "back_office"
    page.locator("#state summary").click()
    page.keyboard.press("Escape")
    expect(page.locator("#state-menu[open]")).to_have_count(0)


def test_two_pages_and_a_reloaded_page_show_the_same_state(page, window, nilufar):
    presence.choose_state(nilufar, "ready")
    other_page = window.new_page()
    other_page.goto("/operator")
    for tab in (page, other_page):
        expect(tab.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F10")
    page.keyboard.press("1")
    for tab in (page, other_page):
        expect(tab.locator("#state summary")).to_contain_text("Tushlik")
    other_page.reload()
    expect(other_page.locator("#state summary")).to_contain_text("Tushlik")
    other_page.locator("#state summary").click()  # open while the state changes elsewhere
    page.keyboard.press("F10")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    expect(other_page.locator("#state-menu[open]")).to_be_visible()
    other_page.keyboard.press("Escape")
    expect(other_page.locator("#state summary")).to_contain_text("Tayyor")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_workplace_is_accessible_and_the_form_fits_the_screen(page, nilufar, locale, theme):
    accounts.choose_language(nilufar, locale)
    accounts.choose_appearance(nilufar, theme, large_text=False)
    page.reload()
    check_accessibility(page)
    citizen = ring_operator(page, nilufar)
    citizen.start_talk()
    page.locator("#f-passport").fill("1")
    page.locator("#f-mahalla").fill("k")
    expect(page.locator("#f-mahalla-list li").first).to_be_visible()
    expect(page.locator("#f-passport-doubt")).to_be_visible()
    check_accessibility(page)
    body = page.locator(".formpanel .panel-body")
    assert body.evaluate("e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.keyboard.press("Control+Enter")
    page.locator(".registered .bignumber a").click()
    expect(page.locator(".timeline")).to_be_visible()
    check_accessibility(page)


def check_accessibility(page: Page) -> None:
    """Check that axe's rules find no violation on the page."""
    page.wait_for_load_state()  # with its stylesheets
    page.evaluate(AXE_SCRIPT.read_text("utf-8"))
    run = "runOnly => axe.run(document, { runOnly, resultTypes: ['violations'] })"
    results = page.evaluate(run, AXE_RULES)
    assert [(v["id"], v["nodes"][0]["html"]) for v in results["violations"]] == []
