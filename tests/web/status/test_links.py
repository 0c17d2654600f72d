"""The pages of outside services show the same state of each as the self-checks."""

import dataclasses

import pytest

from appliance.box import health, selftests
from appliance.box.links import intervals
from appliance.box.links.probing import Look
from appliance.box.selftests import SelfTestResult
from appliance.core import clock
from appliance.core.delivery import DeliveryError
from appliance.core.settings import SmsAccount, Telegram
from appliance.messaging.sms import account_health
from appliance.models import TelegramBot

UP, DOWN = Look(True, "answers"), Look(False, "refused")


@pytest.fixture
def site(settings, app):
    """Two SMS accounts and a bot."""
    sms = [SmsAccount(name, "eskiz", "http://127.0.0.1:9", "u", "p") for name in ("one", "two")]
    changed_settings = dataclasses.replace(
        settings, sms=tuple(sms), telegram=Telegram("t", -1, "http://127.0.0.1:9")
    )
    app.config["SITE"] = changed_settings
    return changed_settings


def table_row(page: str, id: str) -> str:
    return page.split(f'id="{id}"')[1].split("</tr>")[0]


def record_looks(**looks: Look) -> None:
    intervals.record_looks({name.replace("_", "."): look for name, look in looks.items()}, {})


def test_refused_bot_is_red_on_the_links_page(site, login_as) -> None:
    record_looks(telegram=UP)
    TelegramBot.create(name="bot", trouble="log_in", seen_at=clock.now())
    assert [c.state for c in health.quick_checks(site) if c.code == "telegram"] == ["fail"]
    bot_row = table_row(login_as("technician").get("/links").text, "link-telegram")
    assert "Telegram bot tokenini rad etmoqda" in bot_row
    assert "is-bad" in bot_row
    assert "telegram.token" in bot_row


def test_unreachable_sms_account_is_red_on_every_page(site, login_as) -> None:
    record_looks(sms_one=DOWN, sms_two=UP)
    browser = login_as("technician")
    assert "is-bad" in table_row(browser.get("/links").text, "link-sms.one")
    table = browser.get("/sms").text.split("<tbody>")[1].split("</tbody>")[0]
    first_row, second_row = table.split("</tr>")[:2]
    assert "Aloqa yoʻq" in first_row
    assert "Hali ishlatilmagan" in second_row
    [check] = [c for c in health.quick_checks(site) if c.code == "sms"]
    assert (check.state, check.values) == ("ok", {"accounts": "two"})


def test_rejecting_sms_account_is_red_on_the_links_page(site, login_as) -> None:
    record_looks(sms_one=UP, sms_two=UP)
    account_health.record_failure("one", DeliveryError("log_in", "401"), 60)
    account_row = table_row(login_as("technician").get("/links").text, "link-sms.one")
    assert "xabarlarni olmayapti" in account_row
    assert health.channel_states(site)["sms.two"].state == "works"


def test_trunk_test_calls_are_listed_with_their_trunk(site, login_as) -> None:
    for failed in ("", "back", "busy"):
        selftests.save_result(SelfTestResult("carrier.uztelecom", clock.now(), (), failed))
    page = login_as("technician").get("/links").text
    assert page.count("uztelecom liniyasi orqali sinov qoʻngʻirogʻi") == 3
    rows = [text.split("</tr>")[0] for text in page.split("uztelecom liniyasi")[1:]]  # newest first
    assert ["is-warn" in text for text in rows] == [True, False, False]
    assert ["is-bad" in text for text in rows] == [False, True, False]
    assert "qoʻngʻiroq qiluvchi javob beruvchini eshitmaydi" in rows[1]
