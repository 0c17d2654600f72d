"""Snapshots and restore drills, when they are due or requested on the page."""

import threading

from appliance.box.snapshots import copy_check, creating, histories, verifying
from appliance.box.snapshots import log as wishes
from appliance.core.settings import Settings

_snapshot_lock = threading.Lock()  # a drill waits for a snapshot; other processes are refused


def create_snapshots(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Make a snapshot in one repository, or in all; returns a text about the snapshots.

    Copies of databases that were replaced long ago are removed afterwards.
    """
    with _snapshot_lock:
        results = creating.create_snapshots(settings, name, by)
        histories.remove_expired_copies(settings)
    return ", ".join(f"{result.snapshot.repository} {result.snapshot.id}" for result in results)


def run_restore_drill(settings: Settings, name: str | None = None, by: str = "jobs") -> str:
    """Restore the newest snapshot for trial, and the replica; returns a text about the results."""
    with _snapshot_lock:
        try:
            result = verifying.run_restore_drill(settings, name, by)
        finally:
            copy = verifying.run_copy_drill(settings, by) if settings.snapshots.replica else None
    copy_text = f", continuous copy: {copy.counts}" if copy else ""
    return f"{result.snapshot}: {result.counts}{copy_text}"


def run_requested(settings: Settings) -> str:
    """Run the oldest action requested on the page; returns its result, "" without a request."""
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
