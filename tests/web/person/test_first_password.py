"""A password set by another user opens a single page: the one to choose a new password."""

import pytest

from appliance.models import User
from appliance.people import accounts, staff
from appliance.people.accounts import ROLES
from tests.rig.people import LOGIN_OF_ROLE, PASSWORD
from tests.web.shell.test_access import EVERYBODY, ROUTES, route_address

FIRST_PASSWORD_PATH = "/account/first-password"
OPEN_ROUTES = {
    f"GET {FIRST_PASSWORD_PATH}",
    f"POST {FIRST_PASSWORD_PATH}",
    "POST /account/language",
    "POST /logout",
}
NEW_PASSWORD = "yangi-parol-2026"


@pytest.fixture
def first_password(settings) -> str:
    """The first password that the manager set for Nilufar."""
    manager = User.get(User.login == LOGIN_OF_ROLE["manager"])
    return staff.issue_password(User.get(User.login == "nilufar"), manager).password


@pytest.mark.parametrize("role", ROLES)
def test_every_page_redirects_to_the_first_password_page(app, login_as, role) -> None:
    browser = login_as(role)
    headers = {"X-CSRFToken": browser.token()}
    User.update(must_change=True).where(User.login == LOGIN_OF_ROLE[role]).execute()
    for route, roles in sorted(ROUTES.items()):
        if roles == EVERYBODY or route in OPEN_ROUTES:
            continue
        method = route.split()[0]
        with browser.open(route_address(route), method=method, headers=headers) as answer:
            if not roles:  # opened by a key, by no session
                assert answer.status_code == 401
                continue
            if route == "GET /live":
                assert answer.status_code == 403
            else:
                assert answer.status_code == 303, f"{route}: {answer.status}"
                assert answer.headers["Location"] == FIRST_PASSWORD_PATH
        piece = {"HX-Request": "true"} | headers
        with browser.open(route_address(route), method=method, headers=piece) as answer:
            assert answer.status_code == 403, f"{route}: {answer.status}"
    page = browser.get(FIRST_PASSWORD_PATH)
    assert page.status_code == 200
    assert 'name="live"' not in page.text
    assert "/reports" not in page.text


def test_choosing_a_new_password_opens_the_other_pages(app, first_password) -> None:
    browser = app.test_client()
    assert browser.sign_in("nilufar", first_password).status_code == 302
    assert browser.get("/operator").headers["Location"] == FIRST_PASSWORD_PATH
    fields = {
        "password": first_password,
        "new_password": NEW_PASSWORD,
        "new_password_again": NEW_PASSWORD,
    }
    answer = browser.send(FIRST_PASSWORD_PATH, FIRST_PASSWORD_PATH, **fields)
    assert answer.headers["Location"] == "/"
    assert browser.get("/operator").status_code == 200
    assert browser.get(FIRST_PASSWORD_PATH).headers["Location"] == "/"
    assert app.test_client().sign_in("nilufar", first_password).status_code == 401
    assert not User.get(User.login == "nilufar").must_change


@pytest.mark.parametrize("new", ["qisqa", "nilufar2026", ""])
def test_an_invalid_new_password_is_refused(app, first_password, new) -> None:
    browser = app.test_client()
    browser.sign_in("nilufar", first_password)
    fields = {"password": first_password, "new_password": new, "new_password_again": new}
    page = browser.refused_page(browser.send(FIRST_PASSWORD_PATH, FIRST_PASSWORD_PATH, **fields))
    assert 'role="alert"' in page
    unchanged = {
        "password": first_password,
        "new_password": first_password,
        "new_password_again": first_password,
    }
    assert 'role="alert"' in browser.refused_page(
        browser.send(FIRST_PASSWORD_PATH, FIRST_PASSWORD_PATH, **unchanged)
    )
    assert User.get(User.login == "nilufar").must_change


def test_the_language_can_be_changed_before_the_password(app, first_password) -> None:
    browser = app.test_client()
    browser.sign_in("nilufar", first_password)
    answer = browser.send(
        "/account/language", FIRST_PASSWORD_PATH, language="ru", back=FIRST_PASSWORD_PATH
    )
    assert answer.headers["Location"] == FIRST_PASSWORD_PATH
    assert 'lang="ru"' in browser.get(FIRST_PASSWORD_PATH).text


def test_a_password_set_by_the_manager_ends_open_sessions(login_as) -> None:
    browser = login_as("nilufar")
    assert browser.get("/operator").status_code == 200
    nilufar = User.get(User.login == "nilufar")
    staff.issue_password(nilufar, User.get(User.login == LOGIN_OF_ROLE["manager"]))
    assert "/login" in browser.get("/operator").headers["Location"]


def test_a_password_chosen_by_the_user_needs_no_further_change(login_as) -> None:
    browser = login_as("ministry")
    fields = {
        "password": PASSWORD,
        "new_password": NEW_PASSWORD,
        "new_password_again": NEW_PASSWORD,
    }
    browser.send("/account/password", **fields)
    assert browser.get("/account").status_code == 200


def test_the_last_visit_is_stored_to_the_minute(login_as) -> None:
    before = User.get(User.login == LOGIN_OF_ROLE["ministry"])
    assert before.seen_at is None
    browser = login_as("ministry")
    browser.get("/account")
    first = User.get_by_id(before.id)
    assert first.seen_at
    browser.get("/account")
    assert User.get_by_id(before.id).seen_at == first.seen_at
    assert accounts.account_by_id(before.id) == first
