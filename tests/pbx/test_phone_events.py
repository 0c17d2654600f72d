"""What Asterisk tells of phones between two lists of all, and whose page is told of it."""

import datetime as dt

import pytest

from appliance.core import live
from appliance.core.db import writing
from appliance.core.live import LiveEvent
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import phone_events
from appliance.pbx.phone_events import Phones
from appliance.telephony import calls, devices
from appliance.telephony.calls import CallFacts, TalkFacts
from tests.rig.rules import RULES

BEGIN = dt.datetime(2026, 11, 18, 3, tzinfo=dt.UTC)
CHANNEL = {"Uniqueid": "hotline-1.2", "Channel": "PJSIP/1001-00000001"}


class Exchange:
    """Answers what is listed; counts how often."""

    def __init__(self) -> None:
        self.lists, self.up = 0, True

    def listed(self, action: str, until: str) -> list[dict[str, str]]:
        if action == "CoreShowChannels":
            return []
        self.lists += 1
        return [{"Device": "PJSIP/1001", "State": "NOT_INUSE" if self.up else "UNAVAILABLE"}]


@pytest.fixture
def moment(monkeypatch) -> list[float]:
    """The clock of the looks: [seconds]."""
    now = [100.0]
    monkeypatch.setattr(phone_events.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def looked(settings: Settings, nilufar: User, moment: list[float]) -> tuple[Phones, Exchange]:
    phones, exchange = Phones(), Exchange()
    phones.look(settings, exchange)
    return phones, exchange


def topics_of_a_look(settings: Settings, phones: Phones, exchange: Exchange) -> list[str]:
    """The topics that a look publishes."""
    before = live.newest()
    phones.look(settings, exchange)
    return [row.topic for row in LiveEvent.select().where(LiveEvent.id > before)]


def on_1001() -> int:
    return devices.phones()["1001"].channels


def in_a_call(login: str) -> None:
    talk = TalkFacts("operator", login, "1001", BEGIN)
    with writing():
        calls.store(CallFacts("1764.1", "inbound", BEGIN, talks=[talk]), RULES)


def test_a_call_of_which_the_ledger_tells_is_not_told_twice(settings, looked, moment) -> None:
    phones, exchange = looked
    phones.hear(CHANNEL | {"Event": "Newchannel"})
    assert topics_of_a_look(settings, phones, exchange) == []
    assert on_1001() == 0
    in_a_call("nilufar")
    moment[0] += phone_events._PACE
    assert topics_of_a_look(settings, phones, exchange) == ["devices"]
    assert on_1001() == 1
    phones.hear(CHANNEL | {"Event": "Hangup"})  # before the ledger hears of it
    assert topics_of_a_look(settings, phones, exchange) == ["devices"]
    assert on_1001() == 0
    assert exchange.lists == 1


def test_a_call_of_which_the_ledger_does_not_tell_is_told(settings, looked, moment) -> None:
    phones, exchange = looked
    phones.hear(CHANNEL | {"Event": "Newchannel"})
    moment[0] += phone_events._PACE
    assert topics_of_a_look(settings, phones, exchange) == ["devices", "call:nilufar"]
    phones.hear(CHANNEL | {"Event": "Hangup"})
    assert topics_of_a_look(settings, phones, exchange) == ["devices", "call:nilufar"]
    assert on_1001() == 0


def test_a_phone_that_goes_is_told_in_a_call_too(settings, looked, moment) -> None:
    phones, exchange = looked
    in_a_call("nilufar")
    exchange.up = False
    assert topics_of_a_look(settings, phones, exchange) == []
    phones.hear({"Event": "ContactStatus", "ContactStatus": "Removed", "AOR": "1001"})
    assert topics_of_a_look(settings, phones, exchange) == ["devices", "call:nilufar"]
    assert not devices.phones()["1001"].up


def test_what_shows_a_moment_after_a_phone_came_is_seen(settings, looked, moment) -> None:
    phones, exchange = looked
    phones.hear({"Event": "ContactStatus", "ContactStatus": "Removed", "AOR": "1001"})
    assert topics_of_a_look(settings, phones, exchange) == []
    exchange.up = False
    moment[0] += phone_events._PACE
    assert topics_of_a_look(settings, phones, exchange) == ["devices", "call:nilufar"]


def test_everything_is_listed_now_and_then(settings, looked, moment) -> None:
    phones, exchange = looked
    exchange.up = False
    moment[0] += phone_events._EVERY - 0.1
    assert topics_of_a_look(settings, phones, exchange) == []
    moment[0] += 0.1
    assert topics_of_a_look(settings, phones, exchange) == ["devices", "call:nilufar"]
    assert exchange.lists == 2
