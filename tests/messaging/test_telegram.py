"""Alerts out of hours: when, of what, who takes them, and a Telegram that misbehaves."""

import dataclasses
import datetime as dt
import random
import re
import threading
from collections import Counter

import pytest
from peewee import OperationalError

from appliance.box import health
from appliance.casework import appeals, catalogs
from appliance.casework.appeals import handling
from appliance.core import audit, clock, db, outbox
from appliance.core.delivery import Unsure
from appliance.core.settings import Duty, SmsAccount
from appliance.core.settings import Telegram as Bot
from appliance.jobs import timetable
from appliance.messaging import notices
from appliance.messaging.notices import alerted, duty, summary
from appliance.messaging.telegram.bot_api import Telegram
from appliance.messaging.telegram.courier import IN_VAIN, Courier, Reader
from appliance.models import (
    Appeal,
    AuditEntry,
    CalendarDay,
    DutyAlert,
    Handling,
    Message,
    TelegramBot,
)
from tests.casework.test_appeals import FULL
from tests.rig.fakes.telegram import TOKEN, chats
from tests.rig.waiting import until

GROUP, MADINA = -500, 77
_NUMBERS = re.compile(r"20\d\d-\d{6}")
SUNDAY = "2026-11-22 12:00:00"


@pytest.fixture
def far():
    with chats() as running:
        yield running


@pytest.fixture
def site(settings, far):
    return dataclasses.replace(
        settings,
        telegram=Bot(token=TOKEN, chat=GROUP, url=far.url),
        duty=(Duty("Madina", MADINA, "+998901112233"), Duty("Jasur", 0, "+998904445566")),
        sms=(SmsAccount("eskiz", "eskiz", far.url, "user", "secret", "4546"),),
    )


@pytest.fixture
def register(site, nilufar, monkeypatch):
    """Register at a moment of the site's time."""

    def registered(local=SUNDAY, **values):
        here = dt.datetime.fromisoformat(local).replace(tzinfo=site.tz)
        moment = here.astimezone(dt.UTC)
        calendar = catalogs.working_calendar(site)

        def tell(appeal) -> None:
            appeal.registered_at = moment
            notices.alert(site, calendar, appeal)

        return appeals.register(
            FULL | values,
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=site.tz,
            calendar=calendar,
            tell=tell,
        )

    return registered


class Ticks:
    """The site's clock, which stands until it is moved."""

    def __init__(self) -> None:
        self.begin, self.now = clock.now(), 0.0

    def __call__(self) -> dt.datetime:
        return self.begin + dt.timedelta(seconds=self.now)


@pytest.fixture
def ticks(monkeypatch):
    made = Ticks()
    monkeypatch.setattr(clock, "now", made)
    return made


@pytest.fixture
def courier(site, ticks):
    return Courier(Telegram(site.telegram.url, TOKEN))


@pytest.fixture
def reader(site):
    return Reader(Telegram(site.telegram.url, TOKEN), site, wait=0)


def overdue() -> None:
    DutyAlert.update(next_at=clock.now()).where(DutyAlert.next_at.is_null(False)).execute()


def due_now() -> None:
    Message.update(due_at=clock.now()).where(Message.state == "pending").execute()


def press(id, number, chat=GROUP, name="Aziza", user=5, **more):
    who = {"id": user, "first_name": name, **more}
    query = {"id": f"q{id}", "from": who, "data": f"take:{number}", "message": {}}
    query["message"] = {"chat": {"id": chat}}
    return {"update_id": id, "callback_query": query}


def becomes(id, status, chat=GROUP, **more):
    """The bot's own standing in a chat changes."""
    change = {"chat": {"id": chat}, "new_chat_member": {"status": status, **more}}
    return {"update_id": id, "my_chat_member": change}


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def says(id, text, chat=GROUP, kind="group", user=5):
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
        ("2026-11-21 12:00:00", False),  # a Saturday that is worked
        ("2026-11-23 12:00:00", True),  # for it, a Monday off
        ("2026-12-08 12:00:00", True),  # Constitution Day, a Tuesday
    ],
)
def test_the_group_is_alerted_out_of_hours_only(register, moment, alerted) -> None:
    for day, working in ((21, True), (23, False)):
        date = dt.date(2026, 11, day)
        CalendarDay.replace(
            date=date, kind="moved", working=working, name_uz_latn="x", name_uz_cyrl="x"
        ).execute()
    appeal = register(moment)
    assert Message.select().where(Message.channel == "telegram").count() == alerted
    assert DutyAlert.select().where(DutyAlert.appeal == appeal).count() == alerted


