"""What was removed: one row each, written in the transaction that removes it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.core import clock
from appliance.models import Removal

EXTENT = 1  # counts what masking takes out: what was masked by less is masked again


def write_down(kind: str, subject: str, rule: str, **detail: Any) -> None:
    """Note a removal; what has come back and goes once more has a number behind its name."""
    name, time = subject, 1
    while Removal.select().where(Removal.kind == kind, Removal.subject == name).exists():
        time += 1
        name = f"{subject} ({time})"
    row = {"kind": kind, "subject": name, "at": clock.now(), "rule": rule, "detail": detail}
    Removal.create(**row, extent=EXTENT)


def removals(limit: int = 100) -> list[Removal]:
    """What was removed, the newest first."""
    return list(Removal.select().order_by(Removal.id.desc()).limit(limit))


def removed_between(begin: dt.datetime, end: dt.datetime) -> Iterator[Removal]:
    """All that was removed in [begin, end), in its order, read bit by bit."""
    within = Removal.select().where(Removal.at >= begin, Removal.at < end)
    yield from within.order_by(Removal.at, Removal.id).iterator()
