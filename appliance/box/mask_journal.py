"""The journal of records masked on request, outside the database that a restore replaces.

Masking removes the personal data of a record. The journal holds only numbers and ids, one JSON
object per line, in `paths.backups` and on the second disk. A restore reads it, and the database
that it replaces, and masks the same records again. Records that were masked because of their age
are masked again by the nightly retention.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import peewee
from peewee import SqliteDatabase

from appliance.core import db_files
from appliance.core.settings import Settings
from appliance.models import Removal

JOURNAL_FILE_NAME = "masked.jsonl"
DATA_REQUEST_RULE = "data_request"  # prefix of Removal.rule for a citizen's data request
# Removal.kind of masked personal data
MASKED_KINDS = (
    *("appeal", "appeal_person", "call_form", "call_form_person", "call_person"),
    "data_request",
)


@dataclass(frozen=True)
class Mask:
    """A masked record: its kind (one of MASKED_KINDS), its number or id, and its Removal.rule.

    `own_number`: for a data_request, whether rows that belong to the citizen's number alone were
    masked as well.
    """

    kind: str
    subject: str
    rule: str
    own_number: bool = False


def record_masks(settings: Settings) -> int:
    """Append to each journal the masks that it lacks; returns the most that one of them lacked.

    Raises OSError if a journal cannot be read or written.
    """
    masks, count = list(masks_in_database(None)), 0
    for folder in _journal_folders(settings):
        noted_masks = set(read_journal(folder / JOURNAL_FILE_NAME))
        new_masks = [mask for mask in masks if mask not in noted_masks]
        count = max(count, len(new_masks))
        if new_masks:
            append_masks(folder / JOURNAL_FILE_NAME, new_masks)
    return count


def collect_masks(settings: Settings) -> list[Mask]:
    """Return all known masks: from the site's database and from both journals."""
    masks = [*masks_in_database(settings.paths.database)]
    for folder in _journal_folders(settings):
        masks += read_journal(folder / JOURNAL_FILE_NAME)
    return list(dict.fromkeys(masks))


def masks_in_database(file: Path | None) -> Iterator[Mask]:
    """Yield the masks in a database file, opened read-only, or without a file in the open database.

    Yields only masks on request, and nothing for a file that is missing, damaged or of another
    schema.
    """
    columns = (Removal.kind, Removal.subject, Removal.rule, Removal.detail)
    conditions = (Removal.kind.in_(MASKED_KINDS), Removal.rule.startswith(DATA_REQUEST_RULE))
    rows = Removal.select(*columns).where(*conditions).order_by(Removal.id)
    if file is None:
        yield from map(_mask_from_removal, rows)
        return
    database = SqliteDatabase(db_files.read_only_uri(file), uri=True)
    try:
        with database.connection_context():
            masks = [_mask_from_removal(row) for row in rows.bind(database)]
    except peewee.PeeweeException:
        return
    yield from masks


def read_journal(file: Path) -> list[Mask]:
    """Read a journal; a line that a power cut left incomplete is skipped."""
    if not file.exists():
        return []
    masks = []
    for line in file.read_text("utf-8").splitlines():
        try:
            masks.append(Mask(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return masks


def append_masks(file: Path, masks: Iterable[Mask]) -> None:
    """Append masks to a journal and sync it to the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        if file.stat().st_size and not file.read_bytes().endswith(b"\n"):
            out.write("\n")  # after an incomplete line
        out.writelines(f"{json.dumps(asdict(mask))}\n" for mask in masks)
        out.flush()
        os.fsync(out.fileno())


def _mask_from_removal(row: Removal) -> Mask:
    subject = row.subject.partition(" (")[0]  # drops the suffix of a repeated masking
    return Mask(row.kind, subject, row.rule, bool(row.detail.get("own_number")))


def _journal_folders(settings: Settings) -> list[Path]:
    replica = settings.snapshots.replica
    return [
        settings.paths.backups,
        *([Path(replica)] if replica and Path(replica).is_dir() else []),
    ]
