"""Jobs for snapshots (backups) and drills (restores on trial), due or requested on the page."""

import threading

from appliance.box.snapshots import copy_check, creating, histories, verifying
from appliance.box.snapshots import log as wishes
from appliance.core.settings import Settings

_snapshot_lock = threading.Lock()  # the jobs of this process wait for one another


def create_snapshots(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Make a snapshot in one repository, by default in all; returns a text about the snapshots.

    Then the copies of databases that were replaced long ago are removed.
    """
    with _snapshot_lock:
        results = creating.create_snapshots(settings, name, by)
        histories.remove_expired_copies(settings)
    return ", ".join(f"{result.snapshot.repository} {result.snapshot.id}" for result in results)


def run_restore_drill(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Restore the newest snapshot on trial, then the replica; returns a text about the results.

    The replica is the continuous copy of the database.
    """
    with _snapshot_lock:
        try:
            result = verifying.run_restore_drill(settings, name, by)
        finally:
            copy = verifying.run_copy_drill(settings, by) if settings.snapshots.replica else None
    copy_text = f", continuous copy: {copy.counts}" if copy else ""
    return f"{result.snapshot}: {result.counts}{copy_text}"


def run_requested(settings: Settings) -> str:
    """Run the oldest action requested on the page; returns a text about it ("": no request)."""
    wish = wishes.claim_request()
    if wish is None:
        return ""
    name = wish.repository or None
    match wish.kind:
        case "create":
            return create_snapshots(settings, name, wish.by)
        case "verify":
            with _snapshot_lock:
                return verifying.verify_snapshot(
                    settings, wish.snapshot or "latest", name, wish.by
                ).id
        case _:
            return run_restore_drill(settings, name, wish.by)


def verify_replica(settings: Settings) -> str:
    """Restore the replica and compare it with the running database; returns a text about it."""
    check = copy_check.check_copy(settings)
    return f"continuous copy: {check.counts} in {check.seconds} s"
