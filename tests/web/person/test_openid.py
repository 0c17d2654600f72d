"""Signing in by a real OpenID provider: who may, who may not, and when it is unavailable."""

import dataclasses
import re
import socket
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from appliance.core import clock
from appliance.core.settings import SignIn
from appliance.models import AuditEntry, Session, User
from appliance.people import identities
from appliance.people.accounts import ROLES
from appliance.web import create_app
from tests.rig.browser import Browser
from tests.rig.outside.openid import make_provider, visit_provider
from tests.rig.people import PASSWORD

BEGIN_PATH, CALLBACK_PATH = "/login/openid", "/login/openid/back"


@pytest.fixture(scope="module")
def openid_provider(tmp_path_factory):
    """The provider and its settings."""
    with socket.create_server(("127.9.9.4", 0)) as probe:
        address = f"127.9.9.4:{probe.getsockname()[1]}"
    provider_server, rules = make_provider(
        tmp_path_factory.mktemp("openid"), address, f"https://localhost{CALLBACK_PATH}"
    )
    yield provider_server.start_server(), rules
    provider_server.stop_server()


@pytest.fixture
def rules(openid_provider):
    return openid_provider[1]


@pytest.fixture
def pages(settings, rules, nilufar):
    """A site with that provider, where Nilufar is n-1; a new application for each test."""
    identities.set_identity(nilufar, "openid", "n-1", None)
    object.__setattr__(settings, "openid", rules)
    flask_app = create_app(settings)
    flask_app.test_client_class = Browser
    yield flask_app
    flask_app.extensions["live"].stop()


@pytest.fixture
def browser(pages):
    return pages.test_client()


def sign_in_at_provider(browser: Browser, rules, login: str, **options) -> str:
    """Begin signing in, sign in at the provider; return the address that it redirects to."""
    redirect = browser.get(options.pop("begin", BEGIN_PATH))
    assert redirect.status_code == 302, redirect.text
    provider_address = redirect.headers["Location"]
    assert provider_address.startswith(rules.issuer)
    return visit_provider(rules, provider_address, login, **options).removeprefix(
        "https://localhost"
    )


def last_audit_entry() -> tuple[str, str, dict]:
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    return entry.who, entry.action, {k: v for k, v in entry.detail.items() if k != "address"}


def test_a_known_identity_signs_in_and_reaches_the_requested_page(browser, rules) -> None:
    assert "OneID" in browser.get("/login?next=/account").text
    back = sign_in_at_provider(browser, rules, "n-1", begin=f"{BEGIN_PATH}?next=/account")
    answer = browser.get(back)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    assert last_audit_entry() == ("nilufar", "login", {"by": "openid"})
    assert browser.get("/account").status_code == 200
    session = Session.get()
    assert (session.user.login, session.factor, session.source) == ("nilufar", "", "openid")


def test_the_request_names_the_site_and_is_bound_to_the_browser(browser, rules) -> None:
    parameters = parse_qs(urlsplit(browser.get(BEGIN_PATH).headers["Location"]).query)
    assert parameters["redirect_uri"] == [f"https://localhost{CALLBACK_PATH}"]
    assert parameters["code_challenge_method"] == ["S256"]
    assert parameters["scope"] == ["openid"]
    assert (parameters["prompt"], parameters["max_age"]) == (["login"], ["0"])
    assert parameters["nonce"]
    assert parameters["state"]


def test_an_unknown_identity_does_not_sign_in(browser, rules) -> None:
    answer = browser.get(sign_in_at_provider(browser, rules, "somebody"))
    assert answer.status_code == 401
    assert last_audit_entry() == ("-", "login.failed", {"by": "openid", "named": "somebody"})
    assert browser.get("/account").status_code == 302


def test_a_disabled_account_does_not_sign_in(browser, rules, nilufar) -> None:
    User.update(active=False).where(User.id == nilufar.id).execute()
    assert browser.get(sign_in_at_provider(browser, rules, "n-1")).status_code == 401


def test_the_callback_works_once_and_only_in_the_same_browser(pages, browser, rules) -> None:
    back = sign_in_at_provider(browser, rules, "n-1")
    stranger = pages.test_client()
    assert stranger.get(back).status_code == 401
    assert browser.get(back).status_code == 302
    browser.send("/logout")
    assert browser.get(back).status_code == 401
    for planted in (
        CALLBACK_PATH,
        f"{CALLBACK_PATH}?code=x",
        f"{CALLBACK_PATH}?state=x&code=y",
        f"{CALLBACK_PATH}?error=no&state=x",
    ):
        assert browser.get(planted).status_code == 401
    assert not Session.select().exists()


def test_a_code_of_another_browser_is_refused(pages, rules, sardor) -> None:
    """The code's verifier (PKCE) and nonce are in the browser that began."""
    identities.set_identity(sardor, "openid", "s-1", None)
    mine, theirs = pages.test_client(), pages.test_client()
    stolen = parse_qs(urlsplit(sign_in_at_provider(theirs, rules, "n-1")).query)
    state = parse_qs(urlsplit(mine.get(BEGIN_PATH).headers["Location"]).query)["state"][0]
    answer = mine.get(f"{CALLBACK_PATH}?{urlencode({'code': stolen['code'][0], 'state': state})}")
    assert answer.status_code == 401


