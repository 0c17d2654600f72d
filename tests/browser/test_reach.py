"""The operator's page for who sees it otherwise, hears it, or has keys only; how fast it is."""

import datetime as dt
import statistics
import time

import pytest
from playwright.sync_api import Page, expect

from appliance.casework import forms
from appliance.models import Appeal, User
from appliance.people import accounts, presence
from tests.browser.test_operator import (
    AXE,
    FIRST_CALL,
    LOCALES,
    RULES,
    SECOND_CALL,
    form_of,
    page,
    ring,
    to_appeal,
)
from tests.rig.citizen import PHONE, Citizen

__all__ = ["page"]

MOST_KEYS = 45  # besides free text
# As it looks; what axe finds in the page's structure is the same in each.
LOOKS = [(theme, size) for theme in ("light", "dark") for size in ("", "large")]
OF_LOOKS = ["color-contrast", "target-size", "scrollable-region-focusable"]


def test_a_screen_reader_hears_that_a_call_rings(page: Page, nilufar: User) -> None:
    """The place of alerts is in the tree before the call, and has its words while it rings."""
    alert = page.get_by_role("alert").and_(page.locator("#said"))
    expect(alert).to_be_attached()
    expect(alert).to_be_empty()
    citizen = Citizen(FIRST_CALL)
    citizen.ring(nilufar)
    expect(page.locator("#at-hand")).to_match_aria_snapshot(
        '- alert: "Qoʻngʻiroq jiringlamoqda: +998 93 555 01 47"'
    )
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    said = [node for node in tree["nodes"] if node.get("role", {}).get("value") == "alert"]
    live = {p["name"]: p["value"].get("value") for p in said[0]["properties"]}
    assert live["live"] == "assertive"
    citizen.talk()
    expect(alert).to_be_empty()


@pytest.mark.parametrize("form", ["1", "2"])
def test_tab_goes_the_way_of_the_conversation(page: Page, nilufar: User, form: str) -> None:
    Citizen(FIRST_CALL).ring(nilufar)
    expect(form_of(page, FIRST_CALL)).to_be_visible()
    if form == "1":
        to_appeal(page)
    asked = [field.name for field in forms.in_force(form).fields if field.asked_of != "entity"]
    page.locator(f"[data-field={asked[0]}] :is(input, textarea):not([type=hidden])").first.focus()
    walked: list[str] = []
    for _step in range(2 * len(asked)):
        here = page.evaluate("document.activeElement.closest('[data-field]')?.dataset.field")
        if not here:
            break
        walked.append(here)
        page.keyboard.press("Tab")
    shown = [name for name in asked if page.locator(f"[data-field={name}]").is_visible()]
    assert walked == shown
    expect(page.locator("#put-aside")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#form [type=submit]")).to_be_focused()


def test_an_appeal_in_a_call_by_few_keys(page: Page, nilufar: User, record_property) -> None:
    citizen = Citizen(FIRST_CALL)
    citizen.ring(nilufar)
    citizen.talk()
    expect(page.locator("#f-surname")).to_be_focused()
    keys = 0

    def press(*names: str) -> None:
        nonlocal keys
        keys += len(names)
        for name in names:
            page.keyboard.press(name)

    def choose(field: str, letters: str) -> None:
        expect(page.locator(f"#f-{field}")).to_be_focused()
        press(*letters, "Tab")

    def write(field: str, text: str) -> None:
        expect(page.locator(f"#f-{field}")).to_be_focused()
        page.keyboard.type(text)
        press("Tab")

    press("F6")
    expect(page.locator("#f-appeal_type")).to_be_focused()
    press("Space", "Tab")
    write("first_name", "Gulchehra")
    write("surname", "Yoʻldosheva")
    choose("call_type", "mur")
    choose("region", "sam")
    choose("district", "urg")
    choose("mahalla", "kok")
    write("address", "Navroʻz koʻchasi, 12-uy")
    write("passport", "ab 1234567")
    write("pinfl", "40201902050010")
    press("Space", "ArrowRight", "Tab")  # female
    write("born", "02.01.1990")
    choose("group", "kam")
    press("Tab")  # the phone is there
    write("phone_at_hand", "90 123 45 67")
    choose("employment", "vaq")
    press("Tab")  # an open appeal
    choose("direction", "sub")
    page.keyboard.type("Tikuv mashinasi uchun subsidiya soʻragan.")
    press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    record_property("an appeal in a call by keyboard, keys besides free text", keys)
    assert keys <= MOST_KEYS
    made = Appeal.get()
    assert (made.call_id, made.phone, made.warnings) == (FIRST_CALL, PHONE, [])
    assert (made.region_id, made.district_id, made.mahalla.code) == ("1718", "1718236", "1")
    assert (made.sex, made.born_on) == ("f", dt.date(1990, 1, 2))
    assert "" not in (made.appeal_type, made.call_type, made.group, made.employment, made.direction)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_can_be_read(page: Page, nilufar: User, locale: str) -> None:
    accounts.choose_language(nilufar, locale)
    page.reload()
    page.wait_for_load_state()  # with its stylesheets
    page.evaluate(AXE.read_text("utf-8"))
    found: list[tuple[str, str, str, str]] = []

    def look(state: str) -> None:
        for theme, size in LOOKS:
            first = (theme, size) == LOOKS[0]
            rules = {"type": "rule", "values": OF_LOOKS} if not first else RULES
            said = page.evaluate(
                """([theme, size, runOnly]) => {
                    Object.assign(document.documentElement.dataset, { theme, text: size });
                    return axe.run(document, { runOnly, resultTypes: ["violations"] });
                }""",
                [theme, size, rules],
            )
            found.extend(
                (state, f"{theme} {size}", one["id"], one["nodes"][0]["html"])
                for one in said["violations"]
            )

    look("idle")
    presence.choose_state(nilufar, "pause", reason=presence.FORCED)
    expect(page.locator("#paused .banner")).to_be_visible()
    look("paused")
    citizen = ring(page, nilufar)
    look("ringing")
    citizen.talk()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
    look("talk")
    citizen.asks("712390101")
    citizen.comes_back("no_answer")
    expect(page.locator(".callfacts [role=alert]")).to_be_visible()
    look("nobody was reached")
    citizen.hang_up()
    expect(page.locator(".callbar")).to_have_attribute("data-stage", "wrap_up")
    look("wrap-up")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".registered")).to_be_visible()
    look("registered")
    assert found == []


