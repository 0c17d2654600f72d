"""Signing in and out: who gets in, where he lands, what is written down, how often one may try."""

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
from tests.rig.waiting import until

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
    accounts.disable(nilufar, by="test")
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
    "there",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", "evil"),
        *("/\t/evil.example", "/\n/evil.example", "\t//evil.example", "//[", "/\\[x"),
    ],
)
def test_signing_in_leads_nowhere_else(client, there) -> None:
    assert client.sign_in("nilufar", PASSWORD, next=there).headers["Location"] == "/"


def test_a_cookie_of_any_bytes_shuts_out_nobody(app) -> None:
    """Another site on the same host may have left it: the browser sends it each time."""
    browser = app.test_client(use_cookies=False)
    answer = browser.get("/login", environ_overrides={"HTTP_COOKIE": "other=\xff\xfe"})
    assert answer.status_code == 200


def test_signing_out_ends_the_session(login_as) -> None:
    browser = login_as("operator")
    assert browser.send("/logout").headers["Location"] == "/login"
    assert browser.get("/account").status_code == 302
    assert actions()[-1] == ("nilufar", "logout")


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
        accounts.disable(nilufar, by="test")
        type(nilufar).update(active=True).execute()
    assert browser.get("/account").status_code == 302


def test_a_session_ends_after_sixteen_hours_however_it_is_used(login_as, monkeypatch) -> None:
    browser, began = login_as("operator"), clock.now()
    for hours, status in ((8, 200), (15.9, 200), (16.1, 302)):
        monkeypatch.setattr(clock, "now", lambda at=began + dt.timedelta(hours=hours): at)
        assert browser.get("/account").status_code == status
        if status == 200:
            browser.send("/account/appearance", theme="dark")  # writes the cookie anew


def test_signing_out_needs_a_post(login_as) -> None:
    assert login_as("operator").get("/logout").status_code == 405


def test_five_failures_a_minute_and_no_more(client) -> None:
    for _ in range(5):
        assert client.sign_in("nilufar", "wrong").status_code == 401
    answer = client.sign_in("nilufar", PASSWORD)
    assert answer.status_code == 429
    assert WAIT in answer.text
    assert client.sign_in("sardor", PASSWORD).status_code == 302


def test_limits_survive_a_restart(client, settings) -> None:
    for _ in range(5):
        client.sign_in("nilufar", "wrong")
    anew = create_app(settings)
    anew.test_client_class = Browser
    assert anew.test_client().sign_in("nilufar", PASSWORD).status_code == 429


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


def test_guesses_at_the_same_time_are_counted_before_they_are_tried(app, monkeypatch) -> None:
    """Each asks before any is answered."""
    monkeypatch.setattr(sign_ins, "PATIENCE", 60)
    looked, authenticate = [], accounts.authenticate
    monkeypatch.setattr(
        accounts, "authenticate", lambda *typed: looked.append(typed) or authenticate(*typed)
    )
    browsers = [app.test_client() for _ in range(12)]
    tokens = [browser.token("/login") for browser in browsers]
    begin = threading.Barrier(len(browsers))

    def guess(number: int) -> int:
        begin.wait()
        form = {"csrf_token": tokens[number], "login": "nilufar", "password": f"guess-{number}"}
        return browsers[number].post("/login", data=form).status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = sorted(pool.map(guess, range(len(browsers))))
    assert answers == [401] * 5 + [429] * 7
    assert len(looked) == 5


def test_few_passwords_are_looked_at_at_once(settings, monkeypatch) -> None:
    """Each takes 64 MiB: of many at once only some are tried, the others wait or are sent away."""
    looking, most, gate = [], [], threading.Event()

    def authenticate(login: str, password: str) -> None:
        looking.append(login)
        most.append(len(looking))
        gate.wait(20)
        looking.remove(login)

    monkeypatch.setattr(accounts, "authenticate", authenticate)
    monkeypatch.setattr(sign_ins, "PATIENCE", 0.05)

    def attempt(number: int) -> str:
        with db.database.connection_context():
            try:
                sign_ins.check(f"nobody{number}", "wrong", f"10.0.0.{number}")
            except sign_ins.Busy:
                return "busy"
            return "tried"

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(attempt, number) for number in range(8)]
        until(lambda: sum(one.done() for one in waiting) == 6)
        gate.set()
        answers = [one.result() for one in waiting]
    assert sorted(answers) == ["busy"] * 6 + ["tried"] * 2
    assert max(most) == 2
    assert SignInAttempt.select().count() == 2


def test_one_address_holds_up_nobody_at_another(settings, monkeypatch) -> None:
    """On a new device, too: of one address few wait, and what is more is sent away at once."""
    looking, gate = [], threading.Event()

    def authenticate(login: str, password: str) -> None:
        looking.append(login)
        gate.wait(20)

    monkeypatch.setattr(accounts, "authenticate", authenticate)
    monkeypatch.setattr(sign_ins, "PATIENCE", 20)

    def attempt(login: str, address: str) -> str:
        with db.database.connection_context():
            try:
                sign_ins.check(login, "wrong", address)
            except sign_ins.Busy:
                return "busy"
            return "tried"

    with ThreadPoolExecutor(40) as pool:
        guesses = [pool.submit(attempt, f"nobody{n}", "10.0.0.1") for n in range(30)]
        until(lambda: sum(one.done() for one in guesses) == 18)
        staff = [pool.submit(attempt, f"new{n}", f"10.0.1.{n}") for n in range(10)]
        gate.set()
        assert [one.result() for one in staff] == ["tried"] * 10
        assert sorted(one.result() for one in guesses) == ["busy"] * 18 + ["tried"] * 12
    assert sign_ins._STRANGERS._inside.total() == 0


def test_who_signs_in_where_he_did_before_is_not_kept_out_by_others(app, client) -> None:
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
    assert client.sign_in("dilnoza", PASSWORD).status_code == 429  # never signed in on it
    assert client.sign_in("sardor", PASSWORD).status_code == 302


def test_a_known_device_has_its_own_limit(client) -> None:
    assert client.sign_in("sardor", PASSWORD).status_code == 302
    client.send("/logout")
    for _ in range(5):
        assert client.sign_in("sardor", "wrong").status_code == 401
    assert client.sign_in("sardor", PASSWORD).status_code == 429


@pytest.mark.parametrize("cookie", ["", "planted", "eyJuYW1lIjoieCIsInBlb3BsZSI6WyJzYXJkb3IiXX0.x"])
def test_nobody_makes_a_known_device(app, cookie) -> None:
    SignInAttempt.insert_many(
        {"login": "sardor", "address": "127.0.0.1", "at": clock.now()} for _ in range(5)
    ).execute()
    browser = app.test_client()
    browser.set_cookie("__Host-device", cookie)
    assert browser.sign_in("sardor", PASSWORD).status_code == 429


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


def test_the_page_says_that_the_directory_is_away(settings, app, client, monkeypatch) -> None:
    rules = Ldap("ldaps://127.9.9.3:9", "{}@vazirlik.uz")
    object.__setattr__(app.config["SITE"], "ldap", rules)
    assert "is-warn" not in client.get("/login").text
    monkeypatch.setitem(ldap._rests_until, rules.url, time.monotonic() + 30)
    assert "is-warn" in client.get("/login").text
