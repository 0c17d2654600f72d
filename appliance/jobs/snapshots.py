"""Snapshots and drills when they are due, or asked for on the page."""

import datetime as dt
import threading

from appliance import runs, snapshots
from appliance.jobs.due import Job
from appliance.settings import Settings
from appliance.snapshots import log as wishes

DRILL = dt.time(2, 30)  # on the first day of a month
_LOOK = 10  # seconds between two looks at what was asked for
_alone = threading.Lock()  # a drill waits for the snapshot before it; other processes are refused


def jobs(settings: Settings) -> list[Job]:
    """The nightly snapshot, the monthly drill, and what was asked for."""
    night = dt.time.fromisoformat(settings.snapshots.at)
    return [
        Job("snapshot", runs.daily(night, settings.tz), lambda: create(settings), False),
        Job("drill", runs.monthly(DRILL, settings.tz), lambda: drill(settings), False),
        Job("snapshot_asked", runs.every(_LOOK), lambda: do_asked(settings)),
    ]


def create(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Make a snapshot in one repository, or in all; what was made, in words."""
    with _alone:
        made = snapshots.create(settings, name, by)
    return ", ".join(f"{one.snapshot.repository} {one.snapshot.id}" for one in made)


def drill(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Restore the newest snapshot for trial; what came out, in words."""
    with _alone:
        restored = snapshots.drill(settings, name, by)
    return f"{restored.snapshot}: {restored.counts}"


def do_asked(settings: Settings) -> str:
    """Do the oldest thing asked for on the page; what came of it, "" when nothing was asked."""
    wish = wishes.claim()
    if wish is None:
        return ""
    name = wish.repository or None
    match wish.kind:
        case "create":
            return create(settings, name, wish.by)
        case "verify":
            with _alone:
                return snapshots.verify(settings, wish.snapshot or "latest", name, wish.by).id
        case _:
            return drill(settings, name, wish.by)
