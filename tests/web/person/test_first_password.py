"""A password that somebody else gave opens one page: the one where another is chosen."""

import pytest

from appliance.models import User
from appliance.people import accounts, staff
from appliance.people.accounts import ROLES
from tests.rig.people import OF_ROLE, PASSWORD
from tests.web.shell.test_access import EVERYBODY, ROUTES, address

PAGE = "/account/first-password"
OPEN = {f"GET {PAGE}", f"POST {PAGE}", "POST /account/language", "POST /logout"}
NEW = "yangi-parol-2026"


@pytest.fixture
def given(settings) -> str:
    """The first password that the manager gave Nilufar."""
    keeper = User.get(User.login == OF_ROLE["manager"])
    return staff.give_password(User.get(User.login == "nilufar"), keeper).password


@pytest.mark.parametrize("role", ROLES)
def test_every_page_leads_there_and_nothing_else_opens(app, login_as, role) -> None:
    browser = login_as(role)
    headers = {"X-CSRFToken": browser.token()}
    User.update(must_change=True).where(User.login == OF_ROLE[role]).execute()
    for route, roles in sorted(ROUTES.items()):
        if roles == EVERYBODY or route in OPEN:
            continue
        method = route.split()[0]
        with browser.open(address(route), method=method, headers=headers) as answer:
            if not roles:  # a key opens it, no session does
                assert answer.status_code == 401
                continue
            if route == "GET /live":
                assert answer.status_code == 403
            else:
                assert answer.status_code == 303, f"{route}: {answer.status}"
                assert answer.headers["Location"] == PAGE
        piece = {"HX-Request": "true"} | headers
        with browser.open(address(route), method=method, headers=piece) as answer:
            assert answer.status_code == 403, f"{route}: {answer.status}"
    page = browser.get(PAGE)
    assert page.status_code == 200
    assert 'name="live"' not in page.text
    assert "/reports" not in page.text


def test_one_chooses_ones_own_and_goes_on(app, given) -> None:
    browser = app.test_client()
    assert browser.sign_in("nilufar", given).status_code == 302
    assert browser.get("/operator").headers["Location"] == PAGE
    fields = {"password": given, "new_password": NEW, "new_password_again": NEW}
    answer = browser.send(PAGE, PAGE, **fields)
    assert answer.headers["Location"] == "/"
    assert browser.get("/operator").status_code == 200
    assert browser.get(PAGE).headers["Location"] == "/"
    assert app.test_client().sign_in("nilufar", given).status_code == 401
    assert not User.get(User.login == "nilufar").must_change


@pytest.mark.parametrize("new", ["qisqa", "nilufar2026", ""])
def test_one_that_cannot_be_is_refused_there(app, given, new) -> None:
    browser = app.test_client()
    browser.sign_in("nilufar", given)
    fields = {"password": given, "new_password": new, "new_password_again": new}
    page = browser.refused(browser.send(PAGE, PAGE, **fields))
    assert 'role="alert"' in page
    same = {"password": given, "new_password": given, "new_password_again": given}
    assert 'role="alert"' in browser.refused(browser.send(PAGE, PAGE, **same))
    assert User.get(User.login == "nilufar").must_change


def test_the_language_can_be_changed_before(app, given) -> None:
    browser = app.test_client()
    browser.sign_in("nilufar", given)
    answer = browser.send("/account/language", PAGE, language="ru", back=PAGE)
    assert answer.headers["Location"] == PAGE
    assert 'lang="ru"' in browser.get(PAGE).text


def test_a_new_password_ends_what_was_open(login_as) -> None:
    browser = login_as("nilufar")
    assert browser.get("/operator").status_code == 200
    nilufar = User.get(User.login == "nilufar")
    staff.give_password(nilufar, User.get(User.login == OF_ROLE["manager"]))
    assert "/login" in browser.get("/operator").headers["Location"]


def test_ones_own_password_asks_for_no_other(login_as) -> None:
    browser = login_as("ministry")
    fields = {"password": PASSWORD, "new_password": NEW, "new_password_again": NEW}
    browser.send("/account/password", **fields)
    assert browser.get("/account").status_code == 200


def test_who_was_there_is_known_to_the_minute(login_as) -> None:
    before = User.get(User.login == OF_ROLE["ministry"])
    assert before.seen_at is None
    browser = login_as("ministry")
    browser.get("/account")
    first = User.get_by_id(before.id)
    assert first.seen_at
    browser.get("/account")
    assert User.get_by_id(before.id).seen_at == first.seen_at
    assert accounts.find(before.id) == first
