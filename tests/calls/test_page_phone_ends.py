"""A connection of a phone in a page that stays open is worth nothing once its session is over."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from appliance.core import settings as site_settings
from appliance.pbx.ami import Connection, Refused
from provisioning.local.place import TLS
from tests.calls.hotline import Hotline
from tests.rig.waiting import until
from tests.rig.websocket import SocketPhone

pytestmark = pytest.mark.calls
WITHIN = 60  # seconds: a second Asterisk tries the new password on a busy machine
OTHER = "toʻrt soʻz va raqam 4"


class Operator:
    """A signed-in browser without a screen, and its phone."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline, self.facts = hotline, hotline.facts["page_operator"]
        self.browser = requests.Session()
        self.browser.verify = str(hotline.place.folder / "tls" / "ca.pem")
        self.browser.trust_env = False
        self.send("/login", login=self.facts["login"], password=self.facts["password"])
        self.account = self.take("one")
        cookie = "; ".join(f"{one.name}={one.value}" for one in self.browser.cookies)
        self.phone = SocketPhone((hotline.place.box, TLS), cookie)

    @property
    def web(self) -> str:
        return str(self.hotline.facts["web"])

    def token(self, page: str) -> str:
        text = self.browser.get(self.web + page, timeout=20).text
        found = re.search(r'name="csrf-token" content="([^"]+)"', text)
        assert found
        return found[1]

    def send(self, path: str, **fields: str) -> None:
        page = path if path == "/login" else "/account"
        data = {"csrf_token": self.token(page), **fields}
        headers = {"Referer": self.web + page}
        answer = self.browser.post(self.web + path, data=data, headers=headers, timeout=20)
        assert answer.ok, answer.text

    def take(self, page: str) -> dict[str, Any]:
        """Have the phone in a page: its account."""
        headers = {"X-CSRFToken": self.token("/account"), "Referer": f"{self.web}/account"}
        there, asked = f"{self.web}/operator/phone/account", {"page": page, "take": True}
        answer = self.browser.post(there, json=asked, headers=headers, timeout=20)
        assert answer.ok, answer.text
        account: dict[str, Any] = answer.json()
        return account

    def register(self) -> int:
        host = self.account["host"]
        return self.phone.register(self.facts["extension"], host, self.account["password"])


@pytest.fixture
def operator(hotline: Hotline) -> Iterator[Operator]:
    """An operator, signed in and registered; the page's password may not be in force yet."""
    one = Operator(hotline)
    with one.phone:
        until(lambda: one.register() == 200, WITHIN)
        yield one


def contacts(hotline: Hotline) -> list[str]:
    """Where Asterisk would ring the phone."""
    with Connection(site_settings.load(hotline.place.config)) as asterisk:
        try:
            known = asterisk.listed("PJSIPShowContacts", "ContactListComplete")
        except Refused:  # there is none at all
            return []
    extension = hotline.facts["page_operator"]["extension"]
    return [one["Uri"] for one in known if one.get("Endpoint") == extension]


def sign_out(one: Operator) -> None:
    one.send("/logout")


def end_by_another(one: Operator) -> None:
    one.hotline.appliance("user", "sign-out", one.facts["login"])


def change_the_password(one: Operator) -> None:
    before = one.facts["password"]
    for old, new in ((before, OTHER), (OTHER, before)):
        one.send("/account/password", password=old, new_password=new, new_password_again=new)


@pytest.mark.parametrize("over", [sign_out, end_by_another, change_the_password])
def test_an_open_connection_registers_no_more(
    hotline: Hotline, operator: Operator, over: Callable[[Operator], None]
) -> None:
    assert contacts(hotline)
    over(operator)
    until(lambda: operator.register() in (401, 403), WITHIN)
    until(lambda: not contacts(hotline), WITHIN)
    assert operator.register() in (401, 403)


def test_a_closed_account_registers_no_more(hotline: Hotline, operator: Operator) -> None:
    """Its endpoint leaves the configuration; opened again, the account has another password."""
    hotline.appliance("user", "disable", operator.facts["login"])
    try:
        until(lambda: operator.register() in (401, 403), WITHIN)
    finally:
        hotline.appliance("user", "enable", operator.facts["login"])
    assert operator.register() in (401, 403)


def test_a_page_that_is_loaded_again_keeps_its_registration(
    hotline: Hotline, operator: Operator
) -> None:
    """Its other session ends in the meantime, so that the exchange has looked."""
    former = Operator(hotline)
    with former.phone:
        again = Operator(hotline)
        with again.phone:
            until(lambda: again.register() == 200, WITHIN)
            former.send("/logout")
            assert again.take("two")["password"] == again.account["password"]
            assert again.register() == 200
            assert contacts(hotline)
