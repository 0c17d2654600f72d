"""The technician sees what waits and what went wrong, in words, and has it tried again."""

from appliance import outbox
from appliance.models import Message


def test_what_went_wrong_is_said_and_tried_again(settings, login_as) -> None:
    outbox.put_sms("registered", "+998935550147", "x", key="1", cause="2026-000001", tz=settings.tz)
    message = outbox.claim("sms")
    outbox.refused(message, "declined", "406 <b>template</b>")
    browser = login_as("technician")
    page = browser.get("/outbox?state=refused").text.replace("\xa0", " ")
    assert "+998 93 555 01 47" in page
    assert "2026-000001" in page
    assert "&lt;b&gt;template" in page
    assert "2026-000001" in browser.get("/outbox").text  # all of them
    answer = browser.send(f"/outbox/{message.id}/retry")
    assert answer.status_code == 302
    assert Message.get_by_id(message.id).state == "pending"
    assert "2026-000001" not in browser.get("/outbox?state=refused").text
