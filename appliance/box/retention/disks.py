"""How fast disks fill, and the day on which one will be full at the current rate."""

import datetime as dt
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import DiskReading

_FORECAST_DAYS, _MIN_FORECAST_DAYS = 30, 7  # days considered: at most, at least
_MAX_DAYS_AHEAD = 3650  # a disk that lasts longer counts as one that does not fill


@dataclass(frozen=True)
class Forecast:
    """The forecast of a disk; `full_on` is None if it does not fill or too little is known."""

    disk: str
    days_measured: int
    per_day: float  # bytes
    full_on: dt.date | None

    @property
    def is_known(self) -> bool:
        """Whether the disk was measured for long enough for a forecast."""
        return self.days_measured >= _MIN_FORECAST_DAYS


def disk_folders(settings: Settings) -> dict[str, Path]:
    """Return a folder on each disk that fills, by the name of the disk."""
    return {"database": settings.paths.database.parent, "recordings": settings.paths.recordings}


def record_disk_usage(settings: Settings) -> None:
    """Record how full each disk is today."""
    today = clock.now().astimezone(settings.tz).date()
    for disk, folder in disk_folders(settings).items():
        usage = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists()))
        used_bytes = usage.total - usage.free
        with write_transaction():
            todays_reading = (DiskReading.disk == disk, DiskReading.day == today)
            DiskReading.delete().where(*todays_reading).execute()
            DiskReading.create(disk=disk, day=today, used=used_bytes, total=usage.total)


def disk_forecast(settings: Settings, disk: str) -> Forecast:
    """Return the daily growth of a disk in 30 days, and the day it will be full at that rate."""
    today = clock.now().astimezone(settings.tz).date()
    rows = list(
        DiskReading.select()
        .where(
            DiskReading.disk == disk, DiskReading.day > today - dt.timedelta(days=_FORECAST_DAYS)
        )
        .where(DiskReading.day <= today)  # ignores readings from a clock that was ahead
        .order_by(DiskReading.day)
    )
    rows = [row for row in rows if row.total == rows[-1].total]  # a new disk starts a new series
    if len(rows) < _MIN_FORECAST_DAYS:
        return Forecast(disk, len(rows), 0.0, None)
    growth = _daily_growth(rows)
    free_bytes = rows[-1].total - rows[-1].used
    days = free_bytes / growth if growth > 0 else _MAX_DAYS_AHEAD
    full_on = rows[-1].day + dt.timedelta(days=int(days)) if days < _MAX_DAYS_AHEAD else None
    return Forecast(disk, len(rows), growth, full_on)


def _daily_growth(rows: Sequence[DiskReading]) -> float:
    """Return the overall growth in bytes per day, or the usual day's growth if it is smaller.

    The usual days exclude the extreme ones, so that a restore does not count as growth. The overall
    growth is the median over all pairs of days: a disk that is cleaned once a week does not grow.
    """
    overall = statistics.median(_daily_change(*pair) for pair in combinations(rows, 2))
    steps = sorted(_daily_change(*pair) for pair in pairwise(rows))
    trimmed = max(1, len(steps) // 10)
    return min(overall, statistics.fmean(steps[trimmed:-trimmed]))


def _daily_change(earlier: DiskReading, later: DiskReading) -> float:
    """Return the change between two readings, in bytes per day."""
    days: int = (later.day - earlier.day).days
    return float(later.used - earlier.used) / days
