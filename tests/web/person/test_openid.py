"""Signing in by a real OpenID provider: who gets in, who does not, and when it is away."""

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
from tests.rig.outside.openid import provider, visit
from tests.rig.people import PASSWORD

BEGIN, BACK = "/login/openid", "/login/openid/back"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The provider and its settings."""
    with socket.create_server(("127.9.9.4", 0)) as free:
        address = f"127.9.9.4:{free.getsockname()[1]}"
    party, rules = provider(tmp_path_factory.mktemp("openid"), address, f"https://localhost{BACK}")
    yield party.start(), rules
    party.stop()


@pytest.fixture
def rules(served):
    return served[1]


@pytest.fixture
def pages(settings, rules, nilufar):
    """The pages of a site with that party, which calls Nilufar n-1; a new application each time."""
    identities.give(nilufar, "openid", "n-1", None)
    object.__setattr__(settings, "openid", rules)
    made = create_app(settings)
    made.test_client_class = Browser
    yield made
    made.extensions["live"].stop()


@pytest.fixture
def browser(pages):
    return pages.test_client()


def sent_back(browser: Browser, rules, login: str, **how) -> str:
    """Begin, say there who one is: the address on which one comes back."""
    begun = browser.get(how.pop("begin", BEGIN))
    assert begun.status_code == 302, begun.text
    there = begun.headers["Location"]
    assert there.startswith(rules.issuer)
    return visit(rules, there, login, **how).removeprefix("https://localhost")


def told() -> tuple[str, str, dict]:
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    return last.who, last.action, {k: v for k, v in last.detail.items() if k != "address"}


def test_whom_it_knows_signs_in_and_comes_to_the_page_asked_for(browser, rules) -> None:
    assert "OneID" in browser.get("/login?next=/account").text
    back = sent_back(browser, rules, "n-1", begin=f"{BEGIN}?next=/account")
    answer = browser.get(back)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    assert told() == ("nilufar", "login", {"by": "openid"})
    assert browser.get("/account").status_code == 200
    held = Session.get()
    assert (held.user.login, held.factor, held.source) == ("nilufar", "", "openid")


def test_what_it_asks_for_names_the_site_and_is_bound_to_this_browser(browser, rules) -> None:
    asked = parse_qs(urlsplit(browser.get(BEGIN).headers["Location"]).query)
    assert asked["redirect_uri"] == [f"https://localhost{BACK}"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid"]
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert asked["nonce"]
    assert asked["state"]


def test_whom_nobody_knows_here_does_not(browser, rules) -> None:
    answer = browser.get(sent_back(browser, rules, "somebody"))
    assert answer.status_code == 401
    assert told() == ("-", "login.failed", {"by": "openid", "named": "somebody"})
    assert browser.get("/account").status_code == 302


def test_a_closed_account_does_not(browser, rules, nilufar) -> None:
    User.update(active=False).where(User.id == nilufar.id).execute()
    assert browser.get(sent_back(browser, rules, "n-1")).status_code == 401


def test_what_comes_back_is_worth_something_once_and_here_alone(pages, browser, rules) -> None:
    back = sent_back(browser, rules, "n-1")
    stranger = pages.test_client()
    assert stranger.get(back).status_code == 401
    assert browser.get(back).status_code == 302
    browser.send("/logout")
    assert browser.get(back).status_code == 401
    for planted in (BACK, f"{BACK}?code=x", f"{BACK}?state=x&code=y", f"{BACK}?error=no&state=x"):
        assert browser.get(planted).status_code == 401
    assert not Session.select().exists()


def test_a_code_of_another_browser_is_not_taken(pages, rules, sardor) -> None:
    """Its verifier (PKCE) and nonce are in the browser that began."""
    identities.give(sardor, "openid", "s-1", None)
    mine, theirs = pages.test_client(), pages.test_client()
    stolen = parse_qs(urlsplit(sent_back(theirs, rules, "n-1")).query)
    state = parse_qs(urlsplit(mine.get(BEGIN).headers["Location"]).query)["state"][0]
    answer = mine.get(f"{BACK}?{urlencode({'code': stolen['code'][0], 'state': state})}")
    assert answer.status_code == 401


def test_who_was_known_there_before_is_asked_again(browser, rules) -> None:
    """Else the next one at a desk, or before a locked page, would be the last one."""
    back = sent_back(browser, rules, "n-1")
    with browser.session_transaction() as kept:
        kept["asked_at"] += 600
    assert browser.get(back).status_code == 401
    assert told() == ("-", "login.failed", {"by": "openid", "why": "Unproved"})
    assert browser.get(sent_back(browser, rules, "n-1")).status_code == 302


def test_given_up_there_leads_back_to_the_form(browser, rules) -> None:
    answer = browser.get(sent_back(browser, rules, ""))
    assert answer.status_code == 401
    assert 'name="password"' in answer.text


@pytest.mark.parametrize("twice", [False, True])
def test_its_second_factor_counts_where_the_settings_say_so(pages, browser, rules, twice) -> None:
    object.__setattr__(pages.config["SITE"], "sign_in", SignIn(second_factor=ROLES))
    browser.get(sent_back(browser, rules, "n-1", twice=twice))
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
def test_a_token_of_another_shape_signs_nobody_in(pages, browser, rules, claims) -> None:
    object.__setattr__(pages.config["SITE"], "sign_in", SignIn(second_factor=ROLES))
    answer = browser.get(sent_back(browser, rules, "n-1", claims=claims))
    assert answer.status_code == 401
    assert told()[1] == "login.failed"
    assert not Session.select().exists()


@pytest.mark.parametrize(("late", "status"), [(0, 302), (60, 302), (600, 401), (10**9, 401)])
def test_a_proof_that_is_to_come_is_none(browser, rules, late, status) -> None:
    """A token that is dated ahead would serve later, too; clocks differ by two minutes at most."""
    moment = int(clock.now().timestamp()) + late
    answer = browser.get(sent_back(browser, rules, "n-1", claims={"auth_time": moment}))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("claims", "status"),
    [({"acr": "mfa"}, 200), ({"acr": "m"}, 303), ({"amr": ["mfa"]}, 200), ({"amr": []}, 303)],
)
def test_acr_and_amr_of_the_right_shape_count(pages, browser, rules, claims, status) -> None:
    object.__setattr__(pages.config["SITE"], "sign_in", SignIn(second_factor=ROLES))
    browser.get(sent_back(browser, rules, "n-1", claims=claims))
    assert browser.get("/account").status_code == status


def test_who_comes_from_outside_is_asked_for_no_first_password(browser, rules, nilufar) -> None:
    User.update(must_change=True).where(User.id == nilufar.id).execute()
    browser.get(sent_back(browser, rules, "n-1"))
    assert browser.get("/account").status_code == 200
    other = browser.application.test_client()
    other.sign_in("nilufar", PASSWORD)
    assert other.get("/account").status_code == 303


def test_a_locked_page_is_unlocked_by_signing_in_again(browser, rules) -> None:
    browser.get(sent_back(browser, rules, "n-1"))
    browser.post("/lock", headers={"X-CSRFToken": browser.token()})
    assert f'href="{BEGIN}' in browser.get("/lock").text
    browser.get(sent_back(browser, rules, "n-1"))
    assert browser.get("/account").status_code == 200
    assert Session.select().count() == 1


def test_the_box_goes_on_while_it_is_away(served, browser) -> None:
    served[0].stop()
    try:
        answer = browser.get(BEGIN)
        assert answer.status_code == 503
        assert "OneID" in re.search(r'role="alert">(.*?)</div>', answer.text, re.DOTALL)[1]
        assert browser.sign_in("nilufar", PASSWORD).status_code == 302
    finally:
        served[0].start()


def test_one_that_nobody_vouches_for_is_not_asked(settings, rules) -> None:
    object.__setattr__(settings, "openid", dataclasses.replace(rules, ca=""))
    strange = create_app(settings)
    assert strange.test_client().get(BEGIN).status_code == 503


@pytest.mark.parametrize("path", [BEGIN, BACK])
def test_without_the_setting_there_is_no_such_page(client, path) -> None:
    assert client.get(path).status_code == 404
    assert BEGIN not in client.get("/login").text
