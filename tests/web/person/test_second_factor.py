"""The second step of the login, and its set-up: no other page opens before."""

import datetime as dt
import re

import pyotp
import pytest

from appliance.core import clock
from appliance.core import settings as site_settings
from appliance.core.settings import SignIn
from appliance.models import AuditEntry, User
from appliance.people import second_factor
from appliance.people.accounts import ROLES
from appliance.web import create_app
from provisioning.local.settings_file import scratch_settings
from tests.rig.browser import Browser
from tests.rig.people import LOGIN_OF_ROLE, PASSWORD
from tests.web.shell.test_access import EVERYBODY, ROUTES, route_address

SETUP_PATH, PROVE_PATH = "/account/second-factor", "/login/second"
ALWAYS_OPEN_ROUTES = {"POST /account/language", "POST /logout"}


@pytest.fixture
def second_factor_app(app, at_noon):
    """A site that demands a second factor from everyone, everywhere."""
    site = app.config["SITE"]
    object.__setattr__(site, "sign_in", SignIn(second_factor=ROLES))
    return app


def one_time_code(secret: str, seconds: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + dt.timedelta(seconds=seconds))


def set_up_app(browser: Browser) -> tuple[str, list[str]]:
    """Set up the app on its page; return the secret and the recovery codes to print."""
    secret = re.search(r'class="secret">([A-Z2-7]+)<', browser.get(SETUP_PATH).text)[1]
    page = browser.send(SETUP_PATH, SETUP_PATH, one_time_code=one_time_code(secret)).text
    return secret, re.findall(r"<li><code>([^<]+)</code>", page)


@pytest.mark.parametrize(
    ("role", "required_path"), [("manager", SETUP_PATH), ("operator", PROVE_PATH)]
)
def test_no_other_page_opens_before_the_second_step(
    second_factor_app, login_as, role, required_path
) -> None:
    browser = login_as(role)
    if required_path == PROVE_PATH:
        set_up_app(browser)
        browser = login_as(role)
    headers = {"X-CSRFToken": browser.token(required_path)}
    open_here = {f"GET {required_path}", f"POST {required_path}", *ALWAYS_OPEN_ROUTES}
    if required_path == PROVE_PATH:
        open_here |= {"POST /passkeys/ask", "POST /passkeys/prove"}
    for route, roles in sorted(ROUTES.items()):
        if roles == EVERYBODY or route in open_here or not roles:
            continue
        method = route.split()[0]
        with browser.open(route_address(route), method=method, headers=headers) as answer:
            if route == "GET /live":
                assert answer.status_code == 403
            else:
                assert answer.status_code == 303, f"{route}: {answer.status}"
                assert answer.headers["Location"].startswith(required_path)
        piece = {"HX-Request": "true"} | headers
        with browser.open(route_address(route), method=method, headers=piece) as answer:
            assert answer.status_code == 403, f"{route}: {answer.status}"


def test_a_set_up_factor_is_demanded_and_leads_to_the_requested_page(
    second_factor_app, client
) -> None:
    assert client.sign_in("sherzod", PASSWORD).status_code == 302
    assert client.get("/keys").headers["Location"] == SETUP_PATH
    page = client.get(SETUP_PATH).text
    assert "<svg" in page
    assert "style=" not in page
    wrong = client.send(SETUP_PATH, SETUP_PATH, one_time_code="000000")
    assert "Ilova boshqa kodni" in client.refused_page(wrong)
    secret, codes = set_up_app(client)
    assert len(codes) == second_factor.CODES_PER_PAPER
    assert client.get("/keys").status_code == 200
    assert secret not in client.get(SETUP_PATH).text

    second_browser = second_factor_app.test_client()
    answer = second_browser.sign_in("sherzod", PASSWORD, next="/keys")
    assert (
        second_browser.get(answer.headers["Location"]).headers["Location"]
        == f"{PROVE_PATH}?next=/keys"
    )
    # already used
    assert (
        second_browser.send(PROVE_PATH, PROVE_PATH, one_time_code=one_time_code(secret)).status_code
        == 422
    )
    answer = second_browser.send(
        PROVE_PATH, PROVE_PATH, one_time_code=one_time_code(secret, 30), next="/keys"
    )
    assert answer.headers["Location"] == "/keys"
    assert second_browser.get("/keys").status_code == 200
    third_browser = second_factor_app.test_client()
    third_browser.sign_in("sherzod", PASSWORD)
    assert (
        third_browser.send(PROVE_PATH, PROVE_PATH, one_time_code=codes[3]).headers["Location"]
        == "/"
    )
    assert third_browser.get(PROVE_PATH).headers["Location"] == "/"


