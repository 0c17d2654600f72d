"""Unusual reading is recorded once: many records in minutes, one's own surname, at night."""

import datetime as dt

import pytest

from appliance.casework import unusual_reading
from appliance.core import audit, clock
from appliance.models import AuditEntry
from tests.rig.appeals import FULL_FORM, create_appeal

DAY = dt.datetime(2026, 11, 24, 7, 0, tzinfo=dt.UTC)  # noon in Tashkent
LATE = dt.datetime(2026, 11, 24, 19, 30, tzinfo=dt.UTC)  # half past midnight


@pytest.fixture
def set_clock(monkeypatch):
    """Set the clock."""

    def set_clock(moment: dt.datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(DAY)
    return set_clock


def recorded_alerts() -> list[tuple[str, str]]:
    rows = (
        AuditEntry.select()
        .where(AuditEntry.action == unusual_reading.ACTION)
        .order_by(AuditEntry.id)
    )
    return [(row.subject, row.detail["why"]) for row in rows]


def test_many_different_records_within_minutes_are_recorded_once_an_hour(
    settings, set_clock
) -> None:
    for number in range(unusual_reading.MANY_RECORDS - 1):
        set_clock(DAY + dt.timedelta(seconds=number))
        audit.record_entry("dilnoza", "appeal.view", f"2026-{number:06}")
    for _ in range(20):  # the same record again does not count
        audit.record_entry("dilnoza", "appeal.view", "2026-000001")
    unusual_reading.record_unusual_reading(settings.tz)
    assert recorded_alerts() == []
    audit.record_entry("dilnoza", "recording.listen", "hotline-1.1")
    assert unusual_reading.record_unusual_reading(settings.tz) == "noted 1"
    assert unusual_reading.record_unusual_reading(settings.tz) == ""
    assert recorded_alerts() == [("dilnoza", "many")]
    row = unusual_reading.recent_findings(DAY)[0]
    assert row.who == "jobs"
    assert row.detail["count"] == unusual_reading.MANY_RECORDS
    later = DAY + dt.timedelta(hours=2)
    for number in range(unusual_reading.MANY_RECORDS):
        set_clock(later + dt.timedelta(seconds=number))
        audit.record_entry("dilnoza", "call.view", f"hotline-{number}.2")
    unusual_reading.record_unusual_reading(settings.tz)
    assert recorded_alerts() == [("dilnoza", "many")] * 2


def test_as_many_records_over_a_day_are_usual(settings, set_clock) -> None:
    for number in range(2 * unusual_reading.MANY_RECORDS):
        set_clock(DAY + dt.timedelta(minutes=number))
        audit.record_entry("dilnoza", "appeal.view", f"2026-{number:06}")
    unusual_reading.record_unusual_reading(settings.tz)
    assert recorded_alerts() == []


@pytest.mark.parametrize("surname", ["Aliyev", "АЛИЕВА", "Aliyeva"])
def test_reading_an_appeal_of_the_readers_own_surname_is_recorded(
    surname, settings, set_clock, nilufar
) -> None:
    appeal = create_appeal(settings, nilufar, FULL_FORM | {"surname": surname})
    for who in ("dilnoza", "sardor", "nilufar"):  # Dilnoza Aliyeva
        audit.record_entry(who, "appeal.view", appeal.number)
    unusual_reading.record_unusual_reading(settings.tz)
    unusual_reading.record_unusual_reading(settings.tz)
    assert recorded_alerts() == [("dilnoza", "surname")]


def test_reading_at_night_is_recorded_for_users_who_work_by_day(settings, set_clock) -> None:
    set_clock(LATE)
    for who in ("nilufar", "dilnoza", "bahodir", "key:Tizim"):
        audit.record_entry(who, "appeal.view", "2026-000009")
    unusual_reading.record_unusual_reading(settings.tz)
    assert recorded_alerts() == [("bahodir", "night")]
