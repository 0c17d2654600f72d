"""The forecast from a site's own calls."""

import datetime as dt

import pytest

from appliance.core.settings import Settings
from appliance.models import Call, Presence, User
from appliance.reports import capacity
from appliance.reports.capacity.forecast import operator_need
from appliance.reports.periods import Period

FIRST_MONDAY = dt.date(2026, 10, 5)


@pytest.fixture
def monday(settings: Settings) -> Period:
    """Two Mondays, each with 12 calls of 150 s from 10:00 to 10:30, one abandoned after 40 s."""
    period = Period(FIRST_MONDAY, FIRST_MONDAY + dt.timedelta(days=13), settings.tz)
    for week in range(2):
        ten = dt.datetime.combine(FIRST_MONDAY + dt.timedelta(7 * week), dt.time(10), settings.tz)
        for number in range(12):
            is_abandoned = number == 11
            arrived = ten + dt.timedelta(seconds=60 * number)
            Call.create(
                id=f"{week}.{number}",
                direction="inbound",
                arrived_at=arrived,
                ended_at=arrived + dt.timedelta(seconds=200),
                stage="ended",
                outcome="abandoned_queue" if is_abandoned else "answered",
                wait_seconds=40.0 if is_abandoned else 10.0,
                talk_seconds=0.0 if is_abandoned else 140.0,
                hold_seconds=0.0 if is_abandoned else 10.0,
                trunk="carrier",
            )
        user = User.get(User.login == "nilufar")
        for since, state in ((0, "ready"), (15, "pause"), (45, "off")):
            Presence.create(user=user, state=state, since=ten + dt.timedelta(minutes=since))
    return period


def test_a_half_hour_with_calls_has_its_figures(settings, monday) -> None:
    forecast = capacity.forecast_capacity(monday, settings.calls.service_level)
    assert forecast.weekday == 1
    half = forecast.half_hours[20]
    assert half.begins == dt.time(10)
    assert half.calls == 12
    assert half.handling_seconds == 150
    assert half.need.load == 1.0
    assert half.need == operator_need(12, 150, settings.calls.service_level)
    assert (half.need.for_speed, half.need.for_level) == (3, 3)
    assert half.on_shift == 1.0  # a pause counts as being at work
    assert forecast.half_hours[21].on_shift == 0.5
    assert half.is_understaffed
    assert not forecast.half_hours[0].is_understaffed
    assert forecast.patience == (22 * 10 + 2 * 40) / 2
    assert forecast.mean_channel_seconds == 200
    assert (forecast.busiest_half_hour_calls, forecast.channels) == (12, 5)
    assert forecast.peak_calls == 4
    assert forecast.on_demand_operators > 90
    assert forecast.calls_by_weekday == {1: 12, **dict.fromkeys(range(2, 8), 0.0)}


def test_without_calls_no_operator_is_needed(settings) -> None:
    forecast = capacity.forecast_capacity(Period(FIRST_MONDAY, FIRST_MONDAY, settings.tz), 20.0)
    assert (forecast.peak_operators, forecast.channels, forecast.peak_calls, forecast.patience) == (
        0,
        0,
        0,
        None,
    )


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_annex_has_its_tables(settings, monday, locale) -> None:
    figures, half_hours = capacity.capacity_tables(
        capacity.forecast_capacity(monday, settings.calls.service_level), locale
    )
    assert len(half_hours.rows) == 48
    assert all(len(row) == len(half_hours.heads) for row in half_hours.rows)
    assert dict(figures.rows)[figures.rows[3][0]] == 3
