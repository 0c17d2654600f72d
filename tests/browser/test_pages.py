"""The pages around the operator's in Chromium: live sections, a lost link, reading aids."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from appliance.casework import catalogs
from appliance.casework.appeals import registering
from appliance.casework.changes import files, links, requests
from appliance.casework.forms import drafts
from appliance.casework.scripts import seeding
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import Appeal, User
from appliance.people import accounts, presence
from appliance.telephony import routing, trunks
from appliance.telephony.calls import CallFacts, store_call
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SpanReport, TrunkReport
from tests.browser.conftest import sign_in, sign_in_by_form
from tests.rig.rules import RULES

AXE_SCRIPT = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EXPECTED_COMPLAINTS = re.compile("status of (401|404)|net::ERR_")  # caused by the tests
PAGES_OF_USER = {
    "nilufar": ["/account", "/operator/phone"],
    "dilnoza": [
        *("/calls", "/floor", "/reports", "/reports/quarterly", "/reports/issued"),
        "/appeals/{number}/correct",
    ],
    "bahodir": [
        *("/appeals", "/appeals/statistics", "/appeals/{number}"),
        *("/changes", "/changes/new", "/changes/1"),
    ],
    "sherzod": [
        *("/staff-records", "/reports/issued", "/departments", "/keys", "/outbox"),
        *("/retention", "/notices", "/notices/templates", "/people", "/people/1"),
        *("/people/import", "/changes/1"),
        *("/forms/1", "/forms/1/preview", "/forms/1/versions/1"),
        *("/scripts", "/scripts/counts", "/scripts/birinchi-suhbat"),
        *("/scripts/birinchi-suhbat/steps/salom", "/scripts/birinchi-suhbat/preview?way=1"),
    ],
    "rustam": [
        *("/status", "/directory", "/nothing-here"),
        *("/retention", "/sms", "/ministry", "/links", "/backups"),
        *("/telephony", "/telephony/topics", "/telephony/versions", "/prompts"),
    ],
}


def add_trunks_and_script() -> None:
    """Store a dead trunk, a span with calls on it, and the product's own script."""
    seeding.seed_product_script()
    sip = Trunk("sip1", address="127.9.9.9", watched=True, channels=50)
    routing.save_plan(Plan(trunks=(sip, Trunk("e1", kind="e1", spans="1-15,17-31"))), by="rustam")
    trunks.store_trunks([TrunkReport("sip1", trunks.DOWN, error="OPTIONS sip:127.9.9.9:5060")])
    states = {1: "busy", 2: "busy", 9: "busy", 23: "alarm"}
    slots = {slot: states.get(slot, "free") for slot in range(1, 32) if slot != 16}
    trunks.store_spans([SpanReport(1, "e1", "", True, slots)])
    trunks.end_test(trunks.begin_test("sip1", "+998712000000", "rustam").id, "CHANUNAVAIL", "18")
    trunks.end_test(trunks.begin_test("e1", "+998712000000", "rustam", 1).id, "ANSWER", "", 2.4)


@pytest.fixture
def change_request(settings, bahodir: User, sherzod: User) -> None:
    """The first change request, with a file and with the change made for it."""
    calendar = catalogs.working_calendar(settings)
    attachments = [files.UploadedFile("xat.pdf", 4, lambda: b"%PDF")]
    request = requests.create_change_request(
        bahodir, "other", "Raqam oʻzgardi", "Eskisi ishlamaydi", calendar, attachments
    )
    before, after = {"number": "712390101"}, {"number": "712000600", "active": "1"}
    links.link_change(request, sherzod, "employee", "1", "Lola Rashidova", before, after)


@pytest.fixture
def open_as(window) -> Callable[[str, str], Page]:
    """Opens a page as a user; the test fails if the browser logs any complaint."""
    complaints: list[str] = []

    def open_page(login: str, path: str) -> Page:
        page = window.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not window.cookies():
            sign_in(page, login, path)
        else:
            page.goto(path)
        return page

    yield open_page
    assert [text for text in complaints if not EXPECTED_COMPLAINTS.search(text)] == []


