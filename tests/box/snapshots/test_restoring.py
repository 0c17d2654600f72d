"""Snapshots of a real site by the real restic: destroyed and restored, with every fault between."""

import contextlib
import json
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from appliance.box import snapshots
from appliance.box.snapshots import (
    SnapshotError,
    Wish,
    continuous,
    reading,
    restoring,
    sealing,
    swapping,
    toml,
)
from appliance.core import clock, db, sqlite
from appliance.models import Call, User
from backups import paper_keys
from tests.pbx.story import records
from tests.rig.waiting import until

TOP = Path(__file__).parents[3]
LATER = """
0 | CHAN_START | caller | context=from-trunk
0 | ARRIVED | caller | number=1006
3 | HANGUP | caller | source=caller
3 | CHAN_END | caller
3 | LINKEDID_END | caller
"""


def rows(file: Path, table: str) -> int:
    with contextlib.closing(sqlite.connect(file)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608


def destroy(site) -> None:
    for name in ("site.db", "cel.csv"):
        (site.folder / name).unlink(missing_ok=True)
    for name in ("recordings", "prompts", "issued"):
        shutil.rmtree(site.folder / name)


def test_what_was_destroyed_comes_back_with_the_calls_since(site) -> None:
    before = site.fingerprint()
    destroy(site)
    (site.folder / "cel.csv").write_bytes(b"".join(records(LATER, "hotline-9.0")))
    done = site.run("backup", "restore", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["counts"] == told["expected"] == {"calls": 3, "appeals": 0, "recordings": 1}
    assert told["files"] == {"recordings": 2, "prompts": 1, "issued": 1}
    assert told["new_records"] == 5
    after = site.fingerprint()
    assert {k: after.get(k) for k in before if k != "site.db"} == {
        k: v for k, v in before.items() if k != "site.db"
    }
    site.open()
    assert Call.get_by_id("hotline-9.0").outcome
    assert User.select().count() == 7


def test_what_several_processes_write_comes_back_theirs_to_write(site) -> None:
    """Also out of a snapshot of before, when one account did everything."""
    prompt, issued = site.folder / "prompts/uz/menu.wav", site.folder / "issued/monthly.pdf"
    prompt.chmod(0o640)
    issued.chmod(0o440)
    snapshots.create(site.open())
    db.database.close()
    for file in (prompt, issued, site.folder / "site.db"):
        file.unlink()
    (site.folder / "prompts/uz").rmdir()
    for folder in (site.folder, site.folder / "prompts"):
        folder.chmod(0o770)
    done = site.run("backup", "restore", before=("sh", "-c", 'umask 0007; exec "$@"', "sh"))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(prompt.stat().st_mode) == 0o660
    assert stat.S_IMODE(prompt.parent.stat().st_mode) == 0o770
    assert stat.S_IMODE((site.folder / "site.db").stat().st_mode) == 0o660
    assert stat.S_IMODE(issued.stat().st_mode) == 0o440  # nobody writes a report over


def test_what_is_there_stays_and_the_former_database_is_kept(site) -> None:
    newer = site.folder / "recordings/2026/11/newer.wav"
    newer.write_bytes(b"newer")
    (site.folder / "recordings/2026/11/one.wav").unlink()
    former = (site.folder / "site.db").read_bytes()
    restored = snapshots.restore(site.settings, Wish())
    assert restored.files == {"recordings": 1, "prompts": 0, "issued": 0}
    assert newer.read_bytes() == b"newer"
    assert (Path(restored.kept) / "site.db").read_bytes() == former


def test_the_second_snapshot_takes_only_what_is_new(site) -> None:
    settings = site.open()
    (site.folder / "recordings/2026/11/three.wav").write_bytes(b"x" * 4000)
    [made] = snapshots.create(settings, by="rustam")
    assert made.bytes_added < 300_000 < 1_000_000 < made.bytes_total
    [second, first] = reading.snapshots(reading.repository(settings))
    assert snapshots.verify(settings, second.id) == second
    target = site.folder / "there" / "copy"
    older = snapshots.restore(settings, Wish(id=first.id, target=target))
    assert older.files["recordings"] == 2
    assert (target / "recordings/2026/11/two [2].ogg").stat().st_size == 200_000
    assert rows(target / "data/appliance.db", "call") == 3


def flip(site) -> None:
    """One bit of each large pack."""
    for pack in site.packs()[:2]:
        data = bytearray(pack.read_bytes())
        data[len(data) // 2] ^= 4
        pack.chmod(0o600)
        pack.write_bytes(data)


def cut(site) -> None:
    pack = site.packs()[0]
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])


def other_key(site) -> None:
    (site.folder / "repository.key").write_text("aaaa-bbbb-cccc-dddd-eeee-ffff\n")


FAULTS = {
    "a bit flipped": (flip, "damaged"),
    "a pack cut short": (cut, "damaged"),
    "a pack missing": (lambda site: site.packs()[0].unlink(), "damaged"),
    "wrong key": (other_key, "key"),
    "no key": (lambda site: (site.folder / "repository.key").unlink(), "key"),
    "not mounted": (lambda site: shutil.rmtree(site.folder / "repository"), "absent"),
    "half a snapshot": (
        lambda site: [p.unlink() for p in (site.folder / "repository/snapshots").iterdir()],
        "unknown",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_touches_nothing_of_the_site(site, fault) -> None:
    spoil, code = FAULTS[fault]
    spoil(site)
    for part in ("recordings", "prompts", "issued"):  # so that all of it is read
        shutil.rmtree(site.folder / part)
    before = site.fingerprint()
    with pytest.raises(SnapshotError) as restoring:
        snapshots.restore(site.settings, Wish())
    assert restoring.value.code == code, str(restoring.value)
    target = site.folder / "target"
    with pytest.raises(SnapshotError):
        snapshots.restore(site.settings, Wish(target=target))
    assert not target.exists()
    assert site.fingerprint() == before
    assert not list(site.folder.glob(".restore-*"))
    settings = site.open()
    with pytest.raises(SnapshotError) as verifying:
        snapshots.verify(settings)
    assert verifying.value.code == code, str(verifying.value)


@pytest.mark.parametrize("doing", ["create", "restore"])
def test_a_full_disk_touches_nothing(site, doing) -> None:
    before = site.fingerprint()
    full = ("prlimit", f"--fsize={150_000}")
    done = site.run("backup", doing, before=full)
    assert done.returncode == 1
    assert "full" in done.stderr or "too large" in done.stderr, done.stderr
    after = site.fingerprint()
    if doing == "restore":
        assert after == before
        assert site.run("backup", doing).returncode == 0
    assert {k: v for k, v in after.items() if k != "site.db"} == {
        k: v for k, v in before.items() if k != "site.db"
    }
    assert len(reading.snapshots(reading.repository(site.settings))) == 1


def test_a_disk_that_fills_up_in_the_middle(site) -> None:
    shutil.rmtree(site.folder / "recordings")
    (site.folder / "recordings").mkdir()
    before = site.fingerprint()
    mount = f"mount -t tmpfs -o size=256k none {site.folder}/recordings"
    small = ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "small")
    if subprocess.run([*small, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    done = site.run("backup", "restore", before=small)
    assert done.returncode == 1
    assert "full" in done.stderr or "No space left" in done.stderr, done.stderr
    assert site.fingerprint() == before
    assert not list(site.folder.rglob(".restore-*"))


def test_killed_in_the_middle(site) -> None:
    shutil.rmtree(site.folder / "recordings")
    before = site.fingerprint()
    waiting = site.folder / "recordings" / ".restore-site"
    process = site.start("backup", "restore")
    until(lambda: waiting.exists() or process.poll() is not None, 120)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    assert site.fingerprint() == before
    saving = site.start("backup", "create")
    stage = site.folder / "backups" / "appliance-snapshot"
    until(lambda: (stage / "manifest.json").exists() or saving.poll() is not None, 120)
    saving.send_signal(signal.SIGKILL)
    saving.wait(60)
    assert site.run("backup", "restore", "--json").returncode == 0
    assert not waiting.exists()
    assert (site.folder / "recordings/2026/11/one.wav").stat().st_size == 300_000


def test_a_swap_that_stops_is_taken_back(site) -> None:
    settings, old, new = site.settings, site.folder / "old", site.folder / "new"
    (site.folder / "former").mkdir()
    live = site.folder / "live"
    live.write_text("live")
    new.write_text("restored")
    moves = [(live, old), (new, live), (site.folder / "missing", site.folder / "nowhere")]
    before = site.fingerprint()
    with pytest.raises(SnapshotError, match="nothing was changed"):
        swapping.swap(settings, moves)
    assert site.fingerprint() == before
    # Killed after the first move: only the journal tells.
    journal = settings.paths.unfinished_restore
    journal.write_text(json.dumps([[str(one), str(to)] for one, to in moves]))
    live.rename(old)
    assert site.run("user", "list").returncode == 0  # any command mends it
    assert (live.read_text(), new.read_text(), old.exists()) == ("live", "restored", False)
    assert not journal.exists()


def test_a_running_site_is_left_alone(site) -> None:
    with contextlib.closing(sqlite.connect(site.folder / "site.db")) as held:
        held.execute("SELECT 1 FROM call").fetchone()
        done = site.run("backup", "restore")
    assert done.returncode == 1
    assert "the site is running" in done.stderr


def test_secrets_open_with_their_own_key_only(site) -> None:
    settings, target = site.settings, site.folder / "copy"
    other = site.folder / "other.key"
    other.write_text(subprocess.check_output(["age-keygen"], text=True, stderr=subprocess.DEVNULL))
    with pytest.raises(SnapshotError) as error:
        snapshots.restore(settings, Wish(target=target, recovery_key=other))
    assert error.value.code == "key"
    snapshots.restore(
        settings, Wish(target=target, recovery_key=Path(settings.snapshots.recovery_file))
    )
    made = toml.read(target / "appliance.toml")
    assert made["web"]["secret_key"] == "secret of the tests"
    plain = toml.read(target / "settings" / "appliance.toml")
    assert (plain["web"]["secret_key"], plain["asterisk"]["ami_secret"]) == ("", "")
    assert plain["calls"] == made["calls"]


def test_one_recording_only(site) -> None:
    lost = site.folder / "recordings/2026/11/one.wav"
    content = lost.read_bytes()
    settings = site.settings
    with pytest.raises(SnapshotError) as error:
        snapshots.recording(settings, "2026/11/one.wav")
    assert error.value.code == "there"
    lost.unlink()
    assert snapshots.recording(settings, "2026/11/one.wav") == lost.resolve()
    assert lost.read_bytes() == content
    for name in ("2026/11/none.wav", "../../site.toml"):
        with pytest.raises(SnapshotError) as error:
            snapshots.recording(settings, name)
        assert error.value.code == "unknown"


def test_to_a_moment_from_the_continuous_copy(site) -> None:
    (site.folder / "cel.csv").write_bytes(b"".join(records(LATER, "hotline-9.0")))
    settings = site.open()
    process = site.start("replicate")
    copy = site.folder / "copied.db"

    def copied() -> bool:
        copy.unlink(missing_ok=True)
        try:
            continuous.restore_database(settings, copy, None)
        except SnapshotError:
            return False
        return rows(copy, "call") == 4

    try:
        until(lambda: (site.folder / "replica/alive").exists(), 120)
        Call.create(id="hotline-7.0", direction="inbound", arrived_at=clock.now(), stage="ended")
        until(copied, 120, every=1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    db.database.close()
    for name in ("site.db", "site.db-wal", "site.db-shm", "cel.csv"):
        (site.folder / name).unlink(missing_ok=True)
    restored = snapshots.restore(settings, Wish(at=snapshots.NOW, database_only=True))
    assert (restored.database_from, restored.new_records) == ("replica", 5)
    assert rows(site.folder / "site.db", "call") == 5
    assert not (site.folder / "replica/database").exists()  # the new one has another history


def test_a_bare_box_by_one_command(site, tmp_path_factory) -> None:
    settings, root = site.open(), tmp_path_factory.mktemp("bare")
    text = site.file.read_text().replace('"repository"', f'"{site.folder}/repository"')
    site.file.write_text(text)
    snapshots.create(site.open(), by="rustam")
    db.database.close()
    key = Path(settings.snapshots.recovery_file)

    def bare(recovery: Path, *options: str) -> subprocess.CompletedProcess[str]:
        repository = (site.folder / "repository", site.folder / "repository.key")
        return subprocess.run(
            [TOP / "backups/bare", *repository, recovery, *options],
            env={
                "PATH": f"{Path(continuous.program()).parent}:/usr/bin:/bin",
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
    assert "does not open the secrets" in bare(other).stderr
    assert bare(key, "latest", "--at", "never").returncode
    assert not (there / "site.toml").exists()  # taken back
    secret = next(line for line in key.read_text().splitlines() if line.startswith("AGE-"))
    groups, paper = paper_keys.groups(secret), site.folder / "paper.key"
    paper.write_text(" ".join([groups[0], groups[2], *groups[2:]]))
    assert "group 2 is not as on the sheet" in bare(paper).stderr
    paper.write_text(" ".join(groups))
    done = bare(paper)
    assert done.returncode == 0, done.stderr
    assert (there / "recordings/2026/11/one.wav").stat().st_size == 300_000
    assert rows(there / "site.db", "call") == 3
    assert "restored in" in done.stdout
    # The same sheet opens the next snapshot, and its key stays on paper.
    public = subprocess.check_output(["age-keygen", "-y", key])
    assert (there / "recovery.pub").read_bytes() == public
    assert not (there / "recovery.key").exists()


def test_root_unpacks_nothing_that_is_none_of_the_appliance_s(site, tmp_path) -> None:
    """As when the appliance's account made the snapshot: of somebody else's file, here its own."""
    text = site.file.read_text().replace('"repository"', f'"{site.folder}/repository"')
    site.file.write_text(text)
    settings = site.open()
    snapshots.create(settings, by="rustam")
    db.database.close()
    before = site.file.stat()
    done = subprocess.run(
        [TOP / "backups/bare", site.folder / "repository", site.folder / "repository.key"]
        + [Path(settings.snapshots.recovery_file)],
        env={"PATH": f"{Path(continuous.program()).parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "none of the appliance's; nothing was changed" in done.stderr
    assert str(site.file).lstrip("/") in done.stderr
    after = site.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_site_does_not_write_over_the_copy_of_a_former_one(site) -> None:
    (site.folder / "replica/database").mkdir(parents=True)
    done = site.run("replicate")
    assert done.returncode == 1
    assert "copy of another database" in done.stderr


def test_few_patterns_cover_many_files() -> None:
    whole = ["24/a.ogg", "24/b.ogg", "25/a.ogg", "25/b.ogg", "25/night/c.ogg", "c.ogg"]
    assert restoring.covering(["24/a.ogg", "24/b.ogg"], whole) == {"24"}
    assert restoring.covering(["24/a.ogg", "25/night/c.ogg"], whole) == {"24/a.ogg", "25/night"}
    assert restoring.covering(["25/a.ogg", "25/b.ogg"], whole) == {"25/a.ogg", "25/b.ogg"}


def test_keys_are_made_once(site) -> None:
    assert sealing.make_keys(site.settings) == []
    assert snapshots.prepare(site.settings) == []
    assert (site.folder / "recovery.key").stat().st_mode & 0o777 == 0o600


def test_a_snapshot_of_a_newer_release_is_refused_before_anything_is_replaced(site) -> None:
    with contextlib.closing(sqlite.connect(site.folder / "site.db")) as connection, connection:
        connection.execute(
            "INSERT INTO schema_migration (name, applied) VALUES ('9998_newer', '2026-12-01')"
        )
    assert site.run("backup", "create").returncode == 0
    before = site.fingerprint()
    done = site.run("backup", "restore")
    assert done.returncode == 1
    assert "a newer release has made this database: 9998_newer" in done.stderr
    assert site.fingerprint() == before