def test_a_site_without_telegram_tells_nobody(settings, nilufar, register) -> None:
    appeal = register("2026-11-20 12:00:00")
    calendar = catalogs.working_calendar(settings)
    assert not notices.alert(settings, calendar, appeal)


def test_what_the_group_reads(site, register, courier, far) -> None:
    appeal = register(phone="+998935550147", gist="Tel 93 555 01 47, JSHSHIR 40201902050010. " * 20)
    courier.send_due()
    [(chat, text, buttons)] = far.took
    assert (chat, buttons) == (GROUP, [f"take:{appeal.number}"])
    assert appeal.number in text
    assert "Samarqand" in text
    assert "+99893 *** ** 47" in text
    assert "555" not in text
    assert "4020" not in text
    assert appeal.surname not in text


@pytest.mark.parametrize(("shown", "there"), [("full", True), ("none", False)])
def test_the_phone_as_the_setting_says(site, register, shown, there) -> None:
    appeal = register(phone="+998935550147", gist="x")
    bot = dataclasses.replace(site.telegram, phone=shown)
    text = duty.wording(bot, alerted.of_appeal(appeal))
    assert ("+998 93 555 01 47" in text) == there
    assert "***" not in text


@pytest.mark.parametrize(("shown", "there"), [("full", True), ("masked", True), ("none", False)])
def test_of_a_personal_appeal_neither_gist_nor_whole_phone_is_told(
    site, register, shown, there
) -> None:
    appeal = register(phone="+998935550147", gist="Tikuv mashinasi", openness="personal")
    bot = dataclasses.replace(site.telegram, phone=shown)
    text, line = duty.wording(bot, alerted.of_appeal(appeal)), Message.get().payload["line"]
    assert ("+99893 *** ** 47" in text) == there
    assert "555" not in text
    assert "Tikuv" not in text + line
    assert "Samarqand" in line


def test_names_and_documents_stay_here_even_where_phones_are_told(site, register) -> None:
    appeal = register(
        gist="Yo'ldosheva Gulchehra, 02.01.1990, AB1234567, 40201902050010, 90 123 45 67: bola puli"
    )
    bot = dataclasses.replace(site.telegram, phone="full")
    assert "Mazmuni: …, …, …, …, 90 123 45 67: bola puli" in duty.wording(
        bot, alerted.of_appeal(appeal)
    )


def test_the_first_who_presses_has_it_and_it_stands_on_the_appeal(
    site, register, courier, reader, far, login_as
) -> None:
    appeal = register()
    far.updates = [
        press(1, appeal.number, chat=-1, name="Stranger"),
        press(2, appeal.number, name="Aziza"),
        press(3, appeal.number, name="Bekzod"),
        press(4, "2026-999999"),
        {"update_id": 5, "callback_query": {"id": "q"}},  # makes no sense
    ]
    reader.read()
    assert len(far.told) == 3
    assert all("Aziza" in text for text in far.told[:2])
    assert DutyAlert.get().taken_by == "Aziza"
    assert "Aziza" in login_as("ministry").get(f"/appeals/{appeal.number}").text
    assert Message.select().where(Message.purpose == "taken").count() == 1
    overdue()
    assert duty.escalate(site) == 0
    reader.read()
    assert len(far.told) == 3  # each update counts once


def test_nobody_takes_it_so_the_duty_list_is_asked_then_all_by_sms(site, register) -> None:
    appeal = register()
    assert duty.escalate(site) == 0
    overdue()
    assert duty.escalate(site) == 1
    asked = Message.select().where(Message.recipient == str(MADINA))
    assert asked.get().text.count(appeal.number) == 1
    assert duty.escalate(site) == 0
    overdue()
    assert duty.escalate(site) == 1
    sms = Message.select().where(Message.channel == "sms", Message.purpose == "duty")
    assert {m.recipient for m in sms} == {"+998901112233", "+998904445566"}
    overdue()
    assert duty.escalate(site) == 0
    assert duty.take(site, appeal.number, "Madina") == "Madina"


