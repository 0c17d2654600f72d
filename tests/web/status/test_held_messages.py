"""The page of messages that are on hold after a restore: they are listed, sent and dropped."""

import pytest

from appliance.core import clock, outbox
from appliance.models import AuditEntry, HeldMessage, Message, User

PAGE = "/outbox/held"


@pytest.fixture
def held_messages(settings) -> list[Message]:
    """Three SMS messages, an alert and an appeal's message, all on hold."""
    messages = []
    for n in (1, 2, 3):
        number, cause = f"+99893555014{n}", f"2026-00000{n}"
        messages.append(
            outbox.queue_sms("registered", number, "x", key=str(n), cause=cause, tz=settings.tz)
        )
    messages.append(outbox.queue_message("telegram", "alert", "-77", key="alert"))
    messages.append(outbox.queue_message("ministry", "appeal", "2026-000001", key="ministry"))
    statuses = [("sent", "eskiz", "delivered"), ("", "eskiz", "absent"), *[("", "", "")] * 3]
    for message, (former, account, status) in zip(messages, statuses, strict=True):
        asked_at = clock.now() if status else None
        HeldMessage.create(
            message=message,
            held_at=clock.now(),
            former=former,
            account=account,
            word=status,
            asked_at=asked_at,
        )
    Message.update(state="held").execute()
    return messages


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "uz_Latn",
            ("Koʻrib chiqiladigan xabarlar", "U yerda yoʻq", "Hali soʻralmagan"),
        ),
        ("uz_Cyrl", ("Кўриб чиқиладиган хабарлар", "У ерда йўқ", "Ҳали сўралмаган")),
        (
            "ru",
            ("Сообщения, ожидающие решения", "Там не найдено", "Ещё не запрошено"),
        ),
    ],
)
def test_page_shows_the_provider_status_of_each_message(
    held_messages, login_as, language, texts
) -> None:
    User.update(language=language).execute()
    browser = login_as("technician")
    page = browser.get(PAGE).text.replace("\xa0", " ")
    assert all(text in page for text in texts)
    assert "+998 93 555 01 41" in page
    assert "eskiz" in page
    assert PAGE in browser.get("/outbox").text  # the page of messages leads here


def test_selected_messages_are_sent_or_dropped(
    held_messages, login_as, every_change_is_audited
) -> None:
    browser = login_as("technician")
    first, second, third, *rest = held_messages
    browser.send(PAGE, number=[str(first.id), "x", "9" * 30], do="drop")
    browser.send(PAGE, number=[str(second.id)], do="send")
    states = [Message.get_by_id(m.id).state for m in held_messages]
    assert states == ["refused", "pending", "held", "held", "held"]
    assert browser.send(PAGE, all="1", do="send").status_code == 302
    assert outbox.held_message_count() == 0
    subjects = AuditEntry.select().where(AuditEntry.action == "outbox.send").count()
    assert (subjects, Message.select().where(Message.state == "pending").count()) == (4, 4)
    assert PAGE not in browser.get("/outbox").text


def test_empty_selection_is_reported(held_messages, login_as) -> None:
    browser = login_as("technician")
    for form in ({"do": "send"}, {"number": "1"}, {"number": "1", "do": "other"}):
        assert 'role="alert"' in browser.refused_page(browser.send(PAGE, **form))
    assert outbox.held_message_count() == 5


def test_impossible_message_number_selects_no_message(held_messages, login_as) -> None:
    browser = login_as("technician")
    for number in ("9" * 19, "9" * 40, "-1", "²"):
        answer = browser.send(PAGE, number=number, do="drop")
        assert 'role="alert"' in browser.refused_page(answer)
    assert outbox.held_message_count() == 5


def test_many_messages_are_paged(settings, login_as) -> None:
    for n in range(105):
        message = outbox.queue_message("telegram", "alert", "-77", key=str(n))
        HeldMessage.create(message=message, held_at=clock.now())
    Message.update(state="held").execute()
    browser = login_as("manager")
    assert f"{PAGE}?page=2" in browser.get(PAGE).text
    assert browser.get(f"{PAGE}?page=2").text.count('name="number"') == 5
    browser.send(PAGE, all="1", do="drop")
    assert outbox.held_message_count() == 0
