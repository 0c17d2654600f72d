"""The forecast from a site's own calls."""

import datetime as dt

import pytest

from appliance.core.settings import Settings
from appliance.models import Call, Presence, User
from appliance.reports import capacity
from appliance.reports.capacity.forecast import need
from appliance.reports.periods import Period

MONDAY = dt.date(2026, 10, 5)


@pytest.fixture
def monday(settings: Settings) -> Period:
    """Two Mondays: 12 calls of 150 s between 10:00 and 10:30, one of them given up after 40 s."""
    period = Period(MONDAY, MONDAY + dt.timedelta(days=13), settings.tz)
    for week in range(2):
        ten = dt.datetime.combine(MONDAY + dt.timedelta(7 * week), dt.time(10), settings.tz)
        for number in range(12):
            gone = number == 11
            arrived = ten + dt.timedelta(seconds=60 * number)
            Call.create(
                id=f"{week}.{number}",
                direction="inbound",
                arrived_at=arrived,
                ended_at=arrived + dt.timedelta(seconds=200),
                stage="ended",
                outcome="abandoned_queue" if gone else "answered",
                wait_seconds=40.0 if gone else 10.0,
                talk_seconds=0.0 if gone else 140.0,
                hold_seconds=0.0 if gone else 10.0,
                trunk="carrier",
            )
        user = User.get(User.login == "nilufar")
        for since, state in ((0, "ready"), (15, "pause"), (45, "off")):
            Presence.create(user=user, state=state, since=ten + dt.timedelta(minutes=since))
    return period


def test_the_half_hour_that_had_calls(settings, monday) -> None:
    made = capacity.count(monday, settings.calls.service_level)
    assert made.weekday == 1
    half = made.half_hours[20]
    assert half.begins == dt.time(10)
    assert half.calls == 12
    assert half.length == 150
    assert half.need.load == 1.0
    assert half.need == need(12, 150, settings.calls.service_level)
    assert (half.need.for_speed, half.need.for_level) == (3, 3)
    assert half.on_shift == 1.0  # a pause is at work
    assert made.half_hours[21].on_shift == 0.5
    assert half.short
    assert not made.half_hours[0].short
    assert made.patience == (22 * 10 + 2 * 40) / 2
    assert made.holding == 200
    assert (made.busiest, made.channels) == (12, 5)
    assert made.peak == 4
    assert made.on_demand_operators > 90
    assert made.weekdays == {1: 12, **dict.fromkeys(range(2, 8), 0.0)}


def test_without_calls_nobody_is_needed(settings) -> None:
    made = capacity.count(Period(MONDAY, MONDAY, settings.tz), 20.0)
    assert (made.peak_operators, made.channels, made.peak, made.patience) == (0, 0, 0, None)


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_annex_has_its_tables(settings, monday, locale) -> None:
    figures, half_hours = capacity.tables(
        capacity.count(monday, settings.calls.service_level), locale
    )
    assert len(half_hours.rows) == 48
    assert all(len(row) == len(half_hours.heads) for row in half_hours.rows)
    assert dict(figures.rows)[figures.rows[3][0]] == 3
