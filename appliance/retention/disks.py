"""How disks fill, and the day on which one is full if it goes on like that."""

import datetime as dt
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

from appliance import clock
from appliance.db import writing
from appliance.models import DiskReading
from appliance.settings import Settings

_DAYS, _FEWEST = 30, 3  # days looked at; with fewer nothing is foretold
_FAR = 3650  # days


@dataclass(frozen=True)
class Forecast:
    """What is known of a disk; `full_on` is None when it does not fill or too little is known."""

    disk: str
    days_measured: int
    per_day: float  # bytes
    full_on: dt.date | None


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
    """The straight line through the last 30 days of a disk, and where it meets the top."""
    today = clock.now().astimezone(settings.tz).date()
    rows = list(
        DiskReading.select()
        .where(DiskReading.disk == disk, DiskReading.day > today - dt.timedelta(days=_DAYS))
        .order_by(DiskReading.day)
    )
    rows = [row for row in rows if row.total == rows[-1].total]  # a new disk begins anew
    if len(rows) < _FEWEST:
        return Forecast(disk, len(rows), 0.0, None)
    line = statistics.linear_regression(
        [(row.day - today).days for row in rows], [row.used for row in rows]
    )
    left = rows[-1].total - rows[-1].used
    days = left / line.slope if line.slope > 0 else _FAR
    full_on = rows[-1].day + dt.timedelta(days=int(days)) if days < _FAR else None
    return Forecast(disk, len(rows), line.slope, full_on)
