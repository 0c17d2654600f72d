"""Figures about the box for the monthly annex: links, internet rate, the last restore drill.

A link is a connection to the internet or to a telephone network. A restore drill is a rehearsed
restore from a snapshot.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.models import LinkStretch, RateReading, SnapshotRun
from appliance.reports.periods import Period
from appliance.reports.shares import percentage

AGREED_RATE_MBIT = 75.0  # the minimum internet rate (requirement S3)


@dataclass(frozen=True)
class LinkAvailability:
    """The availability of a link in a period.

    Time in which the link was not observed counts neither as up nor as down.
    """

    link: str  # its name, such as "internet"
    up: float  # seconds
    down: float  # seconds
    outages: int  # how often it was down

    @property
    def share(self) -> float | None:
        """The percentage of the observed time in which the link was up, if it was observed."""
        return percentage(self.up, self.up + self.down)


@dataclass(frozen=True)
class RestoreDrill:
    """The result of the period's last restore drill; without a `date`, there was no drill."""

    date: dt.date | None
    passed: bool = False


def link_availability(begin: dt.datetime, end: dt.datetime) -> list[LinkAvailability]:
    """Return the availability of every link observed in [begin, end), sorted by name."""
    is_over_before = LinkStretch.until.is_null(False) & (LinkStretch.until <= begin)
    rows = LinkStretch.select().where(LinkStretch.since < end, ~is_over_before)
    seconds: dict[str, dict[bool, float]] = {}
    outages: dict[str, int] = {}
    for row in rows.order_by(LinkStretch.link, LinkStretch.since):
        # a state that has not ended is known only up to the last check
        until = min(row.until or row.looked_at, end)
        length = max(0.0, (until - max(row.since, begin)).total_seconds())
        seconds.setdefault(row.link, {True: 0.0, False: 0.0})[row.up] += length
        outages[row.link] = outages.get(row.link, 0) + (not row.up)
    return [
        LinkAvailability(n, seconds_by_state[True], seconds_by_state[False], outages[n])
        for n, seconds_by_state in seconds.items()
    ]


def rate_readings(begin: dt.datetime, end: dt.datetime) -> list[RateReading]:
    """Return the measurements of the internet rate (Mbit/s) in [begin, end), oldest first."""
    readings = RateReading.select().where(RateReading.at >= begin, RateReading.at < end)
    return list(readings.order_by(RateReading.at))


def last_restore_drill(period: Period) -> RestoreDrill:
    """Return the result of the last finished restore drill that started in the period."""
    run = _last_drill_run(period)
    if not run:
        return RestoreDrill(None)
    return RestoreDrill(run.started_at.astimezone(period.tz).date(), run.state == "done")


def _last_drill_run(period: Period) -> SnapshotRun | None:
    """Return the row of the last finished drill that started in the period, if any."""
    drill_conditions = (SnapshotRun.kind == "drill", SnapshotRun.ended_at.is_null(False))
    period_conditions = (
        SnapshotRun.started_at >= period.begin,
        SnapshotRun.started_at < period.end,
    )
    run: SnapshotRun | None = (
        SnapshotRun.select()
        .where(*drill_conditions, *period_conditions)
        .order_by(SnapshotRun.id.desc())
        .first()
    )
    return run
