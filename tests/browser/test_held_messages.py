"""Messages on hold after a restore, in the real browser: selected, sent, or dropped."""

import os

from playwright.sync_api import BrowserContext, expect

from appliance.core import clock, outbox
from appliance.core.settings import Settings
from appliance.models import HeldMessage, Message
from tests.browser.conftest import sign_in
from tests.browser.test_sms import accessibility_faults


def test_held_messages_are_selected_and_sent_or_dropped(
    window: BrowserContext, settings: Settings
) -> None:
    states_and_words = [("sent", "delivered"), ("", "absent"), ("", "unknown"), ("", "")]
    for n, (former, word) in enumerate(states_and_words):
        message = outbox.queue_sms(
            "registered",
            f"+99893555014{n}",
            "x",
            key=str(n),
            cause=f"2026-00000{n}",
            tz=settings.tz,
        )
        enquiry = {"account": "eskiz", "word": word, "asked_at": clock.now()} if word else {}
        HeldMessage.create(message=message, held_at=clock.now(), former=former, **enquiry)
    ministry = outbox.queue_message(
        "ministry", "appeal", "2026-000001", key="m", cause="2026-000001"
    )
    HeldMessage.create(message=ministry, held_at=clock.now())
    Message.update(state="held").execute()
    page = window.new_page()
    sign_in(page, "rustam")
    page.goto("/outbox")
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    assert accessibility_faults(page, "main") == []
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/held.png", full_page=True)
    page.locator("tbody tr").nth(0).get_by_role("checkbox").check()
    page.locator("button[value=drop]").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    page.locator("input[name=all]").check()
    page.locator("button[value=send]").click()
    expect(page.locator("#outbox")).to_be_visible()
    states = [message.state for message in Message.select().order_by(Message.id)]
    assert states == ["refused", *["pending"] * 4]
