"""Alerts out of hours: when and about what, how they are taken, and a faulty Telegram."""

import dataclasses
import datetime as dt
import random
import re
import threading
from collections import Counter

import pytest
from peewee import OperationalError

from appliance.box import health
from appliance.casework import hooks
from appliance.casework.appeals import handling
from appliance.core import audit, clock, db, outbox
from appliance.core.delivery import UncertainDeliveryError
from appliance.core.settings import Duty, SmsAccount
from appliance.core.settings import Telegram as Bot
from appliance.jobs import timetable
from appliance.messaging.notices import alert_subjects, duty, summary
from appliance.messaging.telegram.bot_api import BotApiClient
from appliance.messaging.telegram.courier import MAX_MEMBER_QUERIES, TelegramCourier, UpdateReader
from appliance.models import (
    Appeal,
    AuditEntry,
    CalendarDay,
    DutyAlert,
    Handling,
    Message,
    TelegramBot,
)
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.fakes.telegram import BOT_TOKEN, run_bot_api
from tests.rig.waiting import wait_until

GROUP, MADINA = -500, 77
_NUMBERS = re.compile(r"20\d\d-\d{6}")
SUNDAY = "2026-11-22 12:00:00"


@pytest.fixture
def fake_telegram():
    with run_bot_api() as running:
        yield running


@pytest.fixture
def site(settings, fake_telegram):
    return dataclasses.replace(
        settings,
        telegram=Bot(token=BOT_TOKEN, chat=GROUP, url=fake_telegram.url),
        duty=(Duty("Madina", MADINA, "+998901112233"), Duty("Jasur", 0, "+998904445566")),
        sms=(SmsAccount("eskiz", "eskiz", fake_telegram.url, "user", "secret", "4546"),),
    )


@pytest.fixture
def register(site, nilufar, monkeypatch):
    """Register an appeal at a local time of the site."""

    def register_appeal(local=SUNDAY, **values):
        local_time = dt.datetime.fromisoformat(local).replace(tzinfo=site.tz)
        moment = local_time.astimezone(dt.UTC)

        def alert_group(appeal) -> None:
            appeal.registered_at = moment
            duty.alert_appeal(site, appeal)

        hooks.appeal_registered.connect(alert_group)
        return create_appeal(site, nilufar, FULL_FORM | values)

    return register_appeal


class ManualClock:
    """The site's clock, which changes only when a test advances it."""

    def __init__(self) -> None:
        self.begin, self.now = clock.now(), 0.0

    def __call__(self) -> dt.datetime:
        return self.begin + dt.timedelta(seconds=self.now)


@pytest.fixture
def ticks(monkeypatch):
    manual_clock = ManualClock()
    monkeypatch.setattr(clock, "now", manual_clock)
    return manual_clock


@pytest.fixture
def courier(site, ticks):
    return TelegramCourier(BotApiClient(site.telegram.url, BOT_TOKEN))


@pytest.fixture
def reader(site):
    return UpdateReader(BotApiClient(site.telegram.url, BOT_TOKEN), site, poll_seconds=0)


def make_all_overdue() -> None:
    DutyAlert.update(next_at=clock.now()).where(DutyAlert.next_at.is_null(False)).execute()


def make_all_due() -> None:
    Message.update(due_at=clock.now()).where(Message.state == "pending").execute()


def press_update(id, number, chat=GROUP, name="Aziza", user=5, **user_fields):
    sender = {"id": user, "first_name": name, **user_fields}
    query = {"id": f"q{id}", "from": sender, "data": f"take:{number}", "message": {}}
    query["message"] = {"chat": {"id": chat}}
    return {"update_id": id, "callback_query": query}


def membership_update(id, status, chat=GROUP, **member_fields):
    """An update about the bot's own status in a chat."""
    change = {"chat": {"id": chat}, "new_chat_member": {"status": status, **member_fields}}
    return {"update_id": id, "my_chat_member": change}


def raise_keyboard_interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def message_update(id, text, chat=GROUP, kind="group", user=5):
    message = {"text": text, "chat": {"id": chat, "type": kind}, "from": {"id": user}}
    return {"update_id": id, "message": message}


