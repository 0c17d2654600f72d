"""The operator's phone: chosen, its account, how well it was heard."""

import dataclasses

import pytest

from appliance.models import AuditEntry, LineQuality, LiveEvent
from appliance.people import accounts

HEARD = {"call": "hotline-1764000000.8", "seconds": 40, "loss": 0.5, "jitter": 12.5, "delay": None}


@pytest.fixture
def let_in(app, settings):
    """A site that lets phones in browsers in."""
    place = dataclasses.replace(settings.asterisk, browser_phones=True)
    app.config["SITE"] = dataclasses.replace(settings, asterisk=place)
    return app.config["SITE"]


def account(browser, page="one"):
    """What an open page is told of the phone."""
    headers = {"X-CSRFToken": browser.token()}
    return browser.post("/operator/phone/account", json={"page": page}, headers=headers)


def test_the_phone_is_on_the_desk_until_he_chooses(let_in, login_as) -> None:
    browser = login_as("operator")
    page = browser.get("/operator").text
    assert 'id="phone"' not in page
    assert "Stoldagi telefon jiringlaydi" in page
    assert account(browser).status_code == 404
    assert browser.send("/operator/phone", phone="page").status_code == 302
    page = browser.get("/operator").text
    assert 'id="phone"' in page
    assert "Sahifadagi telefon jiringlaydi" in page
    entry = AuditEntry.select().where(AuditEntry.action == "user.change").get()
    assert (entry.who, entry.detail) == ("nilufar", {"phone": "page"})


def test_the_account_is_his_own(let_in, login_as, nilufar) -> None:
    accounts.choose_phone(nilufar, "page", auto_answer=True)
    browser = login_as("operator")
    answer = account(browser)
    assert answer.headers["Cache-Control"] == "no-store"
    host = let_in.asterisk.address
    assert answer.json == {
        "uri": f"sip:{nilufar.extension}@{host}",
        "host": host,
        "password": nilufar.sip_password,
        "autoAnswer": True,
    }
    assert 'data-page="one"' in browser.get("/operator/phone/taken").text
    assert LiveEvent.select().where(LiveEvent.topic == "operator:nilufar").exists()


@pytest.mark.parametrize("page", ["", 1, None, "x" * 65, "a b"])
def test_a_page_has_a_name(let_in, login_as, nilufar, page) -> None:
    accounts.choose_phone(nilufar, "page", auto_answer=False)
    assert account(login_as("operator"), page).status_code == 422
    assert accounts.account("nilufar").phone_page is None


def test_where_no_browser_is_let_in_nobody_chooses_it(login_as, nilufar) -> None:
    browser = login_as("operator")
    assert 'name="phone"' not in browser.get("/operator/phone").text
    page = browser.refused(browser.send("/operator/phone", phone="page"))
    assert 'role="alert"' in page
    accounts.choose_phone(nilufar, "page", auto_answer=False)  # as before it was switched off
    assert account(browser).status_code == 404
    assert 'id="phone"' not in browser.get("/operator").text


def test_a_place_that_is_none_is_refused(let_in, login_as, nilufar) -> None:
    browser = login_as("operator")
    assert 'role="alert"' in browser.refused(browser.send("/operator/phone", phone="pocket"))
    assert accounts.account("nilufar").phone == "desk"


def test_how_well_a_talk_was_heard_is_kept(login_as) -> None:
    browser = login_as("operator")
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.post("/operator/phone/quality", json=HEARD, headers=headers)
    assert answer.status_code == 200
    kept = LineQuality.get()
    assert (kept.operator, kept.call_id, kept.seconds) == ("nilufar", HEARD["call"], 40)
    assert (kept.loss, kept.jitter, kept.delay) == (0.5, 12.5, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"call": ""},
        {"call": "a" * 65},
        {"call": 8},
        {"seconds": -1},
        {"seconds": True},
        {"loss": 100.5},
        {"loss": "much"},
        {"jitter": float("nan")},
        {"delay": 1e9},
    ],
)
def test_what_no_browser_counts_is_refused(login_as, wrong) -> None:
    browser = login_as("operator")
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.post("/operator/phone/quality", json=HEARD | wrong, headers=headers)
    assert answer.status_code == 422
    assert not LineQuality.select().exists()
