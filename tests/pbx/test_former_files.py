"""What Asterisk read before is kept, also by a unit of the box."""

import os
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.pbx import config


def test_files_are_kept_where_no_group_bit_may_be_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a unit of the box (RestrictSUIDSGID) whose folders hand their group on."""
    chmod = os.chmod

    def as_in_a_unit(path: Path, mode: int, **more: bool) -> None:
        if mode & 0o6000:
            raise PermissionError(f"chmod {mode:o} {path}")
        chmod(path, mode, **more)

    etc = settings.paths.asterisk
    config.install(settings, tried=True)
    etc.chmod(0o2770)
    (etc / "menu.conf").write_text("changed by hand")
    monkeypatch.setattr(os, "chmod", as_in_a_unit)
    assert config.install(settings, tried=True) == ["menu.conf"]
    assert (etc / config.FORMER / "menu.conf").read_text() == "changed by hand"


def test_what_another_process_left_half_written_is_replaced(
    settings: Settings, tmp_path: Path
) -> None:
    """Each has an account of its own: neither its file nor where its link leads is written."""
    etc, elsewhere = settings.paths.asterisk, tmp_path / "elsewhere"
    config.install(settings, tried=True)
    (etc / "menu.conf").write_text("changed by hand")
    elsewhere.write_text("of somebody else")
    (etc / ".menu.conf.new").symlink_to(elsewhere)
    assert config.install(settings, tried=True) == ["menu.conf"]
    assert elsewhere.read_text() == "of somebody else"
    assert not (etc / "menu.conf").is_symlink()