@pytest.mark.parametrize(
    ("moment", "alerted"),
    [
        ("2026-11-20 17:59:59", False),  # Friday
        ("2026-11-20 18:00:00", True),
        ("2026-11-20 08:59:59", True),
        ("2026-11-20 09:00:00", False),
        ("2026-11-22 12:00:00", True),  # Sunday
        ("2026-11-21 12:00:00", False),  # a working Saturday
        ("2026-11-23 12:00:00", True),  # a Monday off in exchange for it
        ("2026-12-08 12:00:00", True),  # Constitution Day, a Tuesday
    ],
)
def test_the_group_is_alerted_only_out_of_hours(register, moment, alerted) -> None:
    for day, working in ((21, True), (23, False)):
        date = dt.date(2026, 11, day)
        CalendarDay.replace(
            date=date, kind="moved", working=working, name_uz_latn="x", name_uz_cyrl="x"
        ).execute()
    appeal = register(moment)
    assert Message.select().where(Message.channel == "telegram").count() == alerted
    assert DutyAlert.select().where(DutyAlert.appeal == appeal).count() == alerted


def test_a_site_without_telegram_alerts_nobody(settings, nilufar, register) -> None:
    appeal = register("2026-11-20 12:00:00")
    assert not duty.alert_appeal(settings, appeal)


def test_the_alert_contains_gist_and_masked_phone_but_no_name(
    site, register, courier, fake_telegram
) -> None:
    appeal = register(phone="+998935550147", gist="Tel 93 555 01 47, JSHSHIR 40201902050010. " * 20)
    courier.send_due()
    [(chat, text, buttons)] = fake_telegram.messages
    assert (chat, buttons) == (GROUP, [f"take:{appeal.number}"])
    assert appeal.number in text
    assert "Samarqand" in text
    assert "+99893 *** ** 47" in text
    assert "555" not in text
    assert "4020" not in text
    assert appeal.surname not in text


@pytest.mark.parametrize(("phone_setting", "there"), [("full", True), ("none", False)])
def test_the_phone_is_shown_as_configured(site, register, phone_setting, there) -> None:
    appeal = register(phone="+998935550147", gist="x")
    bot = dataclasses.replace(site.telegram, phone=phone_setting)
    text = duty.alert_text(bot, alert_subjects.subject_of_appeal(appeal))
    assert ("+998 93 555 01 47" in text) == there
    assert "***" not in text


@pytest.mark.parametrize(
    ("phone_setting", "there"), [("full", True), ("masked", True), ("none", False)]
)
def test_an_alert_of_a_personal_appeal_contains_neither_gist_nor_full_phone(
    site, register, phone_setting, there
) -> None:
    appeal = register(phone="+998935550147", gist="Tikuv mashinasi", openness="personal")
    bot = dataclasses.replace(site.telegram, phone=phone_setting)
    text, line = (
        duty.alert_text(bot, alert_subjects.subject_of_appeal(appeal)),
        Message.get().payload["line"],
    )
    assert ("+99893 *** ** 47" in text) == there
    assert "555" not in text
    assert "Tikuv" not in text + line
    assert "Samarqand" in line


def test_names_and_documents_are_masked_even_where_phones_are_shown(site, register) -> None:
    appeal = register(
        gist="Yo'ldosheva Gulchehra, 02.01.1990, AB1234567, 40201902050010, 90 123 45 67: bola puli"
    )
    bot = dataclasses.replace(site.telegram, phone="full")
    assert "Mazmuni: …, …, …, …, 90 123 45 67: bola puli" in duty.alert_text(
        bot, alert_subjects.subject_of_appeal(appeal)
    )


def test_an_alert_contains_no_address(site, register) -> None:
    """Neither a typed place, nor an address or a place that the gist repeats."""
    appeal = register(
        **{"region": "", "region_text": "Olmaota, Abay 5", "district": ""},
        **{"district_text": "Bozor yonida", "address": "Registon koʻchasi 12-uy"},
        gist="Registon koʻchasi 12-uyda turadi, Koʻktepa yangida, bozor yonida: suv yoʻq",
    )
    text = duty.alert_text(site.telegram, alert_subjects.subject_of_appeal(appeal))
    assert "Mazmuni: … turadi, …, …: suv yoʻq" in text
    assert "Olmaota" not in text + Message.get().payload["line"]


