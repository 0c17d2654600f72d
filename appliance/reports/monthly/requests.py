"""Counts of registered requests and of appeals, and which of them tables 1, 3 and 4 print.

A request is each form №1, and each form №2 whose call has no form №1 and whose call type is not
one of the empty ones (silent, wrong number, prank). It counts for the day on which its call
arrived. In the customer's forms only form №2 has a direction, and the direction "advice" is given
in calls that are registered on form №2 alone.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.casework import call_forms, catalogs
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.i18n import localized_name
from appliance.core.refusals import Refused
from appliance.models import Appeal, CallForm, CountingRule
from appliance.reports import wallclock
from appliance.reports.periods import Period
from appliance.reports.tables import CountTable, WeekdayTable, count_by_list, count_by_weekday

REQUESTS, APPEALS = "requests", "appeals"


@dataclass(frozen=True)
class CountedTables:
    """Tables 1, 3 and 4 of report form №2."""

    by_weekday: WeekdayTable
    by_region: CountTable
    by_direction: CountTable  # by subject area


def current_rule() -> CountingRule | None:
    """Return the rule in force, or None if no manager has decided; see reading_of()."""
    rule: CountingRule | None = CountingRule.select().order_by(CountingRule.id.desc()).first()
    return rule


def reading_of(rule: CountingRule | None) -> str:
    """Return which count the tables print by a rule: REQUESTS (without a rule) or APPEALS."""
    return rule.counted if rule else REQUESTS


def store_rule(reading: str, login: str) -> None:
    """Make a reading (REQUESTS or APPEALS) the rule in force, as a new version of it.

    Nothing is stored if it is in force already. Raises Refused("counted") for another text.
    """
    if reading not in (REQUESTS, APPEALS):
        raise Refused("counted", f"not a choice: {reading}")
    with write_transaction():
        if reading == reading_of(current_rule()):
            return
        rule = CountingRule.create(counted=reading, decided_at=clock.now(), decided_by=login)
        audit.record_entry(login, "report.counted", "monthly", counted=reading, version=rule.id)
        live.publish_topics("reports")


def count_both_readings(
    period: Period, calendar: WorkingCalendar, locale: str, unknown_names: tuple[str, str]
) -> tuple[CountedTables, CountedTables]:
    """Return the tables of all requests, and those of the appeals (form №1) alone.

    `unknown_names` are the names of the rows without a listed region and direction.
    """
    times = (calendar.opens, calendar.closes)
    appeals, forms = (
        _Counts(
            _count_by_slot(table, period, times),
            _count_by_column(table, period, "region"),
            _count_by_column(table, period, "direction"),
        )
        for table in (Appeal, CallForm)
    )
    requests = appeals.added_to(forms)
    names = (
        region_names(locale),
        direction_names(set(requests.by_direction), locale, period.last),
    )
    return (
        requests.as_tables(calendar, names, unknown_names),
        appeals.as_tables(calendar, names, unknown_names),
    )


def count_appeals_by_region(period: Period, locale: str, unknown_name: str) -> CountTable:
    """Count appeals by region, in the order of the report form.

    `unknown_name` is the name of the row for appeals without a region.
    """
    counts = _count_by_column(Appeal, period, "region")
    return count_by_list(counts, region_names(locale), unknown_name)


def count_appeals_by_direction(period: Period, locale: str, unknown_name: str) -> CountTable:
    """Count appeals by direction (subject area), in the order of the report form.

    Directions that are not in use on the period's last day are included only if appeals have them.
    `unknown_name` is the name of the row for appeals without a listed direction.
    """
    counts = _count_by_column(Appeal, period, "direction")
    return count_by_list(counts, direction_names(set(counts), locale, period.last), unknown_name)


def region_names(locale: str) -> dict[str, str]:
    """Return the names of the regions by SOATO code, in the order of the report form."""
    # an empty text matches all regions, in the order of the report form
    return {region.soato: localized_name(region, locale) for region in catalogs.match_regions("")}


def direction_names(used_codes: set[str | None], locale: str, day: dt.date) -> dict[str, str]:
    """Return the names of directions (subject areas) by code, in the order of the report form.

    Directions that are not in use on `day` are included only if they are among `used_codes`.
    """
    return {
        item.code: localized_name(item, locale)
        for item in catalogs.list_items("direction")
        if catalogs.is_in_use(item, day) or item.code in used_codes
    }


@dataclass(frozen=True)
class _Counts:
    """Counts by time slot, by region and by direction."""

    by_slot: Counter[dt.datetime]
    by_region: Counter[str | None]
    by_direction: Counter[str | None]

    def added_to(self, other: "_Counts") -> "_Counts":
        """Return the sums of these counts and others."""
        return _Counts(
            self.by_slot + other.by_slot,
            self.by_region + other.by_region,
            self.by_direction + other.by_direction,
        )

    def as_tables(
        self,
        calendar: WorkingCalendar,
        names: tuple[dict[str, str], dict[str, str]],
        unknown_names: tuple[str, str],
    ) -> CountedTables:
        """Return the tables; `names` are those of the regions and of the directions, by code."""
        return CountedTables(
            count_by_weekday(self.by_slot, calendar),
            count_by_list(self.by_region, names[0], unknown_names[0]),
            count_by_list(self.by_direction, names[1], unknown_names[1]),
        )


def _conditions(table: type[Appeal | CallForm], period: Period) -> list[Expression]:
    """Return the SQL conditions that a form's call arrived in the period and that it counts."""
    in_period = [table.received_at >= period.begin, table.received_at < period.end]
    return in_period if table is Appeal else [*in_period, call_forms.is_request()]


def _count_by_column(
    table: type[Appeal | CallForm], period: Period, name: str
) -> Counter[str | None]:
    """Return the number of forms in a table that count, by the value of a column."""
    column = getattr(table, name)
    rows = table.select(column, fn.COUNT(table.id)).where(*_conditions(table, period))
    return Counter(dict(rows.group_by(column).tuples()))


def _count_by_slot(
    table: type[Appeal | CallForm], period: Period, times: Iterable[dt.time]
) -> Counter[dt.datetime]:
    """Return the number of forms in each time slot, by the beginning of the slot in local time.

    All slots have the same length, an hour or a part of it: the greatest at which each of `times`,
    times of the day, is a border between slots. Slots without forms are left out.
    """
    width = wallclock.slot_width(times)
    slot = wallclock.local_microseconds(period, table.received_at) / width
    rows = table.select(slot, fn.COUNT(table.id)).where(*_conditions(table, period)).group_by(slot)
    return Counter(
        {wallclock.wall_clock_datetime(number * width): count for number, count in rows.tuples()}
    )
