"""What was sent and refused: the address is a page's, says why, and holds what was typed."""

import datetime as dt
import html
import re

import pytest

from appliance.casework.appeals import handling
from appliance.core import clock
from appliance.models import Appeal, RefusedForm, User
from appliance.people import refused_forms
from tests.rig.browser import Browser

TARIFF = {"direction": "inbound", "rounding": "minute", "valid_from": "01.10.2026"}
# who sends what where, and what must still stand on the page
REFUSED = (
    ("technician", "/directory", {"name": "Lola Rashidova", "number": "abc"}, "Lola Rashidova"),
    ("manager", "/departments", {"name_uz_latn": "", "name_ru": "Канцелярия"}, "Канцелярия"),
    ("manager", "/people", {"login": "", "name": "Lola Rashidova"}, "Lola Rashidova"),
    ("manager", "/people/import", {"people": "login,name\nlola,Lola Rashidova"}, "Lola Rashidova"),
    ("manager", "/keys", {"name": "Tizim", "ends": "01.01.2020"}, "Tizim"),
    ("manager", "/minutes/tariffs", TARIFF | {"price": "a lot"}, "a lot"),
    ("manager", "/notices/opt-outs", {"number": "uch yuz"}, "uch yuz"),
    ("manager", "/retention/holds", {"kind": "call", "subject": "77.7", "why": ""}, "77.7"),
    ("ministry", "/account/password", {"password": "x", "new_password": "y"}, ""),
)


def sent(browser: Browser, appeal: Appeal, action: str, text: str, version: int):
    fields = {"action": action, "text": text, "version": version}
    return browser.send(f"/appeals/{appeal.number}/steps", **fields)


@pytest.mark.parametrize(("who", "path", "fields", "kept"), REFUSED)
def test_a_refused_form_leads_to_its_page(login_as, who, path, fields, kept) -> None:
    browser = login_as(who)
    answer = browser.send(path, **fields)
    assert answer.status_code == 303
    there = answer.headers["Location"]
    for _ in range(2):  # reloaded, it is the same
        page = browser.get(there)
        assert page.status_code == 200
        assert 'role="alert"' in page.text
        assert kept in page.text
    back = re.search(r'name="back" value="([^"]+)"', page.text)
    assert back
    assert html.unescape(back[1]) == there  # in another language too
    assert ('name="live"' in page.text) == (who != "backup")


def test_in_another_language_the_reason_is_worded_anew(login_as) -> None:
    browser = login_as("technician")
    there = browser.send("/directory", name="", number="101").headers["Location"]
    assert "Ism kerak" in browser.get(there).text
    User.update(language="ru").execute()
    assert "Нужно имя" in browser.get(there).text


def test_nobody_sees_what_another_sent(login_as) -> None:
    there = login_as("technician").send("/directory", name="Lola", number="x").headers["Location"]
    page = login_as("manager").get(there)
    assert page.status_code == 200
    assert "Lola" not in page.text
    assert login_as("technician").get("/directory?refused=nothing").status_code == 200


def test_passwords_are_not_kept(login_as) -> None:
    login_as("ministry").send("/account/password", password="maxfiy", new_password="maxfiy2")
    [row] = RefusedForm.select()
    assert row.values == {}


def test_what_was_refused_is_kept_for_a_shift(bahodir: User, monkeypatch) -> None:
    old = refused_forms.save(bahodir, "/x", "name", {"name": ["Lola"]})
    assert refused_forms.found(bahodir, old)
    later = clock.now() + refused_forms.KEPT + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert refused_forms.found(bahodir, old) is None
    for _ in range(refused_forms.MOST + 3):
        refused_forms.save(bahodir, "/x", "name", {})
    assert RefusedForm.select().count() == refused_forms.MOST


# the card after a colleague was faster


def pressed(page: str) -> str:
    """What the button of the answer's form says, as the choice shows it."""
    form = page.split('id="todo"')[1].split("</form>")[0]
    chosen = re.search(r'name="action" value="(\w+)" checked', form)
    assert chosen, "no choice is made: the button says nothing"
    button = form.split('type="submit"')[1]
    words = re.search(rf'<span class="for-{chosen[1]}">([^<]+)', button)
    assert words
    return words[1]


def test_the_button_says_what_it_does_after_a_conflict(login_as, register) -> None:
    appeal, browser = register(), login_as("ministry")
    handling.answer(appeal, "Tezroq javob", "gulnora", 1, clock.now().date())
    page = browser.refused(sent(browser, appeal, "answer", "Uzun javob matni", 1))
    assert pressed(page) == "Qayta ochish"
    assert "Uzun javob matni" in page
    area = page.split('id="text"')[1].split("</textarea>")[0]
    assert "Uzun javob matni" not in area  # an answer is no reason to open it again


def test_what_is_possible_still_is_chosen_with_its_text(login_as, register) -> None:
    appeal, browser = register(), login_as("ministry")
    page = browser.refused(sent(browser, appeal, "return", "Manzil yoʻq", 7))
    assert pressed(page) == "Tuzatishga qaytarish"
    assert "Manzil yoʻq</textarea>" in page