def test_a_typed_topic_is_sent_without_names_and_not_of_a_personal_appeal(site, register) -> None:
    typed = {"direction": "", "direction_text": "Yoʻldosheva puli"}
    topic_of_open = duty.alert_text(
        site.telegram, alert_subjects.subject_of_appeal(register(**typed))
    )
    assert "Mavzu: … puli" in topic_of_open
    personal_appeal = register(**typed, openness="personal")
    text = duty.alert_text(site.telegram, alert_subjects.subject_of_appeal(personal_appeal))
    assert "puli" not in text


def test_the_first_to_press_takes_the_appeal_and_is_shown_on_its_page(
    site, register, courier, reader, fake_telegram, login_as
) -> None:
    appeal = register()
    fake_telegram.updates = [
        press_update(1, appeal.number, chat=-1, name="Stranger"),
        press_update(2, appeal.number, name="Aziza"),
        press_update(3, appeal.number, name="Bekzod"),
        press_update(4, "2026-999999"),
        {"update_id": 5, "callback_query": {"id": "q"}},  # an invalid update
    ]
    reader.process_updates()
    assert len(fake_telegram.callback_answers) == 3
    assert all("Aziza" in text for text in fake_telegram.callback_answers[:2])
    assert DutyAlert.get().taken_by == "Aziza"
    assert "Aziza" in login_as("ministry").get(f"/appeals/{appeal.number}").text
    assert Message.select().where(Message.purpose == "taken").count() == 1
    make_all_overdue()
    assert duty.escalate_alerts(site) == 0
    reader.process_updates()
    assert len(fake_telegram.callback_answers) == 3  # each update counts once


def test_an_untaken_alert_goes_to_the_duty_list_and_then_to_all_by_sms(site, register) -> None:
    appeal = register()
    assert duty.escalate_alerts(site) == 0
    make_all_overdue()
    assert duty.escalate_alerts(site) == 1
    personal_messages = Message.select().where(Message.recipient == str(MADINA))
    assert personal_messages.get().text.count(appeal.number) == 1
    assert duty.escalate_alerts(site) == 0
    make_all_overdue()
    assert duty.escalate_alerts(site) == 1
    sms = Message.select().where(Message.channel == "sms", Message.purpose == "duty")
    assert {m.recipient for m in sms} == {"+998901112233", "+998904445566"}
    make_all_overdue()
    assert duty.escalate_alerts(site) == 0
    assert duty.take_over_alert(site, appeal.number, "Madina") == "Madina"


@pytest.mark.parametrize("answered", [False, True])
def test_an_appeal_being_handled_is_not_escalated(site, register, answered) -> None:
    handled, untouched = register(), register()
    handling.take_over(handled, "bahodir", 1)
    if answered:
        handling.answer_appeal(handled, "Javob", "bahodir", 2, dt.date(2026, 11, 22))
    for _ in range(4):
        make_all_overdue()
        duty.escalate_alerts(site)
    personal_messages = Message.select().where(Message.recipient != str(GROUP))
    assert {message.cause for message in personal_messages} == {untouched.number}
    assert DutyAlert.get_by_id(handled.id).next_at is None


def test_an_appeal_waiting_again_is_escalated(site, register) -> None:
    appeal = register()
    handling.take_over(appeal, "bahodir", 1)
    handling.return_for_rework(appeal, "Manzil yoʻq", "bahodir", 2)
    Handling.update(
        state="registered"
    ).execute()  # as after a correction, before the first escalation
    make_all_overdue()
    assert duty.escalate_alerts(site) == 1


def test_the_audit_records_the_telegram_user_id_as_well_as_the_name(
    site, register, reader, fake_telegram
) -> None:
    appeal = register()
    fake_telegram.updates = [
        press_update(1, appeal.number, name="Bahodir", user=666, username="not_bahodir")
    ]
    reader.process_updates()
    entry = AuditEntry.get(AuditEntry.action == "appeal.duty")
    assert entry.who == "telegram:Bahodir"
    assert entry.detail == {"user": 666, "username": "not_bahodir"}


def test_simultaneous_alerts_are_merged(site, register, courier, ticks, fake_telegram) -> None:
    numbers = [register().number for _ in range(45)]
    for _ in range(10):
        ticks.now += 1
        courier.send_due()
    assert len(fake_telegram.messages) == 3
    assert all(len(text) <= 4096 for _, text, _ in fake_telegram.messages)
    assert [b.removeprefix("take:") for _, _, bs in fake_telegram.messages for b in bs] == numbers
    assert Message.select().where(Message.state == "sent").count() == 45


