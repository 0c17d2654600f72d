"""Signing in and out: who gets in, where he lands, what is written down, how often one may try."""

import pytest
from people import PASSWORD

from appliance import staff
from appliance.models import AuditEntry
from appliance.web import create_app

WRONG = "Foydalanuvchi nomi yoki parol notoʻgʻri."
WAIT = "Xato urinishlar koʻpayib ketdi. Bir daqiqa kutib, yana urinib koʻring."


def actions() -> list[tuple[str, str]]:
    return [(e.who, e.action) for e in AuditEntry.select().order_by(AuditEntry.id)][-3:]


def test_the_right_password_signs_in(client) -> None:
    answer = client.sign_in("nilufar", PASSWORD)
    assert answer.headers["Location"] == "/"
    assert client.get("/account").status_code == 200
    assert actions()[-1] == ("nilufar", "login")


@pytest.mark.parametrize("login", ["NILUFAR", " nilufar "])
def test_a_login_is_found_however_it_is_typed(client, login) -> None:
    assert client.sign_in(login, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("login", "password"), [("nilufar", "wrong"), ("nobody", PASSWORD), ("", "")]
)
def test_a_wrong_one_is_told_and_keeps_the_login(client, login, password) -> None:
    answer = client.sign_in(login, password)
    assert answer.status_code == 401
    assert WRONG in answer.text
    assert f'value="{login}"' in answer.text
    assert password not in answer.text or not password
    assert actions()[-1] == (login or "-", "login.failed")


def test_a_closed_account_does_not_sign_in_and_is_signed_out(client, nilufar) -> None:
    client.sign_in("nilufar", PASSWORD)
    staff.disable(nilufar, by="test")
    assert client.get("/account").status_code == 302
    assert client.sign_in("nilufar", PASSWORD).status_code == 401


def test_one_comes_back_to_the_page_asked_for(client) -> None:
    answer = client.get("/account?x=1")
    assert answer.headers["Location"] == "/login?next=/account?x%3D1"
    assert 'name="next" value="/account?x=1"' in client.get(answer.headers["Location"]).text
    assert (
        client.sign_in("nilufar", PASSWORD, next="/account?x=1").headers["Location"]
        == "/account?x=1"
    )


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", "evil"]
)
def test_signing_in_leads_nowhere_else(client, there) -> None:
    assert client.sign_in("nilufar", PASSWORD, next=there).headers["Location"] == "/"


def test_signing_out_ends_the_session(login_as) -> None:
    browser = login_as("operator")
    assert browser.send("/logout").headers["Location"] == "/login"
    assert browser.get("/account").status_code == 302
    assert actions()[-1] == ("nilufar", "logout")


def test_signing_out_needs_a_post(login_as) -> None:
    assert login_as("operator").get("/logout").status_code == 405


def test_five_failures_a_minute_and_no_more(client) -> None:
    for _ in range(5):
        assert client.sign_in("nilufar", "wrong").status_code == 401
    answer = client.sign_in("nilufar", PASSWORD)
    assert answer.status_code == 429
    assert WAIT in answer.text
    assert client.sign_in("sardor", PASSWORD).status_code == 302


def test_successes_count_for_nothing(app) -> None:
    for _ in range(8):
        assert app.test_client().sign_in("nilufar", PASSWORD).status_code == 302


def test_the_session_outlives_the_process(app, settings, login_as) -> None:
    cookie = login_as("operator").get_cookie("__Host-session")
    anew = create_app(settings).test_client()
    anew.set_cookie("__Host-session", cookie.value)
    assert anew.get("/account").status_code == 200


def test_signing_in_begins_a_session_that_nobody_planted(client) -> None:
    planted = client.token("/login")
    client.sign_in("nilufar", PASSWORD)
    assert client.token() != planted


def test_who_is_signed_in_does_not_see_the_form(login_as) -> None:
    assert login_as("ministry").get("/login").headers["Location"] == "/"


def test_a_token_is_given_to_who_is_signed_in(client) -> None:
    assert client.get("/login/token").status_code == 204
    client.sign_in("nilufar", PASSWORD)
    token = client.get("/login/token").text
    assert client.post("/logout", headers={"X-CSRFToken": token}).status_code == 302
