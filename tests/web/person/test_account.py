"""One's own settings."""

import pytest

from appliance.models import AuditEntry, User
from tests.rig.people import PASSWORD

NEW = "yangi-parol-2026"


@pytest.mark.parametrize(("theme", "large"), [("dark", True), ("light", False), ("system", True)])
def test_appearance(login_as, theme, large) -> None:
    browser = login_as("ministry")
    fields = {"theme": theme} | ({"large_text": "1"} if large else {})
    assert browser.send("/account/appearance", **fields).headers["Location"] == "/account"
    page = browser.get("/account").text
    assert "Saqlandi." in page
    assert (f'data-theme="{theme}"' in page) == (theme != "system")
    assert ('data-text="large"' in page) == large


def test_an_unknown_theme_is_refused(login_as) -> None:
    assert login_as("ministry").send("/account/appearance", theme="pink").status_code == 400


def test_a_new_password(app, login_as) -> None:
    browser, elsewhere = login_as("ministry"), login_as("ministry")
    answer = _change(browser, PASSWORD, NEW, NEW)
    assert answer.headers["Location"] == "/account"
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert app.test_client().sign_in("bahodir", PASSWORD).status_code == 401
    assert app.test_client().sign_in("bahodir", NEW).status_code == 302
    entry = AuditEntry.get(AuditEntry.action == "user.password")
    assert (entry.who, entry.subject) == ("bahodir", "bahodir")


@pytest.mark.parametrize(
    ("now", "new", "again", "said"),
    [
        ("wrong", NEW, NEW, "Hozirgi parol xato yozildi."),
        (PASSWORD, NEW, NEW + "x", "Yangi parol ikkinchi marta boshqacha yozildi."),
        (PASSWORD, "qisqa", "qisqa", "Yangi parol juda qisqa."),
        (PASSWORD, "aaaaaaaaaa", "aaaaaaaaaa", "Yangi parolni topish juda oson"),
        (PASSWORD, "bahodir2026", "bahodir2026", "Yangi parolni topish juda oson"),
        (PASSWORD, PASSWORD, PASSWORD, "Yangi parol hozirgisi bilan bir xil."),
    ],
)
def test_a_password_that_cannot_be(login_as, now, new, again, said) -> None:
    browser = login_as("ministry")
    before = User.get(User.login == "bahodir").password_hash
    answer = _change(browser, now, new, again)
    assert said in browser.refused(answer)
    assert User.get(User.login == "bahodir").password_hash == before


@pytest.mark.parametrize(
    "back", ["/\t/evil", "/\n/evil", "//evil", "/\\evil", "/\r\n", "https://evil"]
)
def test_changing_the_language_leads_nowhere_else(login_as, back) -> None:
    answer = login_as("ministry").send("/account/language", language="ru", back=back)
    assert answer.headers["Location"] == "/account"


def test_passwords_cannot_be_guessed_here_either(login_as) -> None:
    browser = login_as("ministry")
    for _ in range(5):
        assert _change(browser, "wrong", NEW, NEW).status_code == 303
    assert _change(browser, PASSWORD, NEW, NEW).status_code == 429


def _change(browser, now, new, again):
    return browser.send(
        "/account/password", password=now, new_password=new, new_password_again=again
    )
