"""Snapshots of a real site by the real restic: destruction, restore, and faults in between."""

import contextlib
import json
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from appliance.box.snapshots import (
    continuous,
    creating,
    file_restoring,
    reading,
    requests,
    sealing,
    settings_files,
    swapping,
)
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RestoreRequest
from appliance.box.snapshots.restoring import restore_site
from appliance.box.snapshots.verifying import verify_snapshot
from appliance.core import clock, db, schema, sqlite
from appliance.models import Appeal, Call, User
from backups import paper_keys
from tests.pbx.story import log_records
from tests.rig.waiting import wait_until

TOP = Path(__file__).parents[3]
RELEASE_0_2 = TOP / "tests" / "core" / "release_0_2.sql"  # a database of that release, as SQL
LATER_CALL = """
0 | CHAN_START | caller | context=from-trunk
0 | ARRIVED | caller | number=1006
3 | HANGUP | caller | source=caller
3 | CHAN_END | caller
3 | LINKEDID_END | caller
"""


def row_count(file: Path, table: str) -> int:
    with contextlib.closing(sqlite.connect(file)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608


def destroy_data(site) -> None:
    for name in ("site.db", "cel.csv"):
        (site.folder / name).unlink(missing_ok=True)
    for name in ("recordings", "prompts", "issued"):
        shutil.rmtree(site.folder / name)


def test_destroyed_data_are_restored_with_the_calls_since(site) -> None:
    before = site.fingerprint()
    destroy_data(site)
    (site.folder / "cel.csv").write_bytes(b"".join(log_records(LATER_CALL, "hotline-9.0")))
    result = site.run("backup", "restore", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["counts"] == report["expected"] == {"calls": 3, "appeals": 0, "recordings": 1}
    assert report["files"] == {"recordings": 2, "prompts": 1, "issued": 1}
    assert report["new_records"] == 5
    after = site.fingerprint()
    assert {k: after.get(k) for k in before if k != "site.db"} == {
        k: v for k, v in before.items() if k != "site.db"
    }
    site.open()
    assert Call.get_by_id("hotline-9.0").outcome
    assert User.select().count() == 7


def test_restored_files_keep_the_permissions_that_several_processes_need(site) -> None:
    """Also from a snapshot of an earlier release, when one account did everything."""
    prompt, issued = site.folder / "prompts/uz/menu.wav", site.folder / "issued/monthly.pdf"
    prompt.chmod(0o640)
    issued.chmod(0o440)
    creating.create_snapshots(site.open())
    db.database.close()
    for file in (prompt, issued, site.folder / "site.db"):
        file.unlink()
    (site.folder / "prompts/uz").rmdir()
    for folder in (site.folder, site.folder / "prompts"):
        folder.chmod(0o770)
    result = site.run("backup", "restore", before=("sh", "-c", 'umask 0007; exec "$@"', "sh"))
    assert result.returncode == 0, result.stderr
    assert stat.S_IMODE(prompt.stat().st_mode) == 0o660
    assert stat.S_IMODE(prompt.parent.stat().st_mode) == 0o770
    assert stat.S_IMODE((site.folder / "site.db").stat().st_mode) == 0o660
    assert stat.S_IMODE(issued.stat().st_mode) == 0o440  # a report is never overwritten


def test_existing_files_stay_and_the_replaced_database_is_kept(site) -> None:
    newer = site.folder / "recordings/2026/11/newer.wav"
    newer.write_bytes(b"newer")
    (site.folder / "recordings/2026/11/one.wav").unlink()
    former = (site.folder / "site.db").read_bytes()
    restored = restore_site(site.settings, RestoreRequest())
    assert restored.files == {"recordings": 1, "prompts": 0, "issued": 0}
    assert newer.read_bytes() == b"newer"
    assert (Path(restored.kept) / "site.db").read_bytes() == former


def test_a_second_snapshot_adds_only_new_data(site) -> None:
    settings = site.open()
    (site.folder / "recordings/2026/11/three.wav").write_bytes(b"x" * 4000)
    [created] = creating.create_snapshots(settings, by="rustam")
    assert created.bytes_added < 300_000 < 1_000_000 < created.bytes_total
    [second, first] = reading.list_snapshots(reading.open_repository(settings))
    assert verify_snapshot(settings, second.id) == second
    target = site.folder / "there" / "copy"
    older = restore_site(settings, RestoreRequest(id=first.id, target=target))
    assert older.files["recordings"] == 2
    assert (target / "recordings/2026/11/two [2].ogg").stat().st_size == 200_000
    assert row_count(target / "data/appliance.db", "call") == 3


def flip_bits(site) -> None:
    """One bit of each of the two largest packs."""
    for pack in site.packs()[:2]:
        data = bytearray(pack.read_bytes())
        data[len(data) // 2] ^= 4
        pack.chmod(0o600)
        pack.write_bytes(data)


def truncate_pack(site) -> None:
    pack = site.packs()[0]
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])


def replace_key(site) -> None:
    (site.folder / "repository.key").write_text("aaaa-bbbb-cccc-dddd-eeee-ffff\n")


FAULTS = {
    "a bit flipped": (flip_bits, "damaged"),
    "a pack cut short": (truncate_pack, "damaged"),
    "a pack missing": (lambda site: site.packs()[0].unlink(), "damaged"),
    "wrong key": (replace_key, "key"),
    "no key": (lambda site: (site.folder / "repository.key").unlink(), "key"),
    "not mounted": (lambda site: shutil.rmtree(site.folder / "repository"), "absent"),
    "half a snapshot": (
        lambda site: [p.unlink() for p in (site.folder / "repository/snapshots").iterdir()],
        "unknown",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_the_site_unchanged(site, fault) -> None:
    apply_fault, code = FAULTS[fault]
    apply_fault(site)
    for part in ("recordings", "prompts", "issued"):  # so that all of it must be read
        shutil.rmtree(site.folder / part)
    before = site.fingerprint()
    with pytest.raises(SnapshotError) as restoring:
        restore_site(site.settings, RestoreRequest())
    assert restoring.value.code == code, str(restoring.value)
    target = site.folder / "target"
    with pytest.raises(SnapshotError):
        restore_site(site.settings, RestoreRequest(target=target))
    assert not target.exists()
    assert site.fingerprint() == before
    assert not list(site.folder.glob(".restore-*"))
    settings = site.open()
    with pytest.raises(SnapshotError) as verifying:
        verify_snapshot(settings)
    assert verifying.value.code == code, str(verifying.value)


@pytest.mark.parametrize("command", ["create", "restore"])
def test_a_full_disk_leaves_the_site_unchanged(site, command) -> None:
    before = site.fingerprint()
    full = ("prlimit", f"--fsize={150_000}")
    result = site.run("backup", command, before=full)
    assert result.returncode == 1
    assert "full" in result.stderr or "too large" in result.stderr, result.stderr
    after = site.fingerprint()
    if command == "restore":
        assert after == before
        assert site.run("backup", command).returncode == 0
    assert {k: v for k, v in after.items() if k != "site.db"} == {
        k: v for k, v in before.items() if k != "site.db"
    }
    assert len(reading.list_snapshots(reading.open_repository(site.settings))) == 1


def test_a_disk_that_fills_up_during_a_restore_leaves_the_site_unchanged(site) -> None:
    shutil.rmtree(site.folder / "recordings")
    (site.folder / "recordings").mkdir()
    before = site.fingerprint()
    mount = f"mount -t tmpfs -o size=256k none {site.folder}/recordings"
    small = ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "small")
    if subprocess.run([*small, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    result = site.run("backup", "restore", before=small)
    assert result.returncode == 1
    assert "full" in result.stderr or "No space left" in result.stderr, result.stderr
    assert site.fingerprint() == before
    assert not list(site.folder.rglob(".restore-*"))


def test_a_killed_restore_or_snapshot_can_be_repeated(site) -> None:
    shutil.rmtree(site.folder / "recordings")
    before = site.fingerprint()
    waiting = site.folder / "recordings" / ".restore-site"
    process = site.start("backup", "restore")
    wait_until(lambda: waiting.exists() or process.poll() is not None, 120)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    assert site.fingerprint() == before
    saving = site.start("backup", "create")
    stage = site.folder / "backups" / "appliance-snapshot"
    wait_until(lambda: (stage / "manifest.json").exists() or saving.poll() is not None, 120)
    saving.send_signal(signal.SIGKILL)
    saving.wait(60)
    assert site.run("backup", "restore", "--json").returncode == 0
    assert not waiting.exists()
    assert (site.folder / "recordings/2026/11/one.wav").stat().st_size == 300_000


def test_an_interrupted_swap_is_rolled_back(site) -> None:
    settings, old, new = site.settings, site.folder / "old", site.folder / "new"
    (site.folder / "former").mkdir()
    live = site.folder / "live"
    live.write_text("live")
    new.write_text("restored")
    moves = [(live, old), (new, live), (site.folder / "missing", site.folder / "nowhere")]
    before = site.fingerprint()
    with pytest.raises(SnapshotError, match="nothing was changed"):
        swapping.move_files(settings, moves)
    assert site.fingerprint() == before
    # Killed after the first move: only the journal shows it.
    journal = settings.paths.restore_journal_file
    journal.write_text(json.dumps([[str(source), str(to)] for source, to in moves]))
    live.rename(old)
    assert site.run("user", "list").returncode == 0  # any command completes the rollback
    assert (live.read_text(), new.read_text(), old.exists()) == ("live", "restored", False)
    assert not journal.exists()


def test_a_running_site_is_not_replaced(site) -> None:
    with contextlib.closing(sqlite.connect(site.folder / "site.db")) as connection:
        connection.execute("SELECT 1 FROM call").fetchone()
        result = site.run("backup", "restore")
    assert result.returncode == 1
    assert "the site is running" in result.stderr


def test_secrets_open_only_with_their_own_key(site) -> None:
    settings, target = site.settings, site.folder / "copy"
    other = site.folder / "other.key"
    other.write_text(subprocess.check_output(["age-keygen"], text=True, stderr=subprocess.DEVNULL))
    with pytest.raises(SnapshotError) as error:
        restore_site(settings, RestoreRequest(target=target, recovery_key=other))
    assert error.value.code == "key"
    restore_site(
        settings, RestoreRequest(target=target, recovery_key=Path(settings.snapshots.recovery_file))
    )
    restored_settings = settings_files.read_toml(target / "appliance.toml")
    assert restored_settings["web"]["secret_key"] == "secret of the tests"
    plain = settings_files.read_toml(target / "settings" / "appliance.toml")
    assert (plain["web"]["secret_key"], plain["asterisk"]["ami_secret"]) == ("", "")
    assert plain["calls"] == restored_settings["calls"]


def test_a_single_recording_is_restored(site) -> None:
    lost = site.folder / "recordings/2026/11/one.wav"
    content = lost.read_bytes()
    settings = site.settings
    with pytest.raises(SnapshotError) as error:
        file_restoring.restore_recording(settings, "2026/11/one.wav")
    assert error.value.code == "there"
    lost.unlink()
    assert file_restoring.restore_recording(settings, "2026/11/one.wav") == lost.resolve()
    assert lost.read_bytes() == content
    for name in ("2026/11/none.wav", "../../site.toml"):
        with pytest.raises(SnapshotError) as error:
            file_restoring.restore_recording(settings, name)
        assert error.value.code == "unknown"


def test_a_time_is_restored_from_the_continuous_copy(site) -> None:
    (site.folder / "cel.csv").write_bytes(b"".join(log_records(LATER_CALL, "hotline-9.0")))
    settings = site.open()
    process = site.start("replicate")
    copy = site.folder / "copied.db"

    def is_copied() -> bool:
        copy.unlink(missing_ok=True)
        try:
            continuous.restore_database(settings, copy, None)
        except SnapshotError:
            return False
        return row_count(copy, "call") == 4

    try:
        wait_until(lambda: (site.folder / "replica/alive").exists(), 120)
        Call.create(id="hotline-7.0", direction="inbound", arrived_at=clock.now(), stage="ended")
        wait_until(is_copied, 120, every=1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    db.database.close()
    for name in ("site.db", "site.db-wal", "site.db-shm", "cel.csv"):
        (site.folder / name).unlink(missing_ok=True)
    restored = restore_site(settings, RestoreRequest(at=requests.NEWEST_TIME, database_only=True))
    assert (restored.database_from, restored.new_records) == ("replica", 5)
    assert row_count(site.folder / "site.db", "call") == 5
    assert not (site.folder / "replica/database").exists()  # the new database has another history


def test_a_bare_box_is_restored_by_one_command(site, tmp_path_factory) -> None:
    settings, root = site.open(), tmp_path_factory.mktemp("bare")
    text = site.file.read_text().replace('"repository"', f'"{site.folder}/repository"')
    site.file.write_text(text)
    creating.create_snapshots(site.open(), by="rustam")
    db.database.close()
    key = Path(settings.snapshots.recovery_file)

    def run_bare_restore(recovery: Path, *options: str) -> subprocess.CompletedProcess[str]:
        repository = (site.folder / "repository", site.folder / "repository.key")
        return subprocess.run(
            [TOP / "backups/bare", *repository, recovery, *options],
            env={
                "PATH": f"{Path(continuous.litestream_program()).parent}:/usr/bin:/bin",
                "RESTORE_ROOT": str(root),
                "HOME": str(root),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    there = root / str(site.folder).lstrip("/")
    other = site.folder / "other.key"
    other.write_text(subprocess.check_output(["age-keygen"], text=True, stderr=subprocess.DEVNULL))
    assert "does not open the secrets" in run_bare_restore(other).stderr
    assert run_bare_restore(key, "latest", "--at", "never").returncode
    assert not (there / "site.toml").exists()  # rolled back
    secret = next(line for line in key.read_text().splitlines() if line.startswith("AGE-"))
    groups, paper = paper_keys.groups(secret), site.folder / "paper.key"
    paper.write_text(" ".join([groups[0], groups[2], *groups[2:]]))
    assert "group 2 is not as on the sheet" in run_bare_restore(paper).stderr
    paper.write_text(" ".join(groups))
    result = run_bare_restore(paper)
    assert result.returncode == 0, result.stderr
    assert (there / "recordings/2026/11/one.wav").stat().st_size == 300_000
    assert row_count(there / "site.db", "call") == 3
    assert "restored in" in result.stdout
    # The same sheet opens the next snapshot, and its key stays on paper.
    public = subprocess.check_output(["age-keygen", "-y", key])
    assert (there / "recovery.pub").read_bytes() == public
    assert not (there / "recovery.key").exists()


def test_root_unpacks_only_files_of_the_appliance(site, tmp_path) -> None:
    """As if the appliance's account had saved the file of another owner; here, of the test."""
    text = site.file.read_text().replace('"repository"', f'"{site.folder}/repository"')
    site.file.write_text(text)
    settings = site.open()
    creating.create_snapshots(settings, by="rustam")
    db.database.close()
    before = site.file.stat()
    result = subprocess.run(
        [TOP / "backups/bare", site.folder / "repository", site.folder / "repository.key"]
        + [Path(settings.snapshots.recovery_file)],
        env={
            "PATH": f"{Path(continuous.litestream_program()).parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "none of the appliance's; nothing was changed" in result.stderr
    assert str(site.file).lstrip("/") in result.stderr
    after = site.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_site_does_not_overwrite_the_copy_of_a_former_one(site) -> None:
    (site.folder / "replica/database").mkdir(parents=True)
    result = site.run("replicate")
    assert result.returncode == 1
    assert "copy of another database" in result.stderr


def test_few_patterns_cover_many_files() -> None:
    all_files = ["24/a.ogg", "24/b.ogg", "25/a.ogg", "25/b.ogg", "25/night/c.ogg", "c.ogg"]
    assert file_restoring.smallest_cover(["24/a.ogg", "24/b.ogg"], all_files) == {"24"}
    assert file_restoring.smallest_cover(["24/a.ogg", "25/night/c.ogg"], all_files) == {
        "24/a.ogg",
        "25/night",
    }
    assert file_restoring.smallest_cover(["25/a.ogg", "25/b.ogg"], all_files) == {
        "25/a.ogg",
        "25/b.ogg",
    }


def test_keys_are_made_once(site) -> None:
    assert sealing.create_missing_keys(site.settings) == []
    assert creating.prepare_repositories(site.settings) == []
    assert (site.folder / "recovery.key").stat().st_mode & 0o777 == 0o600


def test_a_snapshot_of_a_newer_release_is_refused_before_anything_is_replaced(site) -> None:
    with contextlib.closing(sqlite.connect(site.folder / "site.db")) as connection, connection:
        connection.execute(
            "INSERT INTO schema_migration (name, applied) VALUES ('9998_newer', '2026-12-01')"
        )
    assert site.run("backup", "create").returncode == 0
    before = site.fingerprint()
    result = site.run("backup", "restore")
    assert result.returncode == 1
    assert "a newer release has made this database: 9998_newer" in result.stderr
    assert site.fingerprint() == before


def test_a_snapshot_of_release_0_2_is_restored_with_the_newest_schema(site) -> None:
    save_old_database(site, RELEASE_0_2.read_text("utf-8"))
    result = site.run("backup", "restore", "--accept-loss")
    assert result.returncode == 0, result.stderr
    site.open()
    assert schema.schema_differences() == ([], [])
    assert Appeal.select().count() == 3


def test_a_snapshot_of_a_release_before_0_2_is_refused_before_anything_is_replaced(site) -> None:
    early = "DELETE FROM schema_migration WHERE name > '0021_attempts';"
    save_old_database(site, RELEASE_0_2.read_text("utf-8") + early)
    before = site.fingerprint()
    result = site.run("backup", "restore", "--accept-loss")
    assert result.returncode == 1
    assert "0021_attempts; install release 0.3.0 first; nothing was changed" in result.stderr
    assert site.fingerprint() == before


def save_old_database(site, statements: str) -> None:
    """Make a snapshot of a database that consists of these statements."""
    file, present_file = site.folder / "site.db", site.folder / "present.db"
    file.rename(present_file)
    with contextlib.closing(sqlite.connect(file)) as connection:
        connection.executescript(statements)
    process = site.run("backup", "create")
    assert process.returncode == 0, process.stderr
    for old_file in site.folder.glob("site.db*"):
        old_file.unlink()
    present_file.rename(file)
