"""The script beside the form in the real browser: followed by keys, left, and nothing is lost."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from appliance.casework.knowledge import Place, Words, articles
from appliance.casework.scripts import importing, runs
from appliance.models import ArticleOpening, ScriptVersion, User
from tests.browser.conftest import sign_in
from tests.browser.test_operator import saved
from tests.browser.test_sms import faults
from tests.rig.citizen import Citizen
from tests.rig.scripts import document, in_force, step
from tests.rig.waiting import until

CALL = "1764000000.1"


@pytest.fixture
def page(window: BrowserContext, nilufar: User, sherzod: User, bahodir: User) -> Page:
    """Nilufar's page in a talk, with a script that was in force before."""
    return talking(window, nilufar, sherzod, bahodir)


def talking(
    window: BrowserContext,
    nilufar: User,
    sherzod: User,
    bahodir: User,
    kept: dict[str, Any] | None = None,
    slugs: tuple[str, ...] = (),
) -> Page:
    in_force(sherzod, bahodir, kept, slugs)
    ScriptVersion.update(since=0).execute()
    citizen = Citizen(CALL)
    citizen.ring(nilufar)
    citizen.talk()
    page = window.new_page()
    sign_in(page, "nilufar")
    page.wait_for_selector("#form[data-ready]")
    return page


def test_a_script_is_followed_by_keys_beside_the_form(page: Page) -> None:
    script = page.locator(".script")
    expect(script.locator(".spoken")).to_contain_text("Assalomu alaykum")
    expect(script.locator(".answers button")).to_have_count(1)  # it has begun by itself
    page.locator("#f-surname").fill("Karimova")
    page.keyboard.press("Alt+KeyJ")
    page.keyboard.press("Digit1")
    expect(script.locator(".spoken")).to_contain_text("Gap savol")
    script.locator("[data-script-field=surname]").click()
    expect(page.locator("#f-surname")).to_be_focused()
    page.keyboard.press("Digit2")  # typed, no answer
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
    until(lambda: runs.of_call(CALL)[0].row.result == "finished", 20)
    assert [one.how for one in runs.of_call(CALL)[0].course] == [
        "begin",
        "answer",
        "answer",
        "back",
        "answer",
    ]


def test_a_step_opens_its_article_and_marks_for_a_specialist(
    window: BrowserContext, nilufar: User, sherzod: User, bahodir: User
) -> None:
    words = Words("Subsidiya olish", "Ariza 15 kun", "Получение субсидии", "Заявление")
    row = articles.create(sherzod, words, Place("appeals"))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.do(action, row, user, row.revision)
    actions = [{"kind": "article", "ref": row.article.slug}, {"kind": "specialist"}]
    kept = document(step("a", "b", actions=actions), step("b"))
    page = talking(window, nilufar, sherzod, bahodir, kept, (row.article.slug,))
    expect(page.locator(".script .answers button")).to_have_count(1)  # drawn anew as it begins
    page.keyboard.press("Alt+KeyJ")
    page.locator(".script [data-at]").press("Enter")
    expect(page.locator("#knowledge h3")).to_be_focused()
    expect(page.locator("#knowledge h3")).to_have_text("Subsidiya olish")
    assert faults(page, "#knowledge") == []
    page.keyboard.press("Escape")
    expect(page.locator(".script [data-at]")).to_be_focused()
    page.locator("[data-script-specialist]").press("Enter")  # it stands in the other form
    expect(page.locator("#f-consultation")).to_be_checked()
    saved(page)
    page.reload()
    expect(page.locator("#f-consultation")).to_be_checked()
    assert [one.call_id for one in ArticleOpening.select()] == [CALL]


def test_a_file_is_named_in_the_reader_s_words_and_refused_when_too_large(
    window: BrowserContext, sherzod: User
) -> None:
    page = window.new_page()
    sign_in(page, "sherzod", "/scripts")
    chosen, field = page.locator("#file-chosen"), page.locator("#file")
    expect(chosen).to_have_text("hech narsa tanlanmagan")
    for size, wrong in ((importing.LARGEST + 1, True), (10, False)):
        made = {"name": "suhbat.docx", "mimeType": "application/zip", "buffer": b"x" * size}
        field.set_input_files(files=[made])
        expect(chosen).to_have_text("suhbat.docx")
        assert field.evaluate("field => field.validity.customError") == wrong
    page.locator("#import [type=submit]").click()
    expect(page.locator("main > p.note.is-bad")).to_be_visible()
    assert faults(page, "#import") == []
