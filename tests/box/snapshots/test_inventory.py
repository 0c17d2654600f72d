"""An unreadable snapshot is listed by name, and no older one is restored instead."""

import datetime as dt
import json

import pytest

from appliance.box.snapshots import creating, inventory, reading, restoring, verifying
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RestoreRequest
from appliance.core import db
from appliance.models import SnapshotRun


def flip_bit(file) -> None:
    file.chmod(0o600)
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 4
    file.write_bytes(text)


FAULTS = {"damaged": flip_bit, "missing": lambda file: file.unlink()}


@pytest.fixture
def two_snapshots(site) -> tuple[str, str]:
    """The ids of an older and of the newest snapshot."""
    creating.create_snapshots(site.open(), by="rustam")
    db.database.close()
    newest, older = reading.list_snapshots(reading.open_repository(site.settings))
    return older.id, newest.id


def spoil_snapshot(site, id: str, fault: str) -> None:
    [file] = (site.folder / "repository/snapshots").glob(f"{id}*")
    FAULTS[fault](file)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_unreadable_newest_snapshot_is_named_and_not_skipped(site, two_snapshots, fault) -> None:
    older, newest = two_snapshots
    result = site.run("backup", "list", "--json")
    assert result.returncode == 0
    assert [row["status"] for row in json.loads(result.stdout)] == ["ok", "ok"]
    spoil_snapshot(site, newest, fault)
    before = site.fingerprint()
    result = site.run("backup", "list", "--json")
    assert result.returncode == 1
    assert {row["id"]: row["status"] for row in json.loads(result.stdout)} == {
        newest: fault,
        older: "ok",
    }
    assert newest in result.stderr
    for arguments in (("restore",), ("restore", "--at", "now"), ("verify",)):
        result = site.run("backup", *arguments)
        assert result.returncode == 1, arguments
        assert f"damaged or missing in disk: {newest}" in result.stderr
        assert older in result.stderr
    with pytest.raises(SnapshotError, match="damaged or missing"):
        restoring.restore_site(site.settings, RestoreRequest(target=site.folder / "look"))
    after = site.fingerprint()
    assert {k: v for k, v in after.items() if k != "site.db"} == {
        k: v for k, v in before.items() if k != "site.db"
    }
    # restic checks a repository as a whole
    assert site.run("backup", "verify", older).returncode == (fault == "damaged")
    result = site.run("backup", "restore", "--recording", "2026/11/none.wav")
    # the unreadable snapshot may contain the file
    assert f"damaged or missing in disk: {newest}" in result.stderr
    result = site.run("backup", "restore", older, "--target", site.folder / "by-id")
    assert result.returncode == 0, result.stderr
    result = site.run("backup", "restore", "--accept-loss", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["snapshot"] == older


def test_a_damaged_snapshot_is_listed_even_without_the_database(site, two_snapshots) -> None:
    older, newest = two_snapshots
    spoil_snapshot(site, newest, "damaged")
    (site.folder / "site.db").unlink()
    result = site.run("backup", "list", "--json")
    assert result.returncode == 1
    first = json.loads(result.stdout)[0]
    assert (first["id"], first["at"], first["status"]) == (newest, None, "damaged")
    result = site.run("backup", "restore")
    assert result.returncode == 1
    assert newest in result.stderr
    assert not (site.folder / "site.db").exists()
    assert site.run("backup", "restore", older).returncode == 0


def test_the_drill_does_not_skip_an_unreadable_snapshot(site, two_snapshots) -> None:
    spoil_snapshot(site, two_snapshots[1], "missing")
    with pytest.raises(SnapshotError, match="damaged or missing"):
        verifying.run_restore_drill(site.open())


def test_a_snapshot_removed_by_the_policy_is_not_reported_as_missing(site, two_snapshots) -> None:
    older, newest = two_snapshots
    settings = site.open()
    restic = reading.open_repository(settings)
    restic.run_command("forget", older)
    files = [settings.paths.database]
    assert [snapshot.id for snapshot in inventory.unreadable_snapshots(restic, files)] == [older]
    # Many newer ones exist: by then the policy may have removed it.
    moment = reading.find_snapshot(restic).at - dt.timedelta(days=40)
    SnapshotRun.update(started_at=moment).where(SnapshotRun.snapshot == older).execute()
    for _ in range(inventory.MIN_KEPT_SNAPSHOTS - 1):
        creating.create_snapshots(settings)
    assert inventory.unreadable_snapshots(restic, files) == []


def test_only_snapshots_before_the_requested_time_count(site, two_snapshots) -> None:
    older, newest = two_snapshots
    spoil_snapshot(site, newest, "missing")
    settings = site.open()
    restic, files = reading.open_repository(settings), [settings.paths.database]
    run = SnapshotRun.get(SnapshotRun.snapshot == newest)
    before = run.started_at - dt.timedelta(microseconds=1)
    assert inventory.newest_snapshot(restic, files, before, accept_loss=False).id == older
    with pytest.raises(SnapshotError):
        inventory.newest_snapshot(restic, files, run.started_at, accept_loss=False)
