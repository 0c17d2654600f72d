"""Signing in and out: who may, where they land, what is audited, how many attempts are allowed."""

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.core import clock, db
from appliance.core.settings import Ldap
from appliance.models import AuditEntry, SignInAttempt
from appliance.people import accounts, ldap, sign_ins
from appliance.web import create_app
from tests.rig.browser import Browser
from tests.rig.people import PASSWORD
from tests.rig.waiting import wait_until

WRONG_PASSWORD_TEXT = "Foydalanuvchi nomi yoki parol notoʻgʻri."
TOO_MANY_ATTEMPTS_TEXT = "Xato urinishlar koʻpayib ketdi. Bir daqiqa kutib, yana urinib koʻring."


def last_audit_actions() -> list[tuple[str, str]]:
    return [(e.who, e.action) for e in AuditEntry.select().order_by(AuditEntry.id)][-3:]


def test_the_right_password_signs_in(client) -> None:
    answer = client.sign_in("nilufar", PASSWORD)
    assert answer.headers["Location"] == "/"
    assert client.get("/account").status_code == 200
    assert last_audit_actions()[-1] == ("nilufar", "login")


@pytest.mark.parametrize("login", ["NILUFAR", " nilufar "])
def test_a_login_is_found_however_it_is_typed(client, login) -> None:
    assert client.sign_in(login, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("login", "password"), [("nilufar", "wrong"), ("nobody", PASSWORD), ("", "")]
)
def test_a_wrong_password_is_reported_and_the_login_kept(client, login, password) -> None:
    answer = client.sign_in(login, password)
    assert answer.status_code == 401
    assert WRONG_PASSWORD_TEXT in answer.text
    assert f'value="{login}"' in answer.text
    assert password not in answer.text or not password
    assert last_audit_actions()[-1] == (login or "-", "login.failed")


def test_a_closed_account_does_not_sign_in_and_is_signed_out(client, nilufar) -> None:
    client.sign_in("nilufar", PASSWORD)
    accounts.disable_account(nilufar, by="test")
    assert client.get("/account").status_code == 302
    assert client.sign_in("nilufar", PASSWORD).status_code == 401


def test_signing_in_leads_back_to_the_requested_page(client) -> None:
    answer = client.get("/account?x=1")
    assert answer.headers["Location"] == "/login?next=/account?x%3D1"
    assert 'name="next" value="/account?x=1"' in client.get(answer.headers["Location"]).text
    assert (
        client.sign_in("nilufar", PASSWORD, next="/account?x=1").headers["Location"]
        == "/account?x=1"
    )


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", "evil"),
        *("/\t/evil.example", "/\n/evil.example", "\t//evil.example", "//[", "/\\[x"),
    ],
)
def test_signing_in_redirects_only_within_the_site(client, target) -> None:
    assert client.sign_in("nilufar", PASSWORD, next=target).headers["Location"] == "/"


def test_a_cookie_with_any_bytes_does_not_prevent_signing_in(app) -> None:
    """Another site on the same host may have set it: the browser sends it each time."""
    browser = app.test_client(use_cookies=False)
    answer = browser.get("/login", environ_overrides={"HTTP_COOKIE": "other=\xff\xfe"})
    assert answer.status_code == 200


def test_signing_out_ends_the_session(login_as) -> None:
    browser = login_as("operator")
    assert browser.send("/logout").headers["Location"] == "/login"
    assert browser.get("/account").status_code == 302
    assert last_audit_actions()[-1] == ("nilufar", "logout")


def test_signing_out_ends_a_copied_cookie_too(app, login_as) -> None:
    browser = login_as("operator")
    copied = app.test_client()
    copied.set_cookie("__Host-session", browser.get_cookie("__Host-session").value)
    assert copied.get("/account").status_code == 200
    browser.send("/logout")
    assert copied.get("/account").status_code == 302
    assert browser.sign_in("nilufar", PASSWORD).status_code == 302
    assert copied.get("/account").status_code == 302


@pytest.mark.parametrize("end", ["password", "disabled"])
def test_a_new_password_and_a_closed_account_end_every_session(login_as, nilufar, end) -> None:
    browser = login_as("operator")
    if end == "password":
        accounts.set_password(nilufar, PASSWORD, by="test")
    else:
        accounts.disable_account(nilufar, by="test")
        type(nilufar).update(active=True).execute()
    assert browser.get("/account").status_code == 302


