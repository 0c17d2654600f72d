"""What the annex says of the box itself: its links, its rate, the last trial of a restore."""

import datetime as dt
from dataclasses import dataclass

from appliance.models import LinkStretch, RateReading, SnapshotRun
from appliance.reports.periods import Period

AGREED = 75.0  # Mbit/s at least (requirement S3)


@dataclass(frozen=True)
class Availability:
    """What is known of a link in a period; seconds."""

    link: str
    up: float
    down: float
    outages: int

    @property
    def share(self) -> float | None:
        """Per cent of the time in which it was looked at; None when it never was."""
        known = self.up + self.down
        return 100 * self.up / known if known else None


@dataclass(frozen=True)
class Drill:
    """How the month's last trial of a restore ended; no date when there was none."""

    date: dt.date | None
    passed: bool = False


def availability(begin: dt.datetime, end: dt.datetime) -> list[Availability]:
    """Every link that was looked at in [begin, end), by name."""
    known = LinkStretch.until.is_null(False) & (LinkStretch.until <= begin)
    rows = LinkStretch.select().where(LinkStretch.since < end, ~known)
    seconds: dict[str, dict[bool, float]] = {}
    outages: dict[str, int] = {}
    for row in rows.order_by(LinkStretch.link, LinkStretch.since):
        until = min(row.until or row.looked_at, end)
        length = max(0.0, (until - max(row.since, begin)).total_seconds())
        seconds.setdefault(row.link, {True: 0.0, False: 0.0})[row.up] += length
        outages[row.link] = outages.get(row.link, 0) + (not row.up)
    return [Availability(n, part[True], part[False], outages[n]) for n, part in seconds.items()]


def rates(begin: dt.datetime, end: dt.datetime) -> list[RateReading]:
    """The measurements of [begin, end), oldest first."""
    within = RateReading.select().where(RateReading.at >= begin, RateReading.at < end)
    return list(within.order_by(RateReading.at))


def drill(period: Period) -> Drill:
    """How the last trial begun in the period ended."""
    run = _last_trial(period)
    if not run:
        return Drill(None)
    return Drill(run.started_at.astimezone(period.tz).date(), run.state == "done")


def _last_trial(period: Period) -> SnapshotRun | None:
    ended = (SnapshotRun.kind == "drill", SnapshotRun.ended_at.is_null(False))
    within = (SnapshotRun.started_at >= period.begin, SnapshotRun.started_at < period.end)
    found: SnapshotRun | None = (
        SnapshotRun.select().where(*ended, *within).order_by(SnapshotRun.id.desc()).first()
    )
    return found
