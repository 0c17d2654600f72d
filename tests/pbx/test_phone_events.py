"""Asterisk's phone events between two complete listings, and the pages they are published to."""

import datetime as dt

import pytest

from appliance.core import live
from appliance.core.db import write_transaction
from appliance.core.live import LiveEvent
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import phone_events
from appliance.pbx.phone_events import PhoneMonitor
from appliance.telephony import calls, devices
from appliance.telephony.calls import CallFacts, TalkFacts
from tests.rig.rules import RULES

STARTED_AT = dt.datetime(2026, 11, 18, 3, tzinfo=dt.UTC)
CHANNEL = {"Uniqueid": "hotline-1.2", "Channel": "PJSIP/1001-00000001"}


class Exchange:
    """Answers the listings and counts them."""

    def __init__(self) -> None:
        self.lists, self.up = 0, True

    def list_events(self, action: str, until: str) -> list[dict[str, str]]:
        if action == "CoreShowChannels":
            return []
        self.lists += 1
        return [{"Device": "PJSIP/1001", "State": "NOT_INUSE" if self.up else "UNAVAILABLE"}]


@pytest.fixture
def clock_seconds(monkeypatch) -> list[float]:
    """The monotonic clock of the passes: [seconds]."""
    now = [100.0]
    monkeypatch.setattr(phone_events.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def phones_and_exchange(
    settings: Settings, nilufar: User, clock_seconds: list[float]
) -> tuple[PhoneMonitor, Exchange]:
    phones, exchange = PhoneMonitor(), Exchange()
    phones.update_devices(settings, exchange)
    return phones, exchange


def published_topics(settings: Settings, phones: PhoneMonitor, exchange: Exchange) -> list[str]:
    """Return the topics that one pass publishes."""
    before = live.newest_event_id()
    phones.update_devices(settings, exchange)
    return [row.topic for row in LiveEvent.select().where(LiveEvent.id > before)]


def channels_of_1001() -> int:
    return devices.phones_by_extension()["1001"].channels


def store_talk(login: str) -> None:
    talk = TalkFacts("operator", login, "1001", STARTED_AT)
    with write_transaction():
        calls.store_call(CallFacts("1764.1", "inbound", STARTED_AT, talks=[talk]), RULES)


def test_a_call_that_the_ledger_publishes_is_not_published_twice(
    settings, phones_and_exchange, clock_seconds
) -> None:
    phones, exchange = phones_and_exchange
    phones.track_event(CHANNEL | {"Event": "Newchannel"})
    assert published_topics(settings, phones, exchange) == []
    assert channels_of_1001() == 0
    store_talk("nilufar")
    clock_seconds[0] += phone_events._WRITE_INTERVAL_SECONDS
    assert published_topics(settings, phones, exchange) == ["devices"]
    assert channels_of_1001() == 1
    phones.track_event(CHANNEL | {"Event": "Hangup"})  # before the ledger receives it
    assert published_topics(settings, phones, exchange) == ["devices"]
    assert channels_of_1001() == 0
    assert exchange.lists == 1


def test_a_call_that_the_ledger_does_not_publish_is_published(
    settings, phones_and_exchange, clock_seconds
) -> None:
    phones, exchange = phones_and_exchange
    phones.track_event(CHANNEL | {"Event": "Newchannel"})
    clock_seconds[0] += phone_events._WRITE_INTERVAL_SECONDS
    assert published_topics(settings, phones, exchange) == ["devices", "call:nilufar"]
    phones.track_event(CHANNEL | {"Event": "Hangup"})
    assert published_topics(settings, phones, exchange) == ["devices", "call:nilufar"]
    assert channels_of_1001() == 0


def test_a_phone_that_disappears_is_published_even_in_a_call(
    settings, phones_and_exchange, clock_seconds
) -> None:
    phones, exchange = phones_and_exchange
    store_talk("nilufar")
    exchange.up = False
    assert published_topics(settings, phones, exchange) == []
    phones.track_event({"Event": "ContactStatus", "ContactStatus": "Removed", "AOR": "1001"})
    assert published_topics(settings, phones, exchange) == ["devices", "call:nilufar"]
    assert not devices.phones_by_extension()["1001"].up


def test_a_change_shortly_after_a_contact_event_is_noticed(
    settings, phones_and_exchange, clock_seconds
) -> None:
    phones, exchange = phones_and_exchange
    phones.track_event({"Event": "ContactStatus", "ContactStatus": "Removed", "AOR": "1001"})
    assert published_topics(settings, phones, exchange) == []
    exchange.up = False
    clock_seconds[0] += phone_events._WRITE_INTERVAL_SECONDS
    assert published_topics(settings, phones, exchange) == ["devices", "call:nilufar"]


def test_a_complete_listing_is_repeated_at_intervals(
    settings, phones_and_exchange, clock_seconds
) -> None:
    phones, exchange = phones_and_exchange
    exchange.up = False
    clock_seconds[0] += phone_events._LIST_SECONDS - 0.1
    assert published_topics(settings, phones, exchange) == []
    clock_seconds[0] += 0.1
    assert published_topics(settings, phones, exchange) == ["devices", "call:nilufar"]
    assert exchange.lists == 2
