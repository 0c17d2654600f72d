"""New keys of the snapshots in place of the old ones; no snapshot is lost by it, at any moment."""

from pathlib import Path

from appliance.box.snapshots import contents, reading, sealing
from appliance.box.snapshots.restic import Restic
from appliance.core import audit, clock
from appliance.core.settings import Settings

_NEXT = ".next"  # beside a repository's key: the one that comes in its place


def rotate(settings: Settings, by: str) -> list[str]:
    """Give each repository another key, and the secrets another recovery key; returns their files.

    The old key of a repository opens nothing any more. The old recovery key still opens the secrets
    of older snapshots: it is moved aside where it lies on the box. When it is broken off, the next
    one goes on. Raises SnapshotError.
    """
    done = []
    with contents.alone(settings, wait=60):
        for backup in settings.backups:
            _repository(reading.repository(settings, backup.name))
            done.append(str(backup.password_file))
        done += map(str, _recovery(settings))
        audit.record(by, "snapshot.keys_rotated", keys=done)
    return done


def _repository(restic: Restic) -> None:
    """Both keys open it until the new one lies in its place; then the old one is removed."""
    file = restic.backup.password_file
    coming = file.with_name(file.name + _NEXT)
    sealing.write_password(coming)
    restic.run("key", "add", "--new-password-file", coming)
    coming.replace(file)
    for key in restic.ask("key", "list"):
        if not key["current"]:
            restic.run("key", "remove", key["id"])


def _recovery(settings: Settings) -> list[Path]:
    private, public = Path(settings.snapshots.recovery_file), sealing.public_file(settings)
    if private.exists():
        now = clock.now().astimezone(settings.tz)
        private.rename(private.with_name(f"{private.stem}-until-{now:%Y%m%d-%H%M%S}.key"))
    public.unlink(missing_ok=True)
    return sealing.make_keys(settings)
