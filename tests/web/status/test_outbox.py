"""The technician sees what waits and what went wrong, in words, and has it tried again."""

import pytest

from appliance.core import clock, outbox
from appliance.models import Message, User


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


@pytest.mark.parametrize(
    ("language", "hindered", "late"),
    [
        ("uz_Latn", "internet aloqasini tekshiring", "Vaqtida yuborib boʻlmadi"),
        ("uz_Cyrl", "интернет алоқасини текширинг", "Вақтида юбориб бўлмади"),
        ("ru", "проверьте связь с интернетом", "Не удалось отправить вовремя"),
    ],
)
def test_what_hinders_a_channel_and_what_came_too_late(
    settings, login_as, language, hindered, late
) -> None:
    for number in "12":
        outbox.put_sms("registered", f"+99893555014{number}", "x", key=number, tz=settings.tz)
    outbox.retry(outbox.claim("sms"), "unreachable", wait=0)
    User.update(language=language).execute()
    browser = login_as("technician")
    page = browser.get("/outbox").text
    assert hindered in page
    assert late not in page
    Message.update(expires_at=clock.now()).execute()
    outbox.expire()
    assert late in browser.get("/outbox?state=expired").text


def test_an_alarm_is_shown_by_its_text_not_by_its_code(login_as) -> None:
    outbox.put("telegram", "alarm", "-77", key="1", text="SMS: first", cause="link.sms.first")
    page = login_as("technician").get("/outbox").text
    assert "SMS: first" in page
    assert "link.sms.first" not in page