def test_at_most_one_message_a_second_and_twenty_a_minute_are_sent(
    site, courier, ticks, fake_telegram
) -> None:
    for number in range(30):
        outbox.queue_message("telegram", "status", str(GROUP), key=str(number), text=str(number))
    courier.send_due()
    assert len(fake_telegram.messages) == 1
    for _ in range(58):
        ticks.now += 1
        courier.send_due()
    assert len(fake_telegram.messages) == 20
    for _ in range(20):
        ticks.now += 1
        courier.send_due()
    assert [text for _, text, _ in fake_telegram.messages] == [str(number) for number in range(30)]


def test_retries_count_towards_the_limit(site, courier, ticks, fake_telegram) -> None:
    fake_telegram.default_mood = lambda _text: "lost"  # accepted, but the answer is lost
    for number in range(15):
        outbox.queue_message(
            "telegram", "status", str(number % 3 - 5), key=str(number), text=str(number)
        )
    sent_seconds: dict[int, list[float]] = {}
    for second in range(180):
        before = len(fake_telegram.messages)
        TelegramCourier(courier.bot).send_due()  # killed each time, and restarted
        for chat, _, _ in fake_telegram.messages[before:]:
            sent_seconds.setdefault(chat, []).append(second)
        Message.update(due_at=clock.now()).where(Message.state == "pending").execute()
        ticks.now += 1
    for moments in sent_seconds.values():
        assert len(moments) > 40
        assert max(sum(m - 60 < n <= m for n in moments) for m in moments) <= 20


def test_a_restarted_courier_keeps_to_the_limits(site, courier, ticks, fake_telegram) -> None:
    for number in range(30):
        outbox.queue_message("telegram", "status", str(GROUP), key=str(number), text=str(number))
    for _ in range(15):
        courier.send_due()
        ticks.now += 1
    for _ in range(44):
        TelegramCourier(courier.bot).send_due()
        ticks.now += 1
    assert len(fake_telegram.messages) == 20


def test_a_failed_digest_is_retried_as_one_message(
    site, register, courier, ticks, fake_telegram
) -> None:
    fake_telegram.moods = ["error"]
    numbers = [register().number for _ in range(5)]
    courier.send_due()
    ticks.now += 20
    courier.send_due()
    [(_, _, buttons)] = fake_telegram.messages
    assert buttons == [f"take:{number}" for number in numbers]


MUTED_ERRORS = [
    "Bad Request: not enough rights to send text messages to the chat",
    "Forbidden: not enough rights to send text messages to the chat",
    "Bad Request: have no rights to send a message",
    "Bad Request: need administrator rights in the channel chat",
    "Bad Request: CHAT_RESTRICTED",
    "Bad Request: CHAT_WRITE_FORBIDDEN",
    "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN",
    "Bad Request: CHAT_ADMIN_REQUIRED",
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: message thread not found",
]
KICKED_ERRORS = [
    "Bad Request: chat not found",
    "Bad Request: group chat was deactivated",
    "Forbidden: the group chat was deleted",
    "Forbidden: bot was kicked from the supergroup chat",
    "Forbidden: bot is not a member of the supergroup chat",
]


@pytest.mark.parametrize(
    ("error_text", "trouble"),
    [(s, "muted") for s in MUTED_ERRORS] + [(s, "kicked") for s in KICKED_ERRORS],
)
def test_a_group_that_accepts_nothing_loses_no_alert(
    site, register, courier, ticks, fake_telegram, error_text, trouble
) -> None:
    fake_telegram.default_mood = lambda _: error_text
    numbers = [register().number for _ in range(5)]
    for _ in range(8):
        courier.send_due()
        ticks.now += 61  # no update says that the bot may write again
    assert {(m.state, m.trouble, m.attempts) for m in Message.select()} == {("pending", trouble, 8)}
    assert TelegramBot.get().trouble == trouble
    assert telegram_check(site).state == "fail"
    fake_telegram.default_mood = lambda _: "ok"
    courier.send_due()
    [(_, _, buttons)] = fake_telegram.messages
    assert buttons == [f"take:{number}" for number in numbers]
    assert TelegramBot.get().trouble == ""