def add_incoming_call(id: str = "1.1") -> None:
    with write_transaction():
        store_call(CallFacts(id, "inbound", clock.now(), caller="+998935550147"), RULES)


@pytest.fixture
def appeal(settings, nilufar: User) -> Appeal:
    """One registered appeal, for the pages that show it."""
    token = drafts.token_for(nilufar, None)
    return registering.register(
        {"gist": "Subsidiya"}, operator=nilufar, token=token, tz=settings.tz
    )


def test_a_call_appears_by_itself(open_as) -> None:
    page = open_as("dilnoza", "/calls")
    expect(page.get_by_text("Aloqa bor")).to_be_visible()
    add_incoming_call()
    expect(page.get_by_text("+998 93 555 01 47")).to_be_visible()


def test_a_state_appears_by_itself(open_as, nilufar: User) -> None:
    page = open_as("dilnoza", "/calls")
    presence.choose_state(nilufar, "pause")
    expect(page.locator("#operators li", has_text="Nilufar")).to_contain_text("Tanaffus")
    presence.choose_state(nilufar, "ready")
    expect(page.locator("#operators li", has_text="Nilufar")).to_contain_text("Tayyor")


def test_typed_text_and_the_focus_remain_when_a_section_is_updated(open_as) -> None:
    page = open_as("dilnoza", "/calls")
    page.locator("#day").fill("20.1")
    add_incoming_call()
    expect(page.get_by_text("+998 93 555 01 47")).to_be_visible()
    expect(page.locator("#day")).to_have_value("20.1")
    expect(page.locator("#day")).to_be_focused()
    page.get_by_role("link", name="Hammasi").focus()
    add_incoming_call("2.2")
    expect(page.locator("#calls tbody tr")).to_have_count(2)
    assert page.evaluate("document.activeElement.textContent").startswith("Hammasi")


def test_a_lost_link_is_reported_and_missed_events_are_fetched(open_as, pages) -> None:
    page = open_as("dilnoza", "/calls")
    expect(page.get_by_text("Aloqa bor")).to_be_visible()
    pages.kill()
    expect(page.get_by_text("Aloqa uzildi.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Aloqa bor")).to_be_hidden()
    add_incoming_call()
    pages.start()
    expect(page.get_by_text("+998 93 555 01 47")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Aloqa uzildi.")).to_be_hidden()


def test_a_refused_stream_reports_that_the_user_is_signed_out(open_as, window, pages) -> None:
    page = open_as("dilnoza", "/calls")
    expect(page.get_by_text("Aloqa bor")).to_be_visible()
    window.clear_cookies()
    pages.kill()
    pages.start()
    expect(page.get_by_text("Tizimdan chiqilgan.")).to_be_visible()


def test_an_ended_session_is_reported_and_the_page_recovers(open_as, window) -> None:
    page = open_as("dilnoza", "/calls")
    window.clear_cookies()
    add_incoming_call()
    expect(page.get_by_text("Tizimdan chiqilgan.")).to_be_visible()
    sign_in_by_form(window.new_page(), "dilnoza")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("Tizimdan chiqilgan.")).to_be_hidden()
    add_incoming_call("2.2")
    expect(page.locator("#calls tbody tr")).to_have_count(2)


def test_the_password_is_shown_on_demand(window) -> None:
    page = window.new_page()
    page.goto("/login")
    page.fill("#password", "parol")
    page.get_by_role("button", name="Koʻrsatish").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    expect(page.locator("#password")).to_be_focused()
    page.get_by_role("button", name="Koʻrsatish").click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_the_ministry_downloads_the_report(open_as) -> None:
    page = open_as("bahodir", "/reports?month=2026-10")
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    assert download.value.suggested_filename == "hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.pdf"
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")


