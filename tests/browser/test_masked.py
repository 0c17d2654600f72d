"""A citizen is masked by the page, as the manager does it, and nobody sees him on any page."""

import os

import pytest
from playwright.sync_api import BrowserContext, expect

from appliance.casework import catalogs, data_requests
from appliance.models import User
from tests.browser.conftest import sign_in
from tests.rig.canary import ASKED, Canary


@pytest.fixture
def canary(settings, nilufar, sardor, bahodir) -> Canary:
    made = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    made.plant(settings, nilufar, sardor, bahodir)
    return made


def test_nobody_sees_him_any_more(window: BrowserContext, settings, sherzod, canary) -> None:
    manager = User.get(User.role == "manager")
    sent = {"kind": "mask", "person": canary.surname, "phone": canary.phone, "proof": "AA7654321"}
    request = data_requests.ask(manager, sent, catalogs.working_calendar(settings))
    page = window.new_page()
    sign_in(page, manager.login, f"/data-requests/{request.id}")
    for choice in (f"appeal:{canary.appeal.number}", "number"):
        page.locator(f"input[value='{choice}']").check()
    page.locator("[name=answer]").fill(f"{canary.former}, bajarildi")
    page.locator("button[value=done]").click()
    expect(page.get_by_text("bajarildi")).to_be_visible()
    number = canary.appeal.number
    for path in (
        "/data-requests",
        f"/data-requests/{request.id}",
        "/appeals",
        f"/appeals/{number}",
    ):
        page.goto(path)
        shown = page.locator("body").inner_text()
        assert [word for word in canary.words if word.lower() in shown.lower()] == [], path
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}{path.replace('/', '-')}.png", full_page=True)
    assert number in shown
    assert ASKED in shown
    page.goto(f"/appeals?q={canary.surname}")
    expect(page.locator("#appeals .rows li")).to_have_count(0)
    expect(page.locator("#appeals")).not_to_contain_text(number)
