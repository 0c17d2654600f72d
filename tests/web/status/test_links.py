"""The pages of what lies outside the box say of each thing what the self-checks say."""

import dataclasses

import pytest

from appliance.box import health, links, selftests
from appliance.box.links.looking import Look
from appliance.box.selftests import Result
from appliance.core import clock
from appliance.core.delivery import Trouble
from appliance.core.settings import SmsAccount, Telegram
from appliance.messaging.sms import account_health
from appliance.models import TelegramBot

UP, DOWN = Look(True, "answers"), Look(False, "refused")


@pytest.fixture
def site(settings, app):
    """Two SMS accounts and a bot."""
    sms = [SmsAccount(name, "eskiz", "http://127.0.0.1:9", "u", "p") for name in ("one", "two")]
    made = dataclasses.replace(
        settings, sms=tuple(sms), telegram=Telegram("t", -1, "http://127.0.0.1:9")
    )
    app.config["SITE"] = made
    return made


def row(page: str, id: str) -> str:
    return page.split(f'id="{id}"')[1].split("</tr>")[0]


def looked(**looks: Look) -> None:
    links.observe({name.replace("_", "."): look for name, look in looks.items()}, {})


def test_a_bot_that_is_refused_is_red_on_links_too(site, login_as) -> None:
    looked(telegram=UP)
    TelegramBot.create(name="bot", trouble="log_in", seen_at=clock.now())
    assert [c.state for c in health.quick(site) if c.code == "telegram"] == ["fail"]
    told = row(login_as("technician").get("/links").text, "link-telegram")
    assert "Telegram bot tokenini rad etmoqda" in told
    assert "is-bad" in told
    assert "telegram.token" in told


def test_an_account_that_cannot_be_reached_is_red_wherever_it_stands(site, login_as) -> None:
    looked(sms_one=DOWN, sms_two=UP)
    browser = login_as("technician")
    assert "is-bad" in row(browser.get("/links").text, "link-sms.one")
    table = browser.get("/sms").text.split("<tbody>")[1].split("</tbody>")[0]
    one, two = table.split("</tr>")[:2]
    assert "Aloqa yoʻq" in one
    assert "Hali ishlatilmagan" in two
    [check] = [c for c in health.quick(site) if c.code == "sms"]
    assert (check.state, check.values) == ("ok", {"accounts": "two"})


def test_an_account_that_takes_nothing_is_red_on_links_too(site, login_as) -> None:
    looked(sms_one=UP, sms_two=UP)
    account_health.failed("one", Trouble("log_in", "401"), 60)
    told = row(login_as("technician").get("/links").text, "link-sms.one")
    assert "xabarlarni olmayapti" in told
    assert health.channels(site)["sms.two"].state == "works"


def test_test_calls_over_trunks_are_listed_with_their_trunk(site, login_as) -> None:
    for failed in ("", "back", "busy"):
        selftests.record(Result("carrier.uztelecom", clock.now(), (), failed))
    page = login_as("technician").get("/links").text
    assert page.count("uztelecom liniyasi orqali sinov qoʻngʻirogʻi") == 3
    rows = [one.split("</tr>")[0] for one in page.split("uztelecom liniyasi")[1:]]  # newest first
    assert ["is-warn" in one for one in rows] == [True, False, False]
    assert ["is-bad" in one for one in rows] == [False, True, False]
    assert "qoʻngʻiroq qiluvchi javob beruvchini eshitmaydi" in rows[1]