@pytest.mark.parametrize("answered", [False, True])
def test_nobody_is_woken_for_an_appeal_that_is_handled(site, register, answered) -> None:
    handled, left = register(), register()
    handling.take(handled, "bahodir", 1)
    if answered:
        handling.answer(handled, "Javob", "bahodir", 2, dt.date(2026, 11, 22))
    for _ in range(4):
        overdue()
        duty.escalate(site)
    asked = Message.select().where(Message.recipient != str(GROUP))
    assert {message.cause for message in asked} == {left.number}
    assert DutyAlert.get_by_id(handled.id).next_at is None


def test_an_appeal_that_waits_anew_is_still_asked_about(site, register) -> None:
    appeal = register()
    handling.take(appeal, "bahodir", 1)
    handling.send_back(appeal, "Manzil yoʻq", "bahodir", 2)
    Handling.update(state="registered").execute()  # as corrected, before anybody was asked
    overdue()
    assert duty.escalate(site) == 1


def test_who_took_it_is_known_by_more_than_a_name(site, register, reader, far) -> None:
    appeal = register()
    far.updates = [press(1, appeal.number, name="Bahodir", user=666, username="not_bahodir")]
    reader.read()
    entry = AuditEntry.get(AuditEntry.action == "appeal.duty")
    assert entry.who == "telegram:Bahodir"
    assert entry.detail == {"user": 666, "username": "not_bahodir"}


def test_too_many_at_once_are_merged(site, register, courier, ticks, far) -> None:
    numbers = [register().number for _ in range(45)]
    for _ in range(10):
        ticks.now += 1
        courier.send_due()
    assert len(far.took) == 3
    assert all(len(text) <= 4096 for _, text, _ in far.took)
    assert [b.removeprefix("take:") for _, _, bs in far.took for b in bs] == numbers
    assert Message.select().where(Message.state == "sent").count() == 45


def test_twenty_a_minute_and_one_a_second(site, courier, ticks, far) -> None:
    for number in range(30):
        outbox.put("telegram", "status", str(GROUP), key=str(number), text=str(number))
    courier.send_due()
    assert len(far.took) == 1
    for _ in range(58):
        ticks.now += 1
        courier.send_due()
    assert len(far.took) == 20
    for _ in range(20):
        ticks.now += 1
        courier.send_due()
    assert [text for _, text, _ in far.took] == [str(number) for number in range(30)]


def test_what_is_tried_again_counts_each_time(site, courier, ticks, far) -> None:
    far.mood = lambda _text: "lost"  # taken, and nobody knows
    for number in range(15):
        outbox.put("telegram", "status", str(number % 3 - 5), key=str(number), text=str(number))
    asked: dict[int, list[float]] = {}
    for second in range(180):
        before = len(far.took)
        Courier(courier.bot).send_due()  # killed each time, and started anew
        for chat, _, _ in far.took[before:]:
            asked.setdefault(chat, []).append(second)
        Message.update(due_at=clock.now()).where(Message.state == "pending").execute()
        ticks.now += 1
    for moments in asked.values():
        assert len(moments) > 40
        assert max(sum(m - 60 < n <= m for n in moments) for m in moments) <= 20


def test_a_courier_that_starts_anew_keeps_to_the_limits(site, courier, ticks, far) -> None:
    for number in range(30):
        outbox.put("telegram", "status", str(GROUP), key=str(number), text=str(number))
    for _ in range(15):
        courier.send_due()
        ticks.now += 1
    for _ in range(44):
        Courier(courier.bot).send_due()
        ticks.now += 1
    assert len(far.took) == 20


def test_a_digest_that_failed_is_tried_again_as_one(site, register, courier, ticks, far) -> None:
    far.moods = ["error"]
    numbers = [register().number for _ in range(5)]
    courier.send_due()
    ticks.now += 20
    courier.send_due()
    [(_, _, buttons)] = far.took
    assert buttons == [f"take:{number}" for number in numbers]


