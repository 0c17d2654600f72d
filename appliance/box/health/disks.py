"""Disks: how full, and when they will be."""

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from appliance.box import retention
from appliance.box.health.check import Check
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony.recordings import reserve

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


def places(settings: Settings) -> Iterator[Check]:
    """There is room where snapshots and changes are copied to, and for more files everywhere."""
    targets = {Path(one.url) for one in settings.backups if ":" not in one.url}
    if settings.snapshots.replica:
        targets.add(Path(settings.snapshots.replica))
    for code, name, folders in (
        ("disk.copies", N_("Disks of the copies"), targets),
        ("disk.files", N_("Room for more files"), {settings.paths.recordings, *targets}),
    ):
        shares = {folder: _share(folder, code == "disk.files") for folder in folders}
        if not shares:
            continue
        worst = min(shares, key=lambda folder: shares[folder])
        left = shares[worst]
        state = "fail" if left < VERY_LOW else "warn" if left < LOW else "ok"
        advice = N_("Make room or add a disk: soon no copy can be made, and then nothing is kept.")
        values = {"share": f"{100 * left:.0f} %", "folder": str(worst)}
        seen = N_("{share} are left at {folder}")
        yield Check(code, name, state, seen, "" if state == "ok" else advice, values)


def temporary(settings: Settings) -> Iterator[Check]:
    """There is room for temporary files: papers, uploads and recordings pass through them."""
    folder = Path(tempfile.gettempdir())
    left = min(_share(folder, False), _share(folder, True))
    state = "fail" if left < VERY_LOW else "ok"
    advice = N_("Remove what is large there: `du -xh {folder} | sort -h | tail`. Papers fail.")
    values = {"share": f"{100 * left:.0f} %", "folder": str(folder)}
    seen = N_("{share} are left at {folder}")
    name = N_("Room for temporary files")
    yield Check("disk.temporary", name, state, seen, "" if state == "ok" else advice, values)


def _share(folder: Path, of_files: bool) -> float:
    """The share of a disk's room, or of the files it can hold, that is left."""
    found = os.statvfs(_existing(folder))
    free, total = (found.f_favail, found.f_files) if of_files else (found.f_bavail, found.f_blocks)
    return free / total if total else 1.0


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
