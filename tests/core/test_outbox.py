"""Messages out of the box: once, in order, through services that fail in every way."""

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
from appliance.messaging.sms.sender import Senders
from appliance.models import EarlyReport, Message, SendAttempt
from tests.rig.fakes.sms import Service, service

NUMBER = "+998935550147"
NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def far() -> Iterator[Service]:
    with service() as running:
        yield running


@pytest.fixture
def senders(settings: Settings, far: Service) -> Senders:
    return Senders([Eskiz("eskiz", far.url, "user", "secret")], rest=0, pause=lambda _: None)


def put(settings: Settings, key: str = "1", number: str = NUMBER, text: str = "Salom") -> Message:
    message = outbox.put_sms("registered", number, text, key=key, tz=settings.tz)
    assert message
    return message


def again(message: Message) -> Message:
    return Message.get_by_id(message.id)


def due_now() -> None:
    Message.update(due_at=clock.now()).where(Message.state == "pending").execute()


def test_a_message_goes_out_and_is_delivered(settings, senders, far) -> None:
    message = put(settings, text="Murojaatingiz  qabul qilindi: oʻn kun")
    assert senders.send_due() == 1
    assert far.took == [("998935550147", "Murojaatingiz qabul qilindi: o'n kun")]
    assert again(message).state == "sent"
    assert senders.ask_what_became() == 0
    far.states["id-1"] = "DELIVRD"
    assert senders.ask_what_became() == 1
    assert again(message).state == "delivered"


def test_the_same_thing_is_told_once(settings, senders, far) -> None:
    assert put(settings).id == put(settings).id
    senders.send_due()
    put(settings)
    senders.send_due()
    assert len(far.took) == 1


@pytest.mark.parametrize("mood", ["lost", "html", "error"])
def test_a_lost_answer_is_sent_again_and_said_to_be_perhaps_two(
    settings, senders, far, mood
) -> None:
    far.moods = [mood]
    message = put(settings)
    senders.send_due()
    waiting = again(message)
    assert (waiting.state, waiting.perhaps_twice) == ("pending", True)
    assert waiting.due_at > clock.now()
    due_now()
    senders.send_due()
    assert (again(message).state, again(message).attempts) == ("sent", 2)


def test_a_token_that_ran_out_is_got_anew(settings, senders, far) -> None:
    put(settings)
    senders.send_due()
    far.tokens.clear()
    message = put(settings, key="2")
    senders.send_due()
    assert again(message).state == "sent"
    assert far.log_ins == 2


def test_a_refusal_ends_it_with_the_service_s_words(settings, senders, far) -> None:
    far.moods = ["declined"]
    message = put(settings)
    senders.send_due()
    ended = again(message)
    assert (ended.state, ended.trouble, ended.trouble_text) == (
        "refused",
        "declined",
        "no template",
    )
    assert outbox.try_again(ended)
    senders.send_due()
    assert again(message).state == "sent"


def test_the_second_service_takes_what_the_first_cannot(settings, far) -> None:
    first = Eskiz("eskiz", NOBODY, "user", "secret")
    second = PlayMobile("playmobile", far.url, "user", "secret", "3700")
    message = put(settings)
    Senders([first, second]).send_due()
    sent = again(message)
    assert (sent.state, sent.gateway, sent.perhaps_twice) == ("sent", "playmobile", False)


def test_without_any_service_it_waits_and_expires_in_the_list(settings) -> None:
    message = put(settings)
    senders = Senders([Eskiz("eskiz", NOBODY, "user", "secret")], rest=0)
    senders.send_due()
    assert (again(message).state, again(message).trouble) == ("pending", "unreachable")
    Message.update(expires_at=clock.now()).execute()
    senders.send_due()
    assert again(message).state == "expired"
    assert outbox.listed("expired", 10) == [message]


def test_one_recipient_hears_in_order(settings, senders, far) -> None:
    far.moods = ["error"]
    put(settings, key="1", text="birinchi")
    put(settings, key="2", text="ikkinchi")
    senders.send_due()
    assert far.took == []
    due_now()
    senders.send_due()
    assert [text for _, text in far.took] == ["birinchi", "ikkinchi"]