MUTED = [
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
GONE = [
    "Bad Request: chat not found",
    "Bad Request: group chat was deactivated",
    "Forbidden: the group chat was deleted",
    "Forbidden: bot was kicked from the supergroup chat",
    "Forbidden: bot is not a member of the supergroup chat",
]


@pytest.mark.parametrize(
    ("said", "trouble"), [(s, "muted") for s in MUTED] + [(s, "kicked") for s in GONE]
)
def test_a_group_that_takes_nothing_loses_no_alert(
    site, register, courier, ticks, far, said, trouble
) -> None:
    far.mood = lambda _: said
    numbers = [register().number for _ in range(5)]
    for _ in range(8):
        courier.send_due()
        ticks.now += 61  # nobody tells the bot that it may write again
    assert {(m.state, m.trouble, m.attempts) for m in Message.select()} == {("pending", trouble, 8)}
    assert TelegramBot.get().trouble == trouble
    assert checked(site).state == "fail"
    far.mood = lambda _: "ok"
    courier.send_due()
    [(_, _, buttons)] = far.took
    assert buttons == [f"take:{number}" for number in numbers]
    assert TelegramBot.get().trouble == ""


def test_what_is_said_to_the_technician_does_not_hide_that_the_group_is_mute(
    site, register, courier, ticks, far
) -> None:
    far.moods = [MUTED[0]]
    register()
    courier.send_due()
    outbox.put("telegram", "alarm", "-600", key="alarm", text="!")
    courier.send_due()
    assert [chat for chat, *_ in far.took] == [-600]
    assert TelegramBot.get().trouble == "muted"
    far.moods = [GONE[0]]
    outbox.put("telegram", "alarm", "-600", key="again", text="!")
    ticks.now += 2
    courier.send_due()
    assert TelegramBot.get().trouble == "muted"


@pytest.mark.parametrize("chat", [GROUP, MADINA])
def test_a_bot_that_is_let_in_again_sends_at_once(
    site, register, courier, reader, ticks, far, chat
) -> None:
    far.mood = lambda _: GONE[3]
    outbox.put("telegram", "status", str(chat), key="1", text="1")
    for _ in range(8):
        due_now()
        ticks.now += 2
        courier.send_due()
    outbox.put("telegram", "status", str(chat), key="2", text="2")
    outbox.put("telegram", "status", "-9", key="9", text="9")
    courier.send_due()
    far.mood = lambda _: "ok"
    far.updates = [becomes(1, "restricted", chat, is_member=True, can_send_messages=False)]
    ticks.now += 2
    reader.read()
    assert courier.send_due() == 0
    assert TelegramBot.get().trouble == ("muted" if chat == GROUP else "kicked")
    far.updates = [becomes(2, "restricted", chat, is_member=True, can_send_messages=True)]
    reader.read()
    for _ in range(2):
        ticks.now += 2
        courier.send_due()
    assert [text for _, text, _ in far.took] == ["1", "2"]


@pytest.mark.parametrize(
    ("status", "more", "trouble"),
    [
        ("left", {}, "kicked"),
        ("restricted", {"is_member": False, "can_send_messages": True}, "kicked"),
        ("restricted", {"is_member": True, "can_send_messages": False}, "muted"),
        ("administrator", {}, ""),
    ],
)
def test_how_the_bot_stands_in_the_group_is_noticed(
    site, reader, far, status, more, trouble
) -> None:
    far.updates = [becomes(1, status, **more)]
    reader.read()
    reader.read()
    assert TelegramBot.get().trouble == trouble


@pytest.mark.parametrize(
    "said",
    [
        "Forbidden: bot was blocked by the user",
        "Forbidden: user is deactivated",
        "Forbidden: bot can't initiate conversation with a user",
        "Bad Request: chat not found",
    ],
)
def test_who_blocks_the_bot_is_no_trouble_of_the_group(site, courier, far, said) -> None:
    far.moods = [said]
    outbox.put("telegram", "alert", str(MADINA), key="1", payload={"appeal": "1", "button": "x"})
    courier.send_due()
    assert (Message.get().state, Message.get().trouble) == ("pending", "blocked")
    assert not TelegramBot.select().where(TelegramBot.trouble != "").exists()


def test_the_day_is_told_once_and_in_figures(site, register, ticks) -> None:
    first, second = register().number, register().number
    Message.delete().execute()
    DutyAlert.update(taken_by="Aziza").where(
        DutyAlert.appeal == Appeal.get(Appeal.number == first)
    ).execute()
    now = clock.now()
    Appeal.update(registered_at=now - dt.timedelta(hours=1)).execute()
    told = summary.put(site, now + dt.timedelta(seconds=1))
    assert summary.put(site, now + dt.timedelta(seconds=2)) == told
    assert (told.recipient, told.purpose) == (str(GROUP), "summary")
    assert "murojaatlar: 2, ish vaqtidan tashqari: 2" in told.text
    assert second in told.text
    assert first not in told.text
    ticks.now += 2 * 86400
    summary.put(site, clock.now())
    assert Message.select().count() == 2


def test_answers_are_counted_over_the_same_hours_as_all_else(site, register, ticks) -> None:
    def evening(day, hour):
        return dt.datetime(2026, 11, day, hour, tzinfo=site.tz).astimezone(dt.UTC)

    first, second = register(), register()
    for appeal, day in ((first, 25), (second, 26)):
        ticks.begin = evening(day, 19)
        handling.take(appeal, "bahodir", 1)
        handling.answer(appeal, "Javob", "bahodir", 2, dt.date(2026, 11, day))
    ticks.begin = evening(26, 20)
    handling.reopen(second, "Tushunarsiz", "bahodir", 3, dt.date(2026, 11, 26))
    handling.answer(second, "Yana", "bahodir", 4, dt.date(2026, 11, 26))
    told = {day: summary.wording(site, evening(day, 18)).splitlines()[3] for day in (25, 26, 27)}
    counts = {day: int(re.search(r"[0-9]+", line)[0]) for day, line in told.items()}
    assert counts == {25: 0, 26: 1, 27: 1}


@pytest.mark.parametrize(("at", "there"), [("07:30", True), ("", False)])
def test_the_summary_s_hour_is_set(site, at, there) -> None:
    bot = dataclasses.replace(site.telegram, summary=at)
    jobs = timetable.jobs(dataclasses.replace(site, telegram=bot), lambda: True)
    found = [job for job in jobs if job.name == "summary"]
    assert len(found) == there
    if found:
        due = found[0].slot(dt.datetime(2026, 11, 20, 7, 29, tzinfo=site.tz))
        assert due == dt.datetime(2026, 11, 19, 7, 30, tzinfo=site.tz)
    with pytest.raises(ValueError, match="isoformat"):
        dataclasses.replace(site.telegram, summary="soon")


def test_asked_to_wait_it_waits(site, register, courier, ticks, far) -> None:
    far.moods = ["wait"]
    register()
    courier.send_due()
    due_now()
    ticks.now += 33
    assert courier.send_due() == 0
    ticks.now += 2
    assert courier.send_due() == 1
    assert len(far.took) == 1


def test_a_group_that_moved_is_followed(site, register, courier, reader, ticks, far) -> None:
    far.moods = ["moved"]
    register()
    register()
    courier.send_due()
    ticks.now += 2
    courier.send_due()
    ticks.now += 2
    courier.send_due()
    assert [chat for chat, *_ in far.took] == [-100777, -100777]
    number = register().number
    assert Message.select().where(Message.recipient == "-100777").count() == 3
    far.updates = [press(1, number, chat=-100777)]
    reader.read()
    assert DutyAlert.get(DutyAlert.appeal == Appeal.get(Appeal.number == number)).taken_by


def test_what_is_no_update_holds_up_no_other(site, register, reader, monkeypatch) -> None:
    appeal = register()
    said = [["x"], {}, {"update_id": "7"}, press(2, appeal.number)]
    monkeypatch.setattr(Telegram, "updates", lambda *_: said)
    assert reader.read() == 4
    assert DutyAlert.get().taken_by == "Aziza"


@pytest.mark.parametrize("by_update", [True, False])
def test_a_group_on_the_duty_list_that_moved_is_followed(site, register, far, by_update) -> None:
    listed = dataclasses.replace(site, duty=(Duty("Navbatchilar", -900),))
    reader = Reader(Telegram(far.url, TOKEN), listed, wait=0)
    appeal = register()
    if by_update:
        chat = {"id": -900, "type": "group"}
        far.updates = [{"update_id": 1, "message": {"chat": chat, "migrate_to_chat_id": -100900}}]
    else:
        duty.moved("-900", "-100900")
    far.updates.append(press(2, appeal.number, chat=-100900))
    reader.read()
    assert DutyAlert.get().taken_by == "Aziza"


@pytest.mark.parametrize(
    ("mood", "twice", "trouble"),
    [("lost", True, ""), ("html", True, ""), ("error", True, ""), ("kicked", False, "kicked")],
)
def test_what_fails_is_tried_again(
    site, register, courier, ticks, far, mood, twice, trouble
) -> None:
    far.moods = [mood]
    register()
    courier.send_due()
    message = Message.get()
    assert (message.state, message.perhaps_twice) == ("pending", twice)
    assert TOKEN not in message.trouble_text
    state = TelegramBot.get_or_none()
    assert (state.trouble if state else "") == trouble
    due_now()
    ticks.now += 2
    courier.send_due()
    assert Message.get().state == "sent"
    assert not TelegramBot.select().where(TelegramBot.trouble != "").exists()


def test_a_message_that_nobody_can_write_holds_up_no_other(site, register, courier, ticks, far):
    with db.writing():
        strange = outbox.put("telegram", "alert", str(GROUP), key="strange", payload={})
        other = outbox.put("telegram", "manual", "77", key="other", text="Salom")
    courier.send_due()
    assert [text for _, text, _ in far.took] == ["Salom"]
    assert Message.get_by_id(other.id).state == "sent"
    found = Message.get_by_id(strange.id)
    assert (found.state, found.trouble) == ("pending", "no_sense")


def test_what_is_refused_is_listed(site, register, courier, far) -> None:
    far.moods = ["bad"]
    register()
    courier.send_due()
    assert Message.get().state == "refused"


def test_nobody_there_and_the_token_is_told_to_nobody(site, register, caplog) -> None:
    register()
    Courier(Telegram("http://127.0.0.1:9", TOKEN)).send_due()
    message = Message.get()
    assert message.trouble == "unreachable"
    assert TOKEN not in message.trouble_text + caplog.text


def checked(site) -> health.Check:
    return next(check for check in health.checks(site) if check.code == "telegram")


def test_a_second_reader_is_seen_in_the_self_checks(site, reader, far) -> None:
    assert checked(site).state == "warn"
    far.second_reader = True
    stop = threading.Event()

    def run() -> None:
        with db.database.connection_context():
            reader.follow(stop, rest=0.02)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: checked(site).state == "fail")
    assert "one reader" in checked(site).advice
    far.second_reader = False
    until(lambda: checked(site).state == "ok")
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_members_ask_how_an_appeal_stands(site, register, reader, far) -> None:
    appeal = register()
    far.members = {5}
    far.restricted = {7: True, 8: False}
    far.updates = [
        says(1, f"/status {appeal.number}"),
        says(2, f"status {int(appeal.number[5:])}", chat=5, kind="private"),
        says(3, f"/status {appeal.number}", chat=6, kind="private", user=6),
        says(4, f"/status {appeal.number}", chat=-9),
        says(5, "/status@hotline_bot 2026-999999"),
        says(6, "salom"),
        says(7, "/status <b>1</b>"),
        says(8, f"/status {appeal.number}", chat=7, kind="private", user=7),
        says(9, f"/status {appeal.number}", chat=8, kind="private", user=8),
    ]
    Message.delete().execute()
    reader.read()
    told = [(m.recipient, m.text) for m in Message.select().order_by(Message.id)]
    assert [chat for chat, _ in told] == [str(GROUP), "5", str(GROUP), str(GROUP), "7"]
    assert all(appeal.number in text for _, text in told[:2])
    reader.read()
    assert Message.select().count() == 5


