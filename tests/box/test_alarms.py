"""Faults are told once when they last, and once when they have passed."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import alarms, health
from appliance.box.health import Check, directory
from appliance.core import audit, clock
from appliance.core.settings import Alarms, Duty, Ldap, SmsAccount, Telegram
from appliance.models import Alarm, Message

BEGAN = dt.datetime(2026, 11, 20, 2, tzinfo=dt.UTC)  # at night: a fault does not wait for the day
SMS = SmsAccount("eskiz", "eskiz", "http://127.0.0.1:9", "u", "p", "1282")
LOOK = 15


def check(state: str, code: str = "disk.database") -> Check:
    return Check(code, "Disk of the {disk}", state, "full", "Make room.", {"disk": "database"})


@pytest.fixture
def site(settings):
    """A site whose technician gets messages in both ways."""
    told = Alarms(chat=-77, phones=("+998901112233",), language="ru")
    telegram = Telegram("token", -5, language="ru")
    return dataclasses.replace(settings, sms=(SMS,), telegram=telegram, alarms=told)


@pytest.fixture
def at(monkeypatch):
    """Set the clock to seconds after the beginning."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + dt.timedelta(seconds=seconds))

    return set_to


def told() -> list[tuple[str, str]]:
    return [(m.channel, m.recipient) for m in Message.select().order_by(Message.id)]


def hear(site, *checks: Check) -> list[str]:
    return alarms.raise_due(site, checks, alarms.REST)


def test_a_fault_that_lasts_is_told_once(site, at) -> None:
    for number in range(6):
        at(number * LOOK)
        hear(site, check("fail"))
    assert told() == [("telegram", "-77"), ("sms", "+998901112233")]
    message = Message.get(Message.channel == "telegram")
    assert (message.purpose, message.cause) == ("alarm", "disk.database")
    assert message.text.startswith("НЕИСПРАВНОСТЬ")
    assert message.due_at == message.created_at


def test_a_fault_is_told_when_the_clock_was_put_back(site, at) -> None:
    at(5 * 3600)
    hear(site, check("fail"))
    at(0)
    assert hear(site, check("fail")) == ["disk.database"]


def test_it_is_told_once_more_when_it_has_passed(site, at) -> None:
    for number, state in enumerate(["fail"] * 4 + ["ok"] * 5):
        at(number * LOOK)
        hear(site, check(state))
    texts = [m.text for m in Message.select().where(Message.channel == "telegram")]
    assert len(texts) == 2
    assert texts[1].endswith("снова в порядке")
    assert not Alarm.select().exists()


def test_a_short_fault_is_told_to_nobody(site, at) -> None:
    for number, state in enumerate(["fail", "fail", "ok", "fail", "ok"]):
        at(number * LOOK)
        hear(site, check(state))
    assert told() == []


def test_a_fault_that_comes_and_goes_is_one(site, at) -> None:
    for number, state in enumerate(["fail"] * 4 + ["ok", "fail"] * 6):
        at(number * LOOK)
        hear(site, check(state))
    assert len(told()) == 2


def test_the_next_fault_is_told_anew(site, at) -> None:
    for number, state in enumerate((["fail"] * 4 + ["ok"] * 4) * 2):
        at(number * LOOK)
        hear(site, check(state))
    assert len(told()) == 8


def test_a_check_that_is_no_more_is_well(site, at) -> None:
    for number in range(4):
        at(number * LOOK)
        hear(site, check("fail"))
    for number in range(4, 8):
        at(number * LOOK)
        hear(site)
    assert len(told()) == 4


def test_warnings_are_told_to_nobody(site, at) -> None:
    for number in range(4):
        at(number * LOOK)
        hear(site, check("warn"))
    assert told() == []


def test_lines_are_looked_after_apart_and_sooner(site, at) -> None:
    line = check("fail", "trunk.sip1")
    at(0)
    alarms.raise_due(site, [line], "lines")
    assert alarms.watch(site, [line]) == []  # the jobs leave lines to the pbx process
    at(10)
    assert alarms.raise_due(site, [line], "lines") == ["trunk.sip1"]
    at(300)
    assert hear(site) == []
    assert Alarm.select().count() == 1


def test_without_a_technician_the_duty_list_is_told(site, at) -> None:
    duty = (Duty("Aziz", 55), Duty("Lola", phone="+998901112244"))
    site = dataclasses.replace(site, alarms=Alarms(), duty=duty)
    for number in range(4):
        at(number * LOOK)
        hear(site, check("fail"))
    assert told() == [("telegram", "55"), ("sms", "+998901112244")]


def test_how_checks_stand_is_kept_with_since_when(site, at) -> None:
    at(0)
    alarms.remember([check("ok"), check("fail", "other")])
    at(60)
    alarms.remember([check("fail")])
    at(120)
    alarms.watch(site, [check("fail")])
    states = alarms.states()
    assert set(states) == {"disk.database"}
    assert states["disk.database"].since == BEGAN + dt.timedelta(seconds=60)
    assert states["disk.database"].looked_at == BEGAN + dt.timedelta(seconds=120)


def test_every_check_can_be_worded(site) -> None:
    for looked in health.checks(site):
        assert "{" not in alarms.wording(site, looked)


def test_a_check_that_goes_with_its_fault_is_still_called_by_its_name(site, at) -> None:
    gone = Check("link.sms.first", "SMS: {account}", "fail", "x", "y", {"account": "first"})
    for number, checks in enumerate([[gone]] * 3 + [[]] * 3):
        at(number * LOOK)
        hear(site, *checks)
    well = Message.select().where(Message.channel == "telegram").order_by(Message.id.desc()).get()
    assert well.text == "SMS: first: снова в порядке"


def test_each_sign_in_without_the_directory_is_an_alarm(site, nilufar, at) -> None:
    """Two within a minute are two alarms; both end an hour later."""
    site = dataclasses.replace(site, ldap=Ldap("ldaps://katalog.uz", "{}@katalog.uz"))

    def look(seconds: float) -> list[str]:
        at(seconds)
        return alarms.watch(site, directory.fallbacks(site))

    assert look(0) == []
    audit.record("nilufar", "login.fallback", "nilufar")
    assert look(1) == []
    at(30)
    audit.record("nilufar", "login.fallback", "nilufar")
    (first,) = look(31)
    (second,) = look(70)
    assert first != second
    texts = [m.text for m in Message.select().where(Message.channel == "telegram")]
    assert len(texts) == 2
    assert all("nilufar" in text for text in texts)
    assert look(3_700) == []
    look(3_800)
    assert not Alarm.select().exists()
