"""Files that hold what nobody else may read, and that must be written."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.files import GROUP_WRITES
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_READ, _WRITE, _ENTER = stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH
_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database


def permissions(settings: Settings) -> Iterator[Check]:
    """Our files are ours to write, and nobody else's to read or to change."""
    paths = settings.paths
    kept = [paths.database, paths.recordings, paths.prompts, paths.backups]
    fixed = [path for path in kept if path.exists() and not os.access(path, os.W_OK)]
    yield _check(
        "permissions",
        fixed,
        N_("Permissions of files"),
        N_("may not be written: {files}"),
        N_("Give them to the user that the appliance runs as: `chown`."),
    )
    yield _check(
        "permissions.open",
        [*_open_keys(settings), *_open_others(settings)],
        N_("Secrets of the box"),
        N_("everybody on this machine may read or change {files}"),
        N_(
            "Take the right from them: `chmod o-rwx {files}`. If somebody else works on this "
            "machine, have new passwords and keys made: they may have been read."
        ),
    )
    yield _check(
        "permissions.owner",
        _strange(settings),
        N_("Owners of files"),
        N_("belong to somebody else: {files}"),
        N_("Give them back: `chown {owner} {files}`. Who ran a command as root may have done it."),
        {"owner": str(_owner(settings))},
    )


def keys_present(settings: Settings) -> Iterator[Check]:
    """Every key that the settings name is there, as far as this account may look."""
    missing = [path for path in _named_keys(settings) if _is_missing(path)]
    yield _check(
        "keys",
        missing,
        N_("Keys of the box"),
        N_("missing: {files}"),
        N_(
            "Put them back out of the secrets of the newest snapshot, by the recovery sheet: "
            "without them nothing is signed or saved."
        ),
    )


def _named_keys(settings: Settings) -> Iterator[Path]:
    names = [settings.audit.key, settings.audit.public_key]
    if settings.ministry:
        names += [settings.ministry.own_key, settings.ministry.their_key]
    yield from (Path(name) for name in names if name)
    yield from (backup.password_file for backup in settings.backups)
    if settings.backups:  # the private half may have been taken off the box
        yield Path(settings.snapshots.recovery_file).with_suffix(".pub")


def _is_missing(path: Path) -> bool:
    """Whether a file is surely not there; a folder without access proves nothing."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def keys(settings: Settings) -> list[Path]:
    """Files whose reader can do what the box can: settings, keys, passwords."""
    found = [settings.file, Path(settings.snapshots.recovery_file)]
    for backup in settings.backups:
        found += [backup.password_file, Path(backup.environment_file or os.devnull)]
    if settings.ministry and settings.ministry.own_key:
        found.append(Path(settings.ministry.own_key))
    if settings.audit.key:
        found.append(Path(settings.audit.key))
    if settings.web.certificate:
        found.append(settings.web.certificate.with_suffix(".key"))
    if settings.asterisk.certificate_key:
        found.append(settings.asterisk.certificate_key)
    return list(dict.fromkeys(path for path in found if path.is_file()))


def _open_keys(settings: Settings) -> Iterator[Path]:
    """Keys and settings stay shut, whatever folder they lie in: they are copied and moved."""
    return (path for path in keys(settings) if path.stat().st_mode & (_READ | _WRITE))


def _open_others(settings: Settings) -> Iterator[Path]:
    paths = settings.paths
    folders = [
        paths.recordings,
        paths.asterisk,
        paths.backups,
        paths.prompts,
        paths.database.parent,
    ]
    for path in (*_database(settings), *folders):
        mode = path.stat().st_mode if path.exists() else 0
        private = path != paths.prompts and _reached(path)
        if mode & _WRITE or (private and mode & _READ):
            yield path


def _database(settings: Settings) -> list[Path]:
    file = settings.paths.database
    return [file, *(file.with_name(f"{file.name}{end}") for end in _BESIDE)]


def _reached(path: Path) -> bool:
    """Whether everybody may enter every folder on the way there."""
    return all(folder.stat().st_mode & _ENTER for folder in path.resolve().parents)


def _strange(settings: Settings) -> list[Path]:
    """What belongs neither to the appliance's account nor, of what it only reads, to root.

    Where each process has an account of its own, their group shares the database: what SQLite
    keeps beside it belongs to whichever began first.
    """
    paths, owner = settings.paths, _owner(settings)
    ours = [*_database(settings), paths.recordings, paths.prompts, paths.asterisk, paths.backups]
    found = [
        path for path in ours if path.exists() and path.stat().st_uid != owner and not _shared(path)
    ]
    return found + [path for path in keys(settings) if path.stat().st_uid not in (0, owner)]


def _shared(path: Path) -> bool:
    """Whether a file is its folder's group's to read and to write, as others there are."""
    file, folder = path.stat(), path.parent.stat()
    both = folder.st_mode & file.st_mode & GROUP_WRITES
    return file.st_gid == folder.st_gid and both == GROUP_WRITES


def _owner(settings: Settings) -> int:
    """The account of the appliance: whose folder the database lies in."""
    return settings.paths.database.parent.stat().st_uid


def _check(
    code: str,
    paths: list[Path],
    name: str,
    seen: str,
    advice: str,
    values: dict[str, str] | None = None,
) -> Check:
    if not paths:
        return Check(code, name, "ok", N_("as they must be"))
    told = " ".join(str(path) for path in dict.fromkeys(paths))
    return Check(code, name, "fail", seen, advice, {**(values or {}), "files": told})
