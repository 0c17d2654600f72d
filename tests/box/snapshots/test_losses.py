"""A restore lists the data that will be missing, and stops unless this is accepted."""

import contextlib
import datetime as dt
import hashlib
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from appliance.box.snapshots import histories, requests, restoring, swapping
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RestoreRequest
from appliance.core import audit, clock, db, db_files, sqlite
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, User
from tests.box.snapshots.conftest import PROGRAM, Site
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.once import build_once
from tests.rig.waiting import wait_until

TOP = Path(__file__).parents[3]
FIRST, SECOND = "2026-000001", "2026-000002"


def register_appeal(settings: Settings, gist: str) -> Appeal:
    operator = User.get(User.login == "nilufar")
    return create_appeal(settings, operator, FULL_FORM | {"gist": gist})


def appeal_numbers_in(file: Path) -> list[str]:
    with contextlib.closing(sqlite.connect(file)) as connection:
        return [n for (n,) in connection.execute("SELECT number FROM appeal ORDER BY number")]


def database_digest(file: Path) -> str:
    """The hash of all contents of a database, independent of the order of its pages."""
    contents = hashlib.sha256()
    with contextlib.closing(sqlite.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        schema = "SELECT name, type, coalesce(sql, '') FROM sqlite_master ORDER BY name"
        for name, kind, sql in connection.execute(schema).fetchall():
            contents.update(f"{name} {kind} {sql}".encode())
            if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
                rows = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
                contents.update("\n".join(sorted(map(repr, rows))).encode())
    return contents.hexdigest()


def newest_copied_entry(settings: Settings, file: Path) -> int:
    file.unlink(missing_ok=True)
    [history] = histories.list_histories(settings) or [None]
    try:
        if history is None:
            return 0
        history.write_database(file, history.ends_at)
    except SnapshotError:
        return 0
    return db_files.highest_value(file, "audit_entry", "id") or 0


@pytest.fixture(scope="session")
def copied_site(tmp_path_factory: pytest.TempPathFactory, saved: Site) -> Path:
    """A site with two appeals that its snapshot lacks.

    The continuous copy has both, and the file `between` contains a time between them.
    """

    def build_site(folder: Path) -> None:
        shutil.copytree(saved.folder, folder, dirs_exist_ok=True)
        site, look = Site(folder), folder / "look.db"
        assert site.run("migrate").returncode == 0  # including everything that a restore ensures
        settings = site.open()
        process = site.start("replicate")
        try:
            wait_until(lambda: (folder / "replica/alive").exists(), 120)
            for gist in ("Birinchi", "Ikkinchi"):
                register_appeal(settings, gist)
                last = audit.chain_head().id
                wait_until(
                    lambda last=last: newest_copied_entry(settings, look) == last, 120, every=0.5
                )
                if gist == "Birinchi":
                    (folder / "between").write_text(clock.now().isoformat())
                    waiting_since = time.monotonic()
                    wait_until(lambda began=waiting_since: time.monotonic() - began > 2, 10)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        look.unlink(missing_ok=True)
        db.database.close()
        db_files.merge_write_ahead_log(settings.paths.database)

    return build_once(tmp_path_factory, "copied", build_site)


@pytest.fixture
def box(tmp_path: Path, copied_site: Path):
    """A copy of that site, which a test may damage."""
    shutil.copytree(copied_site, tmp_path, dirs_exist_ok=True)
    yield Site(tmp_path)
    db.database.close()


def time_between(box: Site) -> str:
    return (box.folder / "between").read_text()


def lose_database(box: Site) -> None:
    """Remove the database in place, with Litestream's notes about it."""
    (box.folder / "site.db").unlink()
    shutil.rmtree(box.folder / ".site.db-litestream")


def lose_base(box: Site) -> None:
    """Remove the base of the continuous copy, so that it contains only changes."""
    for file in (box.folder / "replica/database/ltx").glob("*/0000000000000001-*.ltx"):
        file.unlink()


def test_a_time_after_the_failure_restores_the_last_copied_change(box) -> None:
    lose_database(box)
    before = box.fingerprint()
    late = (clock.now() + dt.timedelta(hours=2)).isoformat()
    result = box.run("backup", "restore", "--at", late)
    assert result.returncode == 1
    end = histories.list_histories(box.settings)[0].ends_at.astimezone(box.settings.tz)
    assert f"the database will be as of {end:%Y-%m-%dT%H:%M:%S}" in result.stderr
    assert "from the continuous copy" in result.stderr
    assert "minutes missing: " in result.stderr
    assert "nothing was changed" in result.stderr
    assert box.fingerprint() == before
    result = box.run("backup", "restore", "--at", late, "--accept-loss", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["database_from"] == "replica"
    assert 119 <= report["loss"]["minutes"] <= 122
    box.open()
    entry = AuditEntry.get(AuditEntry.action == "snapshot.restore")
    assert entry.detail["loss"] == report["loss"]  # the loss was accepted
    assert appeal_numbers_in(box.folder / "site.db") == [FIRST, SECOND]


def test_a_drill_of_the_continuous_copy_ends_with_equal_hashes(box) -> None:
    before = database_digest(box.folder / "site.db")
    restored = restoring.restore_site(box.settings, RestoreRequest(at=requests.NEWEST_TIME))
    assert (restored.database_from, restored.numbers) == ("replica", {})
    assert (
        database_digest(box.folder / "site.db")
        == database_digest(Path(restored.kept) / "site.db")
        == before
    )


def test_a_complete_copy_is_restored_without_confirmation(box) -> None:
    before = database_digest(box.folder / "site.db")
    result = box.run("backup", "restore", "--at", "now", "--json")
    assert result.returncode == 0, result.stderr
    assert "registrations missing: 0" in result.stderr
    assert json.loads(result.stdout)["loss"]["stops_restore"] is False
    replaced_database = Path(json.loads(result.stdout)["kept"]) / "site.db"
    assert database_digest(replaced_database) == before
    with contextlib.closing(sqlite.connect(box.folder / "site.db")) as connection, connection:
        # The entry about the restore is the only difference.
        rows = connection.execute("SELECT action FROM audit_entry ORDER BY id DESC").fetchmany(1)
    assert rows == [("snapshot.restore",)]


@pytest.mark.parametrize("in_place", [True, False])
def test_a_copy_without_its_base_is_not_replaced_silently_by_the_snapshot(box, in_place) -> None:
    lose_base(box)
    later = clock.now() + dt.timedelta(hours=1)
    if not in_place:
        lose_database(box)
        (box.folder / "replica/alive").write_text(later.isoformat())
    before = box.fingerprint()
    result = box.run("backup", "restore", "--at", "now")
    assert result.returncode == 1
    assert "from snapshot" in result.stderr
    local = later.astimezone(box.settings.tz)
    if in_place:
        assert f"registrations missing: 2 ({FIRST}, {SECOND})" in result.stderr
    else:
        assert f", until {local:%Y-%m-%dT%H:%M:%S}" in result.stderr
        assert "not compared, because it cannot be read: database" in result.stderr
    assert box.fingerprint() == before
    result = box.run("backup", "restore", "--at", "now", "--accept-loss")
    assert result.returncode == 0, result.stderr
    assert appeal_numbers_in(box.folder / "site.db") == []


def test_a_second_restore_uses_the_database_replaced_by_the_first(box) -> None:
    state = database_digest(box.folder / "site.db")
    early = ("backup", "restore", "--at", time_between(box), "--database-only")
    result = box.run(*early)
    assert result.returncode == 1
    assert f"registrations missing: 1 ({SECOND})" in result.stderr
    assert database_digest(box.folder / "site.db") == state
    assert box.run(*early, "--accept-loss").returncode == 0
    assert appeal_numbers_in(box.folder / "site.db") == [FIRST]
    [former] = (box.folder / "replica").glob("database-former-*")
    for folder in box.folder.glob("before-restore-*"):  # an operator cleaning up removes it
        shutil.rmtree(folder)
    result = box.run("backup", "restore", "--at", "now", "--database-only", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["database_from"] == "former"
    assert appeal_numbers_in(box.folder / "site.db") == [FIRST, SECOND]
    assert former.exists()
    result = box.run(*early, "--accept-loss")
    assert appeal_numbers_in(box.folder / "site.db") == [FIRST]
    assert former.exists()  # no restore removes a former copy


def test_a_damaged_database_in_place_is_compared_through_its_copy(box) -> None:
    """The page with the second appeal is destroyed; the continuous copy still has both appeals."""
    database = box.folder / "site.db"
    with contextlib.closing(sqlite.connect(database)) as connection:
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'appeal'")
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek(size * (page[0] - 1))
        file.write(bytes(size))
    result = box.run("backup", "restore", "--database-only")  # restores the snapshot
    assert result.returncode == 1
    assert f"registrations missing: 2 ({FIRST}, {SECOND})" in result.stderr
    assert "not compared, because it cannot be read: the database in place" in result.stderr
    result = box.run("backup", "restore", "--database-only", "--at", "now")
    assert result.returncode == 0, result.stderr
    assert appeal_numbers_in(database) == [FIRST, SECOND]


def test_a_bare_box_stops_before_losing_data(box, saved, tmp_path_factory) -> None:
    """backups/bare requests the newest snapshot; the copy on the second disk has two appeals."""
    root = tmp_path_factory.mktemp("bare")
    there = root / str(saved.folder).lstrip("/")  # the path in the settings of the snapshot
    for name in ("replica", "repository"):
        shutil.copytree(box.folder / name, there / name)
    keys = (box.folder / "repository.key", box.folder / "recovery.key")

    def run_bare_restore(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOP / "backups/bare", box.folder / "repository", *keys, "latest", *options],
            env={
                "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
                "RESTORE_ROOT": str(root),
                "HOME": str(root),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    result = run_bare_restore()
    assert result.returncode == 1
    assert f"registrations missing: 2 ({FIRST}, {SECOND})" in result.stderr
    assert not (there / "site.toml").exists()  # rolled back
    assert not (there / "site.db").exists()
    result = run_bare_restore("--at", "now")
    assert result.returncode == 0, result.stderr
    assert appeal_numbers_in(there / "site.db") == [FIRST, SECOND]


def test_former_continuous_copies_are_kept_under_their_time(box) -> None:
    settings = box.settings
    for _ in range(2):
        histories.set_copy_aside(settings)
        shutil.copytree(
            next((box.folder / "replica").glob("database-former-*")),
            box.folder / "replica/database",
        )
    formers = sorted((box.folder / "replica").glob("database-former-*"))
    assert len(formers) == 2
    old = box.folder / "replica/database-former-20261001T120000"
    formers[0].rename(old)
    damaged = old.with_name(f"{old.name}-damaged")  # named as by the replicator
    shutil.copytree(old, damaged)
    (box.folder / "replica/database").rename(box.folder / "replica/database-former")
    assert histories.remove_expired_copies(settings) == [old, damaged]
    assert not old.exists()
    assert formers[1].exists()
    assert (
        box.folder / "replica/database-former"
    ).exists()  # has no time in its name: judged by its last change


def test_registrations_since_the_snapshot_are_listed(site) -> None:
    settings = site.open()
    number = register_appeal(settings, "Birinchi").number
    db.database.close()
    before = database_digest(site.folder / "site.db")
    with pytest.raises(SnapshotError) as error:
        restoring.restore_site(settings, RestoreRequest())
    assert error.value.code == "loss"
    assert f"registrations missing: 1 ({number})" in str(error.value)
    assert database_digest(site.folder / "site.db") == before
    assert not list(site.folder.glob("before-restore-*"))
    # A restore into a folder replaces nothing.
    restored = restoring.restore_site(settings, RestoreRequest(target=site.folder / "look"))
    assert restored.loss["stops_restore"] is False
    losses = []
    restored = restoring.restore_site(
        settings, RestoreRequest(accept_loss=True), announce=losses.append
    )
    assert [loss.registrations for loss in losses] == [[number]]
    # Without a continuous copy, the replaced database is the nearest to the requested time.
    result = site.run("backup", "restore", "--at", "now", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["database_from"] == "replaced"
    assert appeal_numbers_in(site.folder / "site.db") == [number]
    assert len(list(site.folder.glob("before-restore-*"))) == 2


def test_work_of_people_counts_as_loss_and_reading_does_not(site) -> None:
    settings = site.open()
    audit.record_entry("rustam", "login")
    audit.record_entry("rustam", "report.download")
    audit.record_entry("jobs", "retention.remove")
    audit.record_entry("pbx", "operator.state", "nilufar", state="ready", reason="wrap_up")
    assert restoring.restore_site(settings, RestoreRequest()).loss["entries"] == 0
    settings = site.open()
    audit.record_entry("rustam", "tariff.add")
    with pytest.raises(SnapshotError, match="other audit entries by people missing: 1"):
        restoring.restore_site(settings, RestoreRequest())


def test_a_restore_into_a_folder_is_refused_if_only_an_older_state_exists(site) -> None:
    late = clock.now() + dt.timedelta(hours=2)
    with pytest.raises(SnapshotError) as error:
        restoring.restore_site(site.settings, RestoreRequest(target=site.folder / "look", at=late))
    assert error.value.code == "loss"
    assert not (site.folder / "look").exists()


def test_no_empty_folder_remains_if_nothing_was_replaced(box, monkeypatch) -> None:
    lose_database(box)
    settings = box.settings
    restored = restoring.restore_site(
        settings, RestoreRequest(at=requests.NEWEST_TIME, database_only=True)
    )
    assert restored.kept == ""
    assert not list(box.folder.glob("before-restore-*"))

    def refuse_swap(*_given: object) -> None:
        raise SnapshotError("failed", "nothing was changed")

    monkeypatch.setattr(swapping, "move_files", refuse_swap)
    with pytest.raises(SnapshotError):
        restoring.restore_site(settings, RestoreRequest(accept_loss=True))
    assert not list(box.folder.glob("before-restore-*"))


def test_a_merged_copy_may_lack_changes_before_the_requested_time() -> None:
    begin = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)

    def time_after(**duration: int) -> dt.datetime:
        return begin + dt.timedelta(**duration)

    base = histories.ChangeFile(begin, 9, 1, 1)
    first_change, second_change = (
        histories.ChangeFile(begin, 0, 1, 1),
        histories.ChangeFile(time_after(hours=1), 0, 2, 2),
    )
    idle = histories.CopyHistory(Path("database"), (first_change, base, second_change))
    assert idle.newest_change_time(time_after(minutes=59)) == begin
    # no change was made in between
    assert idle.complete_until(time_after(minutes=59)) == time_after(minutes=59)
    assert idle.complete_until(time_after(hours=2)) == time_after(hours=1)
    merged = histories.ChangeFile(time_after(hours=1), 3, 2, 90)
    busy = histories.CopyHistory(Path("database"), (first_change, base, merged))
    assert busy.complete_until(time_after(minutes=59)) == begin
    half_minute = histories.ChangeFile(time_after(minutes=10), 1, 2, 3)
    finer = histories.CopyHistory(Path("database"), (first_change, base, half_minute, merged))
    assert finer.complete_until(time_after(minutes=9, seconds=50)) == time_after(
        minutes=9, seconds=30
    )


def test_a_copy_that_restores_no_database_is_damaged(tmp_path, monkeypatch) -> None:
    """The next copy, or the snapshot, is used instead."""

    def write_noise(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        Path(command[command.index("-o") + 1]).write_bytes(b"no database " * 700)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(histories.subprocess, "run", write_noise)
    moment = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)
    history = histories.CopyHistory(tmp_path, (histories.ChangeFile(moment, 0, 1, 1),))
    with pytest.raises(SnapshotError, match="is damaged: file is not a database"):
        history.write_database(tmp_path / "restored.db", moment)
    assert not list(tmp_path.iterdir())