def test_an_earlier_proof_at_the_provider_is_refused(browser, rules) -> None:
    """Otherwise the next user at a desk or a locked page would sign in as the previous one."""
    back = sign_in_at_provider(browser, rules, "n-1")
    with browser.session_transaction() as session:
        session["asked_at"] += 600
    assert browser.get(back).status_code == 401
    assert last_audit_entry() == (
        "-",
        "login.failed",
        {"by": "openid", "why": "UnverifiedIdentity"},
    )
    assert browser.get(sign_in_at_provider(browser, rules, "n-1")).status_code == 302


def test_cancelling_at_the_provider_leads_back_to_the_login_form(browser, rules) -> None:
    answer = browser.get(sign_in_at_provider(browser, rules, ""))
    assert answer.status_code == 401
    assert 'name="password"' in answer.text


@pytest.mark.parametrize("twice", [False, True])
def test_the_providers_second_factor_is_accepted(pages, browser, rules, twice) -> None:
    object.__setattr__(pages.config["SITE"], "sign_in", SignIn(second_factor=ROLES))
    browser.get(sign_in_at_provider(browser, rules, "n-1", with_second_factor=twice))
    assert browser.get("/account").status_code == (200 if twice else 303)


@pytest.mark.parametrize(
    "claims",
    [
        *(
            {"amr": amr}
            for amr in ("mfa", 7, {"mfa": 1}, True, [["mfa"]], [{"mfa": 1}], ["mfa", 1])
        ),
        *({"acr": acr} for acr in (["mfa"], 7, {"mfa": 1}, True, [["mfa"]])),
        *({"auth_time": moment} for moment in ("1", [1], {"1": 1}, True, None, 0, 1e300, -1)),
        *({"sub": subject} for subject in (["n-1"], 1, {"n-1": 1}, "")),
        {"amr": "mfa", "acr": ["mfa"]},
    ],
    ids=str,
)
def test_a_malformed_token_signs_nobody_in(pages, browser, rules, claims) -> None:
    object.__setattr__(pages.config["SITE"], "sign_in", SignIn(second_factor=ROLES))
    answer = browser.get(sign_in_at_provider(browser, rules, "n-1", claims=claims))
    assert answer.status_code == 401
    assert last_audit_entry()[1] == "login.failed"
    assert not Session.select().exists()


@pytest.mark.parametrize(("late", "status"), [(0, 302), (60, 302), (600, 401), (10**9, 401)])
def test_a_proof_dated_in_the_future_is_refused(browser, rules, late, status) -> None:
    """A token dated in the future would be valid later; clocks differ by two minutes at most."""
    moment = int(clock.now().timestamp()) + late
    answer = browser.get(sign_in_at_provider(browser, rules, "n-1", claims={"auth_time": moment}))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("claims", "status"),
    [({"acr": "mfa"}, 200), ({"acr": "m"}, 303), ({"amr": ["mfa"]}, 200), ({"amr": []}, 303)],
)
def test_well_formed_acr_and_amr_are_accepted(pages, browser, rules, claims, status) -> None:
    object.__setattr__(pages.config["SITE"], "sign_in", SignIn(second_factor=ROLES))
    browser.get(sign_in_at_provider(browser, rules, "n-1", claims=claims))
    assert browser.get("/account").status_code == status


def test_a_provider_sign_in_requires_no_first_password_change(browser, rules, nilufar) -> None:
    User.update(must_change=True).where(User.id == nilufar.id).execute()
    browser.get(sign_in_at_provider(browser, rules, "n-1"))
    assert browser.get("/account").status_code == 200
    other = browser.application.test_client()
    other.sign_in("nilufar", PASSWORD)
    assert other.get("/account").status_code == 303


def test_a_locked_page_is_unlocked_by_signing_in_again(browser, rules) -> None:
    browser.get(sign_in_at_provider(browser, rules, "n-1"))
    browser.post("/lock", headers={"X-CSRFToken": browser.token()})
    assert f'href="{BEGIN_PATH}' in browser.get("/lock").text
    browser.get(sign_in_at_provider(browser, rules, "n-1"))
    assert browser.get("/account").status_code == 200
    assert Session.select().count() == 1


def test_the_password_login_works_while_the_provider_is_unavailable(
    openid_provider, browser
) -> None:
    openid_provider[0].stop_server()
    try:
        answer = browser.get(BEGIN_PATH)
        assert answer.status_code == 503
        assert "OneID" in re.search(r'role="alert">(.*?)</div>', answer.text, re.DOTALL)[1]
        assert browser.sign_in("nilufar", PASSWORD).status_code == 302
    finally:
        openid_provider[0].start_server()


def test_a_provider_without_a_trusted_certificate_is_not_used(settings, rules) -> None:
    object.__setattr__(settings, "openid", dataclasses.replace(rules, ca=""))
    flask_app = create_app(settings)
    assert flask_app.test_client().get(BEGIN_PATH).status_code == 503


@pytest.mark.parametrize("path", [BEGIN_PATH, CALLBACK_PATH])
def test_without_the_setting_the_pages_do_not_exist(client, path) -> None:
    assert client.get(path).status_code == 404
    assert BEGIN_PATH not in client.get("/login").text
