"""The configuration that Asterisk read before is kept, also inside a systemd unit of the box."""

import os
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.pbx import config


def test_files_are_kept_where_setting_a_group_bit_is_forbidden(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a unit of the box (RestrictSUIDSGID) whose folders pass on their group."""
    chmod = os.chmod

    def restricted_chmod(path: Path, mode: int, **more: bool) -> None:
        if mode & 0o6000:
            raise PermissionError(f"chmod {mode:o} {path}")
        chmod(path, mode, **more)

    etc = settings.paths.asterisk
    config.install_files(settings, is_verified=True)
    etc.chmod(0o2770)
    (etc / "menu.conf").write_text("changed by hand")
    monkeypatch.setattr(os, "chmod", restricted_chmod)
    assert config.install_files(settings, is_verified=True) == ["menu.conf"]
    assert (etc / config.FORMER_FOLDER / "menu.conf").read_text() == "changed by hand"


def test_a_half_written_file_of_another_process_is_replaced(
    settings: Settings, tmp_path: Path
) -> None:
    """Each process has its own account: neither its file nor the target of its link is written."""
    etc, elsewhere = settings.paths.asterisk, tmp_path / "elsewhere"
    config.install_files(settings, is_verified=True)
    (etc / "menu.conf").write_text("changed by hand")
    elsewhere.write_text("of somebody else")
    (etc / ".menu.conf.new").symlink_to(elsewhere)
    assert config.install_files(settings, is_verified=True) == ["menu.conf"]
    assert elsewhere.read_text() == "of somebody else"
    assert not (etc / "menu.conf").is_symlink()