def test_a_code_without_a_proposed_secret_is_wrong(second_factor_app, login_as) -> None:
    browser = login_as("manager")
    token = browser.token(SETUP_PATH)
    with browser.session_transaction() as session:
        session.pop("proposed", None)
    answer = browser.post(SETUP_PATH, data={"csrf_token": token, "one_time_code": "123456"})
    assert answer.status_code == 303


def test_a_device_is_remembered_only_after_the_second_step(second_factor_app, login_as) -> None:
    set_up_app(login_as("sherzod"))
    browser = second_factor_app.test_client()
    assert "__Host-device" not in str(browser.sign_in("sherzod", PASSWORD).headers)


def test_replacing_the_app_needs_the_password(second_factor_app, login_as) -> None:
    browser = login_as("sherzod")
    secret, codes = set_up_app(browser)
    assert (
        browser.send(SETUP_PATH, SETUP_PATH, one_time_code=one_time_code(secret, 30)).status_code
        == 409
    )
    for what in ("codes", "remove"):
        answer = browser.send(f"{SETUP_PATH}/{what}", SETUP_PATH, password="wrong")
        assert 'role="alert"' in browser.refused_page(answer)
    page = browser.send(f"{SETUP_PATH}/codes", SETUP_PATH, password=PASSWORD).text
    assert len(set(re.findall(r"<li><code>([^<]+)</code>", page)) - set(codes)) == 10
    browser.send(f"{SETUP_PATH}/remove", SETUP_PATH, password=PASSWORD)
    assert browser.get("/keys").headers["Location"] == SETUP_PATH
    assert not second_factor.has_second_factor(User.get(User.login == LOGIN_OF_ROLE["manager"]))


def test_new_codes_without_an_app_change_nothing(login_as) -> None:
    browser = login_as("manager")
    entries = AuditEntry.select().count()
    answer = browser.send(f"{SETUP_PATH}/codes", SETUP_PATH, password=PASSWORD)
    assert answer.status_code == 404
    assert AuditEntry.select().count() == entries


def test_an_operator_needs_no_second_factor_at_the_workplace(settings, app, client) -> None:
    settings.file.write_text(scratch_settings(sign_in={"second_factor_outside": ["operator"]}))
    flask_app = create_app(site_settings.load_settings(settings.file))
    flask_app.test_client_class = Browser
    inside, outside = flask_app.test_client(), flask_app.test_client()
    outside.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    inside.sign_in("nilufar", PASSWORD)
    outside.sign_in("nilufar", PASSWORD)
    assert inside.get("/operator").status_code == 200
    assert outside.get("/operator").headers["Location"] == SETUP_PATH
    moved = flask_app.test_client()  # a cookie copied from the workplace
    moved.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    moved.set_cookie("__Host-session", inside.get_cookie("__Host-session").value)
    assert moved.get("/operator").headers["Location"] == SETUP_PATH
    flask_app.extensions["live"].stop()


def test_the_technician_resets_a_lost_second_factor(second_factor_app, login_as) -> None:
    manager, technician = login_as("manager"), login_as("technician")
    set_up_app(technician)
    set_up_app(manager)
    sherzod = User.get(User.login == "sherzod")
    assert "/factor" in technician.get(f"/people/{sherzod.id}").text
    assert technician.send(f"/people/{sherzod.id}/factor").status_code == 302
    assert manager.get("/account").headers["Location"].startswith("/login?")
    assert login_as("manager").get("/account").headers["Location"] == SETUP_PATH
