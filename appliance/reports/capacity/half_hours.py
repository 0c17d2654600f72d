"""The calls of each half-hour of a period, counted in one pass."""

from dataclasses import dataclass

from peewee import SQL, Node, fn

from appliance.core.db import raw_rows
from appliance.models import Call
from appliance.reports import kpi, sums, wallclock
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.periods import Period

SLOT_SECONDS = 1800
_TALLY_COLUMNS = ("accepted", "joined", "short", "talk_seconds", "hold_seconds")  # of the tally


@dataclass(frozen=True)
class HalfHourTally(kpi.Tally):
    """A tally of a half-hour, and further sums over its calls. Seconds except for `lasted`."""

    calls: int = 0  # all calls
    over: int = 0
    lasted: int = 0  # microseconds, of the calls that have ended
    stood: float = 0.0  # in queues, of calls with any outcome
    gave_up: int = 0  # calls abandoned in a queue, including short abandons

    @property
    def patience(self) -> float | None:
        """Mean seconds until a caller hangs up, if any did.

        The waits of answered callers count as censored observations.
        """
        return self.stood / self.gave_up if self.gave_up else None


def count_half_hours(period: Period, service_level_seconds: float) -> dict[int, HalfHourTally]:
    """Return half-hours since 1970 in local time → the incoming calls of each."""
    all_sums = sums.tally_sums(service_level_seconds)
    columns: dict[str, Node] = {name: all_sums[name].sql for name in _TALLY_COLUMNS}
    columns |= {
        "calls": fn.COUNT(SQL("*")),
        "over": fn.COUNT(Call.ended_at),
        "lasted": fn.SUM(Call.ended_at - Call.arrived_at),
        "stood": fn.SUM(Call.wait_seconds),
        "gave_up": sums.count_where(sums.ABANDONED.sql & Call.wait_seconds.is_null(False)),
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