# what can be pressed in the top bar and the operator's, and is cut, out of sight or covered
CUT_OFF = """() => [...document.querySelectorAll(
    ".topbar :is(a, button, select), #bar :is(a, button), #phone :is(a, button)"
)].filter((one) => {
    if (!one.checkVisibility({ visibilityProperty: true })) return false;
    const { left, top, right, bottom } = one.getBoundingClientRect();
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) return true;
    const clipped = getComputedStyle(one).overflow !== "visible";
    if (clipped && one.scrollWidth > one.clientWidth + 1) return true;
    const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return !one.contains(there) && !one.closest("label, .seg")?.contains(there);
}).map((one) => one.id || one.title || one.textContent.trim() || one.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768)])
def test_a_small_screen_is_enough(page: Page, nilufar: User, size: tuple[int, int]) -> None:
    """What is pressed is in sight, nothing is cut: in the longer languages, enlarged at last."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    citizen = ring(page, nilufar)
    citizen.talk()
    found: list[tuple[str, bool, list[str]]] = []
    for language, large in (("uz_Cyrl", False), ("uz_Cyrl", True), ("ru", False), ("ru", True)):
        accounts.choose_language(nilufar, language)
        accounts.choose_appearance(nilufar, "light", large)
        page.reload()
        expect(page.locator(".callbar")).to_have_attribute("data-stage", "talk")
        expect(page.locator("#form[data-ready]")).to_be_visible()
        page.evaluate("document.fonts.ready")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found.append((language, large, [f"{wide} pixels too wide"] if wide > 0 else []))
        for control in ("#hang-up", "#put-aside", "#form [type=submit]", "[data-does=commands]"):
            expect(page.locator(control)).to_be_in_viewport(ratio=1)
        found.append((language, large, page.evaluate(CUT_OFF)))
    assert [one for one in found if one[2]] == []
    page.locator("#f-gist").focus()
    expect(page.locator("#f-gist")).to_be_in_viewport(ratio=1)


def test_how_soon_the_card_and_a_key_are_seen(page: Page, nilufar: User, record_property) -> None:
    expect(page.get_by_text("Aloqa bor")).to_be_visible()
    page.evaluate(
        """() => {
            const card = document.getElementById("card");
            const seen = () => requestAnimationFrame(() => { window.seen ??= Date.now(); });
            new MutationObserver(() => card.querySelector("#form") && seen())
                .observe(card, { childList: true });
            window.keys = [];
            new PerformanceObserver((list) => {
                for (const one of list.getEntries()) {
                    if (one.name === "keydown") window.keys.push(one.duration);
                }
            }).observe({ type: "event", durationThreshold: 16 });
        }"""
    )
    begun = time.time()
    citizen = Citizen(SECOND_CALL)
    citizen.ring(nilufar)
    expect(form_of(page, SECOND_CALL)).to_be_visible()
    shown = page.evaluate("window.seen") / 1000 - begun
    record_property("ring to card, ms", round(1000 * shown))
    citizen.talk()
    expect(page.locator("#f-surname")).to_be_focused()
    letters = "Karimova Gulchehra"
    page.keyboard.type(letters)
    page.keyboard.press("F9")
    expect(page.locator("#passing-q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.locator("#commands-q")).to_be_focused()
    slow = page.evaluate("window.keys")  # those of 16 ms and more
    took = sorted([*slow, *[16] * (len(letters) + 3 - len(slow))])
    record_property("key to paint, ms: median", round(statistics.median(took)))
    record_property("key to paint, ms: longest", round(took[-1]))
    assert shown < 5
    assert statistics.median(took) < 100
