"""Whose records were masked on request, noted outside of the database that a restore takes back.

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
class Masked:
    """A record that was masked: its kind (KINDS), its number or id, by which rule.

    `own_number`: of a data_request, whether what hangs on the citizen's number alone went, too.
    """

    kind: str
    subject: str
    rule: str
    own_number: bool = False


def note(settings: Settings) -> int:
    """Write down what was masked and is not noted yet; how many records. Raises OSError."""
    found, count = list(of_database(None)), 0
    for folder in _folders(settings):
        known = set(read(folder / FILE))
        fresh = [one for one in found if one not in known]
        count = max(count, len(fresh))
        if fresh:
            write(folder / FILE, fresh)
    return count


def known(settings: Settings) -> list[Masked]:
    """What was masked by all that is there: the site's own database, and both notes."""
    found = [*of_database(settings.paths.database)]
    for folder in _folders(settings):
        found += read(folder / FILE)
    return list(dict.fromkeys(found))


def of_database(file: Path | None) -> Iterator[Masked]:
    """What was masked on request by a database that is only looked at, or by the open one (None).

    Nothing from one that is not there, damaged or of another schema.
    """
    columns = (Removal.kind, Removal.subject, Removal.rule, Removal.detail)
    asked = (Removal.kind.in_(KINDS), Removal.rule.startswith(RULE))
    rows = Removal.select(*columns).where(*asked).order_by(Removal.id)
    if file is None:
        yield from map(_masked, rows)
        return
    here = SqliteDatabase(db_files.address_to_read(file), uri=True)
    try:
        with here.connection_context():
            found = [_masked(row) for row in rows.bind(here)]
    except peewee.PeeweeException:
        return
    yield from found


def read(file: Path) -> list[Masked]:
    """What a file notes; a line that was cut off by a power cut is left out."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text("utf-8").splitlines():
        try:
            found.append(Masked(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def write(file: Path, masked: Iterable[Masked]) -> None:
    """Add lines to a file, on the disk for sure."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        if file.stat().st_size and not file.read_bytes().endswith(b"\n"):
            out.write("\n")  # after a line that was cut off
        out.writelines(f"{json.dumps(asdict(one))}\n" for one in masked)
        out.flush()
        os.fsync(out.fileno())


def _masked(row: Removal) -> Masked:
    subject = row.subject.partition(" (")[0]  # masked a second time
    return Masked(row.kind, subject, row.rule, bool(row.detail.get("own_number")))


def _folders(settings: Settings) -> list[Path]:
    second = settings.snapshots.replica
    return [settings.paths.backups, *([Path(second)] if second and Path(second).is_dir() else [])]
