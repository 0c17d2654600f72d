"""The second step at the login, and setting it up: nothing else opens before."""

import datetime as dt
import re

import pyotp
import pytest

from appliance.core import clock
from appliance.core import settings as site_settings
from appliance.core.settings import SignIn
from appliance.models import User
from appliance.people import second_factor
from appliance.people.accounts import ROLES
from appliance.web import create_app
from provisioning.local.settings_file import scratch
from tests.rig.browser import Browser
from tests.rig.people import OF_ROLE, PASSWORD
from tests.web.shell.test_access import EVERYBODY, ROUTES, address

SETUP, PROVE = "/account/second-factor", "/login/second"
BEFORE_ALL = {"POST /account/language", "POST /logout"}


@pytest.fixture
def asking(app, at_noon):
    """The pages of a site that asks everybody, from everywhere."""
    site = app.config["SITE"]
    object.__setattr__(site, "sign_in", SignIn(second_factor=ROLES))
    return app


def code(secret: str, seconds: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + dt.timedelta(seconds=seconds))


def set_up(browser: Browser) -> tuple[str, list[str]]:
    """Set up the app from its page; the secret and the codes for the paper."""
    secret = re.search(r'class="secret">([A-Z2-7]+)<', browser.get(SETUP).text)[1]
    page = browser.send(SETUP, SETUP, one_time_code=code(secret)).text
    return secret, re.findall(r"<li><code>([^<]+)</code>", page)


@pytest.mark.parametrize(("role", "there"), [("manager", SETUP), ("operator", PROVE)])
def test_nothing_else_opens_before(asking, login_as, role, there) -> None:
    browser = login_as(role)
    if there == PROVE:
        set_up(browser)
        browser = login_as(role)
    headers = {"X-CSRFToken": browser.token(there)}
    open_here = {f"GET {there}", f"POST {there}", *BEFORE_ALL}
    if there == PROVE:
        open_here |= {"POST /passkeys/ask", "POST /passkeys/prove"}
    for route, roles in sorted(ROUTES.items()):
        if roles == EVERYBODY or route in open_here or not roles:
            continue
        method = route.split()[0]
        with browser.open(address(route), method=method, headers=headers) as answer:
            if route == "GET /live":
                assert answer.status_code == 403
            else:
                assert answer.status_code == 303, f"{route}: {answer.status}"
                assert answer.headers["Location"].startswith(there)
        piece = {"HX-Request": "true"} | headers
        with browser.open(address(route), method=method, headers=piece) as answer:
            assert answer.status_code == 403, f"{route}: {answer.status}"


def test_set_up_then_asked_for_and_led_back(asking, client) -> None:
    assert client.sign_in("sherzod", PASSWORD).status_code == 302
    assert client.get("/keys").headers["Location"] == SETUP
    page = client.get(SETUP).text
    assert "<svg" in page
    assert "style=" not in page
    wrong = client.send(SETUP, SETUP, one_time_code="000000")
    assert "Ilova boshqa kodni" in client.refused(wrong)
    secret, codes = set_up(client)
    assert len(codes) == second_factor.CODES
    assert client.get("/keys").status_code == 200
    assert secret not in client.get(SETUP).text

    anew = asking.test_client()
    answer = anew.sign_in("sherzod", PASSWORD, next="/keys")
    assert anew.get(answer.headers["Location"]).headers["Location"] == f"{PROVE}?next=/keys"
    assert anew.send(PROVE, PROVE, one_time_code=code(secret)).status_code == 422  # used
    answer = anew.send(PROVE, PROVE, one_time_code=code(secret, 30), next="/keys")
    assert answer.headers["Location"] == "/keys"
    assert anew.get("/keys").status_code == 200
    third = asking.test_client()
    third.sign_in("sherzod", PASSWORD)
    assert third.send(PROVE, PROVE, one_time_code=codes[3]).headers["Location"] == "/"
    assert third.get(PROVE).headers["Location"] == "/"


def test_a_code_without_a_picture_is_a_wrong_one(asking, login_as) -> None:
    browser = login_as("manager")
    token = browser.token(SETUP)
    with browser.session_transaction() as kept:
        kept.pop("proposed", None)
    answer = browser.post(SETUP, data={"csrf_token": token, "one_time_code": "123456"})
    assert answer.status_code == 303


def test_a_device_is_known_only_after_the_second_step(asking, login_as) -> None:
    set_up(login_as("sherzod"))
    browser = asking.test_client()
    assert "__Host-device" not in str(browser.sign_in("sherzod", PASSWORD).headers)


def test_the_app_is_exchanged_by_password_only(asking, login_as) -> None:
    browser = login_as("sherzod")
    secret, codes = set_up(browser)
    assert browser.send(SETUP, SETUP, one_time_code=code(secret, 30)).status_code == 409
    for what in ("codes", "remove"):
        answer = browser.send(f"{SETUP}/{what}", SETUP, password="wrong")
        assert 'role="alert"' in browser.refused(answer)
    page = browser.send(f"{SETUP}/codes", SETUP, password=PASSWORD).text
    assert len(set(re.findall(r"<li><code>([^<]+)</code>", page)) - set(codes)) == 10
    browser.send(f"{SETUP}/remove", SETUP, password=PASSWORD)
    assert browser.get("/keys").headers["Location"] == SETUP
    assert not second_factor.is_set(User.get(User.login == OF_ROLE["manager"]))


def test_an_operator_is_let_off_at_the_workplace(settings, app, client) -> None:
    settings.file.write_text(scratch(sign_in={"second_factor_outside": ["operator"]}))
    anew = create_app(site_settings.load(settings.file))
    anew.test_client_class = Browser
    here, far = anew.test_client(), anew.test_client()
    far.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    here.sign_in("nilufar", PASSWORD)
    far.sign_in("nilufar", PASSWORD)
    assert here.get("/operator").status_code == 200
    assert far.get("/operator").headers["Location"] == SETUP
    moved = anew.test_client()  # a cookie taken away from the workplace
    moved.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    moved.set_cookie("__Host-session", here.get_cookie("__Host-session").value)
    assert moved.get("/operator").headers["Location"] == SETUP
    anew.extensions["live"].stop()


def test_the_technician_helps_who_lost_both(asking, login_as) -> None:
    manager, technician = login_as("manager"), login_as("technician")
    set_up(technician)
    set_up(manager)
    sherzod = User.get(User.login == "sherzod")
    assert "/factor" in technician.get(f"/people/{sherzod.id}").text
    assert technician.send(f"/people/{sherzod.id}/factor").status_code == 302
    assert manager.get("/account").headers["Location"].startswith("/login?")
    assert login_as("manager").get("/account").headers["Location"] == SETUP