def test_what_may_not_go_yet_or_not_at_all_holds_up_nothing(settings, senders) -> None:
    later = outbox.put("sms", "rating", NUMBER, key="1", due_at=clock.now() + dt.timedelta(hours=9))
    stuck = outbox.put("sms", "alarm", NUMBER, key="2")
    outbox.retry(outbox.claim("sms"), "unapproved", wait=0)
    Message.update(due_at=clock.now() + dt.timedelta(hours=1)).where(
        Message.id == stuck.id
    ).execute()
    message = put(settings, key="3")
    senders.send_due()
    assert [again(one).state for one in (later, stuck, message)] == ["pending", "pending", "sent"]


def test_a_message_that_ends_while_it_is_claimed_is_left_alone(settings, monkeypatch) -> None:
    message = put(settings)
    writing, ended = claiming.writing, []

    def wait_for_the_lock():
        if not ended:  # what another process wrote meanwhile
            ended.append(Message.update(state="delivered").execute())
        return writing()

    monkeypatch.setattr(claiming, "writing", wait_for_the_lock)
    assert outbox.claim("sms") is None
    assert again(message).attempts == 0


def test_what_is_sent_while_others_wait_for_the_lock_counts_for_the_limits(
    settings, monkeypatch
) -> None:
    put(settings)
    writing, claimed = sending.writing, []

    def wait_for_the_lock():
        if not claimed:  # what another process did meanwhile
            claimed.append(None)
            claimed.append(outbox.claim("sms"))
        return writing()

    monkeypatch.setattr(sending, "writing", wait_for_the_lock)
    outbox.recover()
    assert outbox.tried("sms", 60) == {NUMBER: [claimed[1].tried_at]}


def test_attempts_that_no_limit_asks_about_are_forgotten(settings, monkeypatch) -> None:
    put(settings)
    outbox.claim("sms")
    now = clock.now()
    for away in (dt.timedelta(minutes=6), -dt.timedelta(minutes=6)):
        monkeypatch.setattr(clock, "now", lambda away=away: now + away)
        SendAttempt.insert(channel="sms", recipient=NUMBER, at=now).execute()
        outbox.recover()
        assert not SendAttempt.select().exists()


def test_a_clock_that_was_put_back_holds_up_nothing(settings, far, monkeypatch) -> None:
    right = clock.now()
    monkeypatch.setattr(clock, "now", lambda: right + dt.timedelta(hours=5))
    first, second = put(settings), put(settings, key="2", number="+998901112233")
    Senders([Eskiz("eskiz", NOBODY, "user", "secret")]).send_due()
    third = put(settings, key="3", number="+998901112244")
    assert [again(m).attempts for m in (first, second, third)] == [1, 0, 0]
    monkeypatch.setattr(clock, "now", lambda: right)
    senders = Senders([Eskiz("eskiz", far.url, "user", "secret")], pause=lambda _: None)
    assert senders.send_due() == 2
    assert right < again(first).due_at < right + dt.timedelta(minutes=1)  # its pause, no more
    due_now()
    assert senders.send_due() == 1
    assert {again(m).state for m in (first, second, third)} == {"sent"}


def test_a_claim_is_one_sender_s(settings) -> None:
    message = put(settings)
    assert outbox.claim("sms") == message
    assert outbox.claim("sms") is None
    assert outbox.recover() == 0
    Message.update(claimed_until=clock.now() - dt.timedelta(seconds=1)).execute()
    assert outbox.recover() == 1
    assert again(message).perhaps_twice
    assert outbox.claim("sms") == message


def test_what_a_dead_process_had_claimed_is_given_back_at_once(settings) -> None:
    message = put(settings)
    outbox.claim("sms")
    Message.update(claimed_by="999999999:1").execute()
    assert outbox.recover() == 1
    assert (again(message).state, again(message).perhaps_twice) == ("pending", True)


def test_a_sender_slower_than_its_claim_spoils_nothing(settings) -> None:
    message = put(settings)
    first = outbox.claim("sms")
    Message.update(claimed_until=clock.now() - dt.timedelta(seconds=1)).execute()
    outbox.recover()
    second = outbox.claim("sms")
    outbox.retry(first, "answer_lost", perhaps_sent=True, by="eskiz")
    outbox.declined(first, "declined")
    assert again(message).state == "claimed"  # the second one's
    outbox.sent(first, "eskiz", "id-1")  # but what went out went out
    outbox.retry(second, "unreachable")
    assert (again(message).state, again(message).perhaps_twice) == ("sent", True)


