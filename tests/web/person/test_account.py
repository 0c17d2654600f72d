"""A user's own settings."""

import pytest

from appliance.models import AuditEntry, User
from tests.rig.people import PASSWORD

NEW_PASSWORD = "yangi-parol-2026"


@pytest.mark.parametrize(("theme", "large"), [("dark", True), ("light", False), ("system", True)])
def test_the_appearance_is_saved(login_as, theme, large) -> None:
    browser = login_as("ministry")
    fields = {"theme": theme} | ({"large_text": "1"} if large else {})
    assert browser.send("/account/appearance", **fields).headers["Location"] == "/account"
    page = browser.get("/account").text
    assert "Saqlandi." in page
    assert (f'data-theme="{theme}"' in page) == (theme != "system")
    assert ('data-text="large"' in page) == large


def test_an_unknown_theme_is_refused(login_as) -> None:
    assert login_as("ministry").send("/account/appearance", theme="pink").status_code == 400


def test_a_new_password_ends_other_sessions(app, login_as) -> None:
    browser, elsewhere = login_as("ministry"), login_as("ministry")
    answer = _change_password(browser, PASSWORD, NEW_PASSWORD, NEW_PASSWORD)
    assert answer.headers["Location"] == "/account"
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert app.test_client().sign_in("bahodir", PASSWORD).status_code == 401
    assert app.test_client().sign_in("bahodir", NEW_PASSWORD).status_code == 302
    entry = AuditEntry.get(AuditEntry.action == "user.password")
    assert (entry.who, entry.subject) == ("bahodir", "bahodir")


@pytest.mark.parametrize(
    ("now", "new", "again", "message"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "Hozirgi parol xato yozildi."),
        (
            PASSWORD,
            NEW_PASSWORD,
            NEW_PASSWORD + "x",
            "Yangi parol ikkinchi marta boshqacha yozildi.",
        ),
        (PASSWORD, "qisqa", "qisqa", "Yangi parol juda qisqa."),
        (PASSWORD, "aaaaaaaaaa", "aaaaaaaaaa", "Yangi parolni topish juda oson"),
        (PASSWORD, "bahodir2026", "bahodir2026", "Yangi parolni topish juda oson"),
        (PASSWORD, PASSWORD, PASSWORD, "Yangi parol hozirgisi bilan bir xil."),
    ],
)
def test_an_invalid_new_password_is_refused(login_as, now, new, again, message) -> None:
    browser = login_as("ministry")
    before = User.get(User.login == "bahodir").password_hash
    answer = _change_password(browser, now, new, again)
    assert message in browser.refused_page(answer)
    assert User.get(User.login == "bahodir").password_hash == before


@pytest.mark.parametrize(
    "back", ["/\t/evil", "/\n/evil", "//evil", "/\\evil", "/\r\n", "https://evil"]
)
def test_changing_the_language_redirects_only_within_the_site(login_as, back) -> None:
    answer = login_as("ministry").send("/account/language", language="ru", back=back)
    assert answer.headers["Location"] == "/account"


def test_attempts_to_change_the_password_are_limited(login_as) -> None:
    browser = login_as("ministry")
    for _ in range(5):
        assert _change_password(browser, "wrong", NEW_PASSWORD, NEW_PASSWORD).status_code == 303
    assert _change_password(browser, PASSWORD, NEW_PASSWORD, NEW_PASSWORD).status_code == 429


def _change_password(browser, now, new, again):
    return browser.send(
        "/account/password", password=now, new_password=new, new_password_again=again
    )
