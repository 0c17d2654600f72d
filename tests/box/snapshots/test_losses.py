"""A restore lists what will be missing first, and stops unless that is accepted."""

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

from appliance.box import snapshots
from appliance.box.snapshots import SnapshotError, Wish, histories, swapping
from appliance.casework import appeals, catalogs
from appliance.core import audit, clock, db, db_files, sqlite
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, User
from tests.box.snapshots.conftest import PROGRAM, Site
from tests.casework.test_appeals import FULL
from tests.rig.once import made_once
from tests.rig.waiting import until

TOP = Path(__file__).parents[3]
FIRST, SECOND = "2026-000001", "2026-000002"


def register(settings: Settings, gist: str) -> Appeal:
    operator = User.get(User.login == "nilufar")
    return appeals.register(
        FULL | {"gist": gist},
        operator=operator,
        token=appeals.token_for(operator, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )


def numbers_in(file: Path) -> list[str]:
    with contextlib.closing(sqlite.connect(file)) as connection:
        return [n for (n,) in connection.execute("SELECT number FROM appeal ORDER BY number")]


def digest(file: Path) -> str:
    """The hash of all that a database holds, however its pages lie."""
    contents = hashlib.sha256()
    with contextlib.closing(sqlite.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        schema = "SELECT name, type, coalesce(sql, '') FROM sqlite_master ORDER BY name"
        for name, kind, sql in connection.execute(schema).fetchall():
            contents.update(f"{name} {kind} {sql}".encode())
            if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
                rows = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
                contents.update("\n".join(sorted(map(repr, rows))).encode())
    return contents.hexdigest()


def newest_copied(settings: Settings, file: Path) -> int:
    file.unlink(missing_ok=True)
    [history] = histories.histories(settings) or [None]
    try:
        if history is None:
            return 0
        history.restore(file, history.end)
    except SnapshotError:
        return 0
    return db_files.highest(file, "audit_entry", "id") or 0


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory, saved: Site) -> Path:
    """A site with two appeals that its snapshot lacks; the continuous copy has both, and a file
    holds a moment between them."""

    def make(folder: Path) -> None:
        shutil.copytree(saved.folder, folder, dirs_exist_ok=True)
        site, look = Site(folder), folder / "look.db"
        assert site.run("migrate").returncode == 0  # with all that a restore makes sure of
        settings = site.open()
        process = site.start("replicate")
        try:
            until(lambda: (folder / "replica/alive").exists(), 120)
            for gist in ("Birinchi", "Ikkinchi"):
                register(settings, gist)
                last = audit.head().id
                until(lambda last=last: newest_copied(settings, look) == last, 120, every=0.5)
                if gist == "Birinchi":
                    (folder / "between").write_text(clock.now().isoformat())
                    began = time.monotonic()
                    until(lambda began=began: time.monotonic() - began > 2, 10)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        look.unlink(missing_ok=True)
        db.database.close()
        db_files.fold_in(settings.paths.database)

    return made_once(tmp_path_factory, "copied", make)


@pytest.fixture
def box(tmp_path: Path, copied: Path):
    """A copy of it, to be broken."""
    shutil.copytree(copied, tmp_path, dirs_exist_ok=True)
    yield Site(tmp_path)
    db.database.close()


def between(box: Site) -> str:
    return (box.folder / "between").read_text()


def lose(box: Site) -> None:
    """The database in place is gone, with litestream's notes of it."""
    (box.folder / "site.db").unlink()
    shutil.rmtree(box.folder / ".site.db-litestream")


def lose_base(box: Site) -> None:
    """The continuous copy has changes, and nothing that they change."""
    for file in (box.folder / "replica/database/ltx").glob("*/0000000000000001-*.ltx"):
        file.unlink()


def test_a_moment_after_the_box_died_gives_the_last_that_was_copied(box) -> None:
    lose(box)
    before = box.fingerprint()
    late = (clock.now() + dt.timedelta(hours=2)).isoformat()
    done = box.run("backup", "restore", "--at", late)
    assert done.returncode == 1
    end = histories.histories(box.settings)[0].end.astimezone(box.settings.tz)
    assert f"the database will be as of {end:%Y-%m-%dT%H:%M:%S}" in done.stderr
    assert "from the continuous copy" in done.stderr
    assert "minutes missing: " in done.stderr
    assert "nothing was changed" in done.stderr
    assert box.fingerprint() == before
    done = box.run("backup", "restore", "--at", late, "--accept-loss", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["database_from"] == "replica"
    assert 119 <= told["loss"]["minutes"] <= 122
    box.open()
    entry = AuditEntry.get(AuditEntry.action == "snapshot.restore")
    assert entry.detail["loss"] == told["loss"]  # it was accepted
    assert numbers_in(box.folder / "site.db") == [FIRST, SECOND]


def test_a_drill_of_the_continuous_copy_ends_with_equal_hashes(box) -> None:
    before = digest(box.folder / "site.db")
    restored = snapshots.restore(box.settings, Wish(at=snapshots.NOW))
    assert (restored.database_from, restored.numbers) == ("replica", {})
    assert digest(box.folder / "site.db") == digest(Path(restored.kept) / "site.db") == before


def test_all_that_was_copied_comes_back_without_a_question(box) -> None:
    before = digest(box.folder / "site.db")
    done = box.run("backup", "restore", "--at", "now", "--json")
    assert done.returncode == 0, done.stderr
    assert "registrations missing: 0" in done.stderr
    assert json.loads(done.stdout)["loss"]["stops_restore"] is False
    kept = Path(json.loads(done.stdout)["kept"]) / "site.db"
    assert digest(kept) == before
    with contextlib.closing(sqlite.connect(box.folder / "site.db")) as connection, connection:
        # The restore itself is the only difference.
        rows = connection.execute("SELECT action FROM audit_entry ORDER BY id DESC").fetchmany(1)
    assert rows == [("snapshot.restore",)]


@pytest.mark.parametrize("in_place", [True, False])
def test_a_copy_without_its_base_is_no_reason_to_fall_back_in_silence(box, in_place) -> None:
    lose_base(box)
    later = clock.now() + dt.timedelta(hours=1)
    if not in_place:
        lose(box)
        (box.folder / "replica/alive").write_text(later.isoformat())
    before = box.fingerprint()
    done = box.run("backup", "restore", "--at", "now")
    assert done.returncode == 1
    assert "from snapshot" in done.stderr
    local = later.astimezone(box.settings.tz)
    if in_place:
        assert f"registrations missing: 2 ({FIRST}, {SECOND})" in done.stderr
    else:
        assert f", until {local:%Y-%m-%dT%H:%M:%S}" in done.stderr
        assert "not compared, because it cannot be read: database" in done.stderr
    assert box.fingerprint() == before
    done = box.run("backup", "restore", "--at", "now", "--accept-loss")
    assert done.returncode == 0, done.stderr
    assert numbers_in(box.folder / "site.db") == []


def test_a_second_restore_finds_what_the_first_one_replaced(box) -> None:
    state = digest(box.folder / "site.db")
    early = ("backup", "restore", "--at", between(box), "--database-only")
    done = box.run(*early)
    assert done.returncode == 1
    assert f"registrations missing: 1 ({SECOND})" in done.stderr
    assert digest(box.folder / "site.db") == state
    assert box.run(*early, "--accept-loss").returncode == 0
    assert numbers_in(box.folder / "site.db") == [FIRST]
    [former] = (box.folder / "replica").glob("database-former-*")
    for folder in box.folder.glob("before-restore-*"):  # a tidy person removes it
        shutil.rmtree(folder)
    done = box.run("backup", "restore", "--at", "now", "--database-only", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["database_from"] == "former"
    assert numbers_in(box.folder / "site.db") == [FIRST, SECOND]
    assert former.exists()
    done = box.run(*early, "--accept-loss")
    assert numbers_in(box.folder / "site.db") == [FIRST]
    assert former.exists()  # no restore removes one


def test_a_damaged_database_in_place_is_compared_through_its_copy(box) -> None:
    """The page that has the second appeal is gone; the continuous copy still has both."""
    database = box.folder / "site.db"
    with contextlib.closing(sqlite.connect(database)) as connection:
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'appeal'")
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek(size * (page[0] - 1))
        file.write(bytes(size))
    done = box.run("backup", "restore", "--database-only")  # the snapshot
    assert done.returncode == 1
    assert f"registrations missing: 2 ({FIRST}, {SECOND})" in done.stderr
    assert "not compared, because it cannot be read: the database in place" in done.stderr
    done = box.run("backup", "restore", "--database-only", "--at", "now")
    assert done.returncode == 0, done.stderr
    assert numbers_in(database) == [FIRST, SECOND]


def test_a_bare_box_stops_before_it_loses_anything(box, saved, tmp_path_factory) -> None:
    """backups/bare asks for the newest snapshot; the copy on the second disk has two appeals."""
    root = tmp_path_factory.mktemp("bare")
    there = root / str(saved.folder).lstrip("/")  # as the settings in the snapshot have it
    for name in ("replica", "repository"):
        shutil.copytree(box.folder / name, there / name)
    keys = (box.folder / "repository.key", box.folder / "recovery.key")

    def bare(*options: str) -> subprocess.CompletedProcess[str]:
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

    done = bare()
    assert done.returncode == 1
    assert f"registrations missing: 2 ({FIRST}, {SECOND})" in done.stderr
    assert not (there / "site.toml").exists()  # taken back
    assert not (there / "site.db").exists()
    done = bare("--at", "now")
    assert done.returncode == 0, done.stderr
    assert numbers_in(there / "site.db") == [FIRST, SECOND]


def test_the_continuous_copies_of_before_are_kept_under_their_time(box) -> None:
    settings = box.settings
    for _ in range(2):
        histories.put_aside(settings)
        shutil.copytree(
            next((box.folder / "replica").glob("database-former-*")),
            box.folder / "replica/database",
        )
    formers = sorted((box.folder / "replica").glob("database-former-*"))
    assert len(formers) == 2
    old = box.folder / "replica/database-former-20261001T120000"
    formers[0].rename(old)
    damaged = old.with_name(f"{old.name}-damaged")  # as the replicator names one
    shutil.copytree(old, damaged)
    (box.folder / "replica/database").rename(box.folder / "replica/database-former")
    assert histories.remove_expired(settings) == [old, damaged]
    assert not old.exists()
    assert formers[1].exists()
    assert (box.folder / "replica/database-former").exists()  # without a time: by its last change


def test_what_was_registered_since_the_snapshot_is_listed(site) -> None:
    settings = site.open()
    number = register(settings, "Birinchi").number
    db.database.close()
    before = digest(site.folder / "site.db")
    with pytest.raises(SnapshotError) as error:
        snapshots.restore(settings, Wish())
    assert error.value.code == "loss"
    assert f"registrations missing: 1 ({number})" in str(error.value)
    assert digest(site.folder / "site.db") == before
    assert not list(site.folder.glob("before-restore-*"))
    # A folder replaces nothing.
    restored = snapshots.restore(settings, Wish(target=site.folder / "look"))
    assert restored.loss["stops_restore"] is False
    seen = []
    restored = snapshots.restore(settings, Wish(accept_loss=True), announce=seen.append)
    assert [loss.registrations for loss in seen] == [[number]]
    # The replaced database is the nearest to the moment, where there is no continuous copy.
    done = site.run("backup", "restore", "--at", "now", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["database_from"] == "replaced"
    assert numbers_in(site.folder / "site.db") == [number]
    assert len(list(site.folder.glob("before-restore-*"))) == 2


def test_work_of_people_counts_and_looking_does_not(site) -> None:
    settings = site.open()
    audit.record("rustam", "login")
    audit.record("rustam", "report.download")
    audit.record("jobs", "retention.remove")
    audit.record("pbx", "operator.state", "nilufar", state="ready", reason="wrap_up")
    assert snapshots.restore(settings, Wish()).loss["entries"] == 0
    settings = site.open()
    audit.record("rustam", "tariff.add")
    with pytest.raises(SnapshotError, match="other audit entries by people missing: 1"):
        snapshots.restore(settings, Wish())


def test_a_folder_gets_no_older_state_than_was_asked_for(site) -> None:
    late = clock.now() + dt.timedelta(hours=2)
    with pytest.raises(SnapshotError) as error:
        snapshots.restore(site.settings, Wish(target=site.folder / "look", at=late))
    assert error.value.code == "loss"
    assert not (site.folder / "look").exists()


def test_no_empty_folder_stays_where_nothing_was_replaced(box, monkeypatch) -> None:
    lose(box)
    settings = box.settings
    restored = snapshots.restore(settings, Wish(at=snapshots.NOW, database_only=True))
    assert restored.kept == ""
    assert not list(box.folder.glob("before-restore-*"))

    def refuse(*_given: object) -> None:
        raise SnapshotError("failed", "nothing was changed")

    monkeypatch.setattr(swapping, "swap", refuse)
    with pytest.raises(SnapshotError):
        snapshots.restore(settings, Wish(accept_loss=True))
    assert not list(box.folder.glob("before-restore-*"))


def test_a_copy_that_was_merged_may_lack_what_was_done_before_the_moment() -> None:
    begin = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)

    def after(**much: int) -> dt.datetime:
        return begin + dt.timedelta(**much)

    base = histories.Change(begin, 9, 1, 1)
    one, other = histories.Change(begin, 0, 1, 1), histories.Change(after(hours=1), 0, 2, 2)
    idle = histories.History(Path("database"), (one, base, other))
    assert idle.last_change(after(minutes=59)) == begin
    assert idle.coverage(after(minutes=59)) == after(minutes=59)  # nothing was done in between
    assert idle.coverage(after(hours=2)) == after(hours=1)
    merged = histories.Change(after(hours=1), 3, 2, 90)
    busy = histories.History(Path("database"), (one, base, merged))
    assert busy.coverage(after(minutes=59)) == begin
    half_minute = histories.Change(after(minutes=10), 1, 2, 3)
    finer = histories.History(Path("database"), (one, base, half_minute, merged))
    assert finer.coverage(after(minutes=9, seconds=50)) == after(minutes=9, seconds=30)


def test_a_copy_that_gives_no_database_is_damaged(tmp_path, monkeypatch) -> None:
    """So that the next copy, or the snapshot, is taken in its place."""

    def write_noise(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        Path(command[command.index("-o") + 1]).write_bytes(b"no database " * 700)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(histories.subprocess, "run", write_noise)
    moment = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)
    history = histories.History(tmp_path, (histories.Change(moment, 0, 1, 1),))
    with pytest.raises(SnapshotError, match="is damaged: file is not a database"):
        history.restore(tmp_path / "restored.db", moment)
    assert not list(tmp_path.iterdir())