def test_while_nobody_takes_messages_the_others_keep_their_attempts(settings) -> None:
    for number in range(5):
        put(settings, key=str(number), number=f"+99893{number:07}")
    senders = Senders([Eskiz("eskiz", NOBODY, "user", "secret")], pause=lambda _: None)
    assert senders.send_due() == 1
    assert senders.send_due() == 0
    assert [m.attempts for m in Message.select().order_by(Message.id)] == [1, 0, 0, 0, 0]
    [queue] = outbox.ages()
    assert (queue.waiting, queue.trouble) == (5, "unreachable")


def test_what_perhaps_has_a_message_gets_it_again(settings, far) -> None:
    first = Eskiz("eskiz", NOBODY, "user", "secret")
    second = PlayMobile("playmobile", far.url, "user", "secret", "3700")
    far.moods = ["lost"]
    message = put(settings)
    Senders([first, second], rest=0).send_due()
    due_now()
    first.url = far.url
    Senders([first, second], rest=0).send_due()
    assert (again(message).state, again(message).gateway) == ("sent", "playmobile")


def test_those_that_nobody_tells_of_keep_no_others_from_being_asked(settings, senders, far) -> None:
    for number in range(6):
        put(settings, key=str(number), number=f"+99893{number:07}")
    senders.send_due()
    far.states["id-6"] = "DELIVRD"
    assert senders.ask_what_became(limit=4) == 0
    assert senders.ask_what_became(limit=4) == 1


def test_what_can_wait_waits_for_the_morning(settings, monkeypatch) -> None:
    night = dt.datetime(2026, 11, 24, 23, 30, tzinfo=settings.tz)
    monkeypatch.setattr(clock, "now", lambda: night.astimezone(dt.UTC))
    waits = outbox.put_sms("missed", NUMBER, "x", key="1", tz=settings.tz)
    at_once = outbox.put_sms("registered", NUMBER, "x", key="2", tz=settings.tz)
    assert waits.due_at == dt.datetime(2026, 11, 25, 8, tzinfo=settings.tz)
    assert at_once.due_at == night


def test_what_has_piled_up_by_night_goes_in_the_morning(settings, senders, monkeypatch) -> None:
    senders.put_off = lambda: outbox.wait_for_morning(settings.tz, settings.messages)
    moment = dt.datetime(2026, 11, 24, 20, 50, tzinfo=settings.tz)
    monkeypatch.setattr(clock, "now", lambda: moment.astimezone(dt.UTC))
    waits = outbox.put_sms("answered", NUMBER, "x", key="1", tz=settings.tz)
    outbox.retry(outbox.claim("sms"), "unreachable")
    moment = moment.replace(hour=23)
    at_once = outbox.put_sms("registered", NUMBER, "x", key="2", tz=settings.tz)
    senders.send_due()
    assert (again(waits).state, again(at_once).state) == ("pending", "sent")
    assert [(queue.waiting, queue.oldest) for queue in outbox.ages()] == []
    moment = dt.datetime(2026, 11, 25, 8, tzinfo=settings.tz)
    senders.send_due()
    assert again(waits).state == "sent"


def test_what_goes_out_as_night_falls_stops_there(settings, senders, monkeypatch) -> None:
    evening = dt.datetime(2026, 11, 24, 20, 59, 58, tzinfo=settings.tz)
    moment = [evening]
    monkeypatch.setattr(clock, "now", lambda: moment[0].astimezone(dt.UTC))
    senders.put_off = lambda: outbox.wait_for_morning(settings.tz, settings.messages)
    senders.tick = lambda: moment.append(moment.pop() + dt.timedelta(seconds=1)) or 0.0
    for key in range(4):
        number = f"+99893555000{key}"
        outbox.put_sms("answered", number, "x", key=str(key), tz=settings.tz)
    senders.send_due()
    states = [message.state for message in Message.select().order_by(Message.id)]
    assert states == ["sent", "sent", "pending", "pending"]


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=5), dt.timedelta(days=365)])
def test_what_a_clock_that_was_ahead_put_off_goes_the_next_morning(
    settings, senders, monkeypatch, ahead
) -> None:
    moment = [dt.datetime(2026, 11, 24, 21, 5, tzinfo=settings.tz) + ahead]
    monkeypatch.setattr(clock, "now", lambda: moment[0].astimezone(dt.UTC))
    senders.put_off = lambda: outbox.wait_for_morning(settings.tz, settings.messages)
    message = outbox.put_sms("answered", NUMBER, "x", key="5", tz=settings.tz)
    moment[0] -= ahead
    senders.send_due()
    assert again(message).state == "pending"
    moment[0] = dt.datetime(2026, 11, 25, 8, tzinfo=settings.tz)
    senders.send_due()
    assert again(message).state == "sent"


