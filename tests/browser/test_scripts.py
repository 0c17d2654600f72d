"""The script next to the form in the real browser: followed by keys and left, without any loss."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from appliance.casework.knowledge import articles
from appliance.casework.knowledge.articles import ArticleContent, ArticlePlacement
from appliance.casework.scripts import importing, runs
from appliance.models import ArticleOpening, ScriptVersion, User
from tests.browser.conftest import sign_in
from tests.browser.talk import CALL, open_page_in_talk
from tests.browser.test_operator import wait_until_saved
from tests.browser.test_sms import accessibility_faults
from tests.rig.scripts import make_script, make_step, publish_script
from tests.rig.waiting import wait_until


@pytest.fixture
def page(window: BrowserContext, nilufar: User, sherzod: User, bahodir: User) -> Page:
    """Nilufar's page in a talk, with a script that was in force before it."""
    return open_talk(window, nilufar, sherzod, bahodir)


def open_talk(
    window: BrowserContext,
    nilufar: User,
    sherzod: User,
    bahodir: User,
    definition: dict[str, Any] | None = None,
    slugs: tuple[str, ...] = (),
) -> Page:
    """Put a script in force, let Nilufar talk with a citizen, and return her page."""
    publish_script(sherzod, bahodir, definition, slugs)
    ScriptVersion.update(since=0).execute()
    return open_page_in_talk(window, nilufar)


def test_a_script_is_followed_by_keys_next_to_the_form(page: Page) -> None:
    script = page.locator(".script")
    expect(script.locator(".spoken")).to_contain_text("Assalomu alaykum")
    expect(script.locator(".answers button")).to_have_count(1)  # it has started by itself
    page.locator("#f-surname").fill("Karimova")
    page.keyboard.press("Alt+KeyJ")
    page.keyboard.press("Digit1")
    expect(script.locator(".spoken")).to_contain_text("Gap savol")
    script.locator("[data-script-field=surname]").click()
    expect(page.locator("#f-surname")).to_be_focused()
    page.keyboard.press("Digit2")  # typed as text, not as an answer
    expect(page.locator("#f-surname")).to_have_value("Karimova2")
    page.keyboard.press("Alt+KeyJ")
    page.keyboard.press("Digit2")
    expect(script.locator(".spoken")).to_contain_text("Gap xato")
    page.keyboard.press("KeyB")
    expect(script.locator(".spoken")).to_contain_text("Gap savol")
    page.keyboard.press("KeyX")
    expect(script.locator("[data-script-act=resume]")).to_be_visible()
    page.reload()
    expect(page.locator("#f-surname")).to_have_value("Karimova2")
    script.locator("[data-script-act=resume]").click()
    script.locator("[data-script-answer='1']").click()
    expect(script.locator(".spoken")).to_contain_text("Gap rahmat")
    script.locator("[data-script-end=finished]").click()
    wait_until(lambda: runs.runs_of_call(CALL)[0].row.result == "finished", 20)
    assert [course_step.transition for course_step in runs.runs_of_call(CALL)[0].course] == [
        "begin",
        "answer",
        "answer",
        "back",
        "answer",
    ]


def test_a_step_opens_its_article_and_ticks_the_consultation(
    window: BrowserContext, nilufar: User, sherzod: User, bahodir: User
) -> None:
    text = ArticleContent("Subsidiya olish", "Ariza 15 kun", "Получение субсидии", "Заявление")
    row = articles.create_article(sherzod, text, ArticlePlacement("appeals"))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.change_version_status(action, row, user, row.revision)
    actions = [{"kind": "article", "ref": row.article.slug}, {"kind": "specialist"}]
    definition = make_script(make_step("a", "b", actions=actions), make_step("b"))
    page = open_talk(window, nilufar, sherzod, bahodir, definition, (row.article.slug,))
    expect(page.locator(".script .answers button")).to_have_count(1)  # it is redrawn when it starts
    page.keyboard.press("Alt+KeyJ")
    page.locator(".script [data-at]").press("Enter")
    expect(page.locator("#knowledge h3")).to_be_focused()
    expect(page.locator("#knowledge h3")).to_have_text("Subsidiya olish")
    assert accessibility_faults(page, "#knowledge") == []
    page.keyboard.press("Escape")
    expect(page.locator(".script [data-at]")).to_be_focused()
    page.locator("[data-script-specialist]").press("Enter")  # the field is in the other form
    expect(page.locator("#f-consultation")).to_be_checked()
    wait_until_saved(page)
    page.reload()
    expect(page.locator("#f-consultation")).to_be_checked()
    assert [opening.call_id for opening in ArticleOpening.select()] == [CALL]


def test_a_chosen_file_is_shown_in_the_page_language_and_refused_when_too_large(
    window: BrowserContext, sherzod: User
) -> None:
    page = window.new_page()
    sign_in(page, "sherzod", "/scripts")
    file_name, field = page.locator("#file-chosen"), page.locator("#file")
    expect(file_name).to_have_text("hech narsa tanlanmagan")
    for size, is_refused in ((importing.MAX_SCRIPT_FILE_BYTES + 1, True), (10, False)):
        upload = {"name": "suhbat.docx", "mimeType": "application/zip", "buffer": b"x" * size}
        field.set_input_files(files=[upload])
        expect(file_name).to_have_text("suhbat.docx")
        assert field.evaluate("field => field.validity.customError") == is_refused
    page.locator("#import [type=submit]").click()
    expect(page.locator("main > p.note.is-bad")).to_be_visible()
    assert accessibility_faults(page, "#import") == []