def test_a_question_is_not_lost_when_telegram_or_the_bot_dies(site, register, reader, far) -> None:
    appeal = register()
    far.members = {5}
    far.updates = [
        says(1, f"/status {appeal.number}", chat=5, kind="private"),
        press(2, appeal.number),
    ]
    Message.delete().execute()
    far.member_fails = 1
    with pytest.raises(Unsure):
        reader.read()  # nobody knows yet whether a member asks
    assert not Message.select().exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            reader.read()
    assert TelegramBot.get_by_id("bot").read == 0
    reader.read()
    assert [m.recipient for m in Message.select().where(Message.purpose == "status")] == ["5"]
    assert DutyAlert.get().taken_by == "Aziza"


def test_a_press_waits_for_a_database_that_is_busy(
    site, register, reader, far, monkeypatch
) -> None:
    appeal = register()
    far.updates = [press(1, appeal.number), says(2, f"/status {appeal.number}")]
    record, stop, rests = audit.record, threading.Event(), []

    def busy(*what: object, **more: object) -> None:
        if not rests:
            raise OperationalError("database is locked")
        record(*what, **more)

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        if len(rests) == 2:
            stop.set()
        return stop.is_set()

    monkeypatch.setattr(audit, "record", busy)
    monkeypatch.setattr(stop, "wait", rest)
    with pytest.raises(OperationalError):
        reader.read()
    assert TelegramBot.get().read == 0
    reader.wait = 5
    reader.follow(stop, rest=5)
    assert rests[0] == 5
    assert DutyAlert.get().taken_by == "Aziza"
    assert Message.select().where(Message.purpose == "status").count() == 1
    assert TelegramBot.get().read == 3


