"""A passkey is created and used in Chromium with a virtual authenticator."""

import socket

import pyotp
import pytest
from playwright.sync_api import expect

from appliance.core import settings as site_settings
from appliance.core.settings import Web
from appliance.models import AuditEntry, Passkey
from appliance.people import passkeys, second_factor, sessions
from appliance.people.passkeys import PasskeyRejected
from provisioning.local.settings_file import EASY_SIGN_IN, scratch_settings
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
def test_passkeys_need_a_site_with_a_name(url, name) -> None:
    party = passkeys.relying_party(Web(bind="", url=url, secret_key=""))
    assert (party and party.id) == name


@pytest.fixture
def named_site(settings, compiled_templates):
    """The pages under a host name: browsers create no passkeys for a bare address."""
    with socket.socket() as free_socket:
        free_socket.bind(("127.0.0.1", 0))
        port = free_socket.getsockname()[1]
    web = {"bind": f"127.0.0.1:{port}", "url": f"http://localhost:{port}"}
    settings.file.write_text(
        scratch_settings(web=web, sign_in={**EASY_SIGN_IN, "second_factor": ["technician"]})
    )
    site_pages = Pages(site_settings.load_settings(settings.file), compiled_templates.directory)
    site_pages.start()
    yield web["url"]
    site_pages.kill()


def test_a_passkey_is_created_used_and_not_accepted_twice(named_site, chromium, rustam) -> None:
    session, _ = sessions.begin_session(rustam, "127.0.0.1")
    secret = second_factor.create_secret()
    second_factor.enrol_app(session, secret, pyotp.TOTP(secret).now())
    context = chromium.new_context(base_url=named_site)
    context.set_default_timeout(100_000)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    authenticator = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True}
    authenticator |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
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
    with page.expect_request("**/passkeys/prove**") as request:
        page.locator("[data-passkey=get]").click()
    page.wait_for_url("**/status")
    assert Passkey.get().sign_count > key.sign_count
    methods = [
        e.detail["by"] for e in AuditEntry.select().where(AuditEntry.action == "login.second")
    ]
    assert methods == ["paper", "passkey"]
    replayed, _ = sessions.begin_session(rustam, "127.0.0.1")
    site = passkeys.relying_party(Web("", named_site, ""))
    with pytest.raises(PasskeyRejected, match="nothing was asked"):
        passkeys.verify_answer(replayed, site, request.value.post_data_json)
    passkeys.authentication_options(replayed, site)
    with pytest.raises(PasskeyRejected):
        passkeys.verify_answer(replayed, site, request.value.post_data_json)
    context.close()


def sign_in_to_second_step(page) -> None:
    page.goto("/login")
    page.locator("[name=login]").fill("rustam")
    page.locator("#password").fill("parol-parol")
    page.locator("#password").press("Enter")
    page.wait_for_url("**/login/second**")
