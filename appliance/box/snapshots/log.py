"""The log of snapshot runs, and of the runs that were requested on the page."""

import datetime as dt
from typing import Any

from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.models import SnapshotRun

REQUEST_KINDS = ("create", "verify", "drill")  # kinds of runs that can be requested
COPY_DRILL_KIND = "copy"  # the kind of a drill of the continuous copy
RUN_RETENTION = dt.timedelta(days=400)


def request_run(kind: str, repository: str, by: str, snapshot: str = "") -> bool:
    """Request a run by `appliance jobs`. Returns False if one is already requested or running."""
    if kind not in REQUEST_KINDS:
        raise ValueError(kind)
    with write_transaction():
        open_runs = SnapshotRun.select().where(
            SnapshotRun.kind == kind, SnapshotRun.state.in_(["asked", "running"])
        )
        if open_runs.exists():
            return False
        SnapshotRun.create(
            kind=kind,
            repository=repository,
            snapshot=snapshot,
            started_at=clock.now(),
            state="asked",
            by=by,
        )
        audit.record_entry(by, f"snapshot.{kind}", repository)
        live.publish_topics("snapshots")
    return True


def claim_request() -> SnapshotRun | None:
    """Take the oldest request, if any, and delete it: the run stores a row of its own."""
    with write_transaction():
        requests = SnapshotRun.select().where(SnapshotRun.state == "asked")
        run: SnapshotRun | None = requests.order_by(SnapshotRun.id).first()
        if run:
            run.delete_instance()
            live.publish_topics("snapshots")
    return run


def start_snapshot_run(kind: str, repository: str, by: str, snapshot: str = "") -> SnapshotRun:
    """Record the start of a run. Runs that are still open are recorded as failed.

    The caller holds contents.snapshot_lock, so that no other run can be active.
    """
    with write_transaction():
        interruption = {"state": "failed", "trouble": "failed", "said": "stopped in the middle"}
        SnapshotRun.update(interruption | {"ended_at": clock.now()}).where(
            SnapshotRun.state == "running"
        ).execute()
        SnapshotRun.delete().where(SnapshotRun.started_at < clock.now() - RUN_RETENTION).execute()
        run: SnapshotRun = SnapshotRun.create(
            kind=kind,
            repository=repository,
            snapshot=snapshot,
            started_at=clock.now(),
            state="running",
            by=by,
        )
        live.publish_topics("snapshots")
    return run


def finish_snapshot_run(run: SnapshotRun, **values: Any) -> None:
    """Record that a run succeeded, and its findings."""
    _close_snapshot_run(run, values | {"state": "done", "verified": True})


def fail_snapshot_run(run: SnapshotRun, error: SnapshotError, **values: Any) -> None:
    """Record that a run failed."""
    _close_snapshot_run(
        run, values | {"state": "failed", "trouble": error.code, "said": str(error)}
    )


def latest_snapshot_run(
    kind: str, repository: str | None = None, state: str | None = None
) -> SnapshotRun | None:
    """Return the newest finished run of a kind (in a repository, with a state), if any."""
    rows = SnapshotRun.select().where(SnapshotRun.kind == kind, SnapshotRun.ended_at.is_null(False))
    if repository is not None:
        rows = rows.where(SnapshotRun.repository == repository)
    if state:
        rows = rows.where(SnapshotRun.state == state)
    newest_first = rows.order_by(SnapshotRun.started_at.desc(), SnapshotRun.id.desc())
    latest: SnapshotRun | None = newest_first.first()
    return latest


def bytes_to_restore() -> int:
    """Return the bytes that the newest snapshot would restore; 0 if there is no snapshot."""
    last_creation = latest_snapshot_run("create", state="done")
    return last_creation.bytes_total if last_creation else 0


def recent_snapshot_runs(limit: int = 40) -> list[SnapshotRun]:
    """Return the latest runs and requests, newest first."""
    return list(
        SnapshotRun.select()
        .order_by(SnapshotRun.started_at.desc(), SnapshotRun.id.desc())
        .limit(limit)
    )


def _close_snapshot_run(run: SnapshotRun, values: dict[str, Any]) -> None:
    with write_transaction():
        SnapshotRun.update(values | {"ended_at": clock.now()}).where(
            SnapshotRun.id == run.id
        ).execute()
        live.publish_topics("snapshots")