def test_after_a_clock_was_ahead_order_hours_and_ages_hold(settings, monkeypatch) -> None:
    right = dt.datetime(2026, 11, 24, 23, 30, tzinfo=settings.tz).astimezone(dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: right + dt.timedelta(hours=17))
    first = outbox.put_sms("answered", NUMBER, "x", key="1", tz=settings.tz)
    tried = outbox.put_sms("answered", "+998901112233", "x", key="2", tz=settings.tz)
    outbox.claim("sms", besides=[NUMBER])
    outbox.retry(again(tried), "unreachable")
    alert = outbox.put("telegram", "alert", "-5", key="3")
    monkeypatch.setattr(clock, "now", lambda: right)
    taken = outbox.put("telegram", "taken", "-5", key="4")
    for _ in range(2):
        outbox.recover()
        outbox.wait_for_morning(settings.tz, settings.messages)
    assert outbox.claim("sms") is None
    assert {again(one).due_at.astimezone(settings.tz).hour for one in (first, tried)} == {8}
    assert [queue.oldest.total_seconds() for queue in outbox.ages()] == [0]
    assert outbox.claim("telegram") == alert
    assert outbox.claim("telegram") is None  # `taken` comes after it
    assert again(taken).state == "pending"


def test_a_clock_that_is_behind_for_a_moment_ends_nothing(settings, senders, monkeypatch) -> None:
    right = clock.now()
    later = outbox.put("sms", "answered", NUMBER, key="1", due_at=right + dt.timedelta(hours=9))
    alert = outbox.put("ministry", "registered", "system", key="2")
    monkeypatch.setattr(clock, "now", lambda: right - dt.timedelta(days=600))
    outbox.recover()
    outbox.expire()
    monkeypatch.setattr(clock, "now", lambda: right + dt.timedelta(seconds=5))
    outbox.expire()
    assert [again(one).state for one in (later, alert)] == ["pending", "pending"]


def test_a_number_is_not_flooded(settings) -> None:
    most = settings.messages.per_number
    sent = [put(settings, key=str(i)) for i in range(3 * most)]
    days = [round((message.due_at - clock.now()) / dt.timedelta(days=1)) for message in sent]
    assert days == [0] * most + [1] * most + [2] * most


def test_a_message_sent_again_by_hand_is_wanted_from_now_on(settings, monkeypatch) -> None:
    """One that still waits keeps its place among the others; one that ended gets a new one."""
    waiting, refused = put(settings, key="waiting"), put(settings, key="refused")
    Message.update(state="refused").where(Message.id == refused.id).execute()
    later = clock.now() + dt.timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert outbox.try_again(Message.get_by_id(waiting.id), "farhod")
    assert outbox.try_again(Message.get_by_id(refused.id), "farhod")
    waiting, refused = (Message.get_by_id(row.id) for row in (waiting, refused))
    assert (waiting.wanted_at, waiting.due_at) == (waiting.created_at, later)
    assert (refused.wanted_at, refused.due_at, refused.state) == (later, later, "pending")
    assert waiting.expires_at >= later + dt.timedelta(days=1)
    assert refused.payload["tries"] == 1
    assert "tries" not in waiting.payload


def test_that_a_call_comes_is_of_no_use_hours_later(settings) -> None:
    message = outbox.put_sms("callback", NUMBER, "x", key="1", tz=settings.tz)
    assert message.expires_at - message.due_at == dt.timedelta(hours=2)
    for key in range(settings.messages.per_number):
        put(settings, key=f"more {key}")
    put_off = outbox.put_sms("callback", NUMBER, "x", key="2", tz=settings.tz)
    assert put_off.expires_at < put_off.due_at  # it is told as too late, and not a day after


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
def test_parts(text: str, parts: int) -> None:
    assert outbox.segments(text) == parts


