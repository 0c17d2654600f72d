"""Disk space that is reserved for the event log in case the disk is full."""

import shutil
from collections import namedtuple

import pytest

from appliance.box import health
from appliance.core.settings import Settings
from appliance.telephony.recordings import reserve

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def disk(settings: Settings, monkeypatch):
    """Return a function that sets the free space, apart from the space of the reserve."""
    settings.paths.recordings.mkdir(exist_ok=True)
    settings.asterisk.run.mkdir(exist_ok=True)
    monkeypatch.setattr(reserve, "RESERVE_BYTES", 1 << 20)

    def set_free_space(free_bytes: int) -> None:
        usage = Usage(10 * reserve.ENOUGH_FREE_BYTES, 0, free_bytes)
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
        reserve.check_free_space(settings)

    return set_free_space


def is_unrecorded(settings: Settings) -> bool:
    checks = [c for c in health.disks.check_disk_space(settings) if c.code == "disk.unrecorded"]
    assert bool(checks) == reserve.unrecorded_mark(settings).exists()
    return bool(checks)


def test_space_is_reserved_released_and_reserved_again(settings, disk) -> None:
    reserve_file = reserve.reserve_file(settings)
    disk(reserve.ENOUGH_FREE_BYTES)
    assert (reserve_file.stat().st_size, is_unrecorded(settings)) == (1 << 20, False)
    disk(reserve.MIN_FREE_BYTES)
    assert (reserve_file.exists(), is_unrecorded(settings)) == (True, False)
    disk(reserve.MIN_FREE_BYTES - 1)
    assert (reserve_file.exists(), is_unrecorded(settings)) == (False, True)
    disk(reserve.ENOUGH_FREE_BYTES - 1)  # not so early that it would be released again at once
    assert (reserve_file.exists(), is_unrecorded(settings)) == (False, True)
    disk(reserve.ENOUGH_FREE_BYTES)
    assert (reserve_file.exists(), is_unrecorded(settings)) == (True, False)


def test_recordings_on_their_own_disk_continue(settings, disk, monkeypatch) -> None:
    disk(reserve.ENOUGH_FREE_BYTES)
    monkeypatch.setattr(reserve, "_is_disk_shared", lambda _settings: False)
    disk(0)
    assert (reserve.reserve_file(settings).exists(), is_unrecorded(settings)) == (False, False)


def test_an_error_ends_nothing_and_a_half_made_reserve_is_made_again(settings, disk) -> None:
    reserve.reserve_file(settings).touch()  # killed while it was being written
    disk(reserve.ENOUGH_FREE_BYTES)
    assert reserve.reserve_file(settings).stat().st_size == 1 << 20
    shutil.rmtree(settings.asterisk.run)
    disk(0)
    assert not reserve.reserve_file(settings).exists()
