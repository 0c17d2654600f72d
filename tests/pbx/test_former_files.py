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
