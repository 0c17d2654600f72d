"""Citizens masked since a snapshot are masked again in a restore of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.box import mask_journal, retention, snapshots
from appliance.box.snapshots import losses
from appliance.casework import catalogs, data_requests
from appliance.casework.appeals import handling
from appliance.core import clock, db
from appliance.models import Appeal, Applicant, AuditEntry, DataRequest, Handling, Removal, User
from tests.rig.canary import Canary


def person(login: str) -> User:
    return User.get(User.login == login)


@pytest.fixture
def canary(site) -> Canary:
    """A citizen in the newest snapshot of a site, masked after it."""
    settings = site.open()
    made = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    made.plant(settings, person("nilufar"), person("sardor"), person("bahodir"))
    manager = User.get(User.role == "manager")
    sent = {"kind": "mask", "person": "Kanareykina", "phone": made.phone, "proof": "AA7654321"}
    request = data_requests.ask(manager, sent, catalogs.working_calendar(settings))
    snapshots.create(settings)
    ticked = [f"appeal:{made.appeal.number}", "number"]
    retention.mask(settings, request, manager, ticked, "")
    return made


def lose_nothing(site) -> None:
    """The site's database is there and lists the masked records."""


def lose_the_database(site) -> None:
    """The disk of the database is lost; the note next to the snapshots is there."""
    assert mask_journal.note(site.settings) == 3
    shutil.rmtree(site.folder / "replica", ignore_errors=True)
    _lose(site)


def lose_all_but_the_copy(site) -> None:
    """The first disk is lost."""
    (site.folder / "replica").mkdir(exist_ok=True)
    assert mask_journal.note(site.settings) == 3
    (site.folder / "backups" / mask_journal.FILE).unlink()
    _lose(site)


def _lose(site) -> None:
    for end in ("", "-wal", "-shm"):
        (site.folder / f"site.db{end}").unlink(missing_ok=True)


@pytest.mark.parametrize("lose", [lose_nothing, lose_the_database, lose_all_but_the_copy])
def test_who_was_masked_since_is_masked_in_what_is_restored(
    site, canary: Canary, lose: Callable[[object], None]
) -> None:
    lose(site)
    db.database.close()
    done = site.run("backup", "restore", "--accept-loss", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["masked"].startswith("3 records masked again")
    site.open()
    masked = Appeal.get_by_id(canary.appeal.id)
    assert (masked.surname, masked.phone, masked.region_text) == ("", "", "")
    assert [one.surname for one in Applicant.select()] == [""]
    kinds = {row.kind for row in Removal.select()}
    assert {"appeal_person", "call_person"} <= kinds
    request = DataRequest.select().where(DataRequest.kind == "mask").get()
    assert (request.state, request.person, request.phone) == ("done", "", "")
    db.database.close()


def test_who_is_open_again_is_named_and_not_masked(site, canary: Canary, tmp_path: Path) -> None:
    """The appeal was closed after the restored moment, so it is open again."""
    settings, number = site.settings, canary.appeal.number
    masked = [mask_journal.Mask("appeal_person", number, "data_request=7")]
    Removal.delete().execute()
    version = Handling.get_by_id(canary.appeal.id).version
    today = clock.now().date()
    handling.do("reopen", canary.appeal, "bahodir", version, today, "Yana ochildi")
    done = retention.replay(settings, masked, "rustam")
    assert (done.count, done.open_appeals) == (0, [number])
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert entry.action == "retention.mask_again"
    assert not losses._is_work(entry.who, entry.action)  # the next restore does it again
    db.database.close()


def test_a_line_that_was_cut_off_is_left_out_and_the_next_is_whole(tmp_path: Path) -> None:
    file = tmp_path / mask_journal.FILE
    one, two = (mask_journal.Mask("appeal", f"2026-00000{n}", "r") for n in (1, 2))
    mask_journal.write(file, [one])
    file.write_text(file.read_text() + '{"kind": "app')
    mask_journal.write(file, [two])
    assert mask_journal.read(file) == [one, two]


def test_each_is_noted_once(site, canary: Canary) -> None:
    settings = site.settings
    assert (mask_journal.note(settings), mask_journal.note(settings)) == (3, 0)
    text = (settings.paths.backups / mask_journal.FILE).read_text()
    assert canary.phone not in text
    assert canary.surname not in text
    db.database.close()
