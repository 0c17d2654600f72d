"""Heads of the audit's chain noted beside the database: a line each, the oldest first.

A restore of the database takes the chain back; it is noted too, and the heads that were noted
between the restored one and the restore do not count any more.
"""

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.core import clock
from appliance.core.audit import Head, holds
from appliance.core.settings import Settings

FILE = "audit-heads.txt"  # in paths.backups


@dataclass(frozen=True)
class Noted:
    """A head, when it was noted and where; or the one that a restore went back to."""

    at: dt.datetime
    head: Head
    restored: bool = False
    where: str = FILE


def note(settings: Settings, head: Head, *, restored: bool = False) -> None:
    """Write a head down."""
    file = _file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    kind = "restored" if restored else "head"
    with file.open("a", encoding="utf-8") as out:
        out.write(f"{clock.now().isoformat(timespec='microseconds')} {kind} {head}\n")
        out.flush()
        os.fsync(out.fileno())


def noted(settings: Settings) -> list[Noted]:
    """What was noted, the oldest first. Raises ValueError when a line is none of ours."""
    file = _file(settings)
    if not file.exists():
        return []
    found = []
    for line in file.read_text("utf-8").splitlines():
        try:
            at, kind, head = line.split(" ")
            found.append(Noted(dt.datetime.fromisoformat(at), Head.read(head), kind == "restored"))
        except ValueError as error:
            raise ValueError(f"{file}: this line is no head: {line[:60]}") from error
    return found


def missing(known: Iterable[Noted]) -> list[Noted]:
    """Those that should be in the chain and are not, the oldest first."""
    known = list(known)
    back = [one for one in known if one.restored]
    return [
        one
        for one in sorted(known, key=lambda one: one.at)
        if not any(r.at >= one.at and r.head.id < one.head.id for r in back) and not holds(one.head)
    ]


def _file(settings: Settings) -> Path:
    return settings.paths.backups / FILE
