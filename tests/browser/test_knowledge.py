"""The knowledge base next to the form in the real browser: by keys alone, without any loss."""

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from appliance.casework.knowledge import articles
from appliance.casework.knowledge.articles import ArticleContent, ArticlePlacement
from appliance.core.settings import Settings
from appliance.models import ArticleFile, ArticleOpening, User
from appliance.people import accounts
from tests.browser.conftest import sign_in
from tests.browser.talk import CALL, add_sms_account, open_named_form
from tests.browser.test_sms import accessibility_faults

SUBSIDY_ARTICLE = ArticleContent(
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
    return add_sms_account(settings)


@pytest.fixture
def page(window: BrowserContext, settings: Settings, nilufar, sherzod, bahodir) -> Page:
    """Nilufar's page during a talk; two articles are in force."""
    for text in (SUBSIDY_ARTICLE, ArticleContent("Boshqa", "Matn", "Другое", "Текст")):
        row = articles.create_article(sherzod, text, ArticlePlacement("appeals"))
        for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
            row = articles.change_version_status(action, row, user, row.revision)
    return open_named_form(window, nilufar)


def test_an_article_is_found_opened_rated_and_sent_by_keys_alone(page: Page, nilufar: User) -> None:
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
    assert accessibility_faults(page, "#knowledge") == []
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


def test_enter_opens_the_article_of_the_latest_search(page: Page) -> None:
    page.locator("#f-gist").focus()
    page.keyboard.press("Alt+i")
    expect(page.locator("#knowledge [data-article]")).to_have_count(2)
    page.keyboard.type("boshqa")
    page.keyboard.press("Enter")  # before the server has received the query
    expect(page.locator("#knowledge h3")).to_have_text("Boshqa")


def test_escape_returns_to_the_form(page: Page) -> None:
    page.locator("#f-gist").focus()
    page.keyboard.press("Alt+i")
    expect(page.locator("#knowledge-q")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#knowledge")).to_be_hidden()
    expect(page.locator("#f-gist")).to_be_focused()


def make_docx(**parts: bytes) -> bytes:
    """Return a DOCX of these parts; in their names "__" is "/" and "_xml" is ".xml"."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as document:
        for name, data in {"[Content_Types]_xml": b"<Types/>", **parts}.items():
            document.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return content.getvalue()


HARMFUL_FILES = {
    "../../makros.docx": (make_docx(word__document_xml=b"<d/>", word__vbaProject=b"x"), "макрос"),
    "bomba.docx": (make_docx(word__document_xml=b"<d/>", word__a=bytes(60 << 20)), "распаков"),
    "skript.pdf": (b"%PDF-1.7\n<</S /J#61vaScript>>\n%%EOF\n", "макрос"),
    "rasm.jpg": (b"MZ" + bytes(2_000), "PDF, DOCX, PNG"),
}


def test_a_refused_file_does_not_lose_typed_text(
    window: BrowserContext, sherzod: User, tmp_path: Path
) -> None:
    accounts.choose_language(sherzod, "ru")
    page = window.new_page()
    sign_in(page, "sherzod")
    page.goto("/articles/new")
    page.locator("#title_uz").fill("Sarlavha")
    page.locator("#text_ru").fill("Напечатанный текст")
    page.locator("#section").select_option(index=1)
    files = page.locator("#files")
    large = tmp_path / "katta.pdf"
    large.write_bytes(bytes(20 << 20))
    files.set_input_files(large)
    page.locator("main form [type=submit].primary").click()
    expect(page).to_have_url("/articles/new")  # the browser has not sent it
    assert files.evaluate("(one) => one.validationMessage").startswith("PDF, DOCX, PNG, JPEG")
    eight = [tmp_path / f"{n}.pdf" for n in range(8)]
    for file in eight:
        file.write_bytes(bytes(5 << 20))
    files.set_input_files(eight)
    assert files.evaluate("(one) => one.validationMessage").startswith("PDF, DOCX, PNG, JPEG")
    for name, (content, message) in HARMFUL_FILES.items():
        upload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        files.set_input_files(upload)  # type: ignore[arg-type]
        page.locator("main form [type=submit].primary").first.click()
        expect(page.locator("main > .note.is-bad")).to_contain_text(message)
        expect(page.locator("#text_ru")).to_have_value("Напечатанный текст")
        assert ArticleFile.select().count() == 0, name
    files.set_input_files(large)
    page.locator("main form").first.evaluate("(form) => { form.noValidate = true; }")
    page.locator("#title_uz").fill("Boshqa sarlavha")
    page.locator("main form [type=submit].primary").first.click()
    expect(page.locator("main > .note.is-bad")).to_contain_text("5 МБ")
    expect(page.locator("#title_uz")).to_have_value("Boshqa sarlavha")
    assert ArticleFile.select().count() == 0
