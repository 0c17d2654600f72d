"""Enlarged pages, small screens, the longest language: nothing is covered or cut."""

import datetime as dt
import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Handling, User
from appliance.people import accounts
from tests.browser.conftest import Pages, sign_in
from tests.browser.test_pages import AXE_SCRIPT, add_trunks_and_script
from tests.rig.appeals import create_appeal
from tests.rig.waiting import wait_until

SMALL_SCREEN = {"width": 1280, "height": 720}
DOUBLED_SCREEN = {"width": 640, "height": 360}  # 1280 × 720 at 200 %
PHONE_SCREEN = {"width": 390, "height": 800}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("screen", [SMALL_SCREEN, {"width": 1366, "height": 768}])
def test_the_form_cuts_no_option_and_its_button_fits_the_panel(
    window: BrowserContext, nilufar: User, screen: dict[str, int], large: bool
) -> None:
    accounts.choose_language(nilufar, "ru")
    accounts.choose_appearance(nilufar, "light", large)
    page = window.new_page()
    page.set_viewport_size(screen)
    sign_in(page, "nilufar")
    page.keyboard.press("F2")
    expect(page.locator("#form")).to_be_visible()
    page.evaluate("document.fonts.ready")
    assert cut_texts(page, "#form .seg span") == []
    assert page.locator("#form [type=submit]").evaluate(
        "(button) => button.getBoundingClientRect().right"
    ) <= page.locator(".formpanel").evaluate("(panel) => panel.getBoundingClientRect().right")


@pytest.mark.parametrize("language", ["uz_Cyrl", "ru"])
def test_all_tabs_of_a_section_are_visible(
    window: BrowserContext, sherzod: User, language: str
) -> None:
    accounts.choose_language(sherzod, language)
    accounts.choose_appearance(sherzod, "dark", large_text=True)
    page = window.new_page()
    page.set_viewport_size({"width": 1366, "height": 768})
    sign_in(page, "sherzod")
    page.goto("/scripts")
    for tab in page.locator(".tabs.sections a").all():
        expect(tab).to_be_in_viewport(ratio=1)


def test_a_label_does_not_overlap_another(window: BrowserContext, rustam: User) -> None:
    accounts.choose_language(rustam, "uz_Cyrl")
    page = window.new_page()
    page.set_viewport_size({"width": 1366, "height": 768})
    sign_in(page, "rustam")
    for section in ("trunks", "queues", "callback", "limits"):
        page.goto(f"/telephony/{section}")
        expect(page.locator(".plan .saving")).to_be_visible()
        assert cut_texts(page, ".plan label") == []


def cut_texts(page: Page, selector: str) -> list[str]:
    """Return the texts of visible elements that do not fit into them."""
    return page.locator(selector).evaluate_all(
        "(all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
    )


@pytest.mark.parametrize(
    ("login", "badge", "number"),
    [
        ("bahodir", "#appeals .rowlink .badge", "#appeals .rowlink b"),
        ("dilnoza", "#appeals td .badge", "#appeals .rowlink"),
    ],
)
@pytest.mark.parametrize("language", ["uz_Latn", "ru"])
@pytest.mark.parametrize("screen", [DOUBLED_SCREEN, PHONE_SCREEN])
def test_a_deadline_does_not_cover_the_number(
    window: BrowserContext,
    settings: Settings,
    nilufar: User,
    screen: dict[str, int],
    language: str,
    login: str,
    badge: str,
    number: str,
) -> None:
    create_appeal(settings, nilufar, {"gist": "Subsidiya"})
    overdue = clock.now().date() - dt.timedelta(days=12)
    Handling.update(due_on=overdue).execute()
    accounts.choose_language(User.get(User.login == login), language)
    page = window.new_page()
    page.set_viewport_size(screen)
    sign_in(page, login, "/appeals?all=1")
    badge_box, number_box = (
        page.locator(selector).first.bounding_box() for selector in (badge, number)
    )
    assert badge_box
    assert number_box
    is_left = badge_box["x"] + badge_box["width"] <= number_box["x"]
    assert is_left or badge_box["y"] + badge_box["height"] <= number_box["y"]


@pytest.mark.parametrize("screen", [DOUBLED_SCREEN, PHONE_SCREEN])
@pytest.mark.parametrize("path", ["/floor", "/analytics", "/capacity", "/appeals/statistics"])
def test_a_figure_shows_its_full_name(
    window: BrowserContext, pages: Pages, path: str, screen: dict[str, int]
) -> None:
    page = window.new_page()
    page.set_viewport_size(screen)
    sign_in(page, "dilnoza", path)
    page.locator(".lang [value=ru]").click()
    page.goto(path)
    expect(page.locator(".kpi dt").first).to_be_visible()
    assert cut_texts(page, ".kpi :is(dt, .sub)") == []


@pytest.mark.parametrize(
    ("login", "path"), [("rustam", "/status"), ("dilnoza", "/reports/quarterly")]
)
def test_a_scrolling_area_on_a_phone_scrolls_by_keys(
    window: BrowserContext, login: str, path: str
) -> None:
    add_trunks_and_script()
    page = window.new_page()
    sign_in(page, login)
    page.set_viewport_size(PHONE_SCREEN)
    page.goto(path)
    area = page.locator(".panel-body.flush[tabindex]").first
    area.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: page.evaluate("document.activeElement.scrollLeft > 0"))
    rules = json.dumps(["scrollable-region-focusable", "aria-allowed-role"])
    violations = page.evaluate(
        f"""async () => {{
            {AXE_SCRIPT.read_text("utf-8")};
            const said = await axe.run(document, {{
                runOnly: {rules}, resultTypes: ["violations"]
            }});
            return said.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html));
        }}"""
    )
    assert violations == []
    page.set_viewport_size({"width": 1366, "height": 768})
    expect(page.locator(".panel-body.flush[tabindex]")).to_have_count(0)


def test_the_printed_appeal_has_the_fields_of_the_terms_of_reference(
    window: BrowserContext, settings: Settings, dilnoza: User, nilufar: User
) -> None:
    appeal = create_appeal(settings, nilufar, {"gist": "Subsidiya"})
    page = window.new_page()
    sign_in(page, "dilnoza")
    page.goto(f"/appeals/{appeal.number}")
    labels = page.locator("section:has(#form-title) dt:visible")
    shown_labels = labels.all_inner_texts()
    page.emulate_media(media="print")
    assert set(shown_labels) - set(labels.all_inner_texts()) == {"Murojaat yoʻnalishi"}


def test_print_shows_content_but_no_controls(window: BrowserContext, dilnoza: User) -> None:
    accounts.choose_appearance(dilnoza, "dark", large_text=False)
    page = window.new_page()
    sign_in(page, "dilnoza")
    for path in ("/calls", "/analytics", "/appeals?all=1", "/reports", "/capacity"):
        page.goto(path)
        expect(page.locator(".topbar")).to_be_visible()
        page.emulate_media(media="print")
        expect(page.locator("h1")).to_be_visible()
        for control in (".topbar", ".tabs", ".filterbar", ".empty", ".keys", "form", ".btn"):
            for part in page.locator(control).all():
                expect(part).to_be_hidden()
        ink = page.locator("h1").evaluate("(title) => getComputedStyle(title).color")
        assert max(map(int, re.findall(r"\d+", ink)[:3])) < 64, "black on white in a dark theme"
        page.emulate_media(media="screen")