def test_a_message_to_the_technician_does_not_clear_the_groups_trouble(
    site, register, courier, ticks, fake_telegram
) -> None:
    fake_telegram.moods = [MUTED_ERRORS[0]]
    register()
    courier.send_due()
    outbox.queue_message("telegram", "alarm", "-600", key="alarm", text="!")
    courier.send_due()
    assert [chat for chat, *_ in fake_telegram.messages] == [-600]
    assert TelegramBot.get().trouble == "muted"
    fake_telegram.moods = [KICKED_ERRORS[0]]
    outbox.queue_message("telegram", "alarm", "-600", key="again", text="!")
    ticks.now += 2
    courier.send_due()
    assert TelegramBot.get().trouble == "muted"


@pytest.mark.parametrize("chat", [GROUP, MADINA])
def test_a_readmitted_bot_sends_immediately(
    site, register, courier, reader, ticks, fake_telegram, chat
) -> None:
    fake_telegram.default_mood = lambda _: KICKED_ERRORS[3]
    outbox.queue_message("telegram", "status", str(chat), key="1", text="1")
    for _ in range(8):
        make_all_due()
        ticks.now += 2
        courier.send_due()
    outbox.queue_message("telegram", "status", str(chat), key="2", text="2")
    outbox.queue_message("telegram", "status", "-9", key="9", text="9")
    courier.send_due()
    fake_telegram.default_mood = lambda _: "ok"
    fake_telegram.updates = [
        membership_update(1, "restricted", chat, is_member=True, can_send_messages=False)
    ]
    ticks.now += 2
    reader.process_updates()
    assert courier.send_due() == 0
    assert TelegramBot.get().trouble == ("muted" if chat == GROUP else "kicked")
    fake_telegram.updates = [
        membership_update(2, "restricted", chat, is_member=True, can_send_messages=True)
    ]
    reader.process_updates()
    for _ in range(2):
        ticks.now += 2
        courier.send_due()
    assert [text for _, text, _ in fake_telegram.messages] == ["1", "2"]


@pytest.mark.parametrize(
    ("status", "more", "trouble"),
    [
        ("left", {}, "kicked"),
        ("restricted", {"is_member": False, "can_send_messages": True}, "kicked"),
        ("restricted", {"is_member": True, "can_send_messages": False}, "muted"),
        ("administrator", {}, ""),
    ],
)
def test_the_bots_status_in_the_group_is_recorded(
    site, reader, fake_telegram, status, more, trouble
) -> None:
    fake_telegram.updates = [membership_update(1, status, **more)]
    reader.process_updates()
    reader.process_updates()
    assert TelegramBot.get().trouble == trouble


@pytest.mark.parametrize(
    "error_text",
    [
        "Forbidden: bot was blocked by the user",
        "Forbidden: user is deactivated",
        "Forbidden: bot can't initiate conversation with a user",
        "Bad Request: chat not found",
    ],
)
def test_a_user_who_blocks_the_bot_is_not_a_trouble_of_the_group(
    site, courier, fake_telegram, error_text
) -> None:
    fake_telegram.moods = [error_text]
    outbox.queue_message(
        "telegram", "alert", str(MADINA), key="1", payload={"appeal": "1", "button": "x"}
    )
    courier.send_due()
    assert (Message.get().state, Message.get().trouble) == ("pending", "blocked")
    assert not TelegramBot.select().where(TelegramBot.trouble != "").exists()


def test_the_daily_summary_is_sent_once_with_figures_only(site, register, ticks) -> None:
    first, second = register().number, register().number
    Message.delete().execute()
    DutyAlert.update(taken_by="Aziza").where(
        DutyAlert.appeal == Appeal.get(Appeal.number == first)
    ).execute()
    now = clock.now()
    Appeal.update(registered_at=now - dt.timedelta(hours=1)).execute()
    message = summary.queue_summary(site, now + dt.timedelta(seconds=1))
    assert summary.queue_summary(site, now + dt.timedelta(seconds=2)) == message
    assert (message.recipient, message.purpose) == (str(GROUP), "summary")
    assert "murojaatlar: 2, ish vaqtidan tashqari: 2" in message.text
    assert second in message.text
    assert first not in message.text
    ticks.now += 2 * 86400
    summary.queue_summary(site, clock.now())
    assert Message.select().count() == 2


