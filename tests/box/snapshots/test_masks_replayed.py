"""Citizens masked after a snapshot are masked again when it is restored."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.box import mask_journal, retention
from appliance.box.snapshots import creating, losses
from appliance.casework import catalogs, data_requests
from appliance.casework.appeals import handling
from appliance.core import clock, db
from appliance.models import Appeal, Applicant, AuditEntry, DataRequest, Handling, Removal, User
from tests.rig.canary import Canary


def user_with_login(login: str) -> User:
    return User.get(User.login == login)


@pytest.fixture
def canary(site) -> Canary:
    """A citizen in the newest snapshot of a site, masked after it."""
    settings = site.open()
    planted = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    planted.plant_everywhere(
        settings, user_with_login("nilufar"), user_with_login("sardor"), user_with_login("bahodir")
    )
    manager = User.get(User.role == "manager")
    sent = {"kind": "mask", "person": "Kanareykina", "phone": planted.phone, "proof": "AA7654321"}
    request = data_requests.register_data_request(
        manager, sent, catalogs.working_calendar(settings)
    )
    creating.create_snapshots(settings)
    ticked = [f"appeal:{planted.appeal.number}", "number"]
    retention.mask_citizen(settings, request, manager, ticked, "")
    return planted


def lose_nothing(site) -> None:
    """The database of the site exists and lists the masked records."""


def lose_database(site) -> None:
    """The disk of the database is lost; the journal of masks next to the snapshots exists."""
    assert mask_journal.record_masks(site.settings) == 3
    shutil.rmtree(site.folder / "replica", ignore_errors=True)
    _remove_database(site)


def lose_all_but_copy(site) -> None:
    """The first disk is lost."""
    (site.folder / "replica").mkdir(exist_ok=True)
    assert mask_journal.record_masks(site.settings) == 3
    (site.folder / "backups" / mask_journal.JOURNAL_FILE_NAME).unlink()
    _remove_database(site)


def _remove_database(site) -> None:
    for end in ("", "-wal", "-shm"):
        (site.folder / f"site.db{end}").unlink(missing_ok=True)


@pytest.mark.parametrize("lose", [lose_nothing, lose_database, lose_all_but_copy])
def test_citizens_masked_after_the_snapshot_are_masked_in_the_restored_data(
    site, canary: Canary, lose: Callable[[object], None]
) -> None:
    lose(site)
    db.database.close()
    result = site.run("backup", "restore", "--accept-loss", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["masked"].startswith("3 records masked again")
    site.open()
    masked = Appeal.get_by_id(canary.appeal.id)
    assert (masked.surname, masked.phone, masked.region_text) == ("", "", "")
    assert [applicant.surname for applicant in Applicant.select()] == [""]
    kinds = {row.kind for row in Removal.select()}
    assert {"appeal_person", "call_person"} <= kinds
    request = DataRequest.select().where(DataRequest.kind == "mask").get()
    assert (request.state, request.person, request.phone) == ("done", "", "")
    db.database.close()


def test_a_reopened_appeal_is_listed_and_not_masked(site, canary: Canary, tmp_path: Path) -> None:
    """The appeal was closed after the restored time, so it is open again."""
    settings, number = site.settings, canary.appeal.number
    masked = [mask_journal.Mask("appeal_person", number, "data_request=7")]
    Removal.delete().execute()
    version = Handling.get_by_id(canary.appeal.id).version
    today = clock.now().date()
    handling.reopen_appeal(canary.appeal, "Yana ochildi", "bahodir", version, today)
    replayed = retention.replay_masks(settings, masked, "rustam")
    assert (replayed.count, replayed.open_appeals) == (0, [number])
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert entry.action == "retention.mask_again"
    # the next restore applies the masks again
    assert not losses._is_data_change(entry.who, entry.action)
    db.database.close()


def test_a_truncated_line_is_skipped_and_the_next_one_is_complete(tmp_path: Path) -> None:
    file = tmp_path / mask_journal.JOURNAL_FILE_NAME
    first, second = (mask_journal.Mask("appeal", f"2026-00000{n}", "r") for n in (1, 2))
    mask_journal.append_masks(file, [first])
    file.write_text(file.read_text() + '{"kind": "app')
    mask_journal.append_masks(file, [second])
    assert mask_journal.read_journal(file) == [first, second]


def test_each_mask_is_recorded_once(site, canary: Canary) -> None:
    settings = site.settings
    assert (mask_journal.record_masks(settings), mask_journal.record_masks(settings)) == (3, 0)
    text = (settings.paths.backups / mask_journal.JOURNAL_FILE_NAME).read_text()
    assert canary.phone not in text
    assert canary.surname not in text
    db.database.close()
