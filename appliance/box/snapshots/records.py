"""Reads a person's appeals from a snapshot, for a stated reason and with the reader's rights.

The snapshot's database is restored into a separate folder, queried and removed; the site is not
changed. Access is decided twice: by the user's current rights, and by the state of the appeal in
the snapshot.
"""

import contextlib
import dataclasses
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.box.snapshots.contents import ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RESTORE_LAYOUT, RestoreRequest
from appliance.box.snapshots.restoring import restore_site
from appliance.casework.appeals import exporting, listing, personal, queries
from appliance.core import audit, db, phone_numbers, schema
from appliance.core.settings import Settings
from appliance.models import Appeal, User, personal_columns
from appliance.people import rights

MAX_APPEALS = 100  # of one person


@dataclasses.dataclass(frozen=True)
class RecordQuery:
    """The search (an appeal's number, a phone or a PINFL), the user it is for, and the reason."""

    search_term: str
    login: str
    reason: str
    by: str  # the user who runs the command


def read_records(
    settings: Settings,
    query: RecordQuery,
    request: RestoreRequest,
    report_progress: ProgressReport = ignore_progress,
) -> list[dict[str, Any]]:
    """Return the appeals as of the snapshot, newest first.

    Those that the user may not read, or that were masked, have no personal data. The access is
    recorded in the audit of the running site. Raises SnapshotError, PermissionError if the user may
    not read appeals, and ValueError if no reason is given.
    """
    if not query.reason.strip():
        raise ValueError("nobody reads out of a snapshot without saying why")
    user = User.get_or_none(User.login == query.login, User.active)
    if user is None or not rights.has_right(user, "appeal.read"):
        raise PermissionError(f"{query.login} reads no appeals")
    with open_snapshot_database(settings, request, report_progress) as snapshot:
        matches = _matching_appeals(query.search_term, user)
    numbers = [full_json["number"] for full_json, _closed_json in matches]
    closed_numbers = personal.unreadable_numbers(user, numbers) | _masked_numbers(numbers)
    detail = {"for": query.login, "reason": query.reason.strip(), "snapshot": snapshot}
    audit.record_entry(query.by, "snapshot.read", query.search_term, appeal=numbers, **detail)
    return [
        closed_json if full_json["number"] in closed_numbers else full_json
        for full_json, closed_json in matches
    ]


@contextlib.contextmanager
def open_snapshot_database(
    settings: Settings, request: RestoreRequest, report_progress: ProgressReport
) -> Iterator[str]:
    """Let the models use the snapshot's database for a time; yields the snapshot's id."""
    backups = settings.paths.backups
    backups.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".read-", dir=backups) as folder:
        target = Path(folder) / "site"
        scratch_request = dataclasses.replace(request, target=target, database_only=True)
        restored = restore_site(settings, scratch_request, report_progress)
        db.open_database(target / RESTORE_LAYOUT["database"])
        try:
            schema.apply_migrations()
            yield restored.snapshot
        finally:
            db.database.close()
            db.open_database(settings.paths.database)


def _matching_appeals(search_term: str, user: User) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return matching appeals in two forms: as the user may read them, without personal data."""
    former_user = User.get_or_none(User.login == user.login)
    if former_user is None:
        return []
    former_user.role = user.role  # not saved: the user's current rights apply
    phone = phone_numbers.canonical_number(search_term) or search_term
    is_match = (Appeal.number == search_term) | (Appeal.pinfl == search_term)
    is_match |= (Appeal.phone == phone) | (Appeal.phone_at_hand == phone)
    visible_ids = queries.visible_appeals(former_user).where(is_match).select(Appeal.id)
    rows = (
        listing.appeals_with_handling()
        .where(Appeal.id.in_(visible_ids))
        .order_by(Appeal.id.desc())
        .limit(MAX_APPEALS)
    )
    if not rows:
        raise SnapshotError(
            "unknown", f"the snapshot has no appeal of {search_term} that he may see"
        )
    matches = []
    for row in personal.veil_appeals(former_user, rows):
        closed_json = exporting.appeal_json(row, personal=False)
        matches.append((closed_json if row.veiled else _full_json(row), closed_json))
    return matches


def _full_json(row: Appeal) -> dict[str, Any]:
    """Return an appeal with all its data, in JSON types."""
    values = exporting.appeal_json(row, personal=True, detailed=True)
    return dict(json.loads(json.dumps(values, default=str)))


def _masked_numbers(numbers: list[str]) -> set[str]:
    """Return the numbers of the appeals whose personal data were removed since the snapshot."""
    rows = Appeal.select().where(Appeal.number.in_(numbers))
    return {row.number for row in rows if not personal_columns.identifies_person(row)}
