"""Replaces the keys of the snapshots; even an interruption makes no snapshot unreadable."""

from pathlib import Path

from appliance.box.snapshots import contents, reading, sealing
from appliance.box.snapshots.restic import Restic
from appliance.core import audit, clock
from appliance.core.settings import Settings

_NEXT_KEY_SUFFIX = ".next"  # of the file of a repository's next key


def rotate_keys(settings: Settings, by: str) -> list[str]:
    """Give each repository a new key, and the secrets a new recovery key; returns their files.

    The old key of a repository no longer opens anything. The old recovery key still opens the
    secrets of older snapshots: if it is on the box, it is renamed. If the rotation is interrupted,
    the next one completes it. Raises SnapshotError if a repository or a key cannot be used.
    """
    key_files = []
    with contents.snapshot_lock(settings, wait=60):
        for backup in settings.backups:
            _rotate_repository_key(reading.open_repository(settings, backup.name))
            key_files.append(str(backup.password_file))
        key_files += map(str, _rotate_recovery_key(settings))
        audit.record_entry(by, "snapshot.keys_rotated", keys=key_files)
    return key_files


def _rotate_repository_key(restic: Restic) -> None:
    """Replace a repository's key: both keys open it until the new one is in place."""
    file = restic.backup.password_file
    new_key_file = file.with_name(file.name + _NEXT_KEY_SUFFIX)
    sealing.write_password(new_key_file)
    restic.run_command("key", "add", "--new-password-file", new_key_file)
    new_key_file.replace(file)
    for key in restic.query_json("key", "list"):
        if not key["current"]:
            restic.run_command("key", "remove", key["id"])


def _rotate_recovery_key(settings: Settings) -> list[Path]:
    """Replace the recovery key and return the new key files."""
    private, public = Path(settings.snapshots.recovery_file), sealing.public_key_file(settings)
    if private.exists():
        now = clock.now().astimezone(settings.tz)
        private.rename(private.with_name(f"{private.stem}-until-{now:%Y%m%d-%H%M%S}.key"))
    public.unlink(missing_ok=True)
    return sealing.create_missing_keys(settings)
