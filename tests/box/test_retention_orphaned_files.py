"""Files without a recording are removed too; nothing else in the folder, and nothing outside it."""

import dataclasses
import hashlib
import os

import pytest

from appliance.box import retention
from appliance.core import clock
from appliance.core.settings import Retention
from appliance.models import Appeal, Recording
from tests.box import retained
from tests.box.retained import DAY, MINUTE, write_file


@pytest.fixture
def site(settings):
    retained.create_run(clock.now() - DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def old(site):
    return retained.time_two_months_ago(site) - 2 * DAY


@pytest.fixture
def day(site, old):
    """The folder of a day that is old enough."""
    return f"{old.astimezone(site.tz):%Y/%m/%d}"


def test_a_restored_file_is_removed_again(site, old, day) -> None:
    path = retained.create_recording(site, "1.1", old)
    retention.remove_due(site)
    write_file(site, f"{day}/1.1.wav", old, b"again")
    write_file(site, f"{day}/1.1.ogg", old, b"again")
    assert retention.remove_due(site).strays == 2
    assert not path.exists()
    rows = retention.recent_removals(2)
    assert {(row.kind, row.subject) for row in rows} == {
        ("stray", f"{day}/1.1.ogg"),
        ("stray", f"{day}/1.1.wav"),
    }
    assert rows[0].detail == {
        "call": "1.1",
        "sha256": hashlib.sha256(b"again").hexdigest(),
        "bytes": 5,
    }
    write_file(site, f"{day}/1.1.wav", old, b"again")
    assert retention.remove_due(site).strays == 1
    assert retention.recent_removals(1)[0].subject == f"{day}/1.1.wav (2)"


def test_files_left_by_killed_processes_are_removed(site, old, day) -> None:
    leftover_files = [
        write_file(site, f"{day}/{name}", old)
        for name in ("tmpab12cd.wav", "1.9.said-1700000000000.wav", "1.9.ogg.new", "1.9.mixed")
    ]
    assert retention.remove_due(site).strays == 4
    assert not any(path.exists() for path in leftover_files)
    assert not retention.remove_due(site)


def test_files_of_a_recording_that_stays_are_kept(site, old, day) -> None:
    """It stays because of a hold, an open appeal, or because its row is not due."""
    retained.create_recording(site, "1.1", old)
    partial_file = write_file(site, f"{day}/1.1.said-1700000000000.wav", old)
    hold = retention.set_hold("call", "1.1", "sud", "sherzod")
    assert not retention.remove_due(site)
    retention.end_hold(hold.id, "sherzod")
    assert retention.remove_due(site).strays == 1
    assert not partial_file.exists()


def test_a_file_of_a_held_call_is_kept_although_its_recording_was_removed(site, old, day) -> None:
    retained.create_recording(site, "1.1", old)
    retention.remove_due(site)
    restored_file = write_file(site, f"{day}/1.1.wav", old)
    leg = write_file(site, f"{day}/1.1-2.ogg", old)  # a leg that the ledger does not contain
    hold = retention.set_hold("call", "1.1", "sud", "sherzod")
    assert not retention.remove_due(site)
    assert restored_file.exists()
    assert leg.exists()
    retention.end_hold(hold.id, "sherzod")
    assert retention.remove_due(site).strays == 2


def test_a_file_of_an_open_appeal_is_kept(site, old, day, nilufar) -> None:
    retained.create_recording(site, "1.1", old)
    retention.remove_due(site)
    restored_file = write_file(site, f"{day}/1.1.wav", old)
    appeal = retained.register_appeal(site, nilufar, "1.1")
    assert not retention.remove_due(site)
    assert restored_file.exists()
    Appeal.update(call_id=None).where(Appeal.id == appeal.id).execute()
    assert retention.remove_due(site).strays == 1


def test_young_files_and_files_of_young_days_are_kept(site, old, day) -> None:
    limit = retained.time_two_months_ago(site)
    write_file(site, f"{day}/written.wav", limit + MINUTE)
    write_file(site, f"{clock.now().astimezone(site.tz):%Y/%m/%d}/young.wav", old)
    assert not retention.remove_due(site)
    assert len(list(site.paths.recordings.rglob("*.wav"))) == 2


def test_only_regular_files_in_day_folders_are_removed_and_no_link_is_followed(
    site, old, day
) -> None:
    outside = site.paths.database.parent / "outside"
    outside.mkdir()
    target = write_file(site, "../outside/tmpx.wav", old)
    misplaced_files = [
        write_file(site, name, old) for name in ("a.wav", "2020/b.wav", "2020/01/notes/c.wav")
    ]
    write_file(site, f"{day}/stray.wav", old)
    folder = site.paths.recordings
    link = folder / day / "link.wav"
    link.symlink_to(target)
    os.utime(link, (old.timestamp(),) * 2, follow_symlinks=False)
    (folder / "2020/01/01").symlink_to(outside)
    (folder / "2019").symlink_to(outside)
    (outside / "01/01").mkdir(parents=True)
    deep = write_file(site, "../outside/01/01/tmpy.wav", old)
    assert retention.remove_due(site).strays == 1
    assert all(path.exists() for path in (target, deep, *misplaced_files))
    assert link.is_symlink()


def test_files_named_by_a_recording_that_is_not_due_are_kept(site, old, day) -> None:
    """Its call ended late, but the files are dated to the old day."""
    young = retained.time_two_months_ago(site) + MINUTE
    for file, compressed_file in (
        ("7.7.wav", None),
        ("7.8.wav", "7.8.ogg"),
        ("7.9.gsm", "7.9-small.opus"),
    ):
        names = {"file": f"{day}/{file}", "kept": compressed_file and f"{day}/{compressed_file}"}
        Recording.create(call_id=file[:3], seconds=1.0, written_at=young, **names)
    files = ("7.7.wav", "7.7.said-1700000000000.wav", "7.8.ogg", "7.9.gsm", "7.9-small.opus")
    paths = [write_file(site, f"{day}/{name}", old) for name in files]
    assert not retention.remove_due(site)
    assert all(path.exists() for path in paths)


def test_removal_stops_between_two_files(site, old, day) -> None:
    for number in range(3):
        write_file(site, f"{day}/{number}.wav", old)
    more = iter([True])
    assert retention.remove_due(site, lambda: next(more, False)).strays == 1


def test_an_unreadable_file_does_not_prevent_the_removal_of_others(
    site, old, day, monkeypatch
) -> None:
    for name in ("1.7.wav", "1.8.wav"):
        write_file(site, f"{day}/{name}", old)
    digest = hashlib.file_digest

    def read_or_fail(stream, kind):
        if stream.name.endswith("1.7.wav"):
            raise PermissionError(stream.name)
        return digest(stream, kind)

    monkeypatch.setattr(hashlib, "file_digest", read_or_fail)
    assert retention.remove_due(site).strays == 1
    assert [path.name for path in (site.paths.recordings / day).iterdir()] == ["1.7.wav"]
