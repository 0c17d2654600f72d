"""Who did and saw what, each entry chained to the one before by its hash."""

import hashlib
import json
from typing import Any

from appliance import clock
from appliance.db import writing
from appliance.models import AuditEntry


def record(who: str, action: str, subject: str = "", **detail: Any) -> None:
    """Write one entry; `who` is a login or a process, `detail` small JSON values."""
    with writing():
        last = AuditEntry.select(AuditEntry.hash).order_by(AuditEntry.id.desc()).first()
        entry = AuditEntry(at=clock.now(), who=who, action=action, subject=subject, detail=detail)
        entry.hash = _hash(last.hash if last else "", entry)
        entry.save(force_insert=True)


def broken_at() -> int | None:
    """The id of the first entry whose hash does not fit, or None when the chain holds."""
    previous = ""
    for entry in AuditEntry.select().order_by(AuditEntry.id):
        if entry.hash != _hash(previous, entry):
            return entry.id
        previous = entry.hash
    return None


def _hash(previous: str, entry: AuditEntry) -> str:
    told = json.dumps(
        [previous, entry.at.isoformat(), entry.who, entry.action, entry.subject, entry.detail],
        sort_keys=True,
    )
    return hashlib.sha256(told.encode()).hexdigest()
