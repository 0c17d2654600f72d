"""Snapshots and drills when they are due, or asked for on the page."""

import threading

from appliance.box import snapshots
from appliance.box.snapshots import histories
from appliance.box.snapshots import log as wishes
from appliance.core.settings import Settings

_alone = threading.Lock()  # a drill waits for the snapshot before it; other processes are refused


def create(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Make a snapshot in one repository, or in all; what was made, in words. Then the copies of
    databases that were replaced long ago are removed."""
    with _alone:
        made = snapshots.create(settings, name, by)
        histories.remove_expired(settings)
    return ", ".join(f"{one.snapshot.repository} {one.snapshot.id}" for one in made)


def drill(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Restore the newest snapshot for trial, and the continuous copy; what came out, in words."""
    with _alone:
        try:
            restored = snapshots.drill(settings, name, by)
        finally:
            copy = snapshots.drill_copy(settings, by) if settings.snapshots.replica else None
    copied = f", continuous copy: {copy.counts}" if copy else ""
    return f"{restored.snapshot}: {restored.counts}{copied}"


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


def check_copy(settings: Settings) -> str:
    """Restore the continuous copy and compare it with the running database; what it holds."""
    check = snapshots.check_copy(settings)
    return f"continuous copy: {check.counts} in {check.seconds} s"
