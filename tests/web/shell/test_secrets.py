"""No page and no line of the log shows a key or a password, whoever looks."""

import dataclasses
import logging

import pytest

from appliance.core.settings import Ministry, SmsAccount, Telegram
from appliance.models import User
from appliance.people.accounts import ROLES
from tests.web.shell.test_access import ROUTES, address

PLANTED = "kanareyka-secret"


@pytest.fixture
def settings(settings):
    """The site with secrets of its own and of each party outside."""
    sms = SmsAccount("eskiz", "eskiz", "https://sms.test", "user", f"{PLANTED}-sms")
    sms = dataclasses.replace(sms, callback_secret=f"{PLANTED}-callback")
    return dataclasses.replace(
        settings,
        web=dataclasses.replace(settings.web, secret_key=f"{PLANTED}-cookies"),
        asterisk=dataclasses.replace(settings.asterisk, ami_secret=f"{PLANTED}-ami"),
        sms=(sms,),
        telegram=Telegram(f"1:{PLANTED}-bot", -1),
        ministry=Ministry(url="https://ministry.test", token=f"{PLANTED}-ministry"),
    )


@pytest.mark.parametrize("role", ROLES)
def test_nobody_is_shown_a_secret(role, settings, login_as, caplog) -> None:
    caplog.set_level(logging.INFO)  # what a site logs
    people = list(User.select())
    phones = {user.sip_password for user in people if user.sip_password}
    phones |= {user.page_password for user in people if user.page_password}
    secrets = {PLANTED, *(user.password_hash for user in people), *phones}
    assert phones
    browser, looked = login_as(role), 0
    for route, roles in sorted(ROUTES.items()):
        if role not in roles or not route.startswith("GET") or route == "GET /live":
            continue
        with browser.get(address(route)) as answer:
            text = answer.get_data().decode(errors="ignore")
        assert [secret for secret in secrets if secret in text] == [], route
        looked += 1
    assert looked > 10
    assert [secret for secret in secrets if secret in caplog.text] == []