def test_answers_are_counted_over_the_hours_of_the_summary(site, register, ticks) -> None:
    def local_time(day, hour):
        return dt.datetime(2026, 11, day, hour, tzinfo=site.tz).astimezone(dt.UTC)

    first, second = register(), register()
    for appeal, day in ((first, 25), (second, 26)):
        ticks.begin = local_time(day, 19)
        handling.take_over(appeal, "bahodir", 1)
        handling.answer_appeal(appeal, "Javob", "bahodir", 2, dt.date(2026, 11, day))
    ticks.begin = local_time(26, 20)
    handling.reopen_appeal(second, "Tushunarsiz", "bahodir", 3, dt.date(2026, 11, 26))
    handling.answer_appeal(second, "Yana", "bahodir", 4, dt.date(2026, 11, 26))
    answer_lines = {
        day: summary.summary_text(site, local_time(day, 18)).splitlines()[3] for day in (25, 26, 27)
    }
    counts = {day: int(re.search(r"[0-9]+", line)[0]) for day, line in answer_lines.items()}
    assert counts == {25: 0, 26: 1, 27: 1}


@pytest.mark.parametrize(("at", "there"), [("07:30", True), ("", False)])
def test_the_summary_is_sent_at_the_configured_time(site, at, there) -> None:
    bot = dataclasses.replace(site.telegram, summary=at)
    jobs = timetable.scheduled_jobs(dataclasses.replace(site, telegram=bot), lambda: True)
    summary_jobs = [job for job in jobs if job.name == "summary"]
    assert len(summary_jobs) == there
    if summary_jobs:
        due = summary_jobs[0].slot(dt.datetime(2026, 11, 20, 7, 29, tzinfo=site.tz))
        assert due == dt.datetime(2026, 11, 19, 7, 30, tzinfo=site.tz)
    with pytest.raises(ValueError, match="isoformat"):
        dataclasses.replace(site.telegram, summary="soon")


def test_a_requested_wait_is_observed(site, register, courier, ticks, fake_telegram) -> None:
    fake_telegram.moods = ["wait"]
    register()
    courier.send_due()
    make_all_due()
    ticks.now += 33
    assert courier.send_due() == 0
    ticks.now += 2
    assert courier.send_due() == 1
    assert len(fake_telegram.messages) == 1


def test_a_migrated_group_is_followed(
    site, register, courier, reader, ticks, fake_telegram
) -> None:
    fake_telegram.moods = ["moved"]
    register()
    register()
    courier.send_due()
    ticks.now += 2
    courier.send_due()
    ticks.now += 2
    courier.send_due()
    assert [chat for chat, *_ in fake_telegram.messages] == [-100777, -100777]
    number = register().number
    assert Message.select().where(Message.recipient == "-100777").count() == 3
    fake_telegram.updates = [press_update(1, number, chat=-100777)]
    reader.process_updates()
    assert DutyAlert.get(DutyAlert.appeal == Appeal.get(Appeal.number == number)).taken_by


def test_an_invalid_update_does_not_block_others(site, register, reader, monkeypatch) -> None:
    appeal = register()
    updates = [["x"], {}, {"update_id": "7"}, press_update(2, appeal.number)]
    monkeypatch.setattr(BotApiClient, "fetch_updates", lambda *_: updates)
    assert reader.process_updates() == 4
    assert DutyAlert.get().taken_by == "Aziza"


@pytest.mark.parametrize("by_update", [True, False])
def test_a_migrated_group_on_the_duty_list_is_followed(
    site, register, fake_telegram, by_update
) -> None:
    listed = dataclasses.replace(site, duty=(Duty("Navbatchilar", -900),))
    reader = UpdateReader(BotApiClient(fake_telegram.url, BOT_TOKEN), listed, poll_seconds=0)
    appeal = register()
    if by_update:
        chat = {"id": -900, "type": "group"}
        fake_telegram.updates = [
            {"update_id": 1, "message": {"chat": chat, "migrate_to_chat_id": -100900}}
        ]
    else:
        duty.record_chat_move("-900", "-100900")
    fake_telegram.updates.append(press_update(2, appeal.number, chat=-100900))
    reader.process_updates()
    assert DutyAlert.get().taken_by == "Aziza"


