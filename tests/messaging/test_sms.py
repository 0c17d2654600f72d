"""Accounts that take over from each other, approved texts, what callers are told and answer."""

import dataclasses
import datetime as dt
import random
from collections import Counter

import pytest

from appliance.box import health
from appliance.casework import appeals, catalogs
from appliance.core import clock, db, outbox
from appliance.core.delivery import Declined, Later, NotSent, Receipt, Unsure
from appliance.core.settings import Messages, SmsAccount
from appliance.messaging import notices
from appliance.messaging.notices import callers, citizens, ratings, texts
from appliance.messaging.sms import account_health, incoming, rules
from appliance.messaging.sms.gateway import Incoming, SmsGateway
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.modem import Modem
from appliance.messaging.sms.providers.smpp import Smpp
from appliance.messaging.sms.sender import Senders, senders
from appliance.models import Call, FollowUp, Message, SmsHealth, SmsOptOut, SmsRating
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts
from tests.casework.test_appeals import FULL
from tests.rig.fakes.message_centre import centre
from tests.rig.fakes.modem import modem
from tests.rig.fakes.sms import service
from tests.rig.rules import RULES
from tests.rig.waiting import until

NUMBER = "+998935550147"
NOON = dt.datetime(2026, 11, 26, 7, 0, tzinfo=dt.UTC)  # 12:00 in Tashkent


class Played(SmsGateway):
    """A gateway that does as it is told: each send raises the next trouble, or takes it."""

    def __init__(self, name: str, *troubles: Exception | None) -> None:
        self.name, self.troubles, self.took = name, list(troubles), []

    def send(self, number: str, text: str, key: str) -> Receipt:
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble
        self.took.append(text)
        return Receipt(f"{self.name}{len(self.took)}")


