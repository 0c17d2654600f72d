"""What is wished of a restore, what came of it, and where things lie in a folder restored to."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Where things lie in a folder that a site was restored to.
LAYOUT = {
    "database": "data/appliance.db",
    "event_log": "events/events.csv",
    "recordings": "recordings",
    "prompts": "prompts",
    "asterisk": "asterisk",
    "backups": "backups",
}
ISSUED = "data/issued"
NOW = dt.datetime.max.replace(tzinfo=dt.UTC)  # the newest moment that was kept


@dataclass(frozen=True)
class Wish:
    """What is to be restored, and how."""

    id: str = "latest"
    repository: str | None = None
    target: Path | None = None  # None: in the place of the site
    at: dt.datetime | None = None  # as it was at that moment, or NOW
    database_only: bool = False
    recovery_key: Path | None = None  # opens the secrets
    while_running: bool = False
    recordings: int | None = None  # no more than so many: for a drill
    accept_loss: bool = False  # although what people entered will be missing, or a snapshot is
    copy_only: bool = False  # the database from the continuous copy, or nothing: for a drill


@dataclass
class Restored:
    """What came of it."""

    snapshot: str  # "": the database's copy alone
    made_at: str
    target: str
    counts: dict[str, int] = field(default_factory=dict)  # rows in the database, as restored
    expected: dict[str, int] = field(default_factory=dict)  # as the manifest says
    database_from: str = "snapshot"  # sources.Source.kind
    loss: dict[str, Any] = field(default_factory=dict)  # losses.Loss
    files: dict[str, int] = field(default_factory=dict)  # brought back, by part
    new_records: int = 0  # of the event log, newer than the database
    numbers: dict[str, Any] = field(default_factory=dict)  # the last left out: numbers.leave_out
    held: int = 0  # messages that waited: they are on hold, to be released or dropped by people
    masked: str = ""  # what was masked again, in words; "": nothing
    kept: str = ""  # where the files lie that were replaced
    secrets: str = ""  # where they were unpacked
    seconds: float = 0.0