@pytest.mark.parametrize(
    ("mood", "twice", "trouble"),
    [("lost", True, ""), ("html", True, ""), ("error", True, ""), ("kicked", False, "kicked")],
)
def test_a_failed_message_is_retried(
    site, register, courier, ticks, fake_telegram, mood, twice, trouble
) -> None:
    fake_telegram.moods = [mood]
    register()
    courier.send_due()
    message = Message.get()
    assert (message.state, message.perhaps_twice) == ("pending", twice)
    assert BOT_TOKEN not in message.trouble_text
    state = TelegramBot.get_or_none()
    assert (state.trouble if state else "") == trouble
    make_all_due()
    ticks.now += 2
    courier.send_due()
    assert Message.get().state == "sent"
    assert not TelegramBot.select().where(TelegramBot.trouble != "").exists()


def test_an_invalid_message_does_not_block_others(site, register, courier, ticks, fake_telegram):
    with db.write_transaction():
        invalid = outbox.queue_message("telegram", "alert", str(GROUP), key="strange", payload={})
        valid = outbox.queue_message("telegram", "manual", "77", key="other", text="Salom")
    courier.send_due()
    assert [text for _, text, _ in fake_telegram.messages] == ["Salom"]
    assert Message.get_by_id(valid.id).state == "sent"
    stored = Message.get_by_id(invalid.id)
    assert (stored.state, stored.trouble) == ("pending", "no_sense")


def test_a_refused_message_is_marked_as_refused(site, register, courier, fake_telegram) -> None:
    fake_telegram.moods = ["bad"]
    register()
    courier.send_due()
    assert Message.get().state == "refused"


def test_an_unreachable_service_is_reported_without_the_token(site, register, caplog) -> None:
    register()
    TelegramCourier(BotApiClient("http://127.0.0.1:9", BOT_TOKEN)).send_due()
    message = Message.get()
    assert message.trouble == "unreachable"
    assert BOT_TOKEN not in message.trouble_text + caplog.text


def telegram_check(site) -> health.Check:
    return next(check for check in health.all_checks(site) if check.code == "telegram")


def test_a_second_reader_fails_the_self_check(site, reader, fake_telegram) -> None:
    assert telegram_check(site).state == "warn"
    fake_telegram.second_reader = True
    stop = threading.Event()

    def run_reader() -> None:
        with db.database.connection_context():
            reader.read_until_stopped(stop, rest_seconds=0.02)

    thread = threading.Thread(target=run_reader)
    thread.start()
    wait_until(lambda: telegram_check(site).state == "fail")
    assert "one reader" in telegram_check(site).advice
    fake_telegram.second_reader = False
    wait_until(lambda: telegram_check(site).state == "ok")
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_members_can_ask_for_the_state_of_an_appeal(site, register, reader, fake_telegram) -> None:
    appeal = register()
    fake_telegram.members = {5}
    fake_telegram.restricted = {7: True, 8: False}
    fake_telegram.updates = [
        message_update(1, f"/status {appeal.number}"),
        message_update(2, f"status {int(appeal.number[5:])}", chat=5, kind="private"),
        message_update(3, f"/status {appeal.number}", chat=6, kind="private", user=6),
        message_update(4, f"/status {appeal.number}", chat=-9),
        message_update(5, "/status@hotline_bot 2026-999999"),
        message_update(6, "salom"),
        message_update(7, "/status <b>1</b>"),
        message_update(8, f"/status {appeal.number}", chat=7, kind="private", user=7),
        message_update(9, f"/status {appeal.number}", chat=8, kind="private", user=8),
    ]
    Message.delete().execute()
    reader.process_updates()
    replies = [(m.recipient, m.text) for m in Message.select().order_by(Message.id)]
    assert [chat for chat, _ in replies] == [str(GROUP), "5", str(GROUP), str(GROUP), "7"]
    assert all(appeal.number in text for _, text in replies[:2])
    reader.process_updates()
    assert Message.select().count() == 5


def test_a_question_is_not_lost_when_telegram_or_the_bot_fails(
    site, register, reader, fake_telegram
) -> None:
    appeal = register()
    fake_telegram.members = {5}
    fake_telegram.updates = [
        message_update(1, f"/status {appeal.number}", chat=5, kind="private"),
        press_update(2, appeal.number),
    ]
    Message.delete().execute()
    fake_telegram.member_failures = 1
    with pytest.raises(UncertainDeliveryError):
        reader.process_updates()  # it is not known yet whether the sender is a member
    assert not Message.select().exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "queue_message", raise_keyboard_interrupt)
        with pytest.raises(KeyboardInterrupt):
            reader.process_updates()
    assert TelegramBot.get_by_id("bot").read == 0
    reader.process_updates()
    assert [m.recipient for m in Message.select().where(Message.purpose == "status")] == ["5"]
    assert DutyAlert.get().taken_by == "Aziza"


