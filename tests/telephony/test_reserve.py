"""Room that is kept for the event log when a disk is full."""

import shutil
from collections import namedtuple

import pytest

from appliance.box import health
from appliance.core.settings import Settings
from appliance.telephony.recordings import reserve

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def disk(settings: Settings, monkeypatch):
    """Says how much is free, besides what the reserve holds."""
    settings.paths.recordings.mkdir(exist_ok=True)
    settings.asterisk.run.mkdir(exist_ok=True)
    monkeypatch.setattr(reserve, "SIZE", 1 << 20)

    def free(left: int) -> None:
        usage = Usage(10 * reserve.ROOM, 0, left)
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
        reserve.look(settings)

    return free


def unrecorded(settings: Settings) -> bool:
    found = [c for c in health.disks.room(settings) if c.code == "disk.unrecorded"]
    assert bool(found) == reserve.mark(settings).exists()
    return bool(found)


def test_room_is_held_given_up_and_held_again(settings, disk) -> None:
    held = reserve.file(settings)
    disk(reserve.ROOM)
    assert (held.stat().st_size, unrecorded(settings)) == (1 << 20, False)
    disk(reserve.LEAST)
    assert (held.exists(), unrecorded(settings)) == (True, False)
    disk(reserve.LEAST - 1)
    assert (held.exists(), unrecorded(settings)) == (False, True)
    disk(reserve.ROOM - 1)  # not so soon that it would begin anew at once
    assert (held.exists(), unrecorded(settings)) == (False, True)
    disk(reserve.ROOM)
    assert (held.exists(), unrecorded(settings)) == (True, False)


def test_recordings_on_a_disk_of_their_own_go_on(settings, disk, monkeypatch) -> None:
    disk(reserve.ROOM)
    monkeypatch.setattr(reserve, "_is_shared", lambda _settings: False)
    disk(0)
    assert (reserve.file(settings).exists(), unrecorded(settings)) == (False, False)


def test_what_hinders_it_ends_nothing_and_a_half_held_room_is_held_anew(settings, disk) -> None:
    reserve.file(settings).touch()  # killed in the middle
    disk(reserve.ROOM)
    assert reserve.file(settings).stat().st_size == 1 << 20
    shutil.rmtree(settings.asterisk.run)
    disk(0)
    assert not reserve.file(settings).exists()