def test_a_storm_with_killed_senders_loses_nothing(settings, far) -> None:
    """Every message reaches the service at least once; twice only where the list says perhaps."""
    dice = random.Random(7)  # noqa: S311
    total = 200
    for number in range(total):
        put(settings, key=str(number), number=f"+99893{number:07}", text=str(number))
    moods = ["ok", "ok", "ok", "lost", "error", "html", "log_in"]
    senders = Senders([Eskiz("eskiz", far.url, "user", "secret")], rest=0, pause=lambda _: None)
    while Message.select().where(Message.state.in_(outbox.OPEN)).exists():
        far.moods = dice.choices(moods, k=50)
        if dice.random() < 0.3 and (message := outbox.claim("sms")):
            if dice.random() < 0.5:  # killed after the service took it
                far.moods = []
                senders.gateways[0].send(message.recipient, message.text, "")
            Message.update(claimed_until=clock.now() - dt.timedelta(seconds=1)).where(
                Message.id == message.id
            ).execute()
        due_now()
        senders.send_due()
    heard = Counter(text for _, text in far.took)
    assert set(heard) == {str(number) for number in range(total)}
    twice = {text for text, count in heard.items() if count > 1}
    declared = {m.text for m in Message.select().where(Message.perhaps_twice)}
    assert twice <= declared
    assert Message.select().where(Message.state == "sent").count() == total


def test_the_oldest_wait_is_known(settings) -> None:
    assert outbox.ages() == []
    put(settings, key="1")
    put(settings, key="2")
    [queue] = outbox.ages()
    assert (queue.channel, queue.waiting) == ("sms", 2)
    assert dt.timedelta() <= queue.oldest < dt.timedelta(minutes=1)


def test_a_failed_attempt_makes_no_wait_shorter(settings, far, monkeypatch) -> None:
    began, late = clock.now(), dt.timedelta(minutes=40)
    message = put(settings)
    far.mood = lambda _: "error"
    gateway = Eskiz("eskiz", far.url, "user", "secret")
    monkeypatch.setattr(clock, "now", lambda: began + late)
    Senders([gateway], rest=0).send_due()
    assert again(message).due_at > clock.now()
    [queue] = outbox.ages()
    assert (queue.waiting, queue.trouble) == (1, "server_error")
    assert late - dt.timedelta(seconds=5) < queue.oldest < late + dt.timedelta(seconds=5)
    assert [check.state for check in health.messages.outbox(settings)] == ["warn"]


def test_what_is_put_off_to_the_morning_is_not_late_until_then(settings) -> None:
    morning = clock.now() + dt.timedelta(hours=9)
    later = outbox.put("sms", "missed", "+998935550147", key="1", due_at=morning)
    assert outbox.ages() == []
    assert outbox.try_again(later)
    [queue] = outbox.ages()
    assert queue.oldest < dt.timedelta(minutes=1)


def test_a_report_of_an_earlier_try_does_not_end_the_next(settings, far) -> None:
    senders = Senders([PlayMobile("playmobile", far.url, "user", "secret", "3700")])
    message = put(settings)
    senders.send_due()
    first = outbox.key_of(again(message))
    assert outbox.reported("playmobile", first, "refused", ours=True)
    assert outbox.try_again(again(message))
    assert outbox.reported("playmobile", first, "refused", ours=True)  # told twice
    assert again(message).state == "pending"
    senders.send_due()
    second = outbox.key_of(again(message))
    assert second != first
    outbox.reported("playmobile", second, "delivered", ours=True)
    assert again(message).state == "delivered"


def test_a_report_by_our_name_may_come_before_the_answer(settings, far) -> None:
    message = put(settings)
    Message.update(gateway="eskiz").execute()  # perhaps has it, and is left in the end
    key = outbox.key_of(message)
    assert not outbox.reported("playmobile", key, "delivered", ours=True)
    assert not outbox.reported("playmobile", "m99999", "delivered", ours=True)
    assert not outbox.reported("playmobile", "nonsense", "delivered", ours=True)
    Senders([PlayMobile("playmobile", far.url, "user", "secret", "3700")]).send_due()
    assert again(message).state == "delivered"
    assert not EarlyReport.select().exists()
