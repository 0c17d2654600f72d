"""Each page in each language: no text remains in the language of the source."""

import re
from html.parser import HTMLParser

import pytest

from appliance.core.i18n import LOCALES
from provisioning.local import translations

PAGES_OF_ROLE = {
    "operator": ["/operator", "/account"],
    "manager": ["/calls", "/calls?outcome=answered", "/reports", "/status", "/nothing-here"],
    "technician": ["/status", "/calls"],
}
HTML_LANGUAGE_TAGS = {"uz_Latn": "uz-Latn", "uz_Cyrl": "uz-Cyrl", "ru": "ru"}
URL_LANGUAGE_CODES = {"uz_Latn": "uz", "uz_Cyrl": "uzc", "ru": "ru"}


class VisibleTexts(HTMLParser):
    """Collects what a reader meets on a page: the texts, and the text attributes of elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.texts.add(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text_attributes = ("title", "aria-label", "placeholder", "alt")
        self.texts |= {
            " ".join(value.split()) for name, value in attrs if name in text_attributes and value
        }


@pytest.fixture(scope="module")
def english() -> set[str]:
    texts = {m.id for m in translations.extract_texts() if isinstance(m.id, str) and m.id}
    unchanged = {
        m.id
        for locale in LOCALES
        for m in translations.read_catalogue(locale)
        if m.id and m.string == m.id  # a word that is the same in this language
    }
    return texts - unchanged


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("role", PAGES_OF_ROLE)
def test_pages_of_each_role_are_translated(login_as, english, role, locale) -> None:
    browser = login_as(role)
    browser.send("/account/language", language=locale)
    for path in PAGES_OF_ROLE[role]:
        page = browser.get(path).text
        assert f'<html lang="{HTML_LANGUAGE_TAGS[locale]}"' in page
        assert VisibleTexts(page).texts & english == set(), path


@pytest.mark.parametrize("locale", LOCALES)
def test_the_login_page_is_translated(client, english, locale) -> None:
    answer = client.get(f"/login?til={URL_LANGUAGE_CODES[locale]}&next=/calls")
    assert answer.headers["Location"] == "/login?next=/calls"
    page = client.get("/login").text
    assert f'<html lang="{HTML_LANGUAGE_TAGS[locale]}"' in page
    assert VisibleTexts(page).texts & english == set()
    assert VisibleTexts(client.sign_in("nilufar", "wrong").text).texts & english == set()


def test_the_default_is_uzbek_in_latin_script(client) -> None:
    assert "Tizimga kirish" in client.get("/login").text
    assert "Tizimga kirish" in client.get("/login?til=xx").text


def test_the_users_language_overrides_the_login_pages(client, login_as) -> None:
    browser = login_as("operator")
    browser.set_cookie("til", "ru")
    assert '<html lang="uz-Latn"' in browser.get("/account").text


def test_changing_the_language_stays_on_the_page(login_as) -> None:
    browser = login_as("manager")
    page = browser.get("/calls?day=01.11.2026").text
    assert re.search(r'name="back" value="/calls\?day=01.11.2026"', page)
    answer = browser.send("/account/language", language="ru", back="/calls?day=01.11.2026")
    assert answer.headers["Location"] == "/calls?day=01.11.2026"
    assert browser.send("/account/language", language="ru", back="//evil").headers["Location"] == (
        "/account"
    )


def test_an_unknown_language_is_refused(login_as) -> None:
    assert login_as("operator").send("/account/language", language="de").status_code == 400
