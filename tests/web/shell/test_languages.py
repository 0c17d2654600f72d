"""Each page in each language: no text is left in the language of the source."""

import re
from html.parser import HTMLParser

import pytest

from appliance.core.i18n import LOCALES
from provisioning.local import translations

PAGES = {
    "operator": ["/operator", "/account"],
    "manager": ["/calls", "/calls?outcome=answered", "/reports", "/status", "/nothing-here"],
    "technician": ["/status", "/calls"],
}
TAGS = {"uz_Latn": "uz-Latn", "uz_Cyrl": "uz-Cyrl", "ru": "ru"}
ASKED = {"uz_Latn": "uz", "uz_Cyrl": "uzc", "ru": "ru"}


class Texts(HTMLParser):
    """What a reader meets: texts, and what is said of elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found.add(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = ("title", "aria-label", "placeholder", "alt")
        self.found |= {" ".join(value.split()) for name, value in attrs if name in said and value}


@pytest.fixture(scope="module")
def english() -> set[str]:
    texts = {m.id for m in translations.extracted() if isinstance(m.id, str) and m.id}
    same = {
        m.id
        for locale in LOCALES
        for m in translations.read(locale)
        if m.id and m.string == m.id  # a word that is the same in this language
    }
    return texts - same


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("role", PAGES)
def test_pages_of_people(login_as, english, role, locale) -> None:
    browser = login_as(role)
    browser.send("/account/language", language=locale)
    for path in PAGES[role]:
        page = browser.get(path).text
        assert f'<html lang="{TAGS[locale]}"' in page
        assert Texts(page).found & english == set(), path


@pytest.mark.parametrize("locale", LOCALES)
def test_the_login_page(client, english, locale) -> None:
    answer = client.get(f"/login?til={ASKED[locale]}&next=/calls")
    assert answer.headers["Location"] == "/login?next=/calls"
    page = client.get("/login").text
    assert f'<html lang="{TAGS[locale]}"' in page
    assert Texts(page).found & english == set()
    assert Texts(client.sign_in("nilufar", "wrong").text).found & english == set()


def test_uzbek_in_latin_letters_when_nobody_chose(client) -> None:
    assert "Tizimga kirish" in client.get("/login").text
    assert "Tizimga kirish" in client.get("/login?til=xx").text


def test_the_persons_own_language_wins_over_the_login_pages(client, login_as) -> None:
    browser = login_as("operator")
    browser.set_cookie("til", "ru")
    assert '<html lang="uz-Latn"' in browser.get("/account").text


def test_the_language_is_changed_where_one_is(login_as) -> None:
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
