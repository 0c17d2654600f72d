"""The ministry's working hours."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from appliance.core.clock import WorkingCalendar

TASHKENT = ZoneInfo("Asia/Tashkent")
CALENDAR = WorkingCalendar(
    TASHKENT,
    dt.time(9),
    dt.time(18),
    {dt.date(2026, 12, 8): False, dt.date(2026, 12, 12): True},
)


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        pytest.param("2026-12-07 08:59:59", False, id="before"),
        pytest.param("2026-12-07 09:00:00", True, id="opens"),
        pytest.param("2026-12-07 17:59:59", True, id="last-second"),
        pytest.param("2026-12-07 18:00:00", False, id="closes"),
        pytest.param("2026-12-06 12:00:00", False, id="sunday"),
        pytest.param("2026-12-08 12:00:00", False, id="holiday"),
        pytest.param("2026-12-12 12:00:00", True, id="working-saturday"),
    ],
)
def test_working_hours_are_in_the_sites_time_zone(local: str, inside: bool) -> None:
    moment = dt.datetime.fromisoformat(local).replace(tzinfo=TASHKENT)
    assert CALENDAR.is_working_time(moment) is inside
    assert CALENDAR.is_working_time(moment.astimezone(dt.UTC)) is inside
