"""The log of removals: one row each, written in the transaction that removes."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.core import clock
from appliance.models import Removal

# Raised when masking blanks more columns: records with a lower extent are masked again.
MASKING_EXTENT = 1


def record_removal(kind: str, subject: str, rule: str, **detail: Any) -> None:
    """Record a removal; a subject that was restored and is removed again gets a numbered name."""
    name, count = subject, 1
    while Removal.select().where(Removal.kind == kind, Removal.subject == name).exists():
        count += 1
        name = f"{subject} ({count})"
    row = {"kind": kind, "subject": name, "at": clock.now(), "rule": rule, "detail": detail}
    Removal.create(**row, extent=MASKING_EXTENT)


def recent_removals(limit: int = 100) -> list[Removal]:
    """Return the latest removals, newest first."""
    return list(Removal.select().order_by(Removal.id.desc()).limit(limit))


def removals_between(begin: dt.datetime, end: dt.datetime) -> Iterator[Removal]:
    """Yield the removals in [begin, end) in order, read in small portions."""
    rows = Removal.select().where(Removal.at >= begin, Removal.at < end)
    yield from rows.order_by(Removal.at, Removal.id).iterator()
