"""Disks: how full they are, and when they will be full."""

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

# Time until a disk is full.
FULL_WARNING_PERIOD, FULL_FAILURE_PERIOD = (
    dt.timedelta(days=60),
    dt.timedelta(days=14),
)
BYTES_PER_GB = 1024**3
LOW_SHARE, VERY_LOW_SHARE = 0.15, 0.05  # shares of a disk that are free


def check_disk_space(settings: Settings) -> Iterator[Check]:
    """Check that each disk has free space, and that conversations are still recorded."""
    if reserve.unrecorded_mark(settings).exists():
        yield Check(
            "disk.unrecorded",
            N_("Recording"),
            "fail",
            N_("the disk is full: conversations are not recorded"),
            N_(
                "Free some space immediately: calls and appeals continue, but nobody can listen to "
                "the conversations later."
            ),
        )
    folders = {
        "disk.database": (N_("Disk of the database"), settings.paths.database.parent),
        "disk.recordings": (N_("Disk of the recordings"), settings.paths.recordings),
    }
    for code, (name, folder) in folders.items():
        free, total = free_and_total_gb(folder)
        share = free / total
        state = "fail" if share < VERY_LOW_SHARE else "warn" if share < LOW_SHARE else "ok"
        yield Check(
            code,
            name,
            state,
            N_("{free} of {total} GB free"),
            ""
            if state == "ok"
            else N_("Free some space or add a disk: nothing can be saved on a full disk."),
            {"free": f"{free:.0f}", "total": f"{total:.0f}"},
        )


def check_copy_disks(settings: Settings) -> Iterator[Check]:
    """Check that the disks of the copies have space, and that all disks can hold more files."""
    targets = {Path(backup.url) for backup in settings.backups if ":" not in backup.url}
    if settings.snapshots.replica:
        targets.add(Path(settings.snapshots.replica))
    for code, name, folders in (
        ("disk.copies", N_("Disks of the copies"), targets),
        ("disk.files", N_("Space for more files"), {settings.paths.recordings, *targets}),
    ):
        shares = {folder: _free_share(folder, code == "disk.files") for folder in folders}
        if not shares:
            continue
        fullest = min(shares, key=lambda folder: shares[folder])
        free_share = shares[fullest]
        state = (
            "fail" if free_share < VERY_LOW_SHARE else "warn" if free_share < LOW_SHARE else "ok"
        )
        advice = N_(
            "Free some space or add a disk: soon no snapshot can be made, and then nothing can be "
            "saved."
        )
        values = {"share": f"{100 * free_share:.0f} %", "folder": str(fullest)}
        finding = N_("{share} left in {folder}")
        yield Check(code, name, state, finding, "" if state == "ok" else advice, values)


def check_temporary_space(settings: Settings) -> Iterator[Check]:
    """Check that there is space for temporary files, through which papers and uploads pass."""
    folder = Path(tempfile.gettempdir())
    free_share = min(_free_share(folder, False), _free_share(folder, True))
    state = "fail" if free_share < VERY_LOW_SHARE else "ok"
    advice = N_(
        "Remove large files there: `du -xh {folder} | sort -h | tail`. Documents cannot be printed."
    )
    values = {"share": f"{100 * free_share:.0f} %", "folder": str(folder)}
    finding = N_("{share} left in {folder}")
    name = N_("Space for temporary files")
    yield Check("disk.temporary", name, state, finding, "" if state == "ok" else advice, values)


def _free_share(folder: Path, count_files: bool) -> float:
    """Return the share of a disk's space, or of the files that it can hold, that is free."""
    status = os.statvfs(_nearest_existing(folder))
    free, total = (
        (status.f_favail, status.f_files) if count_files else (status.f_bavail, status.f_blocks)
    )
    return free / total if total else 1.0


def check_disk_forecasts(settings: Settings) -> Iterator[Check]:
    """Yield a check for each disk that will be full soon."""
    today = clock.now().astimezone(settings.tz).date()
    names = {"database": N_("Disk of the database"), "recordings": N_("Disk of the recordings")}
    for disk, name in names.items():
        full_on = retention.disk_forecast(settings, disk).full_on
        if not full_on or full_on - today > FULL_WARNING_PERIOD:
            continue
        yield Check(
            f"disk.{disk}.full",
            name,
            "fail" if full_on - today <= FULL_FAILURE_PERIOD else "warn",
            N_("full on {date} at the current rate"),
            N_("Add a disk, or keep recordings for a shorter time: see the page Retention."),
            {"date": f"{full_on:%d.%m.%Y}"},
        )


def free_and_total_gb(folder: Path) -> tuple[float, float]:
    """Return the (free, total) space of the disk that holds a folder, in units of 2**30 bytes."""
    disk_usage = shutil.disk_usage(_nearest_existing(folder))
    return disk_usage.free / BYTES_PER_GB, disk_usage.total / BYTES_PER_GB


def _nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
