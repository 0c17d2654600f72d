"""The log of what was done about snapshots, and what was asked for on the page."""

import datetime as dt
from typing import Any

from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import SnapshotRun

KINDS = ("create", "verify", "drill")  # what can be asked for
COPY = "copy"  # kind of a drill of the continuous copy
KEPT = dt.timedelta(days=400)


def ask(kind: str, repository: str, by: str, snapshot: str = "") -> bool:
    """Have something done by `appliance jobs`; False when it is asked for or going on already."""
    if kind not in KINDS:
        raise ValueError(kind)
    with writing():
        same = SnapshotRun.select().where(
            SnapshotRun.kind == kind, SnapshotRun.state.in_(["asked", "running"])
        )
        if same.exists():
            return False
        SnapshotRun.create(
            kind=kind,
            repository=repository,
            snapshot=snapshot,
            started_at=clock.now(),
            state="asked",
            by=by,
        )
        audit.record(by, f"snapshot.{kind}", repository)
        live.publish("snapshots")
    return True


def claim() -> SnapshotRun | None:
    """Take up the oldest wish; it is removed, for what is done writes rows of its own."""
    with writing():
        asked = SnapshotRun.select().where(SnapshotRun.state == "asked")
        run = asked.order_by(SnapshotRun.id).first()
        if run:
            run.delete_instance()
            live.publish("snapshots")
    return run


def begin(kind: str, repository: str, by: str, snapshot: str = "") -> SnapshotRun:
    """Write down that something begins. Call it under contents.alone: what still runs is lost."""
    with writing():
        lost = {"state": "failed", "trouble": "failed", "said": "stopped in the middle"}
        SnapshotRun.update(lost | {"ended_at": clock.now()}).where(
            SnapshotRun.state == "running"
        ).execute()
        SnapshotRun.delete().where(SnapshotRun.started_at < clock.now() - KEPT).execute()
        run = SnapshotRun.create(
            kind=kind,
            repository=repository,
            snapshot=snapshot,
            started_at=clock.now(),
            state="running",
            by=by,
        )
        live.publish("snapshots")
    return run


def done(run: SnapshotRun, **values: Any) -> None:
    """Write down that it went well, and what was seen."""
    _end(run, values | {"state": "done", "verified": True})


def failed(run: SnapshotRun, error: SnapshotError, **values: Any) -> None:
    """Write down that it did not."""
    _end(run, values | {"state": "failed", "trouble": error.code, "said": str(error)})


def latest(kind: str, repository: str | None = None, state: str | None = None) -> Any:
    """The newest run of a kind that has ended, or None."""
    rows = SnapshotRun.select().where(SnapshotRun.kind == kind, SnapshotRun.ended_at.is_null(False))
    if repository is not None:
        rows = rows.where(SnapshotRun.repository == repository)
    if state:
        rows = rows.where(SnapshotRun.state == state)
    return rows.order_by(SnapshotRun.started_at.desc(), SnapshotRun.id.desc()).first()


def bytes_to_restore() -> int:
    """What the newest snapshot would bring back; 0 when there is none."""
    made = latest("create", state="done")
    return made.bytes_total if made else 0


def newest(limit: int = 40) -> list[SnapshotRun]:
    """What was done and asked for, the newest first."""
    return list(
        SnapshotRun.select()
        .order_by(SnapshotRun.started_at.desc(), SnapshotRun.id.desc())
        .limit(limit)
    )


def _end(run: SnapshotRun, values: dict[str, Any]) -> None:
    with writing():
        SnapshotRun.update(values | {"ended_at": clock.now()}).where(
            SnapshotRun.id == run.id
        ).execute()
        live.publish("snapshots")
