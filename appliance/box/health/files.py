"""Permissions: files that others must not read, and files that the appliance must write."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.files import GROUP_READ_WRITE
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_OTHERS_READ, _OTHERS_WRITE, _OTHERS_ENTER = stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH
_SQLITE_SUFFIXES = ("-wal", "-shm")  # files that SQLite keeps next to a database


def check_permissions(settings: Settings) -> Iterator[Check]:
    """Check that the appliance can write its files, and that private ones are private."""
    paths = settings.paths
    writable_paths = [paths.database, paths.recordings, paths.prompts, paths.backups]
    unwritable_paths = [
        path for path in writable_paths if path.exists() and not os.access(path, os.W_OK)
    ]
    yield _files_check(
        "permissions",
        unwritable_paths,
        N_("Permissions of files"),
        N_("cannot be written: {files}"),
        N_("Give them to the user that the appliance runs as: `chown`."),
    )
    yield _files_check(
        "permissions.open",
        [*_exposed_secrets(settings), *_exposed_files(settings)],
        N_("Secret files"),
        N_("anybody on this machine may read or change {files}"),
        N_(
            "Remove this permission: `chmod o-rwx {files}`. If somebody else works on this "
            "machine, replace the passwords and keys: they may have been read."
        ),
    )
    yield _files_check(
        "permissions.owner",
        _foreign_files(settings),
        N_("Owners of files"),
        N_("owned by another user: {files}"),
        N_("Give them back: `chown {owner} {files}`. This happens when a command is run as root."),
        {"owner": str(_appliance_uid(settings))},
    )


def check_keys(settings: Settings) -> Iterator[Check]:
    """Check that every key that the settings name exists, as far as this account may look."""
    missing = [path for path in _configured_keys(settings) if _is_missing(path)]
    yield _files_check(
        "keys",
        missing,
        N_("Keys of the server"),
        N_("missing: {files}"),
        N_(
            "Restore them from the secrets of the newest snapshot, using the recovery sheet: "
            "without them nothing is signed or saved to a snapshot."
        ),
    )


def _configured_keys(settings: Settings) -> Iterator[Path]:
    """Yield the key and password files that the settings name."""
    names = [settings.audit.key, settings.audit.public_key]
    if settings.ministry:
        names += [settings.ministry.own_key, settings.ministry.their_key]
    yield from (Path(name) for name in names if name)
    yield from (backup.password_file for backup in settings.backups)
    if settings.backups:  # the private half may have been removed from the box
        yield Path(settings.snapshots.recovery_file).with_suffix(".pub")


def _is_missing(path: Path) -> bool:
    """Whether a file certainly does not exist; a folder without access proves nothing."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def secret_files(settings: Settings) -> list[Path]:
    """Return the existing files of settings, keys and passwords: readers can act as the box."""
    paths = [settings.file, Path(settings.snapshots.recovery_file)]
    for backup in settings.backups:
        paths += [backup.password_file, Path(backup.environment_file or os.devnull)]
    if settings.ministry and settings.ministry.own_key:
        paths.append(Path(settings.ministry.own_key))
    if settings.audit.key:
        paths.append(Path(settings.audit.key))
    if settings.web.certificate:
        paths.append(settings.web.certificate.with_suffix(".key"))
    if settings.asterisk.certificate_key:
        paths.append(settings.asterisk.certificate_key)
    return list(dict.fromkeys(path for path in paths if path.is_file()))


def _exposed_secrets(settings: Settings) -> Iterator[Path]:
    """Return secret files that everybody may read or write, even in a private folder.

    A file may later be moved to another folder.
    """
    return (
        path
        for path in secret_files(settings)
        if path.stat().st_mode & (_OTHERS_READ | _OTHERS_WRITE)
    )


def _exposed_files(settings: Settings) -> Iterator[Path]:
    """Yield data files and folders that everybody may change, or may read although private."""
    paths = settings.paths
    folders = [
        paths.recordings,
        paths.asterisk,
        paths.backups,
        paths.prompts,
        paths.database.parent,
    ]
    for path in (*_database_files(settings), *folders):
        mode = path.stat().st_mode if path.exists() else 0
        is_private = path != paths.prompts and _is_public_path(path)
        if mode & _OTHERS_WRITE or (is_private and mode & _OTHERS_READ):
            yield path


def _database_files(settings: Settings) -> list[Path]:
    file = settings.paths.database
    return [file, *(file.with_name(f"{file.name}{suffix}") for suffix in _SQLITE_SUFFIXES)]


def _is_public_path(path: Path) -> bool:
    """Whether everybody may enter every folder on the path."""
    return all(folder.stat().st_mode & _OTHERS_ENTER for folder in path.resolve().parents)


def _foreign_files(settings: Settings) -> list[Path]:
    """Return the files that belong to another account; secret files may belong to root.

    Where each process has its own account, the accounts' group shares the database: the files that
    SQLite keeps next to it belong to the process that started first.
    """
    paths, owner = settings.paths, _appliance_uid(settings)
    appliance_paths = [
        *_database_files(settings),
        paths.recordings,
        paths.prompts,
        paths.asterisk,
        paths.backups,
    ]
    foreign_paths = [
        path
        for path in appliance_paths
        if path.exists() and path.stat().st_uid != owner and not _is_group_shared(path)
    ]
    return foreign_paths + [
        path for path in secret_files(settings) if path.stat().st_uid not in (0, owner)
    ]


def _is_group_shared(path: Path) -> bool:
    """Whether the group of a file's folder may read and write the file."""
    file, folder = path.stat(), path.parent.stat()
    common_bits = folder.st_mode & file.st_mode & GROUP_READ_WRITE
    return file.st_gid == folder.st_gid and common_bits == GROUP_READ_WRITE


def _appliance_uid(settings: Settings) -> int:
    """Return the user id of the appliance's account, which owns the folder of the database."""
    return settings.paths.database.parent.stat().st_uid


def _files_check(
    code: str,
    paths: list[Path],
    name: str,
    finding: str,
    advice: str,
    values: dict[str, str] | None = None,
) -> Check:
    if not paths:
        return Check(code, name, "ok", N_("as required"))
    file_names = " ".join(str(path) for path in dict.fromkeys(paths))
    return Check(code, name, "fail", finding, advice, {**(values or {}), "files": file_names})
