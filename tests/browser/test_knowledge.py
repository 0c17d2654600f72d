"""The knowledge base beside the form in the real browser: by keys alone, nothing is lost."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from appliance.casework.knowledge import Place, Words, articles
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import ArticleOpening, User
from provisioning.local.settings_file import scratch
from tests.browser.conftest import sign_in
from tests.browser.test_operator import form_of, saved
from tests.browser.test_sms import faults
from tests.rig.citizen import Citizen

CALL = "1764000000.1"
WORDS = Words(
    "Subsidiya olish",
    "Ariza **15 kun** ichida koʻriladi.\n\n- pasport shart emas\n- bepul",
    "Получение субсидии",
    "Заявление рассматривают **15 дней**.",
    law="Murojaatlar toʻgʻrisida",
    law_number="OʻRQ-445",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The test's site, which can send short messages."""
    account = {"name": "first", "kind": "eskiz", "url": "http://127.0.0.1:9", "price": 9500}
    settings.file.write_text(scratch(sms=[account]))
    return site_settings.load(settings.file)


@pytest.fixture
def page(window: BrowserContext, settings: Settings, nilufar, sherzod, bahodir) -> Page:
    """Nilufar's page while she speaks; two articles are in force."""
    for words in (WORDS, Words("Boshqa", "Matn", "Другое", "Текст")):
        row = articles.create(sherzod, words, Place("appeals"))
        for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
            row = articles.do(action, row, user, row.revision)
    opened = window.new_page()
    sign_in(opened, "nilufar")
    citizen = Citizen(CALL)
    citizen.ring(nilufar)
    citizen.talk()
    expect(form_of(opened, CALL)).to_be_visible()
    opened.locator("#f-first_name").fill("Aziza")
    saved(opened)
    return opened


def test_by_keys_alone_it_is_found_opened_judged_and_sent(page: Page, nilufar: User) -> None:
    page.locator("#f-gist").focus()
    page.keyboard.press("Alt+i")
    panel, search = page.locator("#knowledge"), page.locator("#knowledge-q")
    expect(search).to_be_focused()
    expect(panel.locator("[data-article]")).to_have_count(2)
    search.press_sequentially("субсид")
    expect(panel.locator("[data-article]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(panel.locator("[data-article]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.locator("h3")).to_have_text("Subsidiya olish")
    expect(panel.locator(".article strong")).to_have_text("15 kun")
    assert faults(page, "#knowledge") == []
    page.keyboard.press("Alt+y")
    expect(panel.locator("button[value=yes]")).to_have_attribute("aria-pressed", "true")
    panel.locator("[data-sms-passage]").click()
    expect(page.locator("#sms-text")).to_have_value(
        "Ariza 15 kun ichida koʻriladi. pasport shart emas bepul"
    )
    expect(panel).to_be_hidden()
    expect(page.locator("#f-first_name")).to_have_value("Aziza")
    [opening] = ArticleOpening.select()
    assert (opening.call_id, opening.who, opening.version) == (CALL, "nilufar", 1)


def test_enter_opens_what_was_typed_last(page: Page) -> None:
    page.locator("#f-gist").focus()
    page.keyboard.press("Alt+i")
    expect(page.locator("#knowledge [data-article]")).to_have_count(2)
    page.keyboard.type("boshqa")
    page.keyboard.press("Enter")  # before the server was asked
    expect(page.locator("#knowledge h3")).to_have_text("Boshqa")


def test_escape_leads_back_to_the_form(page: Page) -> None:
    page.locator("#f-gist").focus()
    page.keyboard.press("Alt+i")
    expect(page.locator("#knowledge-q")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#knowledge")).to_be_hidden()
    expect(page.locator("#f-gist")).to_be_focused()
