"""One appeal, or a person's, read out of a snapshot: for a reason, with the rights of who asks.

The database of the snapshot is restored apart, asked and removed; nothing is put back. Who may
read what is decided twice: as the rights are now, and as the appeal was then.
"""

import contextlib
import dataclasses
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.box.snapshots.contents import Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import LAYOUT, Wish
from appliance.box.snapshots.restoring import restore
from appliance.casework import appeals
from appliance.casework.appeals import exporting, listing, personal
from appliance.core import audit, db, phone_numbers
from appliance.core.settings import Settings
from appliance.models import Appeal, User
from appliance.people import rights

MOST = 100  # appeals of a person


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is looked for (an appeal's number, a phone or a PINFL), for whom and why."""

    what: str
    login: str
    reason: str
    by: str  # who runs the command


def read(
    settings: Settings, asked: Asked, wish: Wish, tell: Tell = nothing
) -> list[dict[str, Any]]:
    """The appeals as they were, the newest first; closed ones without what they say.

    That they were read is in the audit of the running site. Raises SnapshotError, PermissionError
    for a login that reads no appeals, ValueError without a reason.
    """
    if not asked.reason.strip():
        raise ValueError("nobody reads out of a snapshot without saying why")
    user = User.get_or_none(User.login == asked.login, User.active)
    if user is None or not rights.has(user, "appeal.read"):
        raise PermissionError(f"{asked.login} reads no appeals")
    with opened(settings, wish, tell) as snapshot:
        found = _found(asked.what, user)
    numbers = [told["number"] for told, _closed in found]
    shut = personal.unread(user, numbers) | _masked(numbers)
    detail = {"for": asked.login, "reason": asked.reason.strip(), "snapshot": snapshot}
    audit.record(asked.by, "snapshot.read", asked.what, appeal=numbers, **detail)
    return [closed if told["number"] in shut else told for told, closed in found]


@contextlib.contextmanager
def opened(settings: Settings, wish: Wish, tell: Tell) -> Iterator[str]:
    """The models look into the snapshot's database; gives the snapshot's id."""
    backups = settings.paths.backups
    backups.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".read-", dir=backups) as folder:
        target = Path(folder) / "site"
        apart = dataclasses.replace(wish, target=target, database_only=True)
        restored = restore(settings, apart, tell)
        db.open_database(target / LAYOUT["database"])
        try:
            db.migrate()
            yield restored.snapshot
        finally:
            db.database.close()
            db.open_database(settings.paths.database)


def _found(what: str, user: User) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each appeal as it is told to him, and as it is told to who does not read it."""
    then = User.get_or_none(User.login == user.login)
    if then is None:
        return []
    then.role = user.role  # not saved: what he may do now
    phone = phone_numbers.canonical(what) or what
    about = (Appeal.number == what) | (Appeal.pinfl == what)
    about |= (Appeal.phone == phone) | (Appeal.phone_at_hand == phone)
    seen = appeals.visible_to(then).where(about).select(Appeal.id)
    rows = listing.whole().where(Appeal.id.in_(seen)).order_by(Appeal.id.desc()).limit(MOST)
    if not rows:
        raise SnapshotError("unknown", f"the snapshot has no appeal of {what} that he may see")
    told = []
    for row in personal.veil(then, rows):
        closed = exporting.as_json(row, personal=False)
        told.append((closed if row.veiled else _plain(row), closed))
    return told


def _plain(row: Appeal) -> dict[str, Any]:
    whole = exporting.as_json(row, personal=True, whole=True)
    return dict(json.loads(json.dumps(whole, default=str)))


def _masked(numbers: list[str]) -> set[str]:
    """Those whose personal data were removed since: a snapshot does not bring them back."""
    names = (Appeal.first_name, Appeal.surname, Appeal.entity_name, Appeal.phone, Appeal.pinfl)
    rows = Appeal.select(Appeal.number, *names).where(Appeal.number.in_(numbers)).tuples()
    return {number for number, *told in rows if not any(told)}
