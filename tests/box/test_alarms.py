"""A lasting fault raises one alarm, and one message when it has passed."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import alarms, health
from appliance.box.health import Check, directory
from appliance.core import audit, clock
from appliance.core.settings import Alarms, Duty, Ldap, SmsAccount, Telegram
from appliance.models import Alarm, Message

BEGAN_AT = dt.datetime(2026, 11, 20, 2, tzinfo=dt.UTC)  # at night: a fault is reported at any hour
SMS = SmsAccount("eskiz", "eskiz", "http://127.0.0.1:9", "u", "p", "1282")
CHECK_INTERVAL_SECONDS = 15


def build_check(state: str, code: str = "disk.database") -> Check:
    return Check(code, "Disk of the {disk}", state, "full", "Make room.", {"disk": "database"})


@pytest.fixture
def site(settings):
    """A site whose technician receives messages by Telegram and SMS."""
    alarms_section = Alarms(chat=-77, phones=("+998901112233",), language="ru")
    telegram = Telegram("token", -5, language="ru")
    return dataclasses.replace(settings, sms=(SMS,), telegram=telegram, alarms=alarms_section)


@pytest.fixture
def set_seconds(monkeypatch):
    """Set the clock to a number of seconds after the beginning."""

    def set_seconds(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: BEGAN_AT + dt.timedelta(seconds=seconds))

    return set_seconds


def queued_messages() -> list[tuple[str, str]]:
    return [(m.channel, m.recipient) for m in Message.select().order_by(Message.id)]


def raise_due_alarms(site, *checks: Check) -> list[str]:
    return alarms.notify_due_alarms(site, checks, alarms.REST_KIND)


def test_a_lasting_fault_is_reported_once(site, set_seconds) -> None:
    for number in range(6):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check("fail"))
    assert queued_messages() == [("telegram", "-77"), ("sms", "+998901112233")]
    message = Message.get(Message.channel == "telegram")
    assert (message.purpose, message.cause) == ("alarm", "disk.database")
    assert message.text.startswith("НЕИСПРАВНОСТЬ")
    assert message.due_at == message.created_at


def test_a_fault_is_reported_after_the_clock_was_set_back(site, set_seconds) -> None:
    set_seconds(5 * 3600)
    raise_due_alarms(site, build_check("fail"))
    set_seconds(0)
    assert raise_due_alarms(site, build_check("fail")) == ["disk.database"]


def test_the_end_of_a_fault_is_reported_once(site, set_seconds) -> None:
    for number, state in enumerate(["fail"] * 4 + ["ok"] * 5):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check(state))
    texts = [m.text for m in Message.select().where(Message.channel == "telegram")]
    assert len(texts) == 2
    assert texts[1].endswith("снова в порядке")
    assert not Alarm.select().exists()


def test_a_short_fault_is_not_reported(site, set_seconds) -> None:
    for number, state in enumerate(["fail", "fail", "ok", "fail", "ok"]):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check(state))
    assert queued_messages() == []


def test_an_intermittent_fault_counts_as_one(site, set_seconds) -> None:
    for number, state in enumerate(["fail"] * 4 + ["ok", "fail"] * 6):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check(state))
    assert len(queued_messages()) == 2


def test_the_next_fault_is_reported_again(site, set_seconds) -> None:
    for number, state in enumerate((["fail"] * 4 + ["ok"] * 4) * 2):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check(state))
    assert len(queued_messages()) == 8


def test_a_check_that_no_longer_exists_counts_as_ok(site, set_seconds) -> None:
    for number in range(4):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check("fail"))
    for number in range(4, 8):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site)
    assert len(queued_messages()) == 4


def test_warnings_are_not_reported(site, set_seconds) -> None:
    for number in range(4):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check("warn"))
    assert queued_messages() == []


def test_lines_are_watched_separately_and_reported_sooner(site, set_seconds) -> None:
    line = build_check("fail", "trunk.sip1")
    set_seconds(0)
    alarms.notify_due_alarms(site, [line], "lines")
    # the jobs process leaves lines to the pbx process
    assert alarms.update_alarms(site, [line]) == []
    set_seconds(10)
    assert alarms.notify_due_alarms(site, [line], "lines") == ["trunk.sip1"]
    set_seconds(300)
    assert raise_due_alarms(site) == []
    assert Alarm.select().count() == 1


def test_without_a_technician_the_duty_list_is_notified(site, set_seconds) -> None:
    duty = (Duty("Aziz", 55), Duty("Lola", phone="+998901112244"))
    site = dataclasses.replace(site, alarms=Alarms(), duty=duty)
    for number in range(4):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, build_check("fail"))
    assert queued_messages() == [("telegram", "55"), ("sms", "+998901112244")]


def test_the_state_of_each_check_is_stored_with_its_start(site, set_seconds) -> None:
    set_seconds(0)
    alarms.store_check_states([build_check("ok"), build_check("fail", "other")])
    set_seconds(60)
    alarms.store_check_states([build_check("fail")])
    set_seconds(120)
    alarms.update_alarms(site, [build_check("fail")])
    states = alarms.check_states()
    assert set(states) == {"disk.database"}
    assert states["disk.database"].since == BEGAN_AT + dt.timedelta(seconds=60)
    assert states["disk.database"].looked_at == BEGAN_AT + dt.timedelta(seconds=120)


def test_every_check_can_be_worded(site) -> None:
    for looked in health.all_checks(site):
        assert "{" not in alarms.fault_message(site, looked)


def test_a_check_that_disappears_with_its_fault_is_still_named_in_the_message(
    site, set_seconds
) -> None:
    gone = Check("link.sms.first", "SMS: {account}", "fail", "x", "y", {"account": "first"})
    for number, checks in enumerate([[gone]] * 3 + [[]] * 3):
        set_seconds(number * CHECK_INTERVAL_SECONDS)
        raise_due_alarms(site, *checks)
    well = Message.select().where(Message.channel == "telegram").order_by(Message.id.desc()).get()
    assert well.text == "SMS: first: снова в порядке"


def test_each_sign_in_without_the_directory_raises_an_alarm(site, nilufar, set_seconds) -> None:
    """Two sign-ins within a minute are two alarms; both end an hour later."""
    site = dataclasses.replace(site, ldap=Ldap("ldaps://katalog.uz", "{}@katalog.uz"))

    def watch_at(seconds: float) -> list[str]:
        set_seconds(seconds)
        return alarms.update_alarms(site, directory.check_directory_fallbacks(site))

    assert watch_at(0) == []
    audit.record_entry("nilufar", "login.fallback", "nilufar")
    assert watch_at(1) == []
    set_seconds(30)
    audit.record_entry("nilufar", "login.fallback", "nilufar")
    (first,) = watch_at(31)
    (second,) = watch_at(70)
    assert first != second
    texts = [m.text for m in Message.select().where(Message.channel == "telegram")]
    assert len(texts) == 2
    assert all("nilufar" in text for text in texts)
    assert watch_at(3_700) == []
    watch_at(3_800)
    assert not Alarm.select().exists()
