"""The calls of each half-hour of a period, counted in one pass."""

from dataclasses import dataclass

from peewee import SQL, Node, fn

from appliance.core.db import raw
from appliance.models import Call
from appliance.reports import kpi, sums, wallclock
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.periods import Period

SLOT = 1800  # seconds
_ASKED = ("accepted", "joined", "short", "talk_seconds", "hold_seconds")  # of the tally


@dataclass(frozen=True)
class Calls(kpi.Tally):
    """A tally of a half-hour, and what else is asked of its calls. Seconds but for `lasted`."""

    calls: int = 0  # all of them
    over: int = 0
    lasted: int = 0  # microseconds, of those that are over
    stood: float = 0.0  # in queues, whatever became of them
    gave_up: int = 0  # of those who stood in one, short ones too

    @property
    def patience(self) -> float | None:
        """Mean seconds until a caller gives up, those who were answered first taken as cut short.

        None: nobody did.
        """
        return self.stood / self.gave_up if self.gave_up else None


def count(period: Period, level: float) -> dict[int, Calls]:
    """Half-hours since 1970 on the site's clock → the incoming calls of each."""
    known = sums.sums(level)
    columns: dict[str, Node] = {name: known[name].sql for name in _ASKED}
    columns |= {
        "calls": fn.COUNT(SQL("*")),
        "over": fn.COUNT(Call.ended_at),
        "lasted": fn.SUM(Call.ended_at - Call.arrived_at),
        "stood": fn.SUM(Call.wait_seconds),
        "gave_up": sums.count(sums.GAVE_UP.sql & Call.wait_seconds.is_null(False)),
    }
    slot = (wallclock.local(period) / (SLOT * 10**6)).alias("slot")
    rows = (
        Call.select(slot, *columns.values())
        .where(*conditions_of(CallFilter(period)))
        .group_by(SQL("slot"))
    )
    return {
        number: Calls(**{name: value or 0 for name, value in zip(columns, values, strict=True)})
        for number, *values in raw(rows)
    }