def test_a_session_ends_after_sixteen_hours_even_if_used(login_as, monkeypatch) -> None:
    browser, signed_in_at = login_as("operator"), clock.now()
    for hours, status in ((8, 200), (15.9, 200), (16.1, 302)):
        monkeypatch.setattr(clock, "now", lambda at=signed_in_at + dt.timedelta(hours=hours): at)
        assert browser.get("/account").status_code == status
        if status == 200:
            browser.send("/account/appearance", theme="dark")  # writes the cookie again


def test_signing_out_needs_a_post(login_as) -> None:
    assert login_as("operator").get("/logout").status_code == 405


def test_five_failures_a_minute_are_allowed(client) -> None:
    for _ in range(5):
        assert client.sign_in("nilufar", "wrong").status_code == 401
    answer = client.sign_in("nilufar", PASSWORD)
    assert answer.status_code == 429
    assert TOO_MANY_ATTEMPTS_TEXT in answer.text
    assert client.sign_in("sardor", PASSWORD).status_code == 302


def test_limits_survive_a_restart(client, settings) -> None:
    for _ in range(5):
        client.sign_in("nilufar", "wrong")
    restarted = create_app(settings)
    restarted.test_client_class = Browser
    assert restarted.test_client().sign_in("nilufar", PASSWORD).status_code == 429


def test_limits_end_after_a_minute_and_after_an_hour(client, monkeypatch) -> None:
    now = clock.now()
    for minute in range(6):
        monkeypatch.setattr(clock, "now", lambda at=now + dt.timedelta(minutes=2 * minute): at)
        for _ in range(5):
            assert client.sign_in("nilufar", "wrong").status_code == 401
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(minutes=20))
    assert client.sign_in("nilufar", PASSWORD).status_code == 429
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(minutes=72))
    assert client.sign_in("nilufar", PASSWORD).status_code == 302
    assert SignInAttempt.select().count() == 0


def test_simultaneous_guesses_are_counted_before_they_are_checked(app, monkeypatch) -> None:
    """All requests are sent before any response."""
    monkeypatch.setattr(sign_ins, "TURN_TIMEOUT_SECONDS", 60)
    checked, authenticate = [], accounts.authenticate_user
    monkeypatch.setattr(
        accounts, "authenticate_user", lambda *typed: checked.append(typed) or authenticate(*typed)
    )
    browsers = [app.test_client() for _ in range(12)]
    tokens = [browser.token("/login") for browser in browsers]
    begin = threading.Barrier(len(browsers))

    def guess_password(number: int) -> int:
        begin.wait()
        form = {"csrf_token": tokens[number], "login": "nilufar", "password": f"guess-{number}"}
        return browsers[number].post("/login", data=form).status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = sorted(pool.map(guess_password, range(len(browsers))))
    assert answers == [401] * 5 + [429] * 7
    assert len(checked) == 5


def test_few_passwords_are_checked_at_once(settings, monkeypatch) -> None:
    """Each check takes 64 MiB: of many at once only some run, the others wait or are refused."""
    running_checks, concurrent_counts, gate = [], [], threading.Event()

    def authenticate(login: str, password: str) -> None:
        running_checks.append(login)
        concurrent_counts.append(len(running_checks))
        gate.wait(20)
        running_checks.remove(login)

    monkeypatch.setattr(accounts, "authenticate_user", authenticate)
    monkeypatch.setattr(sign_ins, "TURN_TIMEOUT_SECONDS", 0.05)

    def attempt_sign_in(number: int) -> str:
        with db.database.connection_context():
            try:
                sign_ins.check_password(f"nobody{number}", "wrong", f"10.0.0.{number}")
            except sign_ins.TooManyWaiting:
                return "busy"
            return "tried"

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(attempt_sign_in, number) for number in range(8)]
        wait_until(lambda: sum(future.done() for future in waiting) == 6)
        wait_until(lambda: len(running_checks) == 2)
        gate.set()
        answers = [future.result() for future in waiting]
    assert sorted(answers) == ["busy"] * 6 + ["tried"] * 2
    assert max(concurrent_counts) == 2
    assert SignInAttempt.select().count() == 2


def test_one_address_does_not_delay_others(settings, monkeypatch) -> None:
    """Not even on a new device: few attempts of one address wait, more are refused at once."""
    looking, gate = [], threading.Event()

    def authenticate(login: str, password: str) -> None:
        looking.append(login)
        gate.wait(20)

    monkeypatch.setattr(accounts, "authenticate_user", authenticate)
    monkeypatch.setattr(sign_ins, "TURN_TIMEOUT_SECONDS", 20)

    def attempt_sign_in(login: str, address: str) -> str:
        with db.database.connection_context():
            try:
                sign_ins.check_password(login, "wrong", address)
            except sign_ins.TooManyWaiting:
                return "busy"
            return "tried"

    with ThreadPoolExecutor(40) as pool:
        guesses = [pool.submit(attempt_sign_in, f"nobody{n}", "10.0.0.1") for n in range(30)]
        wait_until(lambda: sum(future.done() for future in guesses) == 18)
        staff = [pool.submit(attempt_sign_in, f"new{n}", f"10.0.1.{n}") for n in range(10)]
        gate.set()
        assert [future.result() for future in staff] == ["tried"] * 10
        assert sorted(future.result() for future in guesses) == ["busy"] * 18 + ["tried"] * 12
    assert sign_ins._UNKNOWN_DEVICES._admitted.total() == 0