@pytest.mark.usefixtures("change_request")
@pytest.mark.parametrize("login", PAGES_OF_USER)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(open_as, appeal, login, theme) -> None:
    add_incoming_call()
    add_trunks_and_script()
    accounts.choose_appearance(User.get(User.login == login), theme, large_text=False)
    page = open_as(login, "/account")
    page.set_viewport_size({"width": 1366, "height": 768})
    for path in PAGES_OF_USER[login]:
        page.goto(path.format(number=appeal.number))
        violations = page.evaluate(
            f"""async () => {{
                {AXE_SCRIPT.read_text("utf-8")};
                const said = await axe.run(document, {{
                    runOnly: {json.dumps(AXE_RULES)}, resultTypes: ["violations"]
                }});
                return said.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html));
            }}"""
        )
        assert violations == [], path


def test_the_enlarged_login_page_fits_the_window(window) -> None:
    page = window.new_page()
    page.set_viewport_size({"width": 320, "height": 768})
    page.goto("/login")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.usefixtures("change_request")
@pytest.mark.parametrize("login", PAGES_OF_USER)
def test_enlarged_pages_do_not_overflow_sideways(open_as, appeal, login) -> None:
    """WCAG 1.4.10: 320 px wide is 1280 px at 400 %."""
    add_incoming_call()
    add_trunks_and_script()
    page = open_as(login, "/account")
    for path in PAGES_OF_USER[login]:
        page.set_viewport_size({"width": 1366, "height": 768})
        page.goto(path.format(number=appeal.number))
        for width in (1366, 320):
            page.set_viewport_size({"width": width, "height": 768})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


@pytest.mark.parametrize("path", ["/analytics", "/minutes", "/reports", "/reports/quarterly"])
def test_a_report_in_progress_is_announced_and_the_page_stays_usable(open_as, path: str) -> None:
    page: Page = open_as("sherzod", path)
    delayed_routes: list[Route] = []
    page.route(re.compile(r"\.pdf\?"), lambda route: delayed_routes.append(route))
    button = page.get_by_role("button", name="PDF")
    button.click()
    busy = page.locator("button[aria-busy]")
    expect(busy).to_have_text("Tayyorlanmoqda…")
    expect(busy).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Fayl tayyorlanmoqda")).to_be_visible()
    page.get_by_label("Hujjat tili").select_option("ru")  # the page remains usable
    busy.click(force=True)  # a second press makes no second file
    assert len(delayed_routes) == 1
    with page.expect_download() as download:
        delayed_routes[0].continue_()
    assert download.value.suggested_filename.endswith(".pdf")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    expect(button).to_have_text("PDF")
    page.unroute_all()
    page.route(re.compile(r"\.pdf\?"), lambda route: route.abort())
    button.click()
    expect(page.get_by_text("Fayl tayyorlanmadi. Yana urinib koʻring.")).to_be_visible()
    expect(button).to_be_enabled()


def test_an_empty_field_is_reported_in_the_pages_language(window) -> None:
    page = window.new_page()
    page.goto("/login?til=ru")
    name = page.locator("[name=login]")
    page.locator("button[type=submit]").last.click()
    assert name.evaluate("field => field.validationMessage") == "Заполните это поле."
    name.fill("rustam")
    assert name.evaluate("field => field.validationMessage") == ""


def test_a_too_large_file_is_not_sent_and_typed_text_remains(open_as) -> None:
    page = open_as("rustam", "/people/import")
    page.locator("#people").fill("login,name")
    large = {"name": "odamlar.csv", "mimeType": "text/csv", "buffer": b"x" * (200 << 10)}
    page.locator("#file").set_input_files(files=[large])
    page.locator("form[action='/people/import'] [type=submit]").first.click()
    message = page.locator("#file").evaluate("field => field.validationMessage")
    assert message == "100 KB gacha"
    expect(page).to_have_url("/people/import")
    expect(page.locator("#people")).to_have_value("login,name")
