"""The open connection of a page phone loses its rights once its session is over."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from appliance.core import settings as site_settings
from appliance.pbx.ami import ActionRefused, Connection
from provisioning.local.place import TLS_PORT
from tests.calls.hotline import Hotline
from tests.rig.waiting import wait_until
from tests.rig.websocket import SocketPhone

pytestmark = pytest.mark.calls
TIMEOUT_SECONDS = 60  # a second Asterisk tests the new password on a busy machine
OTHER_PASSWORD = "toʻrt soʻz va raqam 4"


class SignedInOperator:
    """A signed-in operator: an HTTP session instead of a browser, and its phone."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline, self.operator_facts = hotline, hotline.description["page_operator"]
        self.browser = requests.Session()
        self.browser.verify = str(hotline.place.folder / "tls" / "ca.pem")
        self.browser.trust_env = False
        self.post_form(
            "/login", login=self.operator_facts["login"], password=self.operator_facts["password"]
        )
        self.account = self.take_phone("one")
        cookie_header = "; ".join(
            f"{cookie.name}={cookie.value}" for cookie in self.browser.cookies
        )
        self.phone = SocketPhone((hotline.place.box_address, TLS_PORT), cookie_header)

    @property
    def web_url(self) -> str:
        return str(self.hotline.description["web"])

    def csrf_token(self, page: str) -> str:
        text = self.browser.get(self.web_url + page, timeout=20).text
        match = re.search(r'name="csrf-token" content="([^"]+)"', text)
        assert match
        return match[1]

    def post_form(self, path: str, **fields: str) -> None:
        page = path if path == "/login" else "/account"
        data = {"csrf_token": self.csrf_token(page), **fields}
        headers = {"Referer": self.web_url + page}
        response = self.browser.post(self.web_url + path, data=data, headers=headers, timeout=20)
        assert response.ok, response.text

    def take_phone(self, page: str) -> dict[str, Any]:
        """Claim the phone for a page; return its account."""
        headers = {"X-CSRFToken": self.csrf_token("/account"), "Referer": f"{self.web_url}/account"}
        account_url, request = (
            f"{self.web_url}/operator/phone/account",
            {"page": page, "take": True},
        )
        response = self.browser.post(account_url, json=request, headers=headers, timeout=20)
        assert response.ok, response.text
        account: dict[str, Any] = response.json()
        return account

    def register_phone(self) -> int:
        host = self.account["host"]
        return self.phone.register_phone(
            self.operator_facts["extension"], host, self.account["password"]
        )


@pytest.fixture
def operator(hotline: Hotline) -> Iterator[SignedInOperator]:
    """A signed-in operator with a registered phone.

    The page's password may not be in force at first.
    """
    signed_in = SignedInOperator(hotline)
    with signed_in.phone:
        wait_until(lambda: signed_in.register_phone() == 200, TIMEOUT_SECONDS)
        yield signed_in


def phone_contacts(hotline: Hotline) -> list[str]:
    """Return the addresses at which Asterisk would ring the phone."""
    with Connection(site_settings.load_settings(hotline.place.config_file)) as asterisk:
        try:
            contacts = asterisk.list_events("PJSIPShowContacts", "ContactListComplete")
        except ActionRefused:  # no phone is registered
            return []
    extension = hotline.description["page_operator"]["extension"]
    return [contact["Uri"] for contact in contacts if contact.get("Endpoint") == extension]


def sign_out(operator: SignedInOperator) -> None:
    operator.post_form("/logout")


def end_sessions(operator: SignedInOperator) -> None:
    operator.hotline.appliance("user", "sign-out", operator.operator_facts["login"])


def change_password(operator: SignedInOperator) -> None:
    before = operator.operator_facts["password"]
    for old, new in ((before, OTHER_PASSWORD), (OTHER_PASSWORD, before)):
        operator.post_form(
            "/account/password", password=old, new_password=new, new_password_again=new
        )


@pytest.mark.parametrize("end_session", [sign_out, end_sessions, change_password])
def test_an_open_connection_cannot_register_after_the_session_ends(
    hotline: Hotline, operator: SignedInOperator, end_session: Callable[[SignedInOperator], None]
) -> None:
    assert phone_contacts(hotline)
    end_session(operator)
    wait_until(lambda: operator.register_phone() in (401, 403), TIMEOUT_SECONDS)
    wait_until(lambda: not phone_contacts(hotline), TIMEOUT_SECONDS)
    assert operator.register_phone() in (401, 403)


def test_a_disabled_account_cannot_register(hotline: Hotline, operator: SignedInOperator) -> None:
    """Its endpoint leaves the configuration; when re-enabled, the account has another password."""
    hotline.appliance("user", "disable", operator.operator_facts["login"])
    try:
        wait_until(lambda: operator.register_phone() in (401, 403), TIMEOUT_SECONDS)
    finally:
        hotline.appliance("user", "enable", operator.operator_facts["login"])
    assert operator.register_phone() in (401, 403)


def test_a_reloaded_page_keeps_its_registration(
    hotline: Hotline, operator: SignedInOperator
) -> None:
    """Its other session ends in the meantime, so that Asterisk has checked the sessions."""
    former_page = SignedInOperator(hotline)
    with former_page.phone:
        reloaded_page = SignedInOperator(hotline)
        with reloaded_page.phone:
            wait_until(lambda: reloaded_page.register_phone() == 200, TIMEOUT_SECONDS)
            former_page.post_form("/logout")
            assert reloaded_page.take_phone("two")["password"] == reloaded_page.account["password"]
            assert reloaded_page.register_phone() == 200
            assert phone_contacts(hotline)