def test_whom_telegram_never_tells_of_does_not_hold_up_the_rest(
    site, register, reader, far
) -> None:
    appeal = register()
    far.updates = [
        says(1, f"/status {appeal.number}", chat=5, kind="private"),
        press(2, appeal.number),
    ]
    far.member_fails = IN_VAIN
    for _ in range(IN_VAIN - 1):
        with pytest.raises(Unsure):
            reader.read()
    assert reader.read() == 2
    assert DutyAlert.get().taken_by == "Aziza"


def test_a_removed_bot_is_noticed_without_sending(site, reader, far) -> None:
    far.updates = [becomes(1, "kicked")]
    reader.read()
    assert checked(site).state == "fail"
    reader.read()
    assert checked(site).state == "fail"
    far.updates = [becomes(2, "member")]
    reader.read()
    assert checked(site).state == "ok"


def test_the_duty_gets_every_sms_at_night(site) -> None:
    for number in range(site.messages.per_number + 3):
        put = outbox.put_sms("duty", "+998901112233", "x", key=str(number), tz=site.tz)
        assert put.due_at <= clock.now()


def test_a_storm_with_killed_couriers_loses_nothing(site, register, courier, ticks, far) -> None:
    """Every alert reaches the group; twice only where the list says perhaps."""
    dice = random.Random(11)  # noqa: S311
    numbers = [register().number for _ in range(40)]
    moods = ["ok", "ok", "lost", "error", "html", "kicked", "wait"]
    while Message.select().where(Message.state.in_(outbox.OPEN)).exists():
        far.moods = dice.choices(moods, k=5)
        if dice.random() < 0.3 and (message := outbox.claim("telegram")):
            if dice.random() < 0.5:  # killed after Telegram took it
                far.moods = []
                courier.bot.send(message.recipient, message.payload["line"])
            past = clock.now() - dt.timedelta(seconds=1)
            Message.update(claimed_until=past).where(Message.id == message.id).execute()
        due_now()
        ticks.now += 61
        courier.send_due()
    heard = Counter(number for _, text, _ in far.took for number in set(_NUMBERS.findall(text)))
    assert set(heard) == set(numbers)
    twice = {number for number, count in heard.items() if count > 1}
    assert twice <= {m.cause for m in Message.select().where(Message.perhaps_twice)}
    assert Message.select().where(Message.state == "sent").count() == len(numbers)
