"""An operator's page during a talk, as several tests of the browser begin."""

from playwright.sync_api import BrowserContext, Page, expect

from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import User
from provisioning.local.settings_file import scratch_settings
from tests.browser.conftest import sign_in
from tests.browser.test_operator import open_form, wait_until_saved
from tests.rig.citizen import Citizen

CALL = "1764000000.1"


def add_sms_account(settings: Settings) -> Settings:
    """Return the settings of the test's site with an SMS account whose price is set."""
    account = {"name": "first", "kind": "eskiz", "url": "http://127.0.0.1:9", "price": 9500}
    settings.file.write_text(scratch_settings(sms=[account]))
    return site_settings.load_settings(settings.file)


def open_named_form(window: BrowserContext, operator: User) -> Page:
    """Open the operator's page, start a talk, and type a first name that is saved."""
    page = window.new_page()
    sign_in(page, operator.login)
    _start_talk(operator)
    expect(open_form(page, CALL)).to_be_visible()
    page.locator("#f-first_name").fill("Aziza")
    wait_until_saved(page)
    return page


def open_page_in_talk(window: BrowserContext, operator: User) -> Page:
    """Start a talk, then open the operator's page: it shows the form of the call."""
    _start_talk(operator)
    page = window.new_page()
    sign_in(page, operator.login)
    page.wait_for_selector("#form[data-ready]")
    return page


def _start_talk(operator: User) -> None:
    citizen = Citizen(CALL)
    citizen.ring_operator(operator)
    citizen.start_talk()