def test_a_press_is_retried_while_the_database_is_busy(
    site, register, reader, fake_telegram, monkeypatch
) -> None:
    appeal = register()
    fake_telegram.updates = [
        press_update(1, appeal.number),
        message_update(2, f"/status {appeal.number}"),
    ]
    record, stop, rests = audit.record_entry, threading.Event(), []

    def record_unless_first(*what: object, **more: object) -> None:
        if not rests:
            raise OperationalError("database is locked")
        record(*what, **more)

    def record_wait(seconds: float) -> bool:
        rests.append(seconds)
        if len(rests) == 2:
            stop.set()
        return stop.is_set()

    monkeypatch.setattr(audit, "record_entry", record_unless_first)
    monkeypatch.setattr(stop, "wait", record_wait)
    with pytest.raises(OperationalError):
        reader.process_updates()
    assert TelegramBot.get().read == 0
    reader.poll_seconds = 5
    reader.read_until_stopped(stop, rest_seconds=5)
    assert rests[0] == 5
    assert DutyAlert.get().taken_by == "Aziza"
    assert Message.select().where(Message.purpose == "status").count() == 1
    assert TelegramBot.get().read == 3


def test_an_unanswered_membership_query_does_not_block_other_updates(
    site, register, reader, fake_telegram
) -> None:
    appeal = register()
    fake_telegram.updates = [
        message_update(1, f"/status {appeal.number}", chat=5, kind="private"),
        press_update(2, appeal.number),
    ]
    fake_telegram.member_failures = MAX_MEMBER_QUERIES
    for _ in range(MAX_MEMBER_QUERIES - 1):
        with pytest.raises(UncertainDeliveryError):
            reader.process_updates()
    assert reader.process_updates() == 2
    assert DutyAlert.get().taken_by == "Aziza"


def test_a_removed_bot_is_detected_without_sending(site, reader, fake_telegram) -> None:
    fake_telegram.updates = [membership_update(1, "kicked")]
    reader.process_updates()
    assert telegram_check(site).state == "fail"
    reader.process_updates()
    assert telegram_check(site).state == "fail"
    fake_telegram.updates = [membership_update(2, "member")]
    reader.process_updates()
    assert telegram_check(site).state == "ok"


def test_the_duty_list_receives_every_sms_at_night(site) -> None:
    for number in range(site.messages.per_number + 3):
        message = outbox.queue_sms("duty", "+998901112233", "x", key=str(number), tz=site.tz)
        assert message.due_at <= clock.now()


def test_random_faults_and_killed_couriers_lose_no_alert(
    site, register, courier, ticks, fake_telegram
) -> None:
    """Every alert reaches the group; twice only if the list says "perhaps twice"."""
    dice = random.Random(11)  # noqa: S311
    numbers = [register().number for _ in range(40)]
    moods = ["ok", "ok", "lost", "error", "html", "kicked", "wait"]
    while Message.select().where(Message.state.in_(outbox.OPEN_STATES)).exists():
        fake_telegram.moods = dice.choices(moods, k=5)
        if dice.random() < 0.3 and (message := outbox.claim_next("telegram")):
            if dice.random() < 0.5:  # killed after Telegram accepted it
                fake_telegram.moods = []
                courier.bot.send_text(message.recipient, message.payload["line"])
            past = clock.now() - dt.timedelta(seconds=1)
            Message.update(claimed_until=past).where(Message.id == message.id).execute()
        make_all_due()
        ticks.now += 61
        courier.send_due()
    received_counts = Counter(
        number for _, text, _ in fake_telegram.messages for number in set(_NUMBERS.findall(text))
    )
    assert set(received_counts) == set(numbers)
    twice = {number for number, count in received_counts.items() if count > 1}
    assert twice <= {m.cause for m in Message.select().where(Message.perhaps_twice)}
    assert Message.select().where(Message.state == "sent").count() == len(numbers)
