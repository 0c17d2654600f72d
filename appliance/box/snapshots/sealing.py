"""Secrets, encrypted apart by age: whoever has a repository and its key does not read them.

To seal, the box needs only the public key. The private one is there until the recovery sheet has
been printed and is removed then: what only root reads is sealed for it too, and its file belongs to
the pages' user.
"""

import datetime as dt
import io
import os
import secrets
import subprocess
import tarfile
import tempfile
from pathlib import Path

from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit
from appliance.core.settings import Settings
from appliance.models import AuditEntry
from backups import paper_keys

PRINTED = "snapshot.sheet"  # in the audit: the recovery sheet was taken


def make_keys(settings: Settings) -> list[Path]:
    """Make the keys that are missing; returns their files."""
    made = []
    for backup in settings.backups:
        if not backup.password_file.exists():
            write_password(backup.password_file)
            made.append(backup.password_file)
    private, public = Path(settings.snapshots.recovery_file), public_file(settings)
    if not private.exists() and not public.exists():
        _write(private, _run(["age-keygen"], b""))
        made.append(private)
    if not public.exists():
        _write(public, _run(["age-keygen", "-y", str(private)], b""))
        made.append(public)
    return made


def write_password(file: Path) -> None:
    """Write a new key of a repository into a file, for its owner only."""
    _write(file, f"{_password()}\n".encode())


def public_file(settings: Settings) -> Path:
    """The file with the key that secrets are sealed with."""
    return Path(settings.snapshots.recovery_file).with_suffix(".pub")


def disk_file(settings: Settings) -> Path:
    """The file with the key that opens the encrypted disk by hand (role disk)."""
    return Path(settings.snapshots.recovery_file).with_name("disk.paper")


def is_here(settings: Settings) -> bool:
    """Whether the key that opens the secrets still lies on this box."""
    return Path(settings.snapshots.recovery_file).exists()


def on_the_box(settings: Settings) -> list[Path]:
    """The keys that belong on paper only and still lie on this box, where this process may look."""
    if not reaches_keys(settings):
        return []
    keys = (Path(settings.snapshots.recovery_file), disk_file(settings))
    return [key for key in keys if key.exists()]


def reaches_keys(settings: Settings) -> bool:
    """Whether this process may enter where the keys lie; on a box the pages may not."""
    passwords = (one.password_file for one in settings.backups)
    keys = (Path(settings.snapshots.recovery_file), *passwords)
    return all(os.access(key.parent, os.X_OK, effective_ids=True) for key in keys)


def remove(settings: Settings, by: str) -> None:
    """Remove the keys that open the secrets and the encrypted disk from the box.

    Raises SnapshotError("unprinted") when no recovery sheet was printed since they were made.
    """
    keys = on_the_box(settings)
    made = dt.datetime.fromtimestamp(max(key.stat().st_mtime for key in keys), dt.UTC)
    printed = AuditEntry.select().where(AuditEntry.action == PRINTED, AuditEntry.at >= made)
    if not printed.exists():
        raise SnapshotError("unprinted", "print the recovery sheet first: this key is only here")
    if is_here(settings):
        make_keys(settings)  # the public one, which seals, stays
    for key in keys:
        key.unlink()
    audit.record(by, "snapshot.key_removed")


def seal(settings: Settings, target: Path) -> None:
    """Put the settings file, the repositories' keys and what else is named into one sealed file."""
    private, public = Path(settings.snapshots.recovery_file), public_file(settings)
    try:
        if public.exists():
            key = public.read_text("ascii")
        else:
            key = _run(["age-keygen", "-y", str(private)], b"").decode("ascii")
    except SnapshotError as error:
        if error.code == "setting":
            raise
        raise SnapshotError(
            "key", f"{private} holds no recovery key: run `appliance backup prepare`"
        ) from error
    target.write_bytes(_run(["age", "-r", key.strip()], _packed(settings)))


def unseal(sealed: bytes, private: Path, target: Path) -> list[Path]:
    """Unpack sealed secrets into a folder, under their absolute paths; returns the files.

    `private`: a file with the key, bare or in the groups of the recovery sheet.
    """
    if not private.is_file():
        raise SnapshotError("key", f"there is no recovery key in {private}")
    lines = private.read_text("utf-8", "replace").splitlines()
    typed = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    try:
        key = paper_keys.read_key(typed, "recovery")
    except paper_keys.PaperKeyError as error:
        raise SnapshotError("key", str(error)) from error
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as identity:
        identity.write(f"{key}\n")
        identity.flush()
        plain = _run(["age", "-d", "-i", identity.name], sealed)
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        archive.extractall(target, filter="data")
        return [target / member.name for member in archive.getmembers() if member.isfile()]


def _packed(settings: Settings) -> bytes:
    named = [
        settings.file,
        *(backup.password_file for backup in settings.backups),
        *(Path(b.environment_file) for b in settings.backups if b.environment_file),
        *map(Path, settings.snapshots.secrets),
    ]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in dict.fromkeys(named):
            if not path.exists():
                raise SnapshotError("setting", f"{path} is missing; it is saved with the secrets")
            archive.add(path, str(path).lstrip("/"))
    return packed.getvalue()


def _password() -> str:
    """Six groups that can be read off paper: 120 bits, no letter taken for another."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(letters) for _ in range(4)) for _ in range(6))
    return "-".join(groups)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)


def _run(command: list[str], given: bytes) -> bytes:
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise SnapshotError("setting", f"{command[0]} is not installed") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        code = "key" if "-d" in command else "failed"
        words = "the recovery key does not open the secrets" if code == "key" else ""
        raise SnapshotError(code, words or (said or ["age failed"])[0])
    return done.stdout
