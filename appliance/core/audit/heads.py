"""Heads of the audit's chain noted in a file next to the database: one per line, oldest first.

A restore of the database sets the chain back to an earlier head. It is noted too, because the heads
between that one and the restore are then rightly missing.
"""

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.core import clock
from appliance.core.audit import Head, is_in_chain
from appliance.core.settings import Settings

FILE_NAME = "audit-heads.txt"  # in the folder paths.backups


@dataclass(frozen=True)
class NotedHead:
    """A head of the audit (its newest entry) that was noted at the time `at`.

    `restored`: at that time a restore put an older database in place, which ends with this head; so
    newer heads noted before need not be in the audit any more. `source` says where the note is, for
    messages: the file's name, or a snapshot.
    """

    at: dt.datetime
    head: Head
    restored: bool = False
    source: str = FILE_NAME


def note_head(settings: Settings, head: Head, *, restored: bool = False) -> None:
    """Note a head of the audit in the file, on the disk, as later proof that it is unchanged.

    `restored`: an older database, which ends with this head, was put in place by a restore, so the
    newer heads noted before need not be in the audit any more.
    """
    file = _heads_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    kind = "restored" if restored else "head"
    with file.open("a", encoding="utf-8") as out:
        out.write(f"{clock.now().isoformat(timespec='microseconds')} {kind} {head}\n")
        out.flush()
        os.fsync(out.fileno())


def read_noted_heads(settings: Settings) -> list[NotedHead]:
    """Return the audit's heads noted in the file, oldest first; [] if there is no file yet.

    Raises ValueError for an invalid line.
    """
    file = _heads_file(settings)
    if not file.exists():
        return []
    heads = []
    for line in file.read_text("utf-8").splitlines():
        try:
            at, kind, head = line.split(" ")
            heads.append(
                NotedHead(dt.datetime.fromisoformat(at), Head.parse_text(head), kind == "restored")
            )
        except ValueError as error:
            raise ValueError(f"{file}: this line is no head: {line[:60]}") from error
    return heads


def missing_heads(heads: Iterable[NotedHead]) -> list[NotedHead]:
    """Return the noted heads that should be in the audit but are not, the oldest first.

    Each proves that entries were changed or removed. A head is rightly missing, and not returned,
    if a later restore put a database in place that ends before it.
    """
    heads = list(heads)
    restores = [noted for noted in heads if noted.restored]
    return [
        noted
        for noted in sorted(heads, key=lambda head: head.at)
        if not any(r.at >= noted.at and r.head.id < noted.head.id for r in restores)
        and not is_in_chain(noted.head)
    ]


def _heads_file(settings: Settings) -> Path:
    """Return the file in which the audit's heads are noted."""
    return settings.paths.backups / FILE_NAME
