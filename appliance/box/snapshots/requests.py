"""The request and the result of a restore, and the layout of a folder that is restored to."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Paths in a folder that a site was restored to.
RESTORE_LAYOUT = {
    "database": "data/appliance.db",
    "event_log": "events/events.csv",
    "recordings": "recordings",
    "prompts": "prompts",
    "asterisk": "asterisk",
    "backups": "backups",
}
ISSUED_REPORTS_PATH = "data/issued"
NEWEST_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)  # represents the newest time that was saved


@dataclass(frozen=True)
class RestoreRequest:
    """What is to be restored, and how."""

    id: str = "latest"  # of the snapshot
    repository: str | None = None
    target: Path | None = None  # by default in place of the site
    at: dt.datetime | None = None  # as of that time, or NEWEST_TIME
    database_only: bool = False
    recovery_key: Path | None = None  # the file of the key that unseals the secrets
    while_running: bool = False
    recordings: int | None = None  # at most this many, for a drill
    accept_loss: bool = False  # even if data that people entered, or a snapshot, will be missing
    copy_only: bool = False  # fail if the continuous copy gives no database; for a drill


@dataclass
class RestoreResult:
    """The result of a restore."""

    snapshot: str  # "": only the database, from its copy
    made_at: str
    target: str
    counts: dict[str, int] = field(default_factory=dict)  # rows in the database, as restored
    expected: dict[str, int] = field(default_factory=dict)  # according to the manifest
    database_from: str = "snapshot"  # sources.Source.kind
    loss: dict[str, Any] = field(default_factory=dict)  # losses.Loss
    files: dict[str, int] = field(default_factory=dict)  # restored files, by part
    new_records: int = 0  # records of the event log that are newer than the database
    numbers: dict[str, Any] = field(default_factory=dict)  # result of skip_issued_numbers()
    held: int = 0  # pending messages, now on hold until people release or drop them
    masked: str = ""  # a text about what was masked again; "": nothing
    kept: str = ""  # the folder of the replaced files
    secrets: str = ""  # the folder of the unsealed secrets
    seconds: float = 0.0