class Clock:
    """The site's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def on(self, **more: float) -> None:
        self.now += dt.timedelta(**more)


@pytest.fixture
def time(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    return made


@pytest.fixture
def site(settings):
    """A site with a first account that wants approved texts, and a line that takes answers."""
    first = SmsAccount("first", "playmobile", "http://127.0.0.1:9", approval=True)
    second = SmsAccount("second", "smpp", "127.0.0.1:9", replies=True)
    link = Messages(public_url="https://hotline.example")
    return dataclasses.replace(settings, sms=(first, second), messages=link)


def put(settings, key="1", purpose="registered", number=NUMBER) -> Message:
    message = outbox.put_sms(purpose, number, "Salom", key=key, tz=settings.tz)
    assert message
    return message


def patient(settings) -> Senders:
    """What sends for the site, with a minute for each answer over a line."""
    sending = senders(settings)
    for gateway in sending.gateways:
        gateway.answer = gateway.quick = gateway.long = 60
    return sending


def again(message: Message) -> Message:
    return Message.get_by_id(message.id)


def ended(id="1.1", **more) -> Call:
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
    return Call.create(id=id, **values | more)


def missed(id="2.1", kind="queue", number=NUMBER, **more) -> FollowUp:
    at = clock.now() - dt.timedelta(minutes=2)
    values = {"number": number, "kind": kind, "call_id": id, "calls": 1, "language": "uz"}
    return FollowUp.create(
        **values | dict.fromkeys(("opened_at", "missed_at", "joined_at"), at) | more
    )


def told(purpose: str) -> list[Message]:
    return list(Message.select().where(Message.purpose == purpose).order_by(Message.id))


# Accounts


def test_the_next_account_takes_over_and_the_first_comes_back(settings, time) -> None:
    down = NotSent("log_in", "no such user")
    first, second = Played("first", down, down), Played("second")
    sending = Senders([first, second])
    put(settings, "1")
    sending.send_due()
    put(settings, "2")
    sending.send_due()  # the first is passed over, not asked
    assert (len(first.troubles), len(second.took)) == (1, 2)
    time.on(seconds=61)
    put(settings, "3")
    sending.send_due()  # asked again, fails again, and rests for longer
    time.on(seconds=61)
    put(settings, "4")
    sending.send_due()
    assert (first.took, len(second.took)) == ([], 4)
    row = SmsHealth.get_by_id("first")
    assert (row.failures, row.trouble, row.failing_since) == (2, "log_in", NOON)
    time.on(seconds=61)
    put(settings, "5")
    sending.send_due()
    assert len(first.took) == 1
    row = SmsHealth.get_by_id("first")
    assert (row.failures, row.held_until, row.trouble) == (0, None, "")


def test_with_every_account_passed_over_the_queue_lies_still(settings, time) -> None:
    sending = Senders([Played("only", NotSent("unreachable"))])
    put(settings)
    sending.send_due()
    second = put(settings, "2", number="+998901112233")
    time.on(seconds=20)
    assert sending.send_due() == 0
    assert again(second).attempts == 0
    time.on(seconds=11)  # whether the internet is back is asked often
    assert sending.send_due() == 2


def test_a_busy_account_is_no_failure_and_is_waited_for(settings, time) -> None:
    first, second = Played("first", Later("too_many", "", 5)), Played("second")
    sending = Senders([first, second])
    message = put(settings)
    sending.send_due()
    assert (again(message).state, again(message).perhaps_twice) == ("pending", False)
    time.on(seconds=6)
    sending.send_due()
    assert again(message).gateway == "first"
    assert SmsHealth.get_by_id("first").failures == 0


def test_one_that_asks_to_wait_again_and_again_is_passed_over(site, time) -> None:
    first, second = Played("first", *[Later("too_many", "throttled", 25)] * 4), Played("second")
    sending = Senders([first, second])
    message = put(site)
    states = []
    for _ in range(3):
        sending.send_due()
        states.append(account_health.standings(site)[0].state)
        time.on(seconds=26)
    assert states == ["busy", "busy", "held"]
    assert (again(message).state, again(message).gateway) == ("sent", "second")
    time.on(seconds=60)
    put(site, "2")
    sending.send_due()  # asks again, is still the same, and rests for longer
    assert (len(first.troubles), len(second.took)) == (0, 2)
    time.on(seconds=121)
    put(site, "3")
    sending.send_due()
    assert (len(first.took), account_health.standings(site)[0].state) == (1, "ok")


def test_who_asks_for_longer_than_anybody_waits_is_passed_over_for_so_long(site, time) -> None:
    sending = Senders([Played("only", Later("too_many", "", 300))])
    message = put(site)
    sending.send_due()
    assert SmsHealth.get_by_id("only").held_until == NOON + dt.timedelta(seconds=300)
    assert again(message).due_at == NOON + dt.timedelta(seconds=300)


def test_an_account_that_never_answers_is_left_in_the_end(settings, time) -> None:
    lost = [Unsure("answer_lost")] * 3
    first, second = Played("first", *lost), Played("second")
    sending = Senders([first, second])
    message = put(settings)
    for _ in lost:
        assert again(message).state == "pending"
        Message.update(due_at=clock.now()).where(Message.id == message.id).execute()
        sending.send_due()
    Message.update(due_at=clock.now()).where(Message.id == message.id).execute()
    sending.send_due()
    assert (again(message).gateway, again(message).perhaps_twice) == ("second", True)


def test_what_one_declines_is_kept_for_another_that_rests(settings, time) -> None:
    no = Declined("declined", "no template")
    first, second = Played("first", no, no, no), Played("second", NotSent("unreachable"))
    sending = Senders([first, second])
    account_health.failed("second", NotSent("unreachable"), 60)
    message = put(settings)
    sending.send_due()
    assert (again(message).state, again(message).trouble) == ("pending", "declined")
    time.on(seconds=61)
    sending.send_due()  # the second fails
    time.on(seconds=61)
    sending.send_due()
    assert (again(message).state, again(message).gateway) == ("sent", "second")


def test_what_is_declined_waits_for_no_account_that_is_dead_for_long(settings, time) -> None:
    sending = Senders([Played("first", Declined("declined", "no template")), Played("second")])
    account_health.failed("second", NotSent("no_modem"), 60)
    time.on(hours=2)
    account_health.failed("second", NotSent("no_modem"), 60)
    message = put(settings)
    sending.send_due()
    assert (again(message).state, again(message).trouble) == ("refused", "declined")


def test_when_everything_is_declined_the_self_check_says_so(site, time) -> None:
    said = Declined("declined", "contract ended")
    sending = Senders([Played("first", *[said] * 5)])
    for key in range(5):
        [check] = health.messages.sms(dataclasses.replace(site, sms=site.sms[1:]))
        assert check.state != "fail"
        put(site, str(key), number=f"+99893555000{key}")
        sending.send_due()
        time.on(seconds=1)
    [check] = health.messages.sms(dataclasses.replace(site, sms=site.sms[1:]))
    assert (check.state, check.values["said"]) == ("fail", "contract ended")
    put(site, "6")
    sending.send_due()
    [check] = health.messages.sms(dataclasses.replace(site, sms=site.sms[1:]))
    assert check.state == "ok"


def test_a_second_account_that_failed_is_well_when_it_answers_again(settings) -> None:
    with service() as far, centre() as line:
        eskiz = SmsAccount("eskiz", "eskiz", far.url, "user", "secret")
        smpp = SmsAccount("line", "smpp", line.url, "hotline", "secret", "1282")
        settings = dataclasses.replace(settings, sms=(eskiz, smpp))
        sending = patient(settings)
        for account in ("eskiz", "line"):
            account_health.failed(account, NotSent("unreachable"), 0)
        sending.listen()
        assert account_health.failing() == {"eskiz": "unreachable"}
        sending.count()
        assert account_health.failing() == {}
        account_health.failed("line", Unsure("answer_lost"), 0, 3)
        sending.listen()  # that it is there does not say that it takes messages
        sending.count()
        assert account_health.failing() == {"line": "answer_lost"}
        far.refuses = True
        senders(settings).count()
        assert account_health.failing() == {"line": "answer_lost", "eskiz": "log_in"}
        for gateway in sending.gateways:
            gateway.close()


def test_a_modem_that_falls_silent_in_sending_is_not_well_for_being_there(settings) -> None:
    with modem() as far:
        only = SmsAccount("modem", "modem", far.url)
        settings = dataclasses.replace(settings, sms=(only,))
        sending = patient(settings)
        sending.listen()
        account_health.failed("modem", NotSent("no_modem"), 0)
        sending.listen()
        assert account_health.failing() == {"modem": "no_modem"}
        for gateway in sending.gateways:
            gateway.close()
        anew = patient(settings)  # what another process could not reach is there again
        anew.listen()
        assert account_health.failing() == {}
        for gateway in anew.gateways:
            gateway.close()


def test_a_modem_that_answers_has_no_network_for_that(settings) -> None:
    with modem() as far:
        far.network = "+CREG: 0,2"
        only = SmsAccount("modem", "modem", far.url)
        sending = patient(dataclasses.replace(settings, sms=(only,)))
        put(settings)
        sending.send_due()
        SmsHealth.update(held_until=None).execute()
        sending.listen()
        assert account_health.failing() == {"modem": "no_network"}
        for gateway in sending.gateways:
            gateway.close()


def test_each_purpose_has_its_own_order(site, login_as, app) -> None:
    app.config["SITE"] = site
    browser = login_as("technician")
    sent = {"purpose": "duty", "told": "1", "account": "second"}
    assert browser.send("/sms/rules", **sent).status_code == 302
    assert browser.send("/sms/rules", **sent | {"account": "third"}).status_code == 400
    first, second = Played("first"), Played("second")
    order = [g.name for g in rules.in_order([first, second], "duty")]
    assert order == ["second", "first"]
    assert [g.name for g in rules.in_order([first, second], "registered")] == ["first", "second"]


def test_the_page_and_the_self_check_say_what_is_wrong(site, app, login_as, time) -> None:
    site = dataclasses.replace(
        site, sms=(*site.sms, SmsAccount("third", "eskiz", "http://x", low_balance=5000))
    )
    app.config["SITE"] = site
    account_health.failed("second", NotSent("unreachable", "connection refused"), 60)
    account_health.counted("third", 4200)
    account_health.worked("third")
    page = login_as("manager").get("/sms").text
    assert "connection refused" in page
    assert "4 200" in page.replace("\u00a0", " ").replace("&nbsp;", " ")
    [check] = [c for c in health.checks(site) if c.code == "sms"]
    assert (check.state, check.values["accounts"]) == ("warn", "second")
    account_health.worked("second")
    [check] = [c for c in health.checks(site) if c.code == "sms"]
    assert check.values == {"account": "third", "balance": "4200"}


def test_a_balance_is_asked_for(settings) -> None:
    with service() as far:
        account = SmsAccount("eskiz", "eskiz", far.url, "user", "secret")
        senders(dataclasses.replace(settings, sms=(account,))).count()
    assert SmsHealth.get_by_id("eskiz").balance == 4200


def test_the_modem_sends_while_the_internet_is_down_and_the_service_after(settings, time) -> None:
    with service() as far, modem() as played:
        eskiz = Eskiz("eskiz", "http://127.0.0.1:9", "user", "secret")
        line = Modem("modem", played.url, quick=60, long=60)
        sending = Senders([eskiz, line])
        first = put(settings, "1")
        sending.send_due()
        assert (again(first).gateway, again(first).state) == ("modem", "sent")
        eskiz.url = far.url  # the internet is back
        time.on(seconds=61)
        put(settings, "2")
        sending.send_due()
        assert (len(far.took), len(played.took)) == (1, 1)
        line.close()


def test_a_storm_over_a_bad_line_loses_nothing(settings, time) -> None:
    """Each arrives at least once; twice only where the list says perhaps."""
    dice = random.Random(7)  # noqa: S311
    with centre() as far:
        line = Smpp("line", far.url, "hotline", "secret", "1282", answer=60)
        sending = Senders([line], rest=0)
        for number in range(60):
            outbox.put_sms(
                "registered",
                f"+99893{number:07}",
                str(number),
                key=str(number),
                tz=settings.tz,
            )
        while Message.select().where(Message.state.in_(outbox.OPEN)).exists():
            far.moods = dice.choices(["ok", "ok", "busy", "cut", "fault"], k=60)
            time.on(seconds=10)
            Message.update(due_at=clock.now()).where(Message.state == "pending").execute()
            sending.send_due()
        line.close()
    heard = Counter(bytes(part.short_message).decode() for part in far.took)
    assert set(heard) == set(map(str, range(60)))
    twice = {text for text, count in heard.items() if count > 1}
    assert twice <= {m.text for m in Message.select().where(Message.perhaps_twice)}
    assert Message.select().where(Message.state == "sent").count() == 60


# Approved texts


def test_an_unapproved_text_goes_by_another_account_or_waits(site, time, app, login_as) -> None:
    app.config["SITE"] = site
    first, second = Played("first"), Played("second")
    by_name = {a.name: a for a in site.sms}

    def tell(key: str) -> Message:
        said = citizens.notify(site, "missed", NUMBER, "uz", {}, key=key)
        assert said
        return said

    both = Senders([first, second], accounts=by_name)
    alone = Senders([first], accounts=by_name)
    message = tell("1")
    alone.send_due()
    assert (again(message).state, again(message).trouble) == ("pending", "unapproved")
    time.on(seconds=601)
    both.send_due()
    assert again(message).gateway == "second"
    browser = login_as("technician")
    asked = {"account": "first", "purpose": "missed", "language": "uz"}
    for state in ("waiting", "approved"):
        message = tell(state)
        alone.send_due()
        assert again(message).trouble == "unapproved"
        Message.delete().execute()
        assert browser.send("/sms/approvals", **asked, state=state).status_code == 302
    assert browser.send("/sms/approvals", **asked, state="maybe").status_code == 400
    message = tell("2")
    alone.send_due()
    assert again(message).state == "sent"
    texts.change(site, "missed", "uz", "Boshqacha matn", "sherzod")  # not what was approved
    message = tell("3")
    alone.send_due()
    assert again(message).trouble == "unapproved"
    assert "Boshqacha matn" in browser.get("/sms").text


# Callers


def test_a_missed_caller_is_told_once_and_not_at_night(site, time) -> None:
    missed()
    missed("2.2", "callback", "+998901112233", language="ru")
    missed("2.3", "menu", "+998901112244")
    missed("2.4", number="+998712394141")  # a desk phone
    assert callers.notify_due(site) == 2
    assert callers.notify_due(site) == 0
    assert [m.recipient for m in told("missed")] == [NUMBER]
    assert "перезвоним" in told("callback")[0].text
    time.on(hours=11)  # 23:00
    missed("2.5", number="+998901112255")
    assert callers.notify_due(site) == 0
    time.on(hours=9)  # 08:00, and he is still to be spoken to
    assert callers.notify_due(site) == 1


def test_what_calls_of_before_a_restore_cause_again_is_on_hold(site, time) -> None:
    missed()
    ended("1.1", caller="+998901112244")
    moments = dict.fromkeys(("created_at", "wanted_at", "due_at", "expires_at"), clock.now())
    Message.create(  # as a restore leaves numbers out
        channel="none", purpose="restore", recipient="", key="none:1", state="delivered", **moments
    )
    time.on(minutes=5)
    missed("2.2", number="+998901112233")
    time.on(minutes=2)
    assert callers.notify_due(site) == 3
    states = {message.recipient: message.state for message in told("missed") + told("rating")}
    assert states == {NUMBER: "held", "+998901112244": "held", "+998901112233": "pending"}
    assert callers.notify_due(site) == 0
    assert outbox.release(None, "rustam") == 2


def test_what_is_switched_off_or_unwanted_is_not_told(site, time) -> None:
    missed()
    rules.change(site, "missed", False, "", "sherzod")
    assert callers.notify_due(site) == 0
    rules.change(site, "missed", True, "", "sherzod")
    notices.opt_out(NUMBER, "sherzod")
    assert callers.notify_due(site) == 0
    assert not Message.select().exists()


def test_what_is_unwanted_since_it_was_written_is_not_sent(site, time) -> None:
    only = Played("only")
    missed()
    missed("2.2", number="+998901112233")
    assert callers.notify_due(site) == 2
    asked = put(site, "3", purpose="status")
    incoming.take(site, NUMBER, "STOP 1282")
    Senders([only]).send_due()
    [theirs, others] = told("missed")
    assert (theirs.state, theirs.trouble, others.state) == ("refused", "unwanted", "sent")
    assert again(asked).state == "sent"


def test_what_would_come_too_late_takes_no_room(settings, time) -> None:
    limits, sent = Messages(per_day=3), []
    for day in range(4):
        for key in range(6 if day == 0 else 3):
            number = f"+9989355{day}{key:04}"
            message = outbox.put_sms(
                "missed", number, "x", key=f"{day} {key}", tz=settings.tz, limits=limits
            )
            sent.append(message.due_at < message.expires_at)
        time.on(days=1)
    assert [sent[:6].count(True), *(sent[n : n + 3].count(True) for n in (6, 9, 12))] == [3] * 4


def test_a_day_has_so_many_messages_and_quiet_hours_as_set(settings, time) -> None:
    limits = Messages(per_day=2, quiet_from="13:00", quiet_to="14:30")
    due = []
    for key in range(5):
        message = outbox.put_sms(
            "answered", f"+99893555{key:04}", "x", key=str(key), tz=settings.tz, limits=limits
        )
        due.append(message.due_at.astimezone(settings.tz))
    assert [moment.day for moment in due] == [26, 26, 27, 27, 28]
    time.on(minutes=90)  # 13:30
    waits = outbox.by_day(clock.now(), settings.tz, limits)
    assert waits == dt.datetime(2026, 11, 26, 14, 30, tzinfo=settings.tz)


# Marks


def test_who_hung_up_first_is_asked_and_gives_one_mark_by_link(site, app, time) -> None:
    app.config["SITE"] = site
    ended()
    ended("1.2", caller="+998901112233", rating=4, rating_channel="keypad")
    ended("1.3", caller="+998901112244", ended_by="operator")
    ended("1.4", caller=NUMBER)  # the same number once a day
    ended("1.5", caller="+998901112255", ended_at=clock.now() - dt.timedelta(hours=3))
    assert callers.notify_due(site) == 1
    assert callers.notify_due(site) == 0
    [message] = told("rating")
    [asked] = SmsRating.select()
    link = f"/r/{asked.token}"
    assert f"https://hotline.example{link}" in message.text
    assert outbox.segments(message.text) == 1
    browser = app.test_client()
    for _ in range(2):  # looking at it uses nothing up
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


def test_the_page_speaks_the_caller_s_language_or_the_one_chosen(site, app, time) -> None:
    app.config["SITE"] = site
    ended(language="ru")
    callers.notify_due(site)
    link = f"/r/{SmsRating.get().token}"
    browser = app.test_client()
    shown = [
        browser.get(f"{link}?til={asked}", follow_redirects=True).text for asked in ("uz", "uzc")
    ]
    russian = app.test_client().get(link, follow_redirects=True).text
    assert 'lang="ru"' in russian[:200]
    assert len({russian, *shown}) == 3


def test_a_late_mark_is_not_taken(site, app, time) -> None:
    app.config["SITE"] = site
    ended()
    callers.notify_due(site)
    asked = SmsRating.get()
    time.on(days=4)
    assert app.test_client().get(f"/r/{asked.token}").status_code == 410
    assert ratings.mark(asked, 5, "link") == "expired"
    assert Call.get_by_id("1.1").rating is None
    time.on(days=40)
    ratings.forget_numbers()
    assert SmsRating.get().number == ""


def test_a_mark_by_sms_outlives_the_ledger_s_row_and_never_beats_a_keypad_s(site, time) -> None:
    ended()
    callers.notify_due(site)
    assert incoming.take(site, "998935550147", " 4 ") == "rating"
    facts = CallFacts("1.1", "inbound", NOON, ended_at=NOON, caller=NUMBER, outcome="answered")
    with db.writing():
        calls.store(facts, RULES)
    row = Call.get_by_id("1.1")
    assert (row.rating, row.rating_channel) == (4, "sms")
    with db.writing():
        calls.store(dataclasses.replace(facts, rating=2, rating_channel="keypad"), RULES)
    row = Call.get_by_id("1.1")
    assert (row.rating, row.rating_channel) == (2, "keypad")
    ended("1.2", caller="+998901112233")
    callers.notify_due(site)
    Call.update(rating=3, rating_channel="keypad").where(Call.id == "1.2").execute()
    assert ratings.mark(SmsRating.get_by_id("1.2"), 5, "link") == "used"
    assert Call.get_by_id("1.2").rating == 3


def test_without_a_public_address_an_answer_is_asked_for_where_one_arrives(site, time) -> None:
    site = dataclasses.replace(site, messages=Messages())
    ended(language="ru")
    assert callers.notify_due(site) == 1
    [message] = told("rating")
    assert "от 1 до 5" in message.text
    first, second = Played("first"), Played("second")
    sending = Senders([first, second], accounts={a.name: a for a in site.sms})
    rules.note(site, "first", "rating_reply", "ru", "approved", "sherzod")
    sending.send_due()
    assert again(message).gateway == "second"  # the first takes no answers
    ended("1.9", caller="+998901112233")
    assert callers.notify_due(dataclasses.replace(site, sms=site.sms[:1])) == 0


# What citizens send


@pytest.fixture
def appeal(site, nilufar):
    return appeals.register(
        FULL | {"phone": NUMBER, "phone_at_hand": ""},
        operator=nilufar,
        token=appeals.token_for(nilufar, None),
        tz=site.tz,
        calendar=catalogs.working_calendar(site),
    )


def test_the_state_is_told_to_the_appeal_s_own_number_only(site, appeal) -> None:
    short = str(int(appeal.number.partition("-")[2]))
    for said in (appeal.number, short, f"№ {short}."):
        assert incoming.take(site, NUMBER, said) == "status"
    assert appeal.number in told("status")[0].text
    Message.delete().execute()
    assert incoming.take(site, "+998901112233", short) == "unknown"
    assert incoming.take(site, "+998901112233", "999999") == "unknown"
    assert appeal.number not in "".join(m.text for m in told("status"))
    assert len({m.text for m in told("status")}) == 1  # nobody learns which numbers there are
    for said in ("Salom", "", "5 5", "1234567"):
        assert incoming.take(site, NUMBER, said) == "nothing"
    assert incoming.take(site, "Beeline", short) == "nothing"


def test_nobody_is_answered_without_end(site, appeal) -> None:
    said = [incoming.take(site, "+998901112233", "1") for _ in range(20)]
    assert said.count("unknown") == site.messages.per_number


def test_stop_and_start(site) -> None:
    for said in ("Stop!", "To’xta", "toʻxta", "STOP 1282", "ТЎХТА"):
        assert incoming.take(site, NUMBER, said) == "stop"
        assert SmsOptOut.select().exists()
        assert incoming.take(site, NUMBER, "СТАРТ") == "start"
        assert not SmsOptOut.select().exists()
    assert incoming.take(site, NUMBER, "stop please do not") == "nothing"


def test_a_mark_sent_twice_is_no_question_for_an_appeal(site, time) -> None:
    ended()
    callers.notify_due(site)
    assert incoming.take(site, NUMBER, "4") == "rating"
    assert incoming.take(site, NUMBER, "4") == "nothing"
    assert told("status") == []


def test_a_mark_comes_over_a_real_line_while_messages_go_out(site, time) -> None:
    with centre() as far:
        line = SmsAccount("line", "smpp", far.url, "hotline", "secret", "1282", replies=True)
        site = dataclasses.replace(site, sms=(line,), messages=Messages())
        ended()
        callers.notify_due(site)
        sending = senders(site)
        sending.gateways[0].answer = 60
        assert sending.send_due() == 1
        far.receipt("c1", "DELIVRD")
        far.tell(b"5")
        until(lambda: sending.listen() or Call.get_by_id("1.1").rating, 60)
        assert told("rating")[0].state == "delivered"
        far.cut()
        until(lambda: sending.listen() or far.binds == 2, 60)
        for gateway in sending.gateways:
            gateway.close()


def test_what_nobody_listens_to_does_no_harm(settings) -> None:
    Senders([]).hear(Incoming(NUMBER, "x"))
