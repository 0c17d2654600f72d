"""Notes which records were masked on request, outside of the database that a restore replaces.

Numbers and ids only, a line of JSON each, in `paths.backups` and on the second disk. A restore
takes them from there and from the database that it replaces, and masks the same records again.
What was masked by age is masked again by age, in the night.
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

FILE = "masked.jsonl"
RULE = "data_request"  # begins Removal.rule of what a citizen asked for
# Removal.kind of personal data that were masked
KINDS = (
    *("appeal", "appeal_person", "call_form", "call_form_person", "call_person"),
    "data_request",
)


@dataclass(frozen=True)
class Mask:
    """A record that was masked: its kind (KINDS), its number or id, by which rule.

    `own_number`: of a data_request, whether rows that belong to the citizen's number alone were
    masked, too.
    """

    kind: str
    subject: str
    rule: str
    own_number: bool = False


def note(settings: Settings) -> int:
    """Write down what was masked and is not noted yet; how many records. Raises OSError."""
    masks, count = list(of_database(None)), 0
    for folder in _folders(settings):
        noted_masks = set(read(folder / FILE))
        new_masks = [one for one in masks if one not in noted_masks]
        count = max(count, len(new_masks))
        if new_masks:
            write(folder / FILE, new_masks)
    return count


def collect(settings: Settings) -> list[Mask]:
    """All known masks: from the site's own database, and from both notes."""
    masks = [*of_database(settings.paths.database)]
    for folder in _folders(settings):
        masks += read(folder / FILE)
    return list(dict.fromkeys(masks))


def of_database(file: Path | None) -> Iterator[Mask]:
    """What was masked on request by a database that is only looked at, or by the open one (None).

    Nothing from one that is not there, damaged or of another schema.
    """
    columns = (Removal.kind, Removal.subject, Removal.rule, Removal.detail)
    conditions = (Removal.kind.in_(KINDS), Removal.rule.startswith(RULE))
    rows = Removal.select(*columns).where(*conditions).order_by(Removal.id)
    if file is None:
        yield from map(_mask_of, rows)
        return
    here = SqliteDatabase(db_files.address_to_read(file), uri=True)
    try:
        with here.connection_context():
            masks = [_mask_of(row) for row in rows.bind(here)]
    except peewee.PeeweeException:
        return
    yield from masks


def read(file: Path) -> list[Mask]:
    """What a file notes; a line that was cut off by a power cut is left out."""
    if not file.exists():
        return []
    masks = []
    for line in file.read_text("utf-8").splitlines():
        try:
            masks.append(Mask(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return masks


def write(file: Path, masks: Iterable[Mask]) -> None:
    """Append lines to a file and sync it to the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        if file.stat().st_size and not file.read_bytes().endswith(b"\n"):
            out.write("\n")  # after a line that was cut off
        out.writelines(f"{json.dumps(asdict(one))}\n" for one in masks)
        out.flush()
        os.fsync(out.fileno())


def _mask_of(row: Removal) -> Mask:
    subject = row.subject.partition(" (")[0]  # masked a second time
    return Mask(row.kind, subject, row.rule, bool(row.detail.get("own_number")))


def _folders(settings: Settings) -> list[Path]:
    second = settings.snapshots.replica
    return [settings.paths.backups, *([Path(second)] if second and Path(second).is_dir() else [])]
