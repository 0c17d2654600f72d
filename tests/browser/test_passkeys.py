"""A passkey made and used in Chromium, whose authenticator is a virtual one."""

import socket

import pyotp
import pytest
from playwright.sync_api import expect

from appliance.core import settings as site_settings
from appliance.core.settings import Web
from appliance.models import AuditEntry, Passkey
from appliance.people import passkeys, second_factor, sessions
from appliance.people.passkeys import Unproved
from provisioning.local.settings_file import EASY, scratch
from tests.browser.conftest import Pages


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://hotline.example", "hotline.example"),
        ("http://localhost:8000", "localhost"),
        ("http://hotline.example", None),
        ("https://192.168.1.5", None),
        ("https://[fd00::1]:8443", None),
    ],
)
def test_keys_know_a_site_by_its_name(url, name) -> None:
    known = passkeys.party(Web(bind="", url=url, secret_key=""))
    assert (known and known.id) == name


@pytest.fixture
def named(settings, compiled_templates):
    """The pages under a name: browsers make no keys for a mere address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    web = {"bind": f"127.0.0.1:{port}", "url": f"http://localhost:{port}"}
    settings.file.write_text(scratch(web=web, sign_in={**EASY, "second_factor": ["technician"]}))
    served = Pages(site_settings.load(settings.file), compiled_templates.directory)
    served.start()
    yield web["url"]
    served.kill()


def test_it_is_made_used_and_taken_once(named, chromium, rustam) -> None:
    session, _ = sessions.begin(rustam, "127.0.0.1")
    secret = second_factor.propose()
    second_factor.enrol(session, secret, pyotp.TOTP(secret).now())
    context = chromium.new_context(base_url=named)
    context.set_default_timeout(100_000)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    stick = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True}
    stick |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": stick})
    sign_in_to_second_step(page)
    [code] = second_factor.renew_codes(rustam)[:1]
    page.locator("#one_time_code").fill(code)
    page.locator("#one_time_code").press("Enter")
    page.wait_for_url("**/status")
    page.goto("/account/second-factor")
    page.locator("[data-passkey=create]").click()
    expect(page.locator("form[action$='/remove']")).to_have_count(1)
    key = Passkey.get()
    assert key.user == rustam
    context.clear_cookies()
    sign_in_to_second_step(page)
    with page.expect_request("**/passkeys/prove**") as sent:
        page.locator("[data-passkey=get]").click()
    page.wait_for_url("**/status")
    assert Passkey.get().sign_count > key.sign_count
    told = [e.detail["by"] for e in AuditEntry.select().where(AuditEntry.action == "login.second")]
    assert told == ["paper", "passkey"]
    replayed, _ = sessions.begin(rustam, "127.0.0.1")
    site = passkeys.party(Web("", named, ""))
    with pytest.raises(Unproved, match="nothing was asked"):
        passkeys.prove(replayed, site, sent.value.post_data_json)
    passkeys.ask(replayed, site)
    with pytest.raises(Unproved):
        passkeys.prove(replayed, site, sent.value.post_data_json)
    context.close()


def sign_in_to_second_step(page) -> None:
    page.goto("/login")
    page.locator("[name=login]").fill("rustam")
    page.locator("#password").fill("parol-parol")
    page.locator("#password").press("Enter")
    page.wait_for_url("**/login/second**")
