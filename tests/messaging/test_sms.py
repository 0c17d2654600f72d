"""SMS accounts that replace each other, approved texts, messages to callers, and their replies."""

import dataclasses
import datetime as dt
import random
from collections import Counter

import pytest

from appliance.box import health
from appliance.core import clock, db, outbox
from appliance.core.delivery import (
    DeclinedError,
    NotSentError,
    Receipt,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.settings import Messages, SmsAccount
from appliance.messaging.notices import callers, citizens, ratings, texts
from appliance.messaging.sms import account_health, incoming, rules
from appliance.messaging.sms.gateway import Incoming, SmsGateway
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.modem import Modem
from appliance.messaging.sms.providers.smpp import Smpp
from appliance.messaging.sms.sender import SmsSender, build_sender
from appliance.models import Call, FollowUp, Message, SmsHealth, SmsOptOut, SmsRating
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.fakes.message_centre import run_message_centre
from tests.rig.fakes.modem import run_modem
from tests.rig.fakes.sms import run_sms_service
from tests.rig.rules import RULES
from tests.rig.waiting import wait_until

NUMBER = "+998935550147"
NOON = dt.datetime(2026, 11, 26, 7, 0, tzinfo=dt.UTC)  # 12:00 in Tashkent


class ScriptedGateway(SmsGateway):
    """A gateway with scripted results: each send raises the next trouble or accepts."""

    def __init__(self, name: str, *troubles: Exception | None) -> None:
        self.name, self.troubles, self.took = name, list(troubles), []

    def send(self, number: str, text: str, key: str) -> Receipt:
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble
        self.took.append(text)
        return Receipt(f"{self.name}{len(self.took)}")


class ManualClock:
    """The site's clock, which only the test advances."""

    def __init__(self) -> None:
        self.now = NOON

    def advance(self, **more: float) -> None:
        self.now += dt.timedelta(**more)


@pytest.fixture
def time(monkeypatch) -> ManualClock:
    manual_clock = ManualClock()
    monkeypatch.setattr(clock, "now", lambda: manual_clock.now)
    return manual_clock


@pytest.fixture
def site(settings):
    """A site with an account that requires approved texts, and one that receives replies."""
    first = SmsAccount("first", "playmobile", "http://127.0.0.1:9", approval=True)
    second = SmsAccount("second", "smpp", "127.0.0.1:9", replies=True)
    link = Messages(public_url="https://hotline.example")
    return dataclasses.replace(settings, sms=(first, second), messages=link)


def queue_sms(settings, key="1", purpose="registered", number=NUMBER) -> Message:
    message = outbox.queue_sms(purpose, number, "Salom", key=key, tz=settings.tz)
    assert message
    return message


def patient_senders(settings) -> SmsSender:
    """The senders of the site, with a minute to wait for each answer over a line."""
    sending = build_sender(settings)
    for gateway in sending.gateways:
        gateway.answer_seconds = gateway.network_seconds = 60
    return sending


def reload_message(message: Message) -> Message:
    return Message.get_by_id(message.id)


def create_ended_call(id="1.1", **changes) -> Call:
    values = {
        "direction": "inbound",
        "arrived_at": clock.now() - dt.timedelta(minutes=5),
        "ended_at": clock.now() - dt.timedelta(minutes=1),
        "stage": "ended",
        "outcome": "answered",
        "ended_by": "caller",
        "caller": NUMBER,
        "language": "uz",
    }
    return Call.create(id=id, **values | changes)


def create_follow_up(id="2.1", kind="queue", number=NUMBER, **changes) -> FollowUp:
    missed_at = clock.now() - dt.timedelta(minutes=2)
    values = {"number": number, "kind": kind, "call_id": id, "calls": 1, "language": "uz"}
    return FollowUp.create(
        **values | dict.fromkeys(("opened_at", "missed_at", "joined_at"), missed_at) | changes
    )


def messages_for(purpose: str) -> list[Message]:
    return list(Message.select().where(Message.purpose == purpose).order_by(Message.id))


# accounts


def test_the_next_account_takes_over_until_the_first_works_again(settings, time) -> None:
    down = NotSentError("log_in", "no such user")
    first, second = ScriptedGateway("first", down, down), ScriptedGateway("second")
    sending = SmsSender([first, second])
    queue_sms(settings, "1")
    sending.send_due()
    queue_sms(settings, "2")
    sending.send_due()  # the first account is skipped, no request is made to it
    assert (len(first.troubles), len(second.took)) == (1, 2)
    time.advance(seconds=61)
    queue_sms(settings, "3")
    sending.send_due()  # tried again, fails again, and is paused for longer
    time.advance(seconds=61)
    queue_sms(settings, "4")
    sending.send_due()
    assert (first.took, len(second.took)) == ([], 4)
    row = SmsHealth.get_by_id("first")
    assert (row.failures, row.trouble, row.failing_since) == (2, "log_in", NOON)
    time.advance(seconds=61)
    queue_sms(settings, "5")
    sending.send_due()
    assert len(first.took) == 1
    row = SmsHealth.get_by_id("first")
    assert (row.failures, row.held_until, row.trouble) == (0, None, "")


def test_with_every_account_paused_the_queue_waits(settings, time) -> None:
    sending = SmsSender([ScriptedGateway("only", NotSentError("unreachable"))])
    queue_sms(settings)
    sending.send_due()
    second = queue_sms(settings, "2", number="+998901112233")
    time.advance(seconds=20)
    assert sending.send_due() == 0
    assert reload_message(second).attempts == 0
    time.advance(seconds=11)  # after an internet fault it is retried often
    assert sending.send_due() == 2


def test_a_busy_account_counts_no_failure_and_is_waited_for(settings, time) -> None:
    first, second = (
        ScriptedGateway("first", RetryLaterError("too_many", "", 5)),
        ScriptedGateway("second"),
    )
    sending = SmsSender([first, second])
    message = queue_sms(settings)
    sending.send_due()
    assert (reload_message(message).state, reload_message(message).perhaps_twice) == (
        "pending",
        False,
    )
    time.advance(seconds=6)
    sending.send_due()
    assert reload_message(message).gateway == "first"
    assert SmsHealth.get_by_id("first").failures == 0


def test_an_account_that_is_busy_repeatedly_is_skipped(site, time) -> None:
    first, second = (
        ScriptedGateway("first", *[RetryLaterError("too_many", "throttled", 25)] * 4),
        ScriptedGateway("second"),
    )
    sending = SmsSender([first, second])
    message = queue_sms(site)
    states = []
    for _ in range(3):
        sending.send_due()
        states.append(account_health.account_statuses(site)[0].state)
        time.advance(seconds=26)
    assert states == ["busy", "busy", "held"]
    assert (reload_message(message).state, reload_message(message).gateway) == ("sent", "second")
    time.advance(seconds=60)
    queue_sms(site, "2")
    sending.send_due()  # is tried again, still busy, and paused for longer
    assert (len(first.troubles), len(second.took)) == (0, 2)
    time.advance(seconds=121)
    queue_sms(site, "3")
    sending.send_due()
    assert (len(first.took), account_health.account_statuses(site)[0].state) == (1, "ok")


def test_a_long_requested_wait_pauses_the_account_for_that_time(site, time) -> None:
    sending = SmsSender([ScriptedGateway("only", RetryLaterError("too_many", "", 300))])
    message = queue_sms(site)
    sending.send_due()
    assert SmsHealth.get_by_id("only").held_until == NOON + dt.timedelta(seconds=300)
    assert reload_message(message).due_at == NOON + dt.timedelta(seconds=300)


def test_a_message_never_acknowledged_goes_to_the_next_account(settings, time) -> None:
    lost = [UncertainDeliveryError("answer_lost")] * 3
    first, second = ScriptedGateway("first", *lost), ScriptedGateway("second")
    sending = SmsSender([first, second])
    message = queue_sms(settings)
    for _ in lost:
        assert reload_message(message).state == "pending"
        Message.update(due_at=clock.now()).where(Message.id == message.id).execute()
        sending.send_due()
    Message.update(due_at=clock.now()).where(Message.id == message.id).execute()
    sending.send_due()
    assert (reload_message(message).gateway, reload_message(message).perhaps_twice) == (
        "second",
        True,
    )


def test_a_declined_message_waits_for_a_paused_account(settings, time) -> None:
    no = DeclinedError("declined", "no template")
    first, second = (
        ScriptedGateway("first", no, no, no),
        ScriptedGateway("second", NotSentError("unreachable")),
    )
    sending = SmsSender([first, second])
    account_health.record_failure("second", NotSentError("unreachable"), 60)
    message = queue_sms(settings)
    sending.send_due()
    assert (reload_message(message).state, reload_message(message).trouble) == (
        "pending",
        "declined",
    )
    time.advance(seconds=61)
    sending.send_due()  # the second account fails
    time.advance(seconds=61)
    sending.send_due()
    assert (reload_message(message).state, reload_message(message).gateway) == ("sent", "second")


def test_a_declined_message_does_not_wait_for_an_account_that_failed_for_long(
    settings, time
) -> None:
    sending = SmsSender(
        [
            ScriptedGateway("first", DeclinedError("declined", "no template")),
            ScriptedGateway("second"),
        ]
    )
    account_health.record_failure("second", NotSentError("no_modem"), 60)
    time.advance(hours=2)
    account_health.record_failure("second", NotSentError("no_modem"), 60)
    message = queue_sms(settings)
    sending.send_due()
    assert (reload_message(message).state, reload_message(message).trouble) == (
        "refused",
        "declined",
    )


def test_the_self_check_fails_when_everything_is_declined(site, time) -> None:
    declined = DeclinedError("declined", "contract ended")
    sending = SmsSender([ScriptedGateway("first", *[declined] * 5)])
    for key in range(5):
        [check] = health.messages.check_sms_accounts(dataclasses.replace(site, sms=site.sms[1:]))
        assert check.state != "fail"
        queue_sms(site, str(key), number=f"+99893555000{key}")
        sending.send_due()
        time.advance(seconds=1)
    [check] = health.messages.check_sms_accounts(dataclasses.replace(site, sms=site.sms[1:]))
    assert (check.state, check.values["said"]) == ("fail", "contract ended")
    queue_sms(site, "6")
    sending.send_due()
    [check] = health.messages.check_sms_accounts(dataclasses.replace(site, sms=site.sms[1:]))
    assert check.state == "ok"


def test_a_second_account_recovers_when_it_answers_again(settings) -> None:
    with run_sms_service() as far, run_message_centre() as line:
        eskiz = SmsAccount("eskiz", "eskiz", far.url, "user", "secret")
        smpp = SmsAccount("line", "smpp", line.url, "hotline", "secret", "1282")
        settings = dataclasses.replace(settings, sms=(eskiz, smpp))
        sending = patient_senders(settings)
        for account in ("eskiz", "line"):
            account_health.record_failure(account, NotSentError("unreachable"), 0)
        sending.receive_messages()
        assert account_health.failing_accounts() == {"eskiz": "unreachable"}
        sending.refresh_balances()
        assert account_health.failing_accounts() == {}
        account_health.record_failure("line", UncertainDeliveryError("answer_lost"), 0, 3)
        sending.receive_messages()  # answering does not show that it accepts messages
        sending.refresh_balances()
        assert account_health.failing_accounts() == {"line": "answer_lost"}
        far.refuses = True
        build_sender(settings).refresh_balances()
        assert account_health.failing_accounts() == {"line": "answer_lost", "eskiz": "log_in"}
        for gateway in sending.gateways:
            gateway.close()


def test_a_modem_silent_while_sending_is_not_healthy_because_it_answers(settings) -> None:
    with run_modem() as far:
        only = SmsAccount("modem", "modem", far.url)
        settings = dataclasses.replace(settings, sms=(only,))
        sending = patient_senders(settings)
        sending.receive_messages()
        account_health.record_failure("modem", NotSentError("no_modem"), 0)
        sending.receive_messages()
        assert account_health.failing_accounts() == {"modem": "no_modem"}
        for gateway in sending.gateways:
            gateway.close()
        new_senders = patient_senders(settings)  # a new process can reach the modem again
        new_senders.receive_messages()
        assert account_health.failing_accounts() == {}
        for gateway in new_senders.gateways:
            gateway.close()


def test_a_modem_that_answers_may_still_have_no_network(settings) -> None:
    with run_modem() as far:
        far.network = "+CREG: 0,2"
        only = SmsAccount("modem", "modem", far.url)
        sending = patient_senders(dataclasses.replace(settings, sms=(only,)))
        queue_sms(settings)
        sending.send_due()
        SmsHealth.update(held_until=None).execute()
        sending.receive_messages()
        assert account_health.failing_accounts() == {"modem": "no_network"}
        for gateway in sending.gateways:
            gateway.close()


def test_each_purpose_has_its_own_order_of_accounts(site, login_as, app) -> None:
    app.config["SITE"] = site
    browser = login_as("technician")
    sent = {"purpose": "duty", "told": "1", "account": "second"}
    assert browser.send("/sms/rules", **sent).status_code == 302
    assert browser.send("/sms/rules", **sent | {"account": "third"}).status_code == 400
    first, second = ScriptedGateway("first"), ScriptedGateway("second")
    order = [g.name for g in rules.sort_by_preference([first, second], "duty")]
    assert order == ["second", "first"]
    assert [g.name for g in rules.sort_by_preference([first, second], "registered")] == [
        "first",
        "second",
    ]


def test_the_page_and_the_self_check_report_faults(site, app, login_as, time) -> None:
    site = dataclasses.replace(
        site, sms=(*site.sms, SmsAccount("third", "eskiz", "http://x", low_balance=5000))
    )
    app.config["SITE"] = site
    account_health.record_failure("second", NotSentError("unreachable", "connection refused"), 60)
    account_health.record_balance("third", 4200)
    account_health.record_success("third")
    page = login_as("manager").get("/sms").text
    assert "connection refused" in page
    assert "4 200" in page.replace("\u00a0", " ").replace("&nbsp;", " ")
    [check] = [c for c in health.all_checks(site) if c.code == "sms"]
    assert (check.state, check.values["accounts"]) == ("warn", "second")
    account_health.record_success("second")
    [check] = [c for c in health.all_checks(site) if c.code == "sms"]
    assert check.values == {"account": "third", "balance": "4200"}


def test_the_balance_is_requested(settings) -> None:
    with run_sms_service() as far:
        account = SmsAccount("eskiz", "eskiz", far.url, "user", "secret")
        build_sender(dataclasses.replace(settings, sms=(account,))).refresh_balances()
    assert SmsHealth.get_by_id("eskiz").balance == 4200


def test_the_modem_replaces_the_service_while_the_internet_is_down(settings, time) -> None:
    with run_sms_service() as far, run_modem() as played:
        eskiz = Eskiz("eskiz", "http://127.0.0.1:9", "user", "secret")
        line = Modem("modem", played.url, answer_seconds=60, network_seconds=60)
        sending = SmsSender([eskiz, line])
        first = queue_sms(settings, "1")
        sending.send_due()
        assert (reload_message(first).gateway, reload_message(first).state) == ("modem", "sent")
        eskiz.url = far.url  # the internet works again
        time.advance(seconds=61)
        queue_sms(settings, "2")
        sending.send_due()
        assert (len(far.messages), len(played.submits)) == (1, 1)
        line.close()


def test_random_faults_of_the_line_lose_no_message(settings, time) -> None:
    """Each message arrives at least once; twice only if the list says "perhaps twice"."""
    dice = random.Random(7)  # noqa: S311
    with run_message_centre() as far:
        line = Smpp("line", far.url, "hotline", "secret", "1282", answer_seconds=60)
        sending = SmsSender([line], rest_seconds=0)
        for number in range(60):
            outbox.queue_sms(
                "registered",
                f"+99893{number:07}",
                str(number),
                key=str(number),
                tz=settings.tz,
            )
        while Message.select().where(Message.state.in_(outbox.OPEN_STATES)).exists():
            far.moods = dice.choices(["ok", "ok", "busy", "cut", "fault"], k=60)
            time.advance(seconds=10)
            Message.update(due_at=clock.now()).where(Message.state == "pending").execute()
            sending.send_due()
        line.close()
    received_counts = Counter(bytes(part.short_message).decode() for part in far.submits)
    assert set(received_counts) == set(map(str, range(60)))
    twice = {text for text, count in received_counts.items() if count > 1}
    assert twice <= {m.text for m in Message.select().where(Message.perhaps_twice)}
    assert Message.select().where(Message.state == "sent").count() == 60


# approved texts


def test_an_unapproved_text_is_sent_by_another_account_or_waits(site, time, app, login_as) -> None:
    app.config["SITE"] = site
    first, second = ScriptedGateway("first"), ScriptedGateway("second")
    by_name = {a.name: a for a in site.sms}

    def notify_missed(key: str) -> Message:
        message = citizens.queue_notice(site, "missed", NUMBER, "uz", {}, key=key)
        assert message
        return message

    both_senders = SmsSender([first, second], accounts=by_name)
    first_only = SmsSender([first], accounts=by_name)
    message = notify_missed("1")
    first_only.send_due()
    assert (reload_message(message).state, reload_message(message).trouble) == (
        "pending",
        "unapproved",
    )
    time.advance(seconds=601)
    both_senders.send_due()
    assert reload_message(message).gateway == "second"
    browser = login_as("technician")
    approval = {"account": "first", "purpose": "missed", "language": "uz"}
    for state in ("waiting", "approved"):
        message = notify_missed(state)
        first_only.send_due()
        assert reload_message(message).trouble == "unapproved"
        Message.delete().execute()
        assert browser.send("/sms/approvals", **approval, state=state).status_code == 302
    assert browser.send("/sms/approvals", **approval, state="maybe").status_code == 400
    message = notify_missed("2")
    first_only.send_due()
    assert reload_message(message).state == "sent"
    # differs from the approved text
    texts.change_text(site, "missed", "uz", "Boshqacha matn", "sherzod")
    message = notify_missed("3")
    first_only.send_due()
    assert reload_message(message).trouble == "unapproved"
    assert "Boshqacha matn" in browser.get("/sms").text


# callers


def test_a_missed_caller_is_notified_once_and_not_at_night(site, time) -> None:
    create_follow_up()
    create_follow_up("2.2", "callback", "+998901112233", language="ru")
    create_follow_up("2.3", "menu", "+998901112244")
    create_follow_up("2.4", number="+998712394141")  # a fixed-line number
    assert callers.send_call_notices(site) == 2
    assert callers.send_call_notices(site) == 0
    assert [m.recipient for m in messages_for("missed")] == [NUMBER]
    assert "перезвоним" in messages_for("callback")[0].text
    time.advance(hours=11)  # 23:00
    create_follow_up("2.5", number="+998901112255")
    assert callers.send_call_notices(site) == 0
    time.advance(hours=9)  # 08:00, and they are still to be called back
    assert callers.send_call_notices(site) == 1


def test_messages_repeated_for_calls_before_a_restore_are_on_hold(site, time) -> None:
    create_follow_up()
    create_ended_call("1.1", caller="+998901112244")
    moments = dict.fromkeys(("created_at", "wanted_at", "due_at", "expires_at"), clock.now())
    Message.create(  # a restore skips numbers in this way
        channel="none", purpose="restore", recipient="", key="none:1", state="delivered", **moments
    )
    time.advance(minutes=5)
    create_follow_up("2.2", number="+998901112233")
    time.advance(minutes=2)
    assert callers.send_call_notices(site) == 3
    states = {
        message.recipient: message.state
        for message in messages_for("missed") + messages_for("rating")
    }
    assert states == {NUMBER: "held", "+998901112244": "held", "+998901112233": "pending"}
    assert callers.send_call_notices(site) == 0
    assert outbox.release_messages(None, "rustam") == 2


def test_disabled_or_unwanted_messages_are_not_queued(site, time) -> None:
    create_follow_up()
    rules.change_rule(site, "missed", False, "", "sherzod")
    assert callers.send_call_notices(site) == 0
    rules.change_rule(site, "missed", True, "", "sherzod")
    citizens.opt_out_number(NUMBER, "sherzod")
    assert callers.send_call_notices(site) == 0
    assert not Message.select().exists()


def test_an_opt_out_after_queueing_stops_the_message(site, time) -> None:
    only = ScriptedGateway("only")
    create_follow_up()
    create_follow_up("2.2", number="+998901112233")
    assert callers.send_call_notices(site) == 2
    status_message = queue_sms(site, "3", purpose="status")
    incoming.handle_message(site, NUMBER, "STOP 1282")
    SmsSender([only]).send_due()
    [opted_out, normal] = messages_for("missed")
    assert (opted_out.state, opted_out.trouble, normal.state) == ("refused", "unwanted", "sent")
    assert reload_message(status_message).state == "sent"


def test_messages_that_would_expire_do_not_use_the_daily_limit(settings, time) -> None:
    limits, sent = Messages(per_day=3), []
    for day in range(4):
        for key in range(6 if day == 0 else 3):
            number = f"+9989355{day}{key:04}"
            message = outbox.queue_sms(
                "missed", number, "x", key=f"{day} {key}", tz=settings.tz, limits=limits
            )
            sent.append(message.due_at < message.expires_at)
        time.advance(days=1)
    assert [sent[:6].count(True), *(sent[n : n + 3].count(True) for n in (6, 9, 12))] == [3] * 4


def test_the_daily_limit_and_quiet_hours_are_as_configured(settings, time) -> None:
    limits = Messages(per_day=2, quiet_from="13:00", quiet_to="14:30")
    due = []
    for key in range(5):
        message = outbox.queue_sms(
            "answered", f"+99893555{key:04}", "x", key=str(key), tz=settings.tz, limits=limits
        )
        due.append(message.due_at.astimezone(settings.tz))
    assert [moment.day for moment in due] == [26, 26, 27, 27, 28]
    time.advance(minutes=90)  # 13:30
    waits = outbox.time_outside_quiet_hours(clock.now(), settings.tz, limits)
    assert waits == dt.datetime(2026, 11, 26, 14, 30, tzinfo=settings.tz)


# marks


def test_a_caller_who_hung_up_first_gives_one_mark_by_link(site, app, time) -> None:
    app.config["SITE"] = site
    create_ended_call()
    create_ended_call("1.2", caller="+998901112233", rating=4, rating_channel="keypad")
    create_ended_call("1.3", caller="+998901112244", ended_by="operator")
    create_ended_call("1.4", caller=NUMBER)  # the same number only once a day
    create_ended_call("1.5", caller="+998901112255", ended_at=clock.now() - dt.timedelta(hours=3))
    assert callers.send_call_notices(site) == 1
    assert callers.send_call_notices(site) == 0
    [message] = messages_for("rating")
    [rating] = SmsRating.select()
    link = f"/r/{rating.token}"
    assert f"https://hotline.example{link}" in message.text
    assert outbox.part_count(message.text) == 1
    browser = app.test_client()
    for _ in range(2):  # opening the page does not use up the link
        page = browser.get(link)
        assert page.status_code == 200
        assert page.text.count('name="mark"') == 5
    assert browser.send(link, page=link, mark="6").status_code == 400
    assert browser.send(link, page=link, mark="5").status_code == 302
    browser.send(link, page=link, mark="1")
    call = Call.get_by_id("1.1")
    assert (call.rating, call.rating_channel) == (5, "sms")
    assert 'name="mark"' not in browser.get(link).text
    assert browser.get("/r/nonsense").status_code == 404


def test_the_rating_page_uses_the_callers_language_or_the_selected_one(site, app, time) -> None:
    app.config["SITE"] = site
    create_ended_call(language="ru")
    callers.send_call_notices(site)
    link = f"/r/{SmsRating.get().token}"
    browser = app.test_client()
    pages = [
        browser.get(f"{link}?til={language}", follow_redirects=True).text
        for language in ("uz", "uzc")
    ]
    russian = app.test_client().get(link, follow_redirects=True).text
    assert 'lang="ru"' in russian[:200]
    assert len({russian, *pages}) == 3


def test_a_late_mark_is_refused(site, app, time) -> None:
    app.config["SITE"] = site
    create_ended_call()
    callers.send_call_notices(site)
    rating = SmsRating.get()
    time.advance(days=4)
    assert app.test_client().get(f"/r/{rating.token}").status_code == 410
    assert ratings.record_rating(rating, 5, "link") == "expired"
    assert Call.get_by_id("1.1").rating is None
    time.advance(days=40)
    ratings.erase_old_numbers()
    assert SmsRating.get().number == ""


def test_a_mark_by_sms_survives_a_ledger_update_and_never_replaces_a_keypad_mark(
    site, time
) -> None:
    create_ended_call()
    callers.send_call_notices(site)
    assert incoming.handle_message(site, "998935550147", " 4 ") == "rating"
    facts = CallFacts("1.1", "inbound", NOON, ended_at=NOON, caller=NUMBER, outcome="answered")
    with db.write_transaction():
        calls.store_call(facts, RULES)
    row = Call.get_by_id("1.1")
    assert (row.rating, row.rating_channel) == (4, "sms")
    with db.write_transaction():
        calls.store_call(dataclasses.replace(facts, rating=2, rating_channel="keypad"), RULES)
    row = Call.get_by_id("1.1")
    assert (row.rating, row.rating_channel) == (2, "keypad")
    create_ended_call("1.2", caller="+998901112233")
    callers.send_call_notices(site)
    Call.update(rating=3, rating_channel="keypad").where(Call.id == "1.2").execute()
    assert ratings.record_rating(SmsRating.get_by_id("1.2"), 5, "link") == "used"
    assert Call.get_by_id("1.2").rating == 3


def test_without_a_public_address_the_mark_is_requested_by_reply(site, time) -> None:
    site = dataclasses.replace(site, messages=Messages())
    create_ended_call(language="ru")
    assert callers.send_call_notices(site) == 1
    [message] = messages_for("rating")
    assert "от 1 до 5" in message.text
    first, second = ScriptedGateway("first"), ScriptedGateway("second")
    sending = SmsSender([first, second], accounts={a.name: a for a in site.sms})
    rules.record_approval(site, "first", "rating_reply", "ru", "approved", "sherzod")
    sending.send_due()
    assert reload_message(message).gateway == "second"  # the first account receives no replies
    create_ended_call("1.9", caller="+998901112233")
    assert callers.send_call_notices(dataclasses.replace(site, sms=site.sms[:1])) == 0


# messages from citizens


@pytest.fixture
def appeal(site, nilufar):
    return create_appeal(site, nilufar, FULL_FORM | {"phone": NUMBER, "phone_at_hand": ""})


def test_the_state_is_sent_only_to_the_number_of_the_appeal(site, appeal) -> None:
    short = str(int(appeal.number.partition("-")[2]))
    for text in (appeal.number, short, f"№ {short}."):
        assert incoming.handle_message(site, NUMBER, text) == "status"
    assert appeal.number in messages_for("status")[0].text
    Message.delete().execute()
    assert incoming.handle_message(site, "+998901112233", short) == "unknown"
    assert incoming.handle_message(site, "+998901112233", "999999") == "unknown"
    assert appeal.number not in "".join(m.text for m in messages_for("status"))
    # the reply does not reveal which numbers exist
    assert len({m.text for m in messages_for("status")}) == 1
    for text in ("Salom", "", "5 5", "1234567"):
        assert incoming.handle_message(site, NUMBER, text) == "nothing"
    assert incoming.handle_message(site, "Beeline", short) == "nothing"


def test_replies_to_a_number_are_limited(site, appeal) -> None:
    results = [incoming.handle_message(site, "+998901112233", "1") for _ in range(20)]
    assert results.count("unknown") == site.messages.per_number


def test_stop_and_start_are_understood_in_all_scripts(site) -> None:
    for text in ("Stop!", "To’xta", "toʻxta", "STOP 1282", "ТЎХТА"):
        assert incoming.handle_message(site, NUMBER, text) == "stop"
        assert SmsOptOut.select().exists()
        assert incoming.handle_message(site, NUMBER, "СТАРТ") == "start"
        assert not SmsOptOut.select().exists()
    assert incoming.handle_message(site, NUMBER, "stop please do not") == "nothing"


def test_a_repeated_mark_is_not_taken_for_an_appeal_number(site, time) -> None:
    create_ended_call()
    callers.send_call_notices(site)
    assert incoming.handle_message(site, NUMBER, "4") == "rating"
    assert incoming.handle_message(site, NUMBER, "4") == "nothing"
    assert messages_for("status") == []


def test_a_mark_arrives_over_a_line_while_messages_are_sent(site, time) -> None:
    with run_message_centre() as far:
        line = SmsAccount("line", "smpp", far.url, "hotline", "secret", "1282", replies=True)
        site = dataclasses.replace(site, sms=(line,), messages=Messages())
        create_ended_call()
        callers.send_call_notices(site)
        sending = build_sender(site)
        sending.gateways[0].answer_seconds = 60
        assert sending.send_due() == 1
        far.send_receipt("c1", "DELIVRD")
        far.deliver_message(b"5")
        wait_until(lambda: sending.receive_messages() or Call.get_by_id("1.1").rating, 60)
        assert messages_for("rating")[0].state == "delivered"
        far.close_line()
        wait_until(lambda: sending.receive_messages() or far.bind_count == 2, 60)
        for gateway in sending.gateways:
            gateway.close()


def test_a_message_received_without_a_handler_is_logged(settings, caplog) -> None:
    SmsSender([]).on_incoming(Incoming(NUMBER, "x"))
    assert f"nobody listens to what {NUMBER} sent" in caplog.text
