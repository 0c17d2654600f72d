"""Secrets, encrypted separately by age: a repository and its key are not enough to read them.

For sealing, the box needs only the public key. The private key is on the box until the recovery
sheet has been printed, and is then removed, because it opens copies of files that only root may
read, while its own file belongs to the pages' user.
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

SHEET_PRINTED_ACTION = "snapshot.sheet"  # audit action: the recovery sheet was printed


def create_missing_keys(settings: Settings) -> list[Path]:
    """Create the missing keys; returns their files."""
    created = []
    for backup in settings.backups:
        if not backup.password_file.exists():
            write_password(backup.password_file)
            created.append(backup.password_file)
    private, public = Path(settings.snapshots.recovery_file), public_key_file(settings)
    if not private.exists() and not public.exists():
        _write_private_file(private, _run_program(["age-keygen"], b""))
        created.append(private)
    if not public.exists():
        _write_private_file(public, _run_program(["age-keygen", "-y", str(private)], b""))
        created.append(public)
    return created


def write_password(file: Path) -> None:
    """Write a new key of a repository into a file that only its owner can read."""
    _write_private_file(file, f"{_generate_password()}\n".encode())


def public_key_file(settings: Settings) -> Path:
    """Return the file of the public key with which secrets are sealed."""
    return Path(settings.snapshots.recovery_file).with_suffix(".pub")


def disk_key_file(settings: Settings) -> Path:
    """Return the file of the key that opens the encrypted disk by hand (role disk)."""
    return Path(settings.snapshots.recovery_file).with_name("disk.paper")


def has_recovery_key(settings: Settings) -> bool:
    """Whether the key that opens the secrets is still on this box."""
    return Path(settings.snapshots.recovery_file).exists()


def keys_on_box(settings: Settings) -> list[Path]:
    """Return the keys still on this box that belong on paper only; [] without access to them."""
    if not can_access_keys(settings):
        return []
    keys = (Path(settings.snapshots.recovery_file), disk_key_file(settings))
    return [key for key in keys if key.exists()]


def can_access_keys(settings: Settings) -> bool:
    """Whether this process may enter the folders of the keys; on a box the pages may not."""
    passwords = (backup.password_file for backup in settings.backups)
    keys = (Path(settings.snapshots.recovery_file), *passwords)
    return all(os.access(key.parent, os.X_OK, effective_ids=True) for key in keys)


def remove_paper_keys(settings: Settings, by: str) -> None:
    """Remove the keys that open the secrets and the encrypted disk from the box.

    Raises SnapshotError("unprinted") if no recovery sheet was printed since they were created.
    """
    keys = keys_on_box(settings)
    created_at = dt.datetime.fromtimestamp(max(key.stat().st_mtime for key in keys), dt.UTC)
    printouts = AuditEntry.select().where(
        AuditEntry.action == SHEET_PRINTED_ACTION, AuditEntry.at >= created_at
    )
    if not printouts.exists():
        raise SnapshotError("unprinted", "print the recovery sheet first: this key is only here")
    if has_recovery_key(settings):
        create_missing_keys(settings)  # makes the public key, which stays for sealing
    for key in keys:
        key.unlink()
    audit.record_entry(by, "snapshot.key_removed")


def seal_secrets(settings: Settings, target: Path) -> None:
    """Encrypt the settings, the repositories' keys and the configured secrets into one file."""
    private, public = Path(settings.snapshots.recovery_file), public_key_file(settings)
    try:
        if public.exists():
            key = public.read_text("ascii")
        else:
            key = _run_program(["age-keygen", "-y", str(private)], b"").decode("ascii")
    except SnapshotError as error:
        if error.code == "setting":
            raise
        raise SnapshotError(
            "key", f"{private} holds no recovery key: run `appliance backup prepare`"
        ) from error
    target.write_bytes(_run_program(["age", "-r", key.strip()], _pack_secrets(settings)))


def unseal_secrets(sealed: bytes, private: Path, target: Path) -> list[Path]:
    """Unpack sealed secrets into a folder, under their absolute paths; returns the files.

    `private`: a file with the key, bare or in the groups of the recovery sheet.
    """
    if not private.is_file():
        raise SnapshotError("key", f"there is no recovery key in {private}")
    lines = private.read_text("utf-8", "replace").splitlines()
    key_line = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    try:
        key = paper_keys.read_key(key_line, "recovery")
    except paper_keys.PaperKeyError as error:
        raise SnapshotError("key", str(error)) from error
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as identity:
        identity.write(f"{key}\n")
        identity.flush()
        archive_bytes = _run_program(["age", "-d", "-i", identity.name], sealed)
    with tarfile.open(fileobj=io.BytesIO(archive_bytes)) as archive:
        archive.extractall(target, filter="data")
        return [target / member.name for member in archive.getmembers() if member.isfile()]


def _pack_secrets(settings: Settings) -> bytes:
    """Return the files to be sealed, as a tar archive."""
    paths = [
        settings.file,
        *(backup.password_file for backup in settings.backups),
        *(
            Path(backup_entry.environment_file)
            for backup_entry in settings.backups
            if backup_entry.environment_file
        ),
        *map(Path, settings.snapshots.secrets),
    ]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in dict.fromkeys(paths):
            if not path.exists():
                raise SnapshotError("setting", f"{path} is missing; it is saved with the secrets")
            archive.add(path, str(path).lstrip("/"))
    return buffer.getvalue()


def _generate_password() -> str:
    """Return a password of six groups, without letters that look alike on paper (119 bits)."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(letters) for _ in range(4)) for _ in range(6))
    return "-".join(groups)


def _write_private_file(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)


def _run_program(command: list[str], input_bytes: bytes) -> bytes:
    """Run age or age-keygen and return the output. Raises SnapshotError if that fails."""
    try:
        completed = subprocess.run(command, input=input_bytes, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise SnapshotError("setting", f"{command[0]} is not installed") from error
    if completed.returncode:
        error_lines = completed.stderr.decode("utf-8", "replace").strip().splitlines()
        code = "key" if "-d" in command else "failed"
        message = "the recovery key does not open the secrets" if code == "key" else ""
        raise SnapshotError(code, message or (error_lines or ["age failed"])[0])
    return completed.stdout
