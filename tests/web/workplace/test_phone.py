"""The operator's phone: its choice, its account, and its sound quality."""

import dataclasses

import pytest

from appliance.models import AuditEntry, LineQuality, LiveEvent
from appliance.people import accounts

QUALITY_REPORT = {
    "call": "hotline-1764000000.8",
    "seconds": 40,
    "loss": 0.5,
    "jitter": 12.5,
    "delay": None,
}


@pytest.fixture
def browser_phone_site(app, settings):
    """A site that allows phones in browsers."""
    place = dataclasses.replace(settings.asterisk, browser_phones=True)
    app.config["SITE"] = dataclasses.replace(settings, asterisk=place)
    return app.config["SITE"]


def request_account(browser, page="one"):
    """Request the phone account, as an open page does."""
    headers = {"X-CSRFToken": browser.token()}
    return browser.post("/operator/phone/account", json={"page": page}, headers=headers)


def test_the_desk_phone_is_the_default(browser_phone_site, login_as) -> None:
    browser = login_as("operator")
    page = browser.get("/operator").text
    assert 'id="phone"' not in page
    assert "Stoldagi telefon jiringlaydi" in page
    assert request_account(browser).status_code == 404
    assert browser.send("/operator/phone", phone="page").status_code == 302
    page = browser.get("/operator").text
    assert 'id="phone"' in page
    assert "Sahifadagi telefon jiringlaydi" in page
    entry = AuditEntry.select().where(AuditEntry.action == "user.change").get()
    assert (entry.who, entry.detail) == ("nilufar", {"phone": "page"})


def test_the_account_is_the_operators_own(browser_phone_site, login_as, nilufar) -> None:
    accounts.choose_phone(nilufar, "page", auto_answer=True)
    browser = login_as("operator")
    answer = request_account(browser)
    assert answer.headers["Cache-Control"] == "no-store"
    host = browser_phone_site.asterisk.address
    assert answer.json == {
        "uri": f"sip:{nilufar.extension}@{host}",
        "host": host,
        "password": nilufar.sip_password,
        "autoAnswer": True,
    }
    assert 'data-page="one"' in browser.get("/operator/phone/taken").text
    assert LiveEvent.select().where(LiveEvent.topic == "operator:nilufar").exists()


@pytest.mark.parametrize("page", ["", 1, None, "x" * 65, "a b"])
def test_an_invalid_page_name_is_refused(browser_phone_site, login_as, nilufar, page) -> None:
    accounts.choose_phone(nilufar, "page", auto_answer=False)
    assert request_account(login_as("operator"), page).status_code == 422
    assert accounts.find_account("nilufar").phone_page is None


def test_the_page_phone_cannot_be_chosen_where_it_is_disabled(login_as, nilufar) -> None:
    browser = login_as("operator")
    assert 'name="phone"' not in browser.get("/operator/phone").text
    page = browser.refused_page(browser.send("/operator/phone", phone="page"))
    assert 'role="alert"' in page
    accounts.choose_phone(nilufar, "page", auto_answer=False)  # chosen before it was disabled
    assert request_account(browser).status_code == 404
    assert 'id="phone"' not in browser.get("/operator").text


def test_an_unknown_kind_of_phone_is_refused(browser_phone_site, login_as, nilufar) -> None:
    browser = login_as("operator")
    assert 'role="alert"' in browser.refused_page(browser.send("/operator/phone", phone="pocket"))
    assert accounts.find_account("nilufar").phone == "desk"


def test_the_sound_quality_of_a_talk_is_stored(login_as) -> None:
    browser = login_as("operator")
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.post("/operator/phone/quality", json=QUALITY_REPORT, headers=headers)
    assert answer.status_code == 200
    quality = LineQuality.get()
    assert (quality.operator, quality.call_id, quality.seconds) == (
        "nilufar",
        QUALITY_REPORT["call"],
        40,
    )
    assert (quality.loss, quality.jitter, quality.delay) == (0.5, 12.5, None)


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
def test_implausible_quality_figures_are_refused(login_as, wrong) -> None:
    browser = login_as("operator")
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.post("/operator/phone/quality", json=QUALITY_REPORT | wrong, headers=headers)
    assert answer.status_code == 422
    assert not LineQuality.select().exists()
