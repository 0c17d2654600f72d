"""The calls of each half-hour of a period, counted with one query."""

from dataclasses import dataclass

from peewee import SQL, Node, fn

from appliance.core.db import raw_rows
from appliance.models import Call
from appliance.reports import kpi, sums, wallclock
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.periods import Period

SLOT_SECONDS = 1800
_TALLY_COLUMNS = ("accepted", "joined", "short", "talk_seconds", "hold_seconds")  # of kpi.Tally


@dataclass(frozen=True)
class HalfHourTally(kpi.Tally):
    """The tally of a half-hour's incoming calls, with further sums over them."""

    calls: int = 0  # all incoming calls
    ended_calls: int = 0  # calls that are not in progress
    call_microseconds: int = 0  # total duration of the ended calls
    queue_seconds: float = 0.0  # total wait in queues, of calls with any outcome
    hung_up_in_queue: int = 0  # calls, including short abandons

    @property
    def patience(self) -> float | None:
        """Mean seconds that callers wait before they hang up, if anybody did.

        It is the waiting time of all callers divided by the number of those who hung up, since an
        answered caller would have waited longer (a censored observation).
        """
        return self.queue_seconds / self.hung_up_in_queue if self.hung_up_in_queue else None


def count_half_hours(period: Period, service_level_seconds: float) -> dict[int, HalfHourTally]:
    """Return the tally of the incoming calls in each half-hour of the period.

    Keys count half-hours since 1970, in local time; half-hours without calls are left out. Only the
    fields in _TALLY_COLUMNS and the further sums are counted, the others are 0.
    `service_level_seconds` is the threshold of the service level.
    """
    all_sums = sums.tally_sums(service_level_seconds)
    columns: dict[str, Node] = {name: all_sums[name].sql for name in _TALLY_COLUMNS}
    columns |= {
        "calls": fn.COUNT(SQL("*")),
        "ended_calls": fn.COUNT(Call.ended_at),
        "call_microseconds": fn.SUM(Call.ended_at - Call.arrived_at),
        "queue_seconds": fn.SUM(Call.wait_seconds),
        "hung_up_in_queue": sums.count_where(sums.ABANDONED.sql & Call.wait_seconds.is_null(False)),
    }
    slot = (wallclock.local_microseconds(period) / (SLOT_SECONDS * 10**6)).alias("slot")
    rows = (
        Call.select(slot, *columns.values())
        .where(*sql_conditions(CallFilter(period)))
        .group_by(SQL("slot"))
    )
    return {
        number: HalfHourTally(
            **{name: value or 0 for name, value in zip(columns, values, strict=True)}
        )
        for number, *values in raw_rows(rows)
    }
