"""The locked page, and the PIN that unlocks it or signs in at a desk."""

import pytest

from appliance.models import AuditEntry, Session, User
from appliance.people import accounts, sessions
from tests.rig.people import PASSWORD
from tests.web.shell.test_access import EVERYBODY, ROUTES, route_address

PIN = "4071"
OPEN_ROUTES = {
    "GET /lock",
    "POST /lock",
    "POST /lock/open",
    "POST /account/language",
    "POST /logout",
}
COVER_HEADERS = {"X-Cover": "1"}


def choose_pin(browser, pin: str = PIN, password: str = PASSWORD):
    return browser.send("/lock/pin", new_password=pin, password=password)


def unlock_page(browser, typed: str, **headers):
    token = {"csrf_token": browser.token("/lock"), "password": typed, "next": "/operator"}
    return browser.post("/lock/open", data=token, headers=headers)


@pytest.fixture
def operator(login_as):
    """Nilufar's browser; they have a PIN."""
    browser = login_as("operator")
    assert choose_pin(browser).headers["Location"] == "/account"
    return browser


@pytest.mark.parametrize(
    ("pin", "password", "message"),
    [("1234", PASSWORD, "1234 yoki 1111"), (PIN, "wrong", "Hozirgi parol xato yozildi.")],
)
def test_choosing_a_pin_needs_the_password(login_as, pin, password, message) -> None:
    browser = login_as("operator")
    assert message in browser.refused_page(choose_pin(browser, pin, password))


def test_no_page_opens_while_the_session_is_locked(operator) -> None:
    headers = {"X-CSRFToken": operator.token()}
    assert operator.post("/lock", headers=headers).status_code == 204
    assert operator.get("/login/token").status_code == 423
    for route, roles in sorted(ROUTES.items()):
        if roles == EVERYBODY or route in OPEN_ROUTES or not roles:
            continue
        method = route.split()[0]
        with operator.open(route_address(route), method=method, headers=headers) as answer:
            if method == "POST" or route == "GET /live":
                assert answer.status_code == 401, f"{route}: {answer.status}"
            else:
                assert answer.headers["Location"].startswith("/lock?next="), route
        if method == "GET":
            piece = operator.get(route_address(route), headers={"HX-Request": "true"})
            assert piece.status_code == 401


@pytest.mark.parametrize("typed", [PIN, PASSWORD])
def test_the_pin_and_the_password_unlock_the_page(operator, typed) -> None:
    operator.send("/lock")
    assert unlock_page(operator, "0000").status_code == 422
    assert unlock_page(operator, "0000", **COVER_HEADERS).status_code == 422
    assert unlock_page(operator, typed, **COVER_HEADERS).status_code == 204
    assert operator.get("/operator").status_code == 200
    operator.send("/lock")
    assert unlock_page(operator, typed).headers["Location"] == "/operator"
    assert operator.get("/lock").headers["Location"] == "/"
    actions = [
        e.action for e in AuditEntry.select().where(AuditEntry.action.startswith("session."))
    ]
    assert actions[:3] == ["session.lock", *["session.unlock.failed"] * 2]


def test_five_wrong_pins_end_the_session_and_forget_the_desk(operator) -> None:
    operator.send("/lock")
    for _ in range(5):
        assert unlock_page(operator, "0000", **COVER_HEADERS).status_code == 422
    assert unlock_page(operator, PIN, **COVER_HEADERS).status_code == 401
    assert Session.select().count() == 0
    assert 'action="/login"' in operator.get("/login").text


def test_a_locked_session_stays_locked_for_a_copied_cookie(app, operator) -> None:
    operator.send("/lock")
    copied = app.test_client()
    copied.set_cookie("__Host-session", operator.get_cookie("__Host-session").value)
    assert copied.get("/operator").headers["Location"].startswith("/lock")


def test_two_people_can_sign_in_by_pin_at_one_desk(operator, nilufar) -> None:
    operator.send("/logout")
    operator.sign_in("sardor", PASSWORD)
    choose_pin(operator, "8350")
    operator.send("/logout")
    page = operator.get("/login").text
    assert page.index("Nilufar Karimova") < page.index("Sardor Ergashev")
    wrong = operator.send("/login/pin", "/login", login="nilufar", password="8350")
    assert wrong.status_code == 401
    answer = operator.send("/login/pin", "/login", login="nilufar", password=PIN)
    assert answer.headers["Location"] == "/operator"
    assert operator.get("/operator").status_code == 200
    assert [session.user for session in sessions.valid_sessions()] == [nilufar]
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (entry.who, entry.action, entry.detail["by"]) == ("nilufar", "login", "pin")


def test_a_pin_does_not_work_on_a_device_without_an_earlier_sign_in(app, operator) -> None:
    stranger = app.test_client()
    answer = stranger.send("/login/pin", "/login", login="nilufar", password=PIN)
    assert answer.status_code == 401
    assert Session.select().count() == 1


def test_a_new_password_ends_the_pin_everywhere(operator) -> None:
    operator.send("/logout")
    user = User.get(User.login == "nilufar")
    accounts.set_password(user, "yangi-parol-2026", by="test")
    answer = operator.send("/login/pin", "/login", login="nilufar", password=PIN)
    assert answer.status_code == 401
