"""The workplace in the real browser: the form opens by itself, and nothing typed is lost."""

import datetime as dt
import io
import json
import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect

from appliance.casework import appeals, catalogs
from appliance.models import Appeal, CallForm, Draft, Handling, User
from appliance.people import accounts, presence
from tests.browser.conftest import sign_in, sign_in_by_form
from tests.rig.chromium import FLAGS, PROGRAM, WINDOW
from tests.rig.citizen import PHONE, Citizen, Missed
from tests.rig.waiting import until

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MAHALLAS = """code,district_soato,name_uz_latn,name_uz_cyrl
1,1718236,Koʻktepa MFY,Кўктепа МФЙ
2,1718236,Navroʻz MFY,Наврўз МФЙ
3,1703202,Eski koʻktepa MFY,Эски кўктепа МФЙ
"""
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
FIRST_CALL, SECOND_CALL = "1764000000.1", "1764000000.2"

# What is typed into each field, in the form's order, in each language.
TYPED = {
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
DRAFTS = "**/operator/forms/*"  # where they are saved
SAVED = re.compile(r"\d\d:\d\d$")


@pytest.fixture
def page(window: BrowserContext, nilufar: User) -> Page:
    """Nilufar's page, between calls."""
    catalogs.import_csv("mahallas", io.StringIO(MAHALLAS))
    return open_page(window)


def open_page(window: BrowserContext) -> Page:
    page = window.new_page()
    sign_in(page, "nilufar")
    expect(page.locator("#bar")).to_be_attached()
    return page


def ring(page: Page, operator: User, id: str = FIRST_CALL) -> Citizen:
    """A citizen calls, and the form is there."""
    citizen = Citizen(id)
    citizen.ring(operator)
    expect(form_of(page, id)).to_be_visible()
    to_appeal(page)
    return citizen


def to_appeal(page: Page) -> None:
    """From form №2 of the call at hand to form №1."""
    page.keyboard.press("F6")
    expect(page.locator("#form[data-form='1'][data-ready]")).to_be_visible()


def form_of(page: Page, call: str) -> Locator:
    """The open form of a call."""
    return page.locator(f"#form[data-token^='{call}-'][data-ready]")


def saved(page: Page) -> None:
    """Until the server has what stands in the form."""
    expect(page.locator("#saved.safe")).to_have_text(SAVED)
    kept = "() => Object.keys(localStorage).some((key) => key.startsWith('form:'))"
    until(lambda: not page.evaluate(kept))


def pick(page: Page, field: str, typed: str) -> None:
    page.locator(f"#f-{field}").fill(typed)
    expect(page.locator(f"#f-{field}-list li").first).to_be_visible()
    page.keyboard.press("Tab")


def value(page: Page, field: str) -> str:
    return page.locator(f"#f-{field}").input_value()


# the call's form


def test_the_form_opens_by_itself_while_the_phone_rings(page, nilufar):
    expect(page.locator("#form")).to_have_count(0)
    citizen = ring(page, nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    assert value(page, "phone") == "+998 93 555 01 47"
    citizen.talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    expect(page.locator(".callbar time").first).to_have_text(re.compile(r"\d+:(?!00)\d\d"))


def test_a_ring_in_vain_takes_its_untouched_form_away(page, nilufar):
    citizen = ring(page, nilufar)
    citizen.ring_in_vain()
    expect(page.locator(".idle")).to_be_visible()


def test_the_form_stays_after_the_call_and_a_new_call_brings_a_fresh_one(page, nilufar):
    first = ring(page, nilufar)
    first.talk()
    page.locator("#f-first_name").fill("Aziza")
    first.hang_up()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "wrap_up")
    assert value(page, "first_name") == "Aziza"
    page.locator("#f-surname").press_sequentially("Karimova")  # still typing when it rings
    second = Citizen(SECOND_CALL)
    second.ring(nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    second.talk()
    expect(form_of(page, SECOND_CALL)).to_be_visible()
    assert value(page, "first_name") == ""
    draft = page.locator(".drafts a")
    expect(draft).to_have_text("Karimova Aziza")
    second.hang_up()
    draft.click()
    expect(page.locator("#form[data-ready] #f-surname")).to_have_value("Karimova")


def test_a_ring_takes_no_letter_from_the_form_that_is_typed(page, nilufar):
    page.keyboard.press("F2")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    gist = page.locator("#f-gist")
    gist.focus()
    page.keyboard.type("0123456789", delay=40)
    citizen = Citizen(FIRST_CALL)
    citizen.ring(nilufar)
    page.keyboard.type("ringringri", delay=40)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    expect(page.locator("#said")).to_have_text("Qoʻngʻiroq jiringlamoqda: +998 93 555 01 47")
    expect(gist).to_be_focused()
    citizen.talk()
    page.keyboard.type("talktalkta", delay=40)
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    expect(page.locator("#f-surname")).to_be_focused()
    assert value(page, "gist") == value(page, "first_name") == ""
    page.keyboard.press("F3")
    expect(gist).to_have_value("0123456789ringringritalktalkta")
    page.keyboard.press("F3")
    expect(form_of(page, FIRST_CALL)).to_be_visible()


def test_a_ring_in_vain_leaves_the_open_form_as_it_was(page, nilufar):
    page.keyboard.press("F2")
    page.locator("#form[data-ready] #f-first_name").fill("Aziza")
    citizen = Citizen(FIRST_CALL)
    citizen.ring(nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    page.keyboard.press("F3")  # who is it?
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    page.keyboard.press("F3")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    citizen.ring_in_vain()
    expect(page.locator(".callbar")).to_have_count(0)
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


@pytest.mark.parametrize("locale", LOCALES)
def test_all_of_form_1_by_keyboard_in_each_language(page, nilufar, locale):
    accounts.choose_language(nilufar, locale)
    page.reload()
    citizen = ring(page, nilufar)
    citizen.talk()
    expect(page.locator("#f-appeal_type")).to_be_focused()
    words, key = TYPED[locale], page.keyboard

    def type_in(field: str, text: str) -> None:
        expect(page.locator(f"#f-{field}")).to_be_focused()
        key.type(text)
        key.press("Tab")

    key.press("Space")
    key.press("ArrowRight")  # from the first kind of appeal to the next
    key.press("Tab")
    for field in ("first_name", "surname", "call_type", "region", "district", "mahalla", "address"):
        type_in(field, words[field])
    type_in("passport", "ab 1234567")
    type_in("pinfl", "40201902050010")
    key.press("Space")
    key.press("ArrowRight")  # female
    key.press("Tab")
    type_in("born", "02.01.1990")
    type_in("group", words["group"])
    key.press("Tab")  # the phone is there
    type_in("phone_at_hand", "90 123 45 67")
    type_in("employment", words["employment"])
    key.press("ArrowRight")  # personal
    key.press("Tab")
    type_in("direction", words["direction"])
    key.type(words["gist"])
    key.press("Alt+t")
    key.press("Tab")
    key.type("Subsidiya shartlari")
    key.press("Tab")
    key.type("B. Rahimov")
    key.press("Control+Enter")
    expect(page.locator(".registered .bignumber a")).to_have_text(re.compile(r"\d{4}-000001"))
    appeal = Appeal.get()
    kept = {name: getattr(appeal, name) for name in ("first_name", "surname", "address", "gist")}
    assert kept == {name: words[name] for name in kept}
    assert (appeal.region_id, appeal.district_id, appeal.mahalla.code) == ("1718", "1718236", "1")
    assert (appeal.passport, appeal.pinfl) == ("AB1234567", "40201902050010")
    assert (appeal.sex, appeal.born_on) == ("f", dt.date(1990, 1, 2))
    assert (appeal.applicant_kind, appeal.appeal_type) == ("person", "complaint")
    assert (appeal.call_type, appeal.group) == ("appeal", "low_income_family")
    assert (appeal.employment, appeal.direction) == ("temporarily_unemployed", "subsidies")
    assert (appeal.phone, appeal.phone_at_hand) == (PHONE, "+998901234567")
    assert (appeal.openness, appeal.call_id) == ("personal", FIRST_CALL)
    assert (appeal.consultation_issue, appeal.consultation_contact) == (
        "Subsidiya shartlari",
        "B. Rahimov",
    )
    assert appeal.warnings == []
    page.locator(".registered .bignumber a").click()
    expect(page.locator("h1")).to_have_text(appeal.number)


def test_a_legal_entity_is_asked_for_its_name_and_not_for_a_birth_date(page, nilufar):
    ring(page, nilufar)
    page.locator("[name=applicant_kind][value=entity]").check(force=True)
    expect(page.locator("#f-born")).to_be_hidden()
    page.locator("#f-entity_name").fill("Baraka MCHJ")
    page.locator("#f-stir").fill("301234567")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    appeal = Appeal.get()
    assert (appeal.entity_name, appeal.stir) == ("Baraka MCHJ", "301234567")
    assert "born:empty" not in appeal.warnings


def test_who_registers_in_a_talk_keeps_the_caller_and_reads_the_number_once(page, nilufar):
    citizen = ring(page, nilufar)
    citizen.talk()
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
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    page.keyboard.press("Alt+1")
    assert value(page, "first_name") == "Aziza"
    page.keyboard.press("Control+Enter")
    expect(number).to_have_text(re.compile(r"\d{4}-000002"))
    citizen.hang_up()
    expect(page.locator(".callbar")).to_have_count(0)
    expect(number).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".idle")).to_be_visible()


def test_sending_in_a_hurry_registers_once(page, nilufar):
    ring(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('form').requestSubmit()")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.select().count() == 1


def test_registering_waits_for_the_choice_of_a_field_just_left(page, nilufar):
    ring(page, nilufar)
    held = []
    page.route("**/choices/direction*", lambda route: held.append(route))
    page.locator("#f-direction").press_sequentially("subs")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#form [type=submit]")).to_be_disabled()
    until(lambda: page.evaluate("true") and held)
    held[-1].continue_()
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.get().direction == "subsidies"


def test_a_known_number_fills_the_form_with_one_key(page, nilufar):
    first = ring(page, nilufar)
    first.talk()
    page.locator("#f-first_name").fill("Aziza")
    pick(page, "mahalla", "nav")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    first.hang_up()
    ring(page, nilufar, SECOND_CALL)
    page.locator("#f-address").fill("Yangi manzil")
    page.keyboard.press("Alt+1")
    assert value(page, "first_name") == "Aziza"
    assert value(page, "district") == "Urgut tumani"
    expect(page.locator("#f-appeal_type")).to_be_focused()  # asked anew in each call
    expect(page.locator("[data-field=first_name]")).to_have_attribute("data-known", "")
    page.locator("#f-first_name").fill("Aziz")
    expect(page.locator("[data-field=first_name]")).not_to_have_attribute("data-known", "")


# places, doubts


def test_a_mahalla_fills_in_its_district_and_region(page, nilufar):
    ring(page, nilufar)
    pick(page, "mahalla", "кўктепа")
    assert [value(page, f) for f in ("mahalla", "district", "region")] == [
        "Koʻktepa MFY",
        "Urgut tumani",
        "Samarqand viloyati",
    ]


def test_a_wider_place_narrows_and_another_one_empties_the_narrower(page, nilufar):
    ring(page, nilufar)
    pick(page, "region", "andij")
    page.locator("#f-mahalla").fill("k")
    expect(page.locator("#f-mahalla-list li")).to_have_count(1)
    page.keyboard.press("Tab")
    assert value(page, "district") == "Oltinkoʻl tumani"
    pick(page, "region", "buxoro")
    assert [value(page, f) for f in ("mahalla", "district")] == ["", ""]


def test_a_typed_mahalla_is_marked_kept_and_offered_to_the_next(page, nilufar):
    ring(page, nilufar)
    pick(page, "district", "urgut")
    page.locator("#f-mahalla").fill("Yangi hayot")
    page.keyboard.press("Tab")
    doubt = page.locator("#f-mahalla-doubt")
    expect(doubt).to_contain_text("Roʻyxatda yoʻq")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    ring(page, nilufar, SECOND_CALL)
    pick(page, "mahalla", "yangi")
    assert value(page, "mahalla") == "Yangi hayot"


def test_tab_never_leads_into_an_open_list(page, nilufar):
    ring(page, nilufar).talk()
    district = page.locator("#f-district")
    district.press_sequentially("a")
    rows = page.locator("#f-district-list li")
    expect(rows.nth(5)).to_be_visible()
    page.keyboard.type("n")  # and on before its answer can be here
    page.keyboard.press("Tab")
    page.keyboard.type("kok")
    page.keyboard.press("Tab")
    page.keyboard.type("Navroʻz koʻchasi")
    expect(page.locator("#f-address")).to_have_value("Navroʻz koʻchasi")
    expect(district).to_have_value(re.compile("n", re.IGNORECASE))
    assert value(page, "mahalla")


def test_fast_typing_through_every_list_puts_each_letter_into_its_field(page, nilufar):
    ring(page, nilufar).talk()
    page.locator("#f-call_type").focus()
    typed = TYPED["uz_Latn"]
    for field in ("call_type", "region", "district", "mahalla", "address", "passport", "pinfl"):
        page.keyboard.type(typed.get(field, ""), delay=65)  # 15 keys a second
        page.keyboard.press("Tab")
    expect(page.locator("#f-mahalla")).to_have_value("Koʻktepa MFY")
    expect(page.locator("#f-district")).to_have_value(re.compile("^Urgut"))
    assert value(page, "address") == typed["address"]
    page.locator("#f-group").focus()
    page.keyboard.type(typed["group"], delay=65)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(typed["employment"], delay=65)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(typed["direction"], delay=65)
    page.keyboard.press("Tab")
    page.keyboard.type(typed["gist"], delay=65)
    expect(page.locator("#f-gist")).to_have_value(typed["gist"])
    for field in ("group", "employment", "direction"):
        expect(page.locator(f"[name={field}]")).not_to_have_value("")


def test_doubts_come_while_typing_and_block_nothing(page, nilufar):
    ring(page, nilufar)
    height = page.locator(".form").bounding_box()["height"]
    page.locator("#f-pinfl").press_sequentially("31210632040244")
    page.locator("#f-born").press_sequentially("14.03.1978")
    expect(page.locator("#f-pinfl-doubt")).to_contain_text("Sana mos emas")
    expect(page.locator("#form-summary")).to_contain_text("saqlashga toʻsiq emas")
    assert page.locator(".form").bounding_box()["height"] == height
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert "pinfl:born" in Appeal.get().warnings


# nothing typed is lost


def test_a_draft_survives_a_reload(page, nilufar):
    ring(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    page.reload()  # before it could be saved by itself
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    saved(page)
    assert Draft.get().values["first_name"] == "Aziza"


def test_a_letter_typed_while_a_save_is_under_way_survives_a_reload(page, nilufar):
    citizen = ring(page, nilufar)
    citizen.talk()
    gist = page.locator("#f-gist")
    gist.fill("Ish haq")
    saved(page)
    held = []

    def save(route):
        if route.request.method == "GET":
            route.continue_()
        elif held:
            route.abort()
        else:
            held.append(route)

    page.route(DRAFTS, save)
    with page.expect_request(DRAFTS):
        gist.press_sequentially("i")
    gist.press_sequentially("!")
    with page.expect_response(DRAFTS):
        held[0].continue_()
    page.reload()
    expect(gist).to_have_value("Ish haqi!")


def test_a_letter_survives_pages_that_were_slow_to_begin(page, nilufar):
    """Their clocks go after, and what a page before has sent arrives when the next one is there."""
    ring(page, nilufar).talk()
    gist = page.locator("#f-gist")
    page.route(DRAFTS, refused)
    gist.fill("Ish haqi")
    token = page.locator("#form").get_attribute("data-token")
    kept = json.loads(page.evaluate("name => localStorage.getItem(name)", f"form:nilufar:{token}"))
    sent = dt.datetime.fromtimestamp(kept["at"] / 1000, dt.UTC)
    page.route("**/operator**", an_hour_late)
    page.reload()
    expect(gist).to_have_value("Ish haqi")
    appeals.save_draft(nilufar, token, kept["values"], form="2", typed_at=sent)
    gist.press_sequentially("!")
    page.unroute("**/operator**")
    page.reload()
    expect(gist).to_have_value("Ish haqi!")


def test_a_letter_survives_a_save_that_came_before_it_and_counts_as_later(page, nilufar):
    """As of a page whose clock goes after: nobody has changed its field since."""
    ring(page, nilufar).talk()
    gist = page.locator("#f-gist")
    gist.fill("Ish haqi")
    saved(page)
    token = page.locator("#form").get_attribute("data-token")
    page.route(DRAFTS, refused)
    gist.press_sequentially("!")
    appeals.save_draft(nilufar, token, appeals.draft(nilufar, token).values, form="2")
    page.reload()
    expect(gist).to_have_value("Ish haqi!")
    appeals.save_draft(nilufar, token, {"gist": "Nafaqa"}, form="2")
    page.reload()
    expect(gist).to_have_value("Nafaqa")


def refused(route):
    """Nothing that is saved reaches the server."""
    route.abort() if route.request.method == "POST" else route.continue_()


def an_hour_late(route):
    """The page says the time of an hour ago, as one that took so long to come."""
    if not route.request.is_navigation_request():
        route.fallback()
        return
    answer = route.fetch()
    before = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat()
    meta = r'(<meta name="now" content=")[^"]*'
    route.fulfill(response=answer, body=re.sub(meta, rf"\g<1>{before}", answer.text()))


def test_whoever_comes_back_to_a_form_goes_on_at_its_next_field(page, nilufar):
    page.keyboard.press("F2")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Aziza")
    saved(page)
    page.reload()
    expect(page.locator("#f-surname")).to_be_focused()
    page.locator(".lang button[lang=ru]").click()
    expect(page.locator("#f-surname")).to_be_focused()
    expect(page.locator("#form-summary")).to_contain_text("обязательных полей не заполнено")
    page.keyboard.press("Alt+l")
    page.locator(".idle .drafts a").click()
    expect(page.locator("#f-surname")).to_be_focused()


def test_a_draft_survives_signing_out_and_in(page, nilufar):
    ring(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    page.goto("/account")
    page.get_by_role("button", name="Chiqish").click()
    sign_in_by_form(page, "nilufar")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


def test_a_session_lost_while_typing_is_mended_in_another_tab(page, window, nilufar):
    ring(page, nilufar)
    window.clear_cookies()
    page.locator("#f-first_name").fill("Aziza")
    banner = page.locator("[data-trouble='401']")
    expect(banner).to_be_visible()
    assert value(page, "first_name") == "Aziza"
    assert Draft.select().count() == 0
    with window.expect_page() as opened:
        banner.locator("a").click()
    again = opened.value
    again.locator("[name=login]").fill("nilufar")
    again.locator("[name=password]").fill("parol-parol")
    again.keyboard.press("Enter")
    again.wait_for_url("**/operator")
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(banner).to_be_hidden()
    until(lambda: appeals.drafts(nilufar))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()


def test_a_session_lost_before_registering_loses_nothing(page, window, nilufar):
    ring(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    saved(page)
    window.clear_cookies()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-trouble='401']")).to_be_visible()
    assert Appeal.select().count() == 0
    sign_in_by_form(page, "nilufar")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


def test_a_killed_browser_loses_nothing(playwright: Playwright, pages, nilufar, tmp_path):
    folder = tmp_path / "profile"
    options = {"executable_path": PROGRAM, "args": FLAGS, "viewport": WINDOW}
    window = playwright.chromium.launch_persistent_context(folder, base_url=pages.url, **options)
    page = open_page(window)
    ring(page, nilufar)
    page.locator("#f-first_name").fill("Aziza")
    saved(page)
    with window.expect_event("close"):
        os.kill(browser_of(folder), signal.SIGKILL)
    for lock in folder.glob("Singleton*"):
        lock.unlink()
    window = playwright.chromium.launch_persistent_context(folder, base_url=pages.url, **options)
    page = window.new_page()
    page.goto("/operator")
    if "/login" in page.url:  # the cookie was not yet on the disk
        sign_in_by_form(page, "nilufar")
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    window.close()


def browser_of(folder: Path) -> int:
    """The first process of the Chromium that works in this folder."""
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda p: int(p.name)):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        main = not any(word.startswith(b"--type=") for word in words)
        if main and f"--user-data-dir={folder}".encode() in words:
            return int(process.name)
    raise AssertionError("no such browser")


def test_the_pages_gone_for_a_while_what_is_typed_waits_here(page, pages, nilufar):
    ring(page, nilufar)
    pages.kill()
    page.locator("#f-first_name").fill("Aziza")
    expect(page.locator("#saved")).to_contain_text("shu kompyuterda saqlandi")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#form [type=submit]")).to_be_enabled()
    assert Draft.select().count() == 0
    pages.start()
    saved(page)
    assert Draft.get().values["first_name"] == "Aziza"
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.select().count() == 1


def test_pages_that_hang_are_said_to_be_gone(page, pages, nilufar):
    ring(page, nilufar)
    with pages.frozen():
        page.locator("#f-first_name").fill("Aziza")
        expect(page.locator("#saved")).to_contain_text("shu kompyuterda saqlandi", timeout=30_000)
    saved(page)
    assert Draft.get().values["first_name"] == "Aziza"


def test_what_a_browser_kept_from_another_call_reaches_the_server_later(
    page, window, pages, nilufar
):
    first = ring(page, nilufar)
    first.talk()
    pages.kill()
    page.locator("#f-first_name").fill("Aziza")
    expect(page.locator("#saved")).to_contain_text("shu kompyuterda saqlandi")
    first.hang_up()
    Citizen(SECOND_CALL).ring(nilufar)
    page.close()
    pages.start()
    window.new_page().goto("/operator")
    until(lambda: appeals.drafts(nilufar))
    assert [draft.call_id for draft in appeals.drafts(nilufar)] == [FIRST_CALL]


def test_put_aside_taken_up_and_thrown_away(page, nilufar):
    citizen = ring(page, nilufar)
    citizen.talk()
    citizen.hang_up()
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Alt+l")
    page.locator(".idle .drafts a").click()
    expect(page.locator("#form[data-ready] #f-first_name")).to_have_value("Aziza")
    page.keyboard.press("Alt+l")
    page.locator("[data-discard]").click()
    page.locator("#discard-dialog [data-yes]").click()
    expect(page.locator(".drafts li")).to_have_count(0)
    assert appeals.drafts(nilufar) == []


def test_put_aside_in_the_middle_of_a_call(page, nilufar):
    ring(page, nilufar).talk()
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Alt+l")
    expect(page.locator(".callbar")).to_be_visible()
    page.locator(".idle .drafts a").click()
    page.locator("#form[data-ready] #f-surname").fill("Karimova")
    saved(page)
    page.reload()
    expect(page.locator("#f-surname")).to_have_value("Karimova")


def test_f2_begins_a_form_without_a_call_that_survives_too(page):
    page.keyboard.press("F2")
    page.locator("#form[data-ready] #f-first_name").fill("Aziza")
    page.reload()
    expect(page.locator("#f-first_name")).to_have_value("Aziza")


# away from the workplace


def test_a_call_shows_on_every_page_and_one_key_leads_to_its_form(page, nilufar):
    page.goto("/followups")
    before = page.title()
    citizen = Citizen(FIRST_CALL)
    citizen.ring(nilufar)
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "ringing")
    expect(page).to_have_title(f"Jiringlayapti · {before}")
    citizen.talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    expect(page).to_have_title(f"Suhbat · {before}")
    expect(page.locator(".callbar time").first).to_have_text(re.compile(r"\d+:(?!00)\d\d"))
    page.keyboard.press("F10")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F9")
    expect(page.locator("#passing-q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("F3")
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    citizen.hang_up()
    expect(page).to_have_title(re.compile("^(?!Suhbat)"))


def test_a_form_that_comes_takes_no_key_from_whoever_passes_the_call_on(page, nilufar):
    page.keyboard.press("F9")
    page.locator("#passing-q").fill("71239")
    citizen = Citizen(FIRST_CALL)
    citizen.ring(nilufar)
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    citizen.talk()
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
    expect(form_of(page, FIRST_CALL)).to_be_visible()  # and was not registered
    assert CallForm.select().count() == 0


# calling a missed caller back


def test_a_call_back_brings_its_form_and_one_in_vain_takes_it_away_and_says_why(page, nilufar):
    in_vain = Missed(nilufar)
    in_vain.is_rung()
    expect(form_of(page, in_vain.facts.id)).to_be_visible()
    assert value(page, "call_direction") == "Qayta qoʻngʻiroq"
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "dialling")
    expect(page.locator(".callbar time").first).to_have_text(re.compile(r"\d+:(?!00)\d\d"))
    in_vain.end("failed", "1")
    expect(page.locator(".idle")).to_be_visible()
    expect(page.locator("#paused")).to_contain_text("bunday raqam yoʻq")
    again = Missed(nilufar)
    again.facts.id = SECOND_CALL
    again.is_rung()
    again.talk()
    expect(page.locator("#f-surname")).to_be_focused()
    again.end("answered")
    to_appeal(page)
    page.locator("#f-first_name").fill("Aziza")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    assert Appeal.get().call_id == SECOND_CALL


def test_asking_an_employee_leaves_the_clock_and_the_form(page, nilufar):
    citizen = ring(page, nilufar)
    citizen.talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    begun = page.locator(".callbar time").first.get_attribute("datetime")
    page.locator("#f-first_name").fill("Aziza")
    citizen.asks("+998712390101")
    citizen.comes_back("no_answer")
    told = page.locator(".callbar [role=alert]")
    expect(told).to_contain_text("71")
    expect(page.locator(".callbar time").first).to_have_attribute("datetime", begun)
    assert value(page, "first_name") == "Aziza"


# the state, how it looks


def test_f10_changes_the_state_and_says_when_the_exchange_is_silent(page, nilufar):
    page.keyboard.press("F10")
    expect(page.locator(".toast")).to_contain_text("stansiyasi javob bermayapti")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    assert presence.state_of(nilufar).state == "ready"


def test_two_keys_say_what_a_pause_is_for_and_the_focus_stays_in_the_form(page, nilufar):
    presence.choose_state(nilufar, "ready")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F2")
    to_appeal(page)
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


def test_two_pages_and_a_page_taken_up_again_show_the_same_state(page, window, nilufar):
    presence.choose_state(nilufar, "ready")
    other = window.new_page()
    other.goto("/operator")
    for one in (page, other):
        expect(one.locator("#state summary")).to_contain_text("Tayyor")
    page.keyboard.press("F10")
    page.keyboard.press("1")
    for one in (page, other):
        expect(one.locator("#state summary")).to_contain_text("Tushlik")
    other.reload()
    expect(other.locator("#state summary")).to_contain_text("Tushlik")
    other.locator("#state summary").click()  # the menu is open while the state changes elsewhere
    page.keyboard.press("F10")
    expect(page.locator("#state summary")).to_contain_text("Tayyor")
    expect(other.locator("#state-menu[open]")).to_be_visible()
    other.keyboard.press("Escape")
    expect(other.locator("#state summary")).to_contain_text("Tayyor")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", LOCALES)
def test_everybody_can_use_it_and_the_form_fits_the_screen(page, nilufar, locale, theme):
    accounts.choose_language(nilufar, locale)
    accounts.choose_appearance(nilufar, theme, large_text=False)
    page.reload()
    accessible(page)
    citizen = ring(page, nilufar)
    citizen.talk()
    page.locator("#f-passport").fill("1")
    page.locator("#f-mahalla").fill("k")
    expect(page.locator("#f-mahalla-list li").first).to_be_visible()
    expect(page.locator("#f-passport-doubt")).to_be_visible()
    accessible(page)
    body = page.locator(".formpanel .panel-body")
    assert body.evaluate("e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.keyboard.press("Control+Enter")
    page.locator(".registered .bignumber a").click()
    expect(page.locator(".timeline")).to_be_visible()
    accessible(page)


def accessible(page: Page) -> None:
    """No finding of axe's rules."""
    page.wait_for_load_state()  # with its stylesheets
    page.evaluate(AXE.read_text("utf-8"))
    run = "runOnly => axe.run(document, { runOnly, resultTypes: ['violations'] })"
    found = page.evaluate(run, RULES)
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
