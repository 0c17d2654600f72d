"""A snapshot that cannot be read is listed by name, and no older one is taken in its place."""

import datetime as dt
import json

import pytest

from appliance.box import snapshots
from appliance.box.snapshots import SnapshotError, Wish, inventory, reading
from appliance.core import db
from appliance.models import SnapshotRun


def damage(file) -> None:
    file.chmod(0o600)
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 4
    file.write_bytes(text)


FAULTS = {"damaged": damage, "missing": lambda file: file.unlink()}


@pytest.fixture
def two(site) -> tuple[str, str]:
    """The ids of an older snapshot and of the newest."""
    snapshots.create(site.open(), by="rustam")
    db.database.close()
    newest, older = reading.snapshots(reading.repository(site.settings))
    return older.id, newest.id


def spoil(site, id: str, fault: str) -> None:
    [file] = (site.folder / "repository/snapshots").glob(f"{id}*")
    FAULTS[fault](file)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_newest_that_cannot_be_read_is_named_and_not_passed_over(site, two, fault) -> None:
    older, newest = two
    done = site.run("backup", "list", "--json")
    assert done.returncode == 0
    assert [row["status"] for row in json.loads(done.stdout)] == ["ok", "ok"]
    spoil(site, newest, fault)
    before = site.fingerprint()
    done = site.run("backup", "list", "--json")
    assert done.returncode == 1
    assert {row["id"]: row["status"] for row in json.loads(done.stdout)} == {
        newest: fault,
        older: "ok",
    }
    assert newest in done.stderr
    for words in (("restore",), ("restore", "--at", "now"), ("verify",)):
        done = site.run("backup", *words)
        assert done.returncode == 1, words
        assert f"damaged or missing in disk: {newest}" in done.stderr
        assert older in done.stderr
    with pytest.raises(SnapshotError, match="damaged or missing"):
        snapshots.restore(site.settings, Wish(target=site.folder / "look"))
    after = site.fingerprint()
    assert {k: v for k, v in after.items() if k != "site.db"} == {
        k: v for k, v in before.items() if k != "site.db"
    }
    # restic checks a repository as a whole.
    assert site.run("backup", "verify", older).returncode == (fault == "damaged")
    done = site.run("backup", "restore", "--recording", "2026/11/none.wav")
    assert f"damaged or missing in disk: {newest}" in done.stderr  # it may hold the file
    done = site.run("backup", "restore", older, "--target", site.folder / "by-id")
    assert done.returncode == 0, done.stderr
    done = site.run("backup", "restore", "--accept-loss", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["snapshot"] == older


def test_a_damaged_one_is_seen_without_the_database_too(site, two) -> None:
    older, newest = two
    spoil(site, newest, "damaged")
    (site.folder / "site.db").unlink()
    done = site.run("backup", "list", "--json")
    assert done.returncode == 1
    first = json.loads(done.stdout)[0]
    assert (first["id"], first["at"], first["status"]) == (newest, None, "damaged")
    done = site.run("backup", "restore")
    assert done.returncode == 1
    assert newest in done.stderr
    assert not (site.folder / "site.db").exists()
    assert site.run("backup", "restore", older).returncode == 0


def test_the_drill_does_not_pass_over_it(site, two) -> None:
    spoil(site, two[1], "missing")
    with pytest.raises(SnapshotError, match="damaged or missing"):
        snapshots.drill(site.open())


def test_what_the_policy_has_removed_is_not_missing(site, two) -> None:
    older, newest = two
    settings = site.open()
    restic = reading.repository(settings)
    restic.run("forget", older)
    files = [settings.paths.database]
    assert [one.id for one in inventory.unreadable_snapshots(restic, files)] == [older]
    # Many are newer: by then the policy may have removed it.
    moment = reading.find(restic).at - dt.timedelta(days=40)
    SnapshotRun.update(started_at=moment).where(SnapshotRun.snapshot == older).execute()
    for _ in range(inventory.KEEP_AT_LEAST - 1):
        snapshots.create(settings)
    assert inventory.unreadable_snapshots(restic, files) == []


def test_before_a_moment_only_older_ones_count(site, two) -> None:
    older, newest = two
    spoil(site, newest, "missing")
    settings = site.open()
    restic, files = reading.repository(settings), [settings.paths.database]
    run = SnapshotRun.get(SnapshotRun.snapshot == newest)
    before = run.started_at - dt.timedelta(microseconds=1)
    assert inventory.newest_snapshot(restic, files, before, accept_loss=False).id == older
    with pytest.raises(SnapshotError):
        inventory.newest_snapshot(restic, files, run.started_at, accept_loss=False)
