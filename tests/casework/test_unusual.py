"""Unusual reading: many records in minutes, one's own surname, at night; each noted once."""

import datetime as dt

import pytest

from appliance.casework import appeals, catalogs, unusual
from appliance.core import audit, clock
from appliance.models import AuditEntry
from tests.casework.test_appeals import FULL

DAY = dt.datetime(2026, 11, 24, 7, 0, tzinfo=dt.UTC)  # noon in Tashkent
LATE = dt.datetime(2026, 11, 24, 19, 30, tzinfo=dt.UTC)  # half past midnight


@pytest.fixture
def at(monkeypatch):
    """Set the clock."""

    def set_to(moment: dt.datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_to(DAY)
    return set_to


def noted() -> list[tuple[str, str]]:
    rows = AuditEntry.select().where(AuditEntry.action == unusual.ACTION).order_by(AuditEntry.id)
    return [(row.subject, row.detail["why"]) for row in rows]


def test_many_different_records_in_minutes_are_noted_once_an_hour(settings, at) -> None:
    for number in range(unusual.MANY - 1):
        at(DAY + dt.timedelta(seconds=number))
        audit.record("dilnoza", "appeal.view", f"2026-{number:06}")
    for _ in range(20):  # the same one again is no other record
        audit.record("dilnoza", "appeal.view", "2026-000001")
    unusual.look(settings.tz)
    assert noted() == []
    audit.record("dilnoza", "recording.listen", "hotline-1.1")
    assert unusual.look(settings.tz) == "noted 1"
    assert unusual.look(settings.tz) == ""
    assert noted() == [("dilnoza", "many")]
    row = unusual.noted(DAY)[0]
    assert row.who == "jobs"
    assert row.detail["count"] == unusual.MANY
    later = DAY + dt.timedelta(hours=2)
    for number in range(unusual.MANY):
        at(later + dt.timedelta(seconds=number))
        audit.record("dilnoza", "call.view", f"hotline-{number}.2")
    unusual.look(settings.tz)
    assert noted() == [("dilnoza", "many")] * 2


def test_as_many_over_a_day_are_usual(settings, at) -> None:
    for number in range(2 * unusual.MANY):
        at(DAY + dt.timedelta(minutes=number))
        audit.record("dilnoza", "appeal.view", f"2026-{number:06}")
    unusual.look(settings.tz)
    assert noted() == []


@pytest.mark.parametrize("surname", ["Aliyev", "АЛИЕВА", "Aliyeva"])
def test_an_appeal_of_the_readers_own_surname(surname, settings, at, nilufar) -> None:
    made = appeals.register(
        FULL | {"surname": surname},
        operator=nilufar,
        token=appeals.token_for(nilufar, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    for who in ("dilnoza", "sardor", "nilufar"):  # Dilnoza Aliyeva
        audit.record(who, "appeal.view", made.number)
    unusual.look(settings.tz)
    unusual.look(settings.tz)
    assert noted() == [("dilnoza", "surname")]


def test_at_night_those_who_work_by_day(settings, at) -> None:
    at(LATE)
    for who in ("nilufar", "dilnoza", "bahodir", "key:Tizim"):
        audit.record(who, "appeal.view", "2026-000009")
    unusual.look(settings.tz)
    assert noted() == [("bahodir", "night")]