def test_others_failures_do_not_block_a_user_on_a_known_device(app, client) -> None:
    assert client.sign_in("sardor", PASSWORD).status_code == 302
    client.send("/logout")
    now = clock.now()
    SignInAttempt.insert_many(
        {"login": login, "address": "127.0.0.1", "at": now}
        for login in [*(f"nobody{n}" for n in range(200)), *["sardor"] * 100]
    ).execute()
    stranger = app.test_client()
    assert stranger.sign_in("sardor", PASSWORD).status_code == 429
    assert stranger.sign_in("dilnoza", PASSWORD).status_code == 429
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    stranger.environ_base |= elsewhere
    assert stranger.sign_in("dilnoza", PASSWORD).status_code == 302
    assert client.sign_in("dilnoza", PASSWORD).status_code == 429  # never signed in on this device
    assert client.sign_in("sardor", PASSWORD).status_code == 302


def test_a_known_device_has_its_own_limit(client) -> None:
    assert client.sign_in("sardor", PASSWORD).status_code == 302
    client.send("/logout")
    for _ in range(5):
        assert client.sign_in("sardor", "wrong").status_code == 401
    assert client.sign_in("sardor", PASSWORD).status_code == 429


@pytest.mark.parametrize("cookie", ["", "planted", "eyJuYW1lIjoieCIsInBlb3BsZSI6WyJzYXJkb3IiXX0.x"])
def test_a_forged_cookie_is_not_a_known_device(app, cookie) -> None:
    SignInAttempt.insert_many(
        {"login": "sardor", "address": "127.0.0.1", "at": clock.now()} for _ in range(5)
    ).execute()
    browser = app.test_client()
    browser.set_cookie("__Host-device", cookie)
    assert browser.sign_in("sardor", PASSWORD).status_code == 429


def test_successful_sign_ins_do_not_count_as_attempts(app) -> None:
    for _ in range(8):
        assert app.test_client().sign_in("nilufar", PASSWORD).status_code == 302


def test_the_session_outlives_the_process(app, settings, login_as) -> None:
    cookie = login_as("operator").get_cookie("__Host-session")
    new_browser = create_app(settings).test_client()
    new_browser.set_cookie("__Host-session", cookie.value)
    assert new_browser.get("/account").status_code == 200


def test_signing_in_replaces_the_session_of_the_browser(client) -> None:
    planted = client.token("/login")
    client.sign_in("nilufar", PASSWORD)
    assert client.token() != planted


def test_a_signed_in_user_does_not_see_the_login_form(login_as) -> None:
    assert login_as("ministry").get("/login").headers["Location"] == "/"


def test_tabs_that_load_at_once_after_a_sign_in_have_valid_tokens(client, app) -> None:
    client.sign_in("nilufar", PASSWORD)
    cookie = client.get_cookie("__Host-session").value
    tabs = [app.test_client() for _ in range(2)]
    for tab in tabs:
        tab.set_cookie("__Host-session", cookie, secure=True)
    tokens = [tab.token("/account") for tab in tabs]
    for token in tokens:  # the browser stores the cookie of whichever answer arrives last
        answer = tabs[1].post("/account/appearance", data={"csrf_token": token, "theme": "dark"})
        assert answer.status_code == 302


def test_a_signed_in_user_receives_a_token(client) -> None:
    assert client.get("/login/token").status_code == 204
    client.sign_in("nilufar", PASSWORD)
    token = client.get("/login/token").text
    assert client.post("/logout", headers={"X-CSRFToken": token}).status_code == 302


def test_the_page_warns_that_the_directory_is_unavailable(
    settings, app, client, monkeypatch
) -> None:
    rules = Ldap("ldaps://127.9.9.3:9", "{}@vazirlik.uz")
    object.__setattr__(app.config["SITE"], "ldap", rules)
    assert "is-warn" not in client.get("/login").text
    monkeypatch.setitem(ldap._retry_times, rules.url, time.monotonic() + 30)
    assert "is-warn" in client.get("/login").text
