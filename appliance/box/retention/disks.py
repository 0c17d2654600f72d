"""How disks fill, and the day on which one is full if it goes on like that."""

import datetime as dt
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from appliance.core import clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import DiskReading

_DAYS, _FEWEST = 30, 7  # days looked at; with fewer nothing is foretold
_FAR = 3650  # days


@dataclass(frozen=True)
class Forecast:
    """What is known of a disk; `full_on` is None when it does not fill or too little is known."""

    disk: str
    days_measured: int
    per_day: float  # bytes
    full_on: dt.date | None

    @property
    def is_known(self) -> bool:
        """Whether it was measured for long enough to foretell anything."""
        return self.days_measured >= _FEWEST


def folders(settings: Settings) -> dict[str, Path]:
    """The disks that fill."""
    return {"database": settings.paths.database.parent, "recordings": settings.paths.recordings}


def read_disks(settings: Settings) -> None:
    """Note how full each disk is today."""
    today = clock.now().astimezone(settings.tz).date()
    for disk, folder in folders(settings).items():
        usage = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists()))
        used = usage.total - usage.free
        with writing():
            here = (DiskReading.disk == disk, DiskReading.day == today)
            DiskReading.delete().where(*here).execute()
            DiskReading.create(disk=disk, day=today, used=used, total=usage.total)


def forecast(settings: Settings, disk: str) -> Forecast:
    """How a disk filled in the last 30 days, and when it is full if it goes on like that."""
    today = clock.now().astimezone(settings.tz).date()
    rows = list(
        DiskReading.select()
        .where(DiskReading.disk == disk, DiskReading.day > today - dt.timedelta(days=_DAYS))
        .where(DiskReading.day <= today)  # none of a clock that was ahead
        .order_by(DiskReading.day)
    )
    rows = [row for row in rows if row.total == rows[-1].total]  # a new disk begins anew
    if len(rows) < _FEWEST:
        return Forecast(disk, len(rows), 0.0, None)
    growth = _growth(rows)
    left = rows[-1].total - rows[-1].used
    days = left / growth if growth > 0 else _FAR
    full_on = rows[-1].day + dt.timedelta(days=int(days)) if days < _FAR else None
    return Forecast(disk, len(rows), growth, full_on)


def _growth(rows: Sequence[DiskReading]) -> float:
    """Bytes a day: what all days together tell, or the usual day where that is less.

    The usual days leave out the fullest and the emptiest, so that a restore is no growth. All days
    together are the middle one of all pairs: a disk that is swept once a week does not grow.
    """
    together = statistics.median(_slope(*pair) for pair in combinations(rows, 2))
    steps = sorted(_slope(*pair) for pair in pairwise(rows))
    unusual = max(1, len(steps) // 10)
    return min(together, statistics.fmean(steps[unusual:-unusual]))


def _slope(earlier: DiskReading, later: DiskReading) -> float:
    days: int = (later.day - earlier.day).days
    return float(later.used - earlier.used) / days
