"""The daily summary's tables by direction and region."""

from decimal import Decimal

from appliance.core import clock
from appliance.reports import daily, formatting
from appliance.reports.periods import Period
from tests.rig.appeals import FULL_FORM, create_appeal


def test_a_region_without_appeals_has_a_share_of_zero(settings, nilufar) -> None:
    today = clock.now().astimezone(settings.tz).date()
    period = Period(today, today, settings.tz)
    shares = {row[2] for row in region_rows(settings, period)}
    assert shares == {formatting.NO_VALUE}  # of no appeals at all
    create_appeal(settings, nilufar, FULL_FORM)
    rows = region_rows(settings, period)
    assert {(row[1], row[2]) for row in rows} == {(0, Decimal(0)), (1, Decimal(100))}


def region_rows(settings, period: Period):
    [sheet] = daily.as_workbook(daily.build_daily_report(settings, period)).sheets
    return sheet.tables[2].rows
