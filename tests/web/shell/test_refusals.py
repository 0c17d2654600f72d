"""Refused forms: the redirect leads to a page that explains why and keeps what was typed."""

import datetime as dt
import html
import re

import pytest

from appliance.casework.appeals import handling
from appliance.core import clock
from appliance.models import Appeal, RefusedForm, User
from appliance.people import refused_forms
from tests.rig.browser import Browser

TARIFF_FIELDS = {"direction": "inbound", "rounding": "minute", "valid_from": "01.10.2026"}
# role, path, fields, and the text that must still be on the page
REFUSED_FORMS = (
    ("technician", "/directory", {"name": "Lola Rashidova", "number": "abc"}, "Lola Rashidova"),
    ("manager", "/departments", {"name_uz_latn": "", "name_ru": "Канцелярия"}, "Канцелярия"),
    ("manager", "/people", {"login": "", "name": "Lola Rashidova"}, "Lola Rashidova"),
    ("manager", "/people/import", {"people": "login,name\nlola,Lola Rashidova"}, "Lola Rashidova"),
    ("manager", "/keys", {"name": "Tizim", "ends": "01.01.2020"}, "Tizim"),
    ("manager", "/minutes/tariffs", TARIFF_FIELDS | {"price": "a lot"}, "a lot"),
    ("manager", "/notices/opt-outs", {"number": "uch yuz"}, "uch yuz"),
    ("manager", "/retention/holds", {"kind": "call", "subject": "77.7", "why": ""}, "77.7"),
    ("ministry", "/account/password", {"password": "x", "new_password": "y"}, ""),
)


def send_step(browser: Browser, appeal: Appeal, action: str, text: str, version: int):
    fields = {"action": action, "text": text, "version": version}
    return browser.send(f"/appeals/{appeal.number}/steps", **fields)


@pytest.mark.parametrize(("who", "path", "fields", "expected_text"), REFUSED_FORMS)
def test_a_refused_form_leads_to_its_page(login_as, who, path, fields, expected_text) -> None:
    browser = login_as(who)
    answer = browser.send(path, **fields)
    assert answer.status_code == 303
    page_path = answer.headers["Location"]
    for _ in range(2):  # unchanged after a reload
        page = browser.get(page_path)
        assert page.status_code == 200
        assert 'role="alert"' in page.text
        assert expected_text in page.text
    back = re.search(r'name="back" value="([^"]+)"', page.text)
    assert back
    assert html.unescape(back[1]) == page_path  # also after a change of language
    assert ('name="live"' in page.text) == (who != "backup")


def test_the_reason_is_translated_after_a_change_of_language(login_as) -> None:
    browser = login_as("technician")
    page_path = browser.send("/directory", name="", number="101").headers["Location"]
    assert "Ism kerak" in browser.get(page_path).text
    User.update(language="ru").execute()
    assert "Нужно имя" in browser.get(page_path).text


def test_another_users_refused_form_is_not_shown(login_as) -> None:
    page_path = (
        login_as("technician").send("/directory", name="Lola", number="x").headers["Location"]
    )
    page = login_as("manager").get(page_path)
    assert page.status_code == 200
    assert "Lola" not in page.text
    assert login_as("technician").get("/directory?refused=nothing").status_code == 200


def test_passwords_of_a_refused_form_are_not_stored(login_as) -> None:
    login_as("ministry").send("/account/password", password="maxfiy", new_password="maxfiy2")
    [row] = RefusedForm.select()
    assert row.values == {}


def test_a_refused_form_is_kept_for_one_shift(bahodir: User, monkeypatch) -> None:
    old_form = refused_forms.save_form(bahodir, "/x", "name", {"name": ["Lola"]})
    assert refused_forms.find_form(bahodir, old_form)
    later = clock.now() + refused_forms.RETENTION + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert refused_forms.find_form(bahodir, old_form) is None
    for _ in range(refused_forms.MAX_FORMS_PER_USER + 3):
        refused_forms.save_form(bahodir, "/x", "name", {})
    assert RefusedForm.select().count() == refused_forms.MAX_FORMS_PER_USER


# the card after a colleague was faster


def button_text(page: str) -> str:
    """Return the button text of the answer form for the checked action."""
    form = page.split('id="todo"')[1].split("</form>")[0]
    checked_action = re.search(r'name="action" value="(\w+)" checked', form)
    assert checked_action, "no choice is made: the button says nothing"
    button = form.split('type="submit"')[1]
    words = re.search(rf'<span class="for-{checked_action[1]}">([^<]+)', button)
    assert words
    return words[1]


def test_the_button_names_its_action_after_a_conflict(login_as, register) -> None:
    appeal, browser = register(), login_as("ministry")
    handling.answer_appeal(appeal, "Tezroq javob", "gulnora", 1, clock.now().date())
    page = browser.refused_page(send_step(browser, appeal, "answer", "Uzun javob matni", 1))
    assert button_text(page) == "Qayta ochish"
    assert "Uzun javob matni" in page
    area = page.split('id="text"')[1].split("</textarea>")[0]
    assert "Uzun javob matni" not in area  # an answer's text is not a reason to reopen


def test_a_still_possible_action_stays_checked_with_its_text(login_as, register) -> None:
    appeal, browser = register(), login_as("ministry")
    page = browser.refused_page(send_step(browser, appeal, "return", "Manzil yoʻq", 7))
    assert button_text(page) == "Tuzatishga qaytarish"
    assert "Manzil yoʻq</textarea>" in page
