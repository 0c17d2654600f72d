"""New keys of the snapshots: the old ones open nothing new, and nothing is lost."""

import subprocess

import pytest

from appliance.box import snapshots
from appliance.box.snapshots import rotating, sealing
from appliance.box.snapshots.errors import SnapshotError
from appliance.models import AuditEntry


def opens(site, password: str) -> bool:
    url = site.settings.backups[0].url
    done = subprocess.run(
        ["restic", "--repo", url, "--no-cache", "snapshots"],
        env={"RESTIC_PASSWORD": password, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def test_the_old_key_opens_nothing_any_more(site) -> None:
    settings = site.open()
    [backup] = settings.backups
    old = backup.password_file.read_text().strip()
    assert opens(site, old)
    done = site.run("backup", "rotate-keys")
    assert done.returncode == 0, done.stderr
    new = backup.password_file.read_text().strip()
    assert new != old
    assert (opens(site, old), opens(site, new)) == (False, True)
    assert backup.password_file.stat().st_mode & 0o777 == 0o600
    assert new not in done.stdout
    snapshots.verify(site.open())
    site.open()
    assert AuditEntry.get(AuditEntry.action == "snapshot.keys_rotated")


def test_when_it_was_broken_off_the_old_one_opens_and_the_next_goes_on(site, monkeypatch) -> None:
    settings = site.open()
    [backup] = settings.backups
    old = backup.password_file.read_text().strip()

    def broken_off(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.PosixPath.replace", broken_off)
        with pytest.raises(KeyboardInterrupt):
            rotating.rotate(settings, "test")
    file = backup.password_file
    half = file.with_name(file.name + ".next").read_text().strip()
    assert opens(site, old)
    rotating.rotate(settings, "test")
    new = backup.password_file.read_text().strip()
    assert [opens(site, one) for one in (old, half, new)] == [False, False, True]


def test_the_old_recovery_key_opens_older_secrets(site, tmp_path) -> None:
    settings = site.open()
    sealing.seal(settings, tmp_path / "before.age")
    rotating.rotate(settings, "test")
    sealing.seal(settings, tmp_path / "after.age")
    private = site.folder / settings.snapshots.recovery_file
    [former] = private.parent.glob(f"{private.stem}-until-*.key")
    before, after = ((tmp_path / name).read_bytes() for name in ("before.age", "after.age"))
    assert sealing.unseal(before, former, tmp_path / "a")
    assert sealing.unseal(after, private, tmp_path / "b")
    for sealed, key in ((before, private), (after, former)):
        with pytest.raises(SnapshotError):
            sealing.unseal(sealed, key, tmp_path / "c")
