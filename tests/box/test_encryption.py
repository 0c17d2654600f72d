"""Where the site says so, the self-check looks whether its disk is encrypted."""

import dataclasses
import os
from pathlib import Path

import pytest

from appliance.box.health import encryption


def device(blocks: Path, folder: Path, *uuids: str) -> Path:
    """The kernel's view of a folder's device: volumes over one another, the topmost first."""
    number = folder.stat().st_dev
    here = blocks / f"{os.major(number)}:{os.minor(number)}"
    for uuid in uuids:
        here.mkdir(parents=True, exist_ok=True)
        if uuid:
            (here / "dm").mkdir()
            (here / "dm" / "uuid").write_text(uuid)
        here = here / "slaves" / "below"
    return blocks


@pytest.mark.parametrize(
    ("uuids", "encrypted"),
    [
        (("CRYPT-LUKS2-abc-data",), True),
        (("LVM-abc", "CRYPT-LUKS2-abc-data"), True),  # a logical volume on an encrypted one
        (("LVM-abc", ""), False),
        (("",), False),
        ((), False),
    ],
)
def test_a_volume_is_known_by_the_kernel(tmp_path, uuids, encrypted) -> None:
    blocks = device(tmp_path / "blocks", tmp_path, *uuids)
    assert encryption.is_encrypted(tmp_path, blocks) == encrypted


def test_it_is_asked_only_where_the_site_says_so(settings, monkeypatch, tmp_path) -> None:
    settings.paths.recordings.mkdir()
    assert list(encryption.at_rest(settings)) == []
    said = dataclasses.replace(settings, encrypted_disk=True)
    monkeypatch.setattr(encryption, "BLOCKS", tmp_path / "none")
    [check] = encryption.at_rest(said)
    assert (check.code, check.state) == ("disk.encrypted", "fail")


def test_what_was_moved_and_left_in_the_clear_is_told(settings, monkeypatch) -> None:
    settings.paths.recordings.mkdir()
    said = dataclasses.replace(settings, encrypted_disk=True)
    monkeypatch.setattr(encryption, "is_encrypted", lambda folder: True)
    [check] = encryption.at_rest(said)
    assert check.state == "ok"
    home = settings.paths.database.parent.parent
    left = home.with_name(f"{home.name}.clear")
    left.mkdir()
    [check] = encryption.at_rest(said)
    assert (check.state, check.values) == ("warn", {"folder": str(left)})


def test_a_folder_that_is_gone_is_not_encrypted(tmp_path) -> None:
    assert not encryption.is_encrypted(tmp_path / "gone")
