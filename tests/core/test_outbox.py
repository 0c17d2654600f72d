"""Outgoing messages: sent once, in order, through services that fail in every way."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from appliance.box import health
from appliance.core import clock, outbox
from appliance.core.outbox import claiming, sending
from appliance.core.settings import Settings
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.playmobile import PlayMobile
from appliance.messaging.sms.sender import SmsSender
from appliance.models import EarlyReport, Message, SendAttempt
from tests.rig.fakes.sms import SmsService, run_sms_service

PHONE_NUMBER = "+998935550147"
DEAD_URL = "http://127.0.0.1:9"  # no server listens there


@pytest.fixture
def sms_service() -> Iterator[SmsService]:
    with run_sms_service() as running:
        yield running


@pytest.fixture
def senders(settings: Settings, sms_service: SmsService) -> SmsSender:
    return SmsSender(
        [Eskiz("eskiz", sms_service.url, "user", "secret")], rest_seconds=0, sleep=lambda _: None
    )


def queue_message(
    settings: Settings, key: str = "1", number: str = PHONE_NUMBER, text: str = "Salom"
) -> Message:
    message = outbox.queue_sms("registered", number, text, key=key, tz=settings.tz)
    assert message
    return message


def reload_message(message: Message) -> Message:
    return Message.get_by_id(message.id)


def make_due_now() -> None:
    Message.update(due_at=clock.now()).where(Message.state == "pending").execute()


def test_a_message_is_sent_and_delivered(settings, senders, sms_service) -> None:
    message = queue_message(settings, text="Murojaatingiz  qabul qilindi: oʻn kun")
    assert senders.send_due() == 1
    assert sms_service.messages == [("998935550147", "Murojaatingiz qabul qilindi: o'n kun")]
    assert reload_message(message).state == "sent"
    assert senders.query_outcomes() == 0
    sms_service.states["id-1"] = "DELIVRD"
    assert senders.query_outcomes() == 1
    assert reload_message(message).state == "delivered"


def test_the_same_key_is_sent_once(settings, senders, sms_service) -> None:
    assert queue_message(settings).id == queue_message(settings).id
    senders.send_due()
    queue_message(settings)
    senders.send_due()
    assert len(sms_service.messages) == 1


@pytest.mark.parametrize("mood", ["lost", "html", "error"])
def test_a_message_with_a_lost_answer_is_sent_again_and_marked_perhaps_twice(
    settings, senders, sms_service, mood
) -> None:
    sms_service.moods = [mood]
    message = queue_message(settings)
    senders.send_due()
    waiting = reload_message(message)
    assert (waiting.state, waiting.perhaps_twice) == ("pending", True)
    assert waiting.due_at > clock.now()
    make_due_now()
    senders.send_due()
    assert (reload_message(message).state, reload_message(message).attempts) == ("sent", 2)


def test_an_expired_token_is_renewed(settings, senders, sms_service) -> None:
    queue_message(settings)
    senders.send_due()
    sms_service.tokens.clear()
    message = queue_message(settings, key="2")
    senders.send_due()
    assert reload_message(message).state == "sent"
    assert sms_service.log_ins == 2


def test_a_refusal_ends_the_message_with_the_text_of_the_service(
    settings, senders, sms_service
) -> None:
    sms_service.moods = ["declined"]
    message = queue_message(settings)
    senders.send_due()
    ended = reload_message(message)
    assert (ended.state, ended.trouble, ended.trouble_text) == (
        "refused",
        "declined",
        "no template",
    )
    assert outbox.requeue_message(ended)
    senders.send_due()
    assert reload_message(message).state == "sent"


def test_the_second_service_sends_what_the_first_cannot(settings, sms_service) -> None:
    first = Eskiz("eskiz", DEAD_URL, "user", "secret")
    second = PlayMobile("playmobile", sms_service.url, "user", "secret", "3700")
    message = queue_message(settings)
    SmsSender([first, second]).send_due()
    sent = reload_message(message)
    assert (sent.state, sent.gateway, sent.perhaps_twice) == ("sent", "playmobile", False)


def test_without_a_service_a_message_waits_and_expires(settings) -> None:
    message = queue_message(settings)
    senders = SmsSender([Eskiz("eskiz", DEAD_URL, "user", "secret")], rest_seconds=0)
    senders.send_due()
    assert (reload_message(message).state, reload_message(message).trouble) == (
        "pending",
        "unreachable",
    )
    Message.update(expires_at=clock.now()).execute()
    senders.send_due()
    assert reload_message(message).state == "expired"
    assert outbox.list_messages("expired", 10) == [message]


def test_a_recipient_gets_messages_in_order(settings, senders, sms_service) -> None:
    sms_service.moods = ["error"]
    queue_message(settings, key="1", text="birinchi")
    queue_message(settings, key="2", text="ikkinchi")
    senders.send_due()
    assert sms_service.messages == []
    make_due_now()
    senders.send_due()
    assert [text for _, text in sms_service.messages] == ["birinchi", "ikkinchi"]


def test_deferred_and_stuck_messages_do_not_block_others(settings, senders) -> None:
    later = outbox.queue_message(
        "sms", "rating", PHONE_NUMBER, key="1", due_at=clock.now() + dt.timedelta(hours=9)
    )
    stuck = outbox.queue_message("sms", "alarm", PHONE_NUMBER, key="2")
    outbox.schedule_retry(outbox.claim_next("sms"), "unapproved", wait_seconds=0)
    Message.update(due_at=clock.now() + dt.timedelta(hours=1)).where(
        Message.id == stuck.id
    ).execute()
    message = queue_message(settings, key="3")
    senders.send_due()
    assert [reload_message(item).state for item in (later, stuck, message)] == [
        "pending",
        "pending",
        "sent",
    ]


def test_a_message_that_ends_during_its_claim_is_not_claimed(settings, monkeypatch) -> None:
    message = queue_message(settings)
    writing, ended = claiming.write_transaction, []

    def deliver_before_lock():
        if not ended:  # a change that another process writes in the meantime
            ended.append(Message.update(state="delivered").execute())
        return writing()

    monkeypatch.setattr(claiming, "write_transaction", deliver_before_lock)
    assert outbox.claim_next("sms") is None
    assert reload_message(message).attempts == 0


def test_a_message_claimed_before_the_lock_counts_for_the_limits(settings, monkeypatch) -> None:
    queue_message(settings)
    writing, claimed = sending.write_transaction, []

    def claim_before_lock():
        if not claimed:  # a claim that another process makes in the meantime
            claimed.append(None)
            claimed.append(outbox.claim_next("sms"))
        return writing()

    monkeypatch.setattr(sending, "write_transaction", claim_before_lock)
    outbox.release_stale_claims()
    assert outbox.recent_attempts("sms", 60) == {PHONE_NUMBER: [claimed[1].tried_at]}


def test_attempts_outside_all_limits_are_deleted(settings, monkeypatch) -> None:
    queue_message(settings)
    outbox.claim_next("sms")
    now = clock.now()
    for away in (dt.timedelta(minutes=6), -dt.timedelta(minutes=6)):
        monkeypatch.setattr(clock, "now", lambda away=away: now + away)
        SendAttempt.insert(channel="sms", recipient=PHONE_NUMBER, at=now).execute()
        outbox.release_stale_claims()
        assert not SendAttempt.select().exists()


def test_a_clock_set_back_does_not_block_messages(settings, sms_service, monkeypatch) -> None:
    right = clock.now()
    monkeypatch.setattr(clock, "now", lambda: right + dt.timedelta(hours=5))
    first, second = (
        queue_message(settings),
        queue_message(settings, key="2", number="+998901112233"),
    )
    SmsSender([Eskiz("eskiz", DEAD_URL, "user", "secret")]).send_due()
    third = queue_message(settings, key="3", number="+998901112244")
    assert [reload_message(m).attempts for m in (first, second, third)] == [1, 0, 0]
    monkeypatch.setattr(clock, "now", lambda: right)
    senders = SmsSender([Eskiz("eskiz", sms_service.url, "user", "secret")], sleep=lambda _: None)
    assert senders.send_due() == 2
    assert right < reload_message(first).due_at < right + dt.timedelta(minutes=1)  # only its pause
    make_due_now()
    assert senders.send_due() == 1
    assert {reload_message(m).state for m in (first, second, third)} == {"sent"}


def test_a_claim_belongs_to_one_sender(settings) -> None:
    message = queue_message(settings)
    assert outbox.claim_next("sms") == message
    assert outbox.claim_next("sms") is None
    assert outbox.release_stale_claims() == 0
    Message.update(claimed_until=clock.now() - dt.timedelta(seconds=1)).execute()
    assert outbox.release_stale_claims() == 1
    assert reload_message(message).perhaps_twice
    assert outbox.claim_next("sms") == message


def test_the_claim_of_a_dead_process_is_released_at_once(settings) -> None:
    message = queue_message(settings)
    outbox.claim_next("sms")
    Message.update(claimed_by="999999999:1").execute()
    assert outbox.release_stale_claims() == 1
    assert (reload_message(message).state, reload_message(message).perhaps_twice) == (
        "pending",
        True,
    )


def test_a_sender_slower_than_its_claim_does_no_harm(settings) -> None:
    message = queue_message(settings)
    first = outbox.claim_next("sms")
    Message.update(claimed_until=clock.now() - dt.timedelta(seconds=1)).execute()
    outbox.release_stale_claims()
    second = outbox.claim_next("sms")
    outbox.schedule_retry(first, "answer_lost", perhaps_sent=True, gateway="eskiz")
    outbox.mark_refused(first, "declined")
    assert reload_message(message).state == "claimed"  # claimed by the second sender
    outbox.mark_sent(first, "eskiz", "id-1")  # but the message was sent
    outbox.schedule_retry(second, "unreachable")
    assert (reload_message(message).state, reload_message(message).perhaps_twice) == ("sent", True)


def test_while_no_service_answers_other_messages_keep_their_attempts(settings) -> None:
    for number in range(5):
        queue_message(settings, key=str(number), number=f"+99893{number:07}")
    senders = SmsSender([Eskiz("eskiz", DEAD_URL, "user", "secret")], sleep=lambda _: None)
    assert senders.send_due() == 1
    assert senders.send_due() == 0
    assert [m.attempts for m in Message.select().order_by(Message.id)] == [1, 0, 0, 0, 0]
    [queue] = outbox.queue_ages()
    assert (queue.waiting, queue.trouble) == (5, "unreachable")


def test_a_service_that_perhaps_has_a_message_gets_it_again(settings, sms_service) -> None:
    first = Eskiz("eskiz", DEAD_URL, "user", "secret")
    second = PlayMobile("playmobile", sms_service.url, "user", "secret", "3700")
    sms_service.moods = ["lost"]
    message = queue_message(settings)
    SmsSender([first, second], rest_seconds=0).send_due()
    make_due_now()
    first.url = sms_service.url
    SmsSender([first, second], rest_seconds=0).send_due()
    assert (reload_message(message).state, reload_message(message).gateway) == (
        "sent",
        "playmobile",
    )


def test_messages_without_a_report_do_not_block_queries_about_others(
    settings, senders, sms_service
) -> None:
    for number in range(6):
        queue_message(settings, key=str(number), number=f"+99893{number:07}")
    senders.send_due()
    sms_service.states["id-6"] = "DELIVRD"
    assert senders.query_outcomes(limit=4) == 0
    assert senders.query_outcomes(limit=4) == 1


def test_a_message_that_can_wait_is_deferred_to_the_morning(settings, monkeypatch) -> None:
    night = dt.datetime(2026, 11, 24, 23, 30, tzinfo=settings.tz)
    monkeypatch.setattr(clock, "now", lambda: night.astimezone(dt.UTC))
    waits = outbox.queue_sms("missed", PHONE_NUMBER, "x", key="1", tz=settings.tz)
    at_once = outbox.queue_sms("registered", PHONE_NUMBER, "x", key="2", tz=settings.tz)
    assert waits.due_at == dt.datetime(2026, 11, 25, 8, tzinfo=settings.tz)
    assert at_once.due_at == night


def test_messages_queued_by_night_are_sent_in_the_morning(settings, senders, monkeypatch) -> None:
    senders.postpone_waiting = lambda: outbox.postpone_until_morning(settings.tz, settings.messages)
    moment = dt.datetime(2026, 11, 24, 20, 50, tzinfo=settings.tz)
    monkeypatch.setattr(clock, "now", lambda: moment.astimezone(dt.UTC))
    waits = outbox.queue_sms("answered", PHONE_NUMBER, "x", key="1", tz=settings.tz)
    outbox.schedule_retry(outbox.claim_next("sms"), "unreachable")
    moment = moment.replace(hour=23)
    at_once = outbox.queue_sms("registered", PHONE_NUMBER, "x", key="2", tz=settings.tz)
    senders.send_due()
    assert (reload_message(waits).state, reload_message(at_once).state) == ("pending", "sent")
    assert [(queue.waiting, queue.oldest) for queue in outbox.queue_ages()] == []
    moment = dt.datetime(2026, 11, 25, 8, tzinfo=settings.tz)
    senders.send_due()
    assert reload_message(waits).state == "sent"


def test_sending_stops_when_the_night_begins(settings, senders, monkeypatch) -> None:
    evening = dt.datetime(2026, 11, 24, 20, 59, 58, tzinfo=settings.tz)
    moment = [evening]
    monkeypatch.setattr(clock, "now", lambda: moment[0].astimezone(dt.UTC))
    senders.postpone_waiting = lambda: outbox.postpone_until_morning(settings.tz, settings.messages)
    senders.monotonic = lambda: moment.append(moment.pop() + dt.timedelta(seconds=1)) or 0.0
    for key in range(4):
        number = f"+99893555000{key}"
        outbox.queue_sms("answered", number, "x", key=str(key), tz=settings.tz)
    senders.send_due()
    states = [message.state for message in Message.select().order_by(Message.id)]
    assert states == ["sent", "sent", "pending", "pending"]


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=5), dt.timedelta(days=365)])
def test_messages_deferred_by_a_fast_clock_are_sent_the_next_morning(
    settings, senders, monkeypatch, ahead
) -> None:
    moment = [dt.datetime(2026, 11, 24, 21, 5, tzinfo=settings.tz) + ahead]
    monkeypatch.setattr(clock, "now", lambda: moment[0].astimezone(dt.UTC))
    senders.postpone_waiting = lambda: outbox.postpone_until_morning(settings.tz, settings.messages)
    message = outbox.queue_sms("answered", PHONE_NUMBER, "x", key="5", tz=settings.tz)
    moment[0] -= ahead
    senders.send_due()
    assert reload_message(message).state == "pending"
    moment[0] = dt.datetime(2026, 11, 25, 8, tzinfo=settings.tz)
    senders.send_due()
    assert reload_message(message).state == "sent"


def test_after_a_fast_clock_order_hours_and_ages_are_right(settings, monkeypatch) -> None:
    right = dt.datetime(2026, 11, 24, 23, 30, tzinfo=settings.tz).astimezone(dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: right + dt.timedelta(hours=17))
    first = outbox.queue_sms("answered", PHONE_NUMBER, "x", key="1", tz=settings.tz)
    retried = outbox.queue_sms("answered", "+998901112233", "x", key="2", tz=settings.tz)
    outbox.claim_next("sms", excluded_recipients=[PHONE_NUMBER])
    outbox.schedule_retry(reload_message(retried), "unreachable")
    alert = outbox.queue_message("telegram", "alert", "-5", key="3")
    monkeypatch.setattr(clock, "now", lambda: right)
    later_message = outbox.queue_message("telegram", "taken", "-5", key="4")
    for _ in range(2):
        outbox.release_stale_claims()
        outbox.postpone_until_morning(settings.tz, settings.messages)
    assert outbox.claim_next("sms") is None
    assert {
        reload_message(item).due_at.astimezone(settings.tz).hour for item in (first, retried)
    } == {8}
    assert [queue.oldest.total_seconds() for queue in outbox.queue_ages()] == [0]
    assert outbox.claim_next("telegram") == alert
    assert outbox.claim_next("telegram") is None  # `later_message` comes after it
    assert reload_message(later_message).state == "pending"


def test_a_clock_that_is_briefly_slow_ends_no_message(settings, senders, monkeypatch) -> None:
    right = clock.now()
    later = outbox.queue_message(
        "sms", "answered", PHONE_NUMBER, key="1", due_at=right + dt.timedelta(hours=9)
    )
    alert = outbox.queue_message("ministry", "registered", "system", key="2")
    monkeypatch.setattr(clock, "now", lambda: right - dt.timedelta(days=600))
    outbox.release_stale_claims()
    outbox.expire_messages()
    monkeypatch.setattr(clock, "now", lambda: right + dt.timedelta(seconds=5))
    outbox.expire_messages()
    assert [reload_message(item).state for item in (later, alert)] == ["pending", "pending"]


def test_a_number_is_not_flooded(settings) -> None:
    most = settings.messages.per_number
    sent = [queue_message(settings, key=str(i)) for i in range(3 * most)]
    days = [round((message.due_at - clock.now()) / dt.timedelta(days=1)) for message in sent]
    assert days == [0] * most + [1] * most + [2] * most


def test_a_message_sent_again_by_hand_is_due_now(settings, monkeypatch) -> None:
    """A message that still waits keeps its place in the order; one that ended gets a new place."""
    waiting, refused = (
        queue_message(settings, key="waiting"),
        queue_message(settings, key="refused"),
    )
    Message.update(state="refused").where(Message.id == refused.id).execute()
    later = clock.now() + dt.timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert outbox.requeue_message(Message.get_by_id(waiting.id), "farhod")
    assert outbox.requeue_message(Message.get_by_id(refused.id), "farhod")
    waiting, refused = (Message.get_by_id(row.id) for row in (waiting, refused))
    assert (waiting.wanted_at, waiting.due_at) == (waiting.created_at, later)
    assert (refused.wanted_at, refused.due_at, refused.state) == (later, later, "pending")
    assert waiting.expires_at >= later + dt.timedelta(days=1)
    assert refused.payload["tries"] == 1
    assert "tries" not in waiting.payload


def test_a_callback_notice_expires_after_two_hours(settings) -> None:
    message = outbox.queue_sms("callback", PHONE_NUMBER, "x", key="1", tz=settings.tz)
    assert message.expires_at - message.due_at == dt.timedelta(hours=2)
    for key in range(settings.messages.per_number):
        queue_message(settings, key=f"more {key}")
    put_off = outbox.queue_sms("callback", PHONE_NUMBER, "x", key="2", tz=settings.tz)
    # it is reported as too late, and not sent a day later
    assert put_off.expires_at < put_off.due_at


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("o'" * 80, 1),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("oʻ" * 36, 2),
    ],
)
def test_a_text_is_split_into_parts(text: str, parts: int) -> None:
    assert outbox.part_count(text) == parts


def test_many_messages_with_killed_senders_are_all_sent(settings, sms_service) -> None:
    """Every message reaches the service at least once, twice only if marked perhaps twice."""
    dice = random.Random(7)  # noqa: S311
    total = 200
    for number in range(total):
        queue_message(settings, key=str(number), number=f"+99893{number:07}", text=str(number))
    moods = ["ok", "ok", "ok", "lost", "error", "html", "log_in"]
    senders = SmsSender(
        [Eskiz("eskiz", sms_service.url, "user", "secret")], rest_seconds=0, sleep=lambda _: None
    )
    while Message.select().where(Message.state.in_(outbox.OPEN_STATES)).exists():
        sms_service.moods = dice.choices(moods, k=50)
        if dice.random() < 0.3 and (message := outbox.claim_next("sms")):
            if dice.random() < 0.5:  # killed after the service accepted it
                sms_service.moods = []
                senders.gateways[0].send(message.recipient, message.text, "")
            Message.update(claimed_until=clock.now() - dt.timedelta(seconds=1)).where(
                Message.id == message.id
            ).execute()
        make_due_now()
        senders.send_due()
    deliveries = Counter(text for _, text in sms_service.messages)
    assert set(deliveries) == {str(number) for number in range(total)}
    twice = {text for text, count in deliveries.items() if count > 1}
    declared = {m.text for m in Message.select().where(Message.perhaps_twice)}
    assert twice <= declared
    assert Message.select().where(Message.state == "sent").count() == total


def test_the_oldest_wait_is_reported(settings) -> None:
    assert outbox.queue_ages() == []
    queue_message(settings, key="1")
    queue_message(settings, key="2")
    [queue] = outbox.queue_ages()
    assert (queue.channel, queue.waiting) == ("sms", 2)
    assert dt.timedelta() <= queue.oldest < dt.timedelta(minutes=1)


def test_a_failed_attempt_does_not_shorten_the_wait(settings, sms_service, monkeypatch) -> None:
    began, late = clock.now(), dt.timedelta(minutes=40)
    message = queue_message(settings)
    sms_service.default_mood = lambda _: "error"
    gateway = Eskiz("eskiz", sms_service.url, "user", "secret")
    monkeypatch.setattr(clock, "now", lambda: began + late)
    SmsSender([gateway], rest_seconds=0).send_due()
    assert reload_message(message).due_at > clock.now()
    [queue] = outbox.queue_ages()
    assert (queue.waiting, queue.trouble) == (1, "server_error")
    assert late - dt.timedelta(seconds=5) < queue.oldest < late + dt.timedelta(seconds=5)
    assert [check.state for check in health.messages.check_outbox(settings)] == ["warn"]


def test_a_message_deferred_to_the_morning_is_not_late_before_it(settings) -> None:
    morning = clock.now() + dt.timedelta(hours=9)
    later = outbox.queue_message("sms", "missed", "+998935550147", key="1", due_at=morning)
    assert outbox.queue_ages() == []
    assert outbox.requeue_message(later)
    [queue] = outbox.queue_ages()
    assert queue.oldest < dt.timedelta(minutes=1)


def test_a_report_of_an_earlier_attempt_does_not_end_the_next(settings, sms_service) -> None:
    senders = SmsSender([PlayMobile("playmobile", sms_service.url, "user", "secret", "3700")])
    message = queue_message(settings)
    senders.send_due()
    first = outbox.gateway_key(reload_message(message))
    assert outbox.record_delivery_report("playmobile", first, "refused", is_own_key=True)
    assert outbox.requeue_message(reload_message(message))
    assert outbox.record_delivery_report(
        "playmobile", first, "refused", is_own_key=True
    )  # reported twice
    assert reload_message(message).state == "pending"
    senders.send_due()
    second = outbox.gateway_key(reload_message(message))
    assert second != first
    outbox.record_delivery_report("playmobile", second, "delivered", is_own_key=True)
    assert reload_message(message).state == "delivered"


def test_a_report_with_our_key_may_precede_the_answer(settings, sms_service) -> None:
    message = queue_message(settings)
    Message.update(
        gateway="eskiz"
    ).execute()  # this service perhaps has the message; the attempt there is abandoned
    key = outbox.gateway_key(message)
    assert not outbox.record_delivery_report("playmobile", key, "delivered", is_own_key=True)
    assert not outbox.record_delivery_report("playmobile", "m99999", "delivered", is_own_key=True)
    assert not outbox.record_delivery_report("playmobile", "nonsense", "delivered", is_own_key=True)
    SmsSender([PlayMobile("playmobile", sms_service.url, "user", "secret", "3700")]).send_due()
    assert reload_message(message).state == "delivered"
    assert not EarlyReport.select().exists()
