"""Files that no recording owns go too; nothing else in the folder, and nothing outside of it."""

import dataclasses
import hashlib
import os

import pytest

from appliance.box import retention
from appliance.core import clock
from appliance.core.settings import Retention
from appliance.models import Appeal, Recording
from tests.box import retained
from tests.box.retained import DAY, MINUTE, put


@pytest.fixture
def site(settings):
    retained.night(clock.now() - DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def old(site):
    return retained.limit(site) - 2 * DAY


@pytest.fixture
def day(site, old):
    """The folder of a day that is old enough."""
    return f"{old.astimezone(site.tz):%Y/%m/%d}"


def test_what_was_brought_back_goes_once_more(site, old, day) -> None:
    path = retained.record(site, "1.1", old)
    retention.remove_due(site)
    put(site, f"{day}/1.1.wav", old, b"again")
    put(site, f"{day}/1.1.ogg", old, b"again")
    assert retention.remove_due(site).strays == 2
    assert not path.exists()
    rows = retention.removals(2)
    assert {(row.kind, row.subject) for row in rows} == {
        ("stray", f"{day}/1.1.ogg"),
        ("stray", f"{day}/1.1.wav"),
    }
    assert rows[0].detail == {
        "call": "1.1",
        "sha256": hashlib.sha256(b"again").hexdigest(),
        "bytes": 5,
    }
    put(site, f"{day}/1.1.wav", old, b"again")
    assert retention.remove_due(site).strays == 1
    assert retention.removals(1)[0].subject == f"{day}/1.1.wav (2)"


def test_what_killed_processes_left_goes(site, old, day) -> None:
    left = [
        put(site, f"{day}/{name}", old)
        for name in ("tmpab12cd.wav", "1.9.said-1700000000000.wav", "1.9.ogg.new", "1.9.mixed")
    ]
    assert retention.remove_due(site).strays == 4
    assert not any(path.exists() for path in left)
    assert not retention.remove_due(site)


def test_what_stands_beside_a_recording_that_stays_stays(site, old, day) -> None:
    """Because it is held, because the appeal is open, because the row itself is not due."""
    retained.record(site, "1.1", old)
    beside = put(site, f"{day}/1.1.said-1700000000000.wav", old)
    held = retention.hold("call", "1.1", "sud", "sherzod")
    assert not retention.remove_due(site)
    retention.end(held.id, "sherzod")
    assert retention.remove_due(site).strays == 1
    assert not beside.exists()


def test_a_file_of_a_held_call_stays_though_its_recording_was_removed(site, old, day) -> None:
    retained.record(site, "1.1", old)
    retention.remove_due(site)
    back = put(site, f"{day}/1.1.wav", old)
    leg = put(site, f"{day}/1.1-2.ogg", old)  # one that the ledger does not know
    held = retention.hold("call", "1.1", "sud", "sherzod")
    assert not retention.remove_due(site)
    assert back.exists()
    assert leg.exists()
    retention.end(held.id, "sherzod")
    assert retention.remove_due(site).strays == 2


def test_a_file_of_an_open_appeal_stays(site, old, day, nilufar) -> None:
    retained.record(site, "1.1", old)
    retention.remove_due(site)
    back = put(site, f"{day}/1.1.wav", old)
    appeal = retained.register(site, nilufar, "1.1")
    assert not retention.remove_due(site)
    assert back.exists()
    Appeal.update(call_id=None).where(Appeal.id == appeal.id).execute()
    assert retention.remove_due(site).strays == 1


def test_young_files_and_those_of_young_days_stay(site, old, day) -> None:
    limit = retained.limit(site)
    put(site, f"{day}/written.wav", limit + MINUTE)
    put(site, f"{clock.now().astimezone(site.tz):%Y/%m/%d}/young.wav", old)
    assert not retention.remove_due(site)
    assert len(list(site.paths.recordings.rglob("*.wav"))) == 2


def test_only_plain_files_in_folders_of_days_and_no_link_is_followed(site, old, day) -> None:
    outside = site.paths.database.parent / "outside"
    outside.mkdir()
    target = put(site, "../outside/tmpx.wav", old)
    odd = [put(site, name, old) for name in ("a.wav", "2020/b.wav", "2020/01/notes/c.wav")]
    put(site, f"{day}/stray.wav", old)
    folder = site.paths.recordings
    link = folder / day / "link.wav"
    link.symlink_to(target)
    os.utime(link, (old.timestamp(),) * 2, follow_symlinks=False)
    (folder / "2020/01/01").symlink_to(outside)
    (folder / "2019").symlink_to(outside)
    (outside / "01/01").mkdir(parents=True)
    deep = put(site, "../outside/01/01/tmpy.wav", old)
    assert retention.remove_due(site).strays == 1
    assert all(path.exists() for path in (target, deep, *odd))
    assert link.is_symlink()


def test_what_a_recording_that_is_not_due_names_is_no_stray(site, old, day) -> None:
    """Its call ended late, but the files are dated to the old day."""
    young = retained.limit(site) + MINUTE
    for file, kept in (("7.7.wav", None), ("7.8.wav", "7.8.ogg"), ("7.9.gsm", "7.9-small.opus")):
        names = {"file": f"{day}/{file}", "kept": kept and f"{day}/{kept}"}
        Recording.create(call_id=file[:3], seconds=1.0, written_at=young, **names)
    files = ("7.7.wav", "7.7.said-1700000000000.wav", "7.8.ogg", "7.9.gsm", "7.9-small.opus")
    paths = [put(site, f"{day}/{name}", old) for name in files]
    assert not retention.remove_due(site)
    assert all(path.exists() for path in paths)


def test_it_stops_between_two_files(site, old, day) -> None:
    for number in range(3):
        put(site, f"{day}/{number}.wav", old)
    more = iter([True])
    assert retention.remove_due(site, lambda: next(more, False)).strays == 1


def test_one_that_cannot_be_read_keeps_no_other(site, old, day, monkeypatch) -> None:
    for name in ("1.7.wav", "1.8.wav"):
        put(site, f"{day}/{name}", old)
    digest = hashlib.file_digest

    def read(stream, kind):
        if stream.name.endswith("1.7.wav"):
            raise PermissionError(stream.name)
        return digest(stream, kind)

    monkeypatch.setattr(hashlib, "file_digest", read)
    assert retention.remove_due(site).strays == 1
    assert [path.name for path in (site.paths.recordings / day).iterdir()] == ["1.7.wav"]
