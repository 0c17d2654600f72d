"""Disks: how full, and when they will be."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance import clock, retention
from appliance.health.looking import N_, Check
from appliance.recordings import reserve
from appliance.settings import Settings

FULL_SOON, FULL_NOW = dt.timedelta(days=60), dt.timedelta(days=14)  # until a disk is full
GIGABYTE = 1024**3
LOW, VERY_LOW = 0.15, 0.05  # shares of a disk that are free


def room(settings: Settings) -> Iterator[Check]:
    """How full each disk is, and whether talks are recorded at all."""
    if reserve.mark(settings).exists():
        yield Check(
            "disk.unrecorded",
            N_("Recording"),
            "fail",
            N_("the disk is full: talks are not recorded"),
            N_("Make room at once: calls and appeals go on, but nobody can hear the talks later."),
        )
    folders = {
        "disk.database": (N_("Disk of the database"), settings.paths.database.parent),
        "disk.recordings": (N_("Disk of the recordings"), settings.paths.recordings),
    }
    for code, (name, folder) in folders.items():
        free, total = usage(folder)
        share = free / total
        state = "fail" if share < VERY_LOW else "warn" if share < LOW else "ok"
        yield Check(
            code,
            name,
            state,
            N_("{free} of {total} GB free"),
            ""
            if state == "ok"
            else N_("Make room or add a disk: when it is full, nothing is kept."),
            {"free": f"{free:.0f}", "total": f"{total:.0f}"},
        )


def forecasts(settings: Settings) -> Iterator[Check]:
    """A disk that will be full soon."""
    today = clock.now().astimezone(settings.tz).date()
    names = {"database": N_("Disk of the database"), "recordings": N_("Disk of the recordings")}
    for disk, name in names.items():
        full_on = retention.forecast(settings, disk).full_on
        if not full_on or full_on - today > FULL_SOON:
            continue
        yield Check(
            f"disk.{disk}.full",
            name,
            "fail" if full_on - today <= FULL_NOW else "warn",
            N_("full on {date} if it goes on like that"),
            N_("Add a disk, or keep recordings for less long: see the page Retention."),
            {"date": f"{full_on:%d.%m.%Y}"},
        )


def usage(folder: Path) -> tuple[float, float]:
    """(free, all) GB of the disk that a folder lies on."""
    found = shutil.disk_usage(_existing(folder))
    return found.free / GIGABYTE, found.total / GIGABYTE


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return next(path for path in (folder, *folder.parents) if path.exists())
