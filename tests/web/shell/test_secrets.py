"""No page and no log line contains a key or a password, for any role."""

import dataclasses
import logging

import pytest

from appliance.core.settings import Ministry, SmsAccount, Telegram
from appliance.models import User
from appliance.people.accounts import ROLES
from tests.web.shell.test_access import ROUTES, route_address

PLANTED_SECRET = "kanareyka-secret"


@pytest.fixture
def settings(settings):
    """The site with its own secrets and those of each external system."""
    sms = SmsAccount("eskiz", "eskiz", "https://sms.test", "user", f"{PLANTED_SECRET}-sms")
    sms = dataclasses.replace(sms, callback_secret=f"{PLANTED_SECRET}-callback")
    return dataclasses.replace(
        settings,
        web=dataclasses.replace(settings.web, secret_key=f"{PLANTED_SECRET}-cookies"),
        asterisk=dataclasses.replace(settings.asterisk, ami_secret=f"{PLANTED_SECRET}-ami"),
        sms=(sms,),
        telegram=Telegram(f"1:{PLANTED_SECRET}-bot", -1),
        ministry=Ministry(url="https://ministry.test", token=f"{PLANTED_SECRET}-ministry"),
    )


@pytest.mark.parametrize("role", ROLES)
def test_no_role_is_shown_a_secret(role, settings, login_as, caplog) -> None:
    caplog.set_level(logging.INFO)  # the level of a real site
    people = list(User.select())
    phones = {user.sip_password for user in people if user.sip_password}
    phones |= {user.page_password for user in people if user.page_password}
    secrets = {PLANTED_SECRET, *(user.password_hash for user in people), *phones}
    assert phones
    browser, page_count = login_as(role), 0
    for route, roles in sorted(ROUTES.items()):
        if role not in roles or not route.startswith("GET") or route == "GET /live":
            continue
        with browser.get(route_address(route)) as answer:
            text = answer.get_data().decode(errors="ignore")
        assert [secret for secret in secrets if secret in text] == [], route
        page_count += 1
    assert page_count > 10
    assert [secret for secret in secrets if secret in caplog.text] == []
