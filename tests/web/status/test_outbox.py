"""The technician sees pending and failed messages as plain text, and has failed ones retried."""

import pytest

from appliance.core import clock, outbox
from appliance.models import Message, User


def test_refused_message_is_shown_and_can_be_retried(settings, login_as) -> None:
    outbox.queue_sms(
        "registered", "+998935550147", "x", key="1", cause="2026-000001", tz=settings.tz
    )
    message = outbox.claim_next("sms")
    outbox.mark_undelivered(message, "declined", "406 <b>template</b>")
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


@pytest.mark.parametrize(
    ("language", "hindered", "late"),
    [
        ("uz_Latn", "internet aloqasini tekshiring", "Vaqtida yuborib boʻlmadi"),
        ("uz_Cyrl", "интернет алоқасини текширинг", "Вақтида юбориб бўлмади"),
        ("ru", "проверьте связь с интернетом", "Не удалось отправить вовремя"),
    ],
)
def test_channel_trouble_and_expired_messages_are_shown(
    settings, login_as, language, hindered, late
) -> None:
    for number in "12":
        outbox.queue_sms("registered", f"+99893555014{number}", "x", key=number, tz=settings.tz)
    outbox.schedule_retry(outbox.claim_next("sms"), "unreachable", wait_seconds=0)
    User.update(language=language).execute()
    browser = login_as("technician")
    page = browser.get("/outbox").text
    assert hindered in page
    assert late not in page
    Message.update(expires_at=clock.now()).execute()
    outbox.expire_messages()
    assert late in browser.get("/outbox?state=expired").text


def test_alarm_is_shown_by_its_text_not_its_code(login_as) -> None:
    outbox.queue_message(
        "telegram", "alarm", "-77", key="1", text="SMS: first", cause="link.sms.first"
    )
    page = login_as("technician").get("/outbox").text
    assert "SMS: first" in page
    assert "link.sms.first" not in page
