"""New keys of the snapshots: the old ones open nothing new, and nothing is lost."""

import subprocess

import pytest

from appliance.box.snapshots import rotating, sealing, verifying
from appliance.box.snapshots.errors import SnapshotError
from appliance.models import AuditEntry


def password_opens(site, password: str) -> bool:
    url = site.settings.backups[0].url
    process = subprocess.run(
        ["restic", "--repo", url, "--no-cache", "snapshots"],
        env={"RESTIC_PASSWORD": password, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    return process.returncode == 0


def test_the_old_key_no_longer_opens_the_repository(site) -> None:
    settings = site.open()
    [backup] = settings.backups
    old = backup.password_file.read_text().strip()
    assert password_opens(site, old)
    result = site.run("backup", "rotate-keys")
    assert result.returncode == 0, result.stderr
    new = backup.password_file.read_text().strip()
    assert new != old
    assert (password_opens(site, old), password_opens(site, new)) == (False, True)
    assert backup.password_file.stat().st_mode & 0o777 == 0o600
    assert new not in result.stdout
    verifying.verify_snapshot(site.open())
    site.open()
    assert AuditEntry.get(AuditEntry.action == "snapshot.keys_rotated")


def test_after_an_interruption_the_old_key_opens_and_the_next_rotation_continues(
    site, monkeypatch
) -> None:
    settings = site.open()
    [backup] = settings.backups
    old = backup.password_file.read_text().strip()

    def raise_keyboard_interrupt(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.PosixPath.replace", raise_keyboard_interrupt)
        with pytest.raises(KeyboardInterrupt):
            rotating.rotate_keys(settings, "test")
    file = backup.password_file
    half = file.with_name(file.name + ".next").read_text().strip()
    assert password_opens(site, old)
    rotating.rotate_keys(settings, "test")
    new = backup.password_file.read_text().strip()
    assert [password_opens(site, password) for password in (old, half, new)] == [False, False, True]


def test_the_old_recovery_key_opens_older_secrets(site, tmp_path) -> None:
    settings = site.open()
    sealing.seal_secrets(settings, tmp_path / "before.age")
    rotating.rotate_keys(settings, "test")
    sealing.seal_secrets(settings, tmp_path / "after.age")
    private = site.folder / settings.snapshots.recovery_file
    [former] = private.parent.glob(f"{private.stem}-until-*.key")
    before, after = ((tmp_path / name).read_bytes() for name in ("before.age", "after.age"))
    assert sealing.unseal_secrets(before, former, tmp_path / "a")
    assert sealing.unseal_secrets(after, private, tmp_path / "b")
    for sealed, key in ((before, private), (after, former)):
        with pytest.raises(SnapshotError):
            sealing.unseal_secrets(sealed, key, tmp_path / "c")
