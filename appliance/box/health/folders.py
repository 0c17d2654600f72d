"""The folders that Asterisk writes to: a failed write there is lost without any notice."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony.recordings import folder_mark

_CONTROL_SOCKET = "asterisk.ctl"  # in its `run` folder; created by Asterisk's account
_WRITE_BITS = (stat.S_IWUSR, stat.S_IWGRP, stat.S_IWOTH)
_FOLDER_ADVICE = N_(
    "Make {path} a folder that the exchange can write to, as before: `ls -l {parent}` shows the "
    "permissions of the neighbouring folders. Anything not recorded until then is lost for good."
)


def check_asterisk_folders(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk can write the event log, the recordings and its other folders."""
    log, asterisk = settings.paths.event_log, settings.asterisk
    yield _writable_check(
        settings,
        "event_log.file",
        N_("Event log of the exchange"),
        [log.parent, *([log] if os.path.lexists(log) else [])],
    )
    yield _writable_check(
        settings, "recordings.folder", N_("Folder of the recordings"), [settings.paths.recordings]
    )
    yield _recordings_mark_check(settings)
    other_folders = [asterisk.run, asterisk.log, asterisk.spool, asterisk.var]
    yield _writable_check(
        settings, "asterisk.folders", N_("Folders of the exchange"), other_folders
    )


def _recordings_mark_check(settings: Settings) -> Check:
    """Return the check that the recordings folder has its mark and is entirely on one disk."""
    code, name, folder = (
        "recordings.place",
        N_("Location of the recordings"),
        settings.paths.recordings,
    )
    values = {"path": str(folder), "note": str(folder_mark.note_file(settings))}
    if folder_mark.is_mark_missing(settings):
        return Check(
            code,
            name,
            "fail",
            N_("{path} is a different folder: its mark is missing"),
            N_(
                "The recordings are not in this folder: mount their disk, and move everything "
                "recorded since then onto it. Only if this folder is their new location, remove "
                "{note}."
            ),
            values,
        )
    if other_folder := folder_mark.folder_on_other_disk(settings):
        values |= {"path": str(other_folder)}
        finding = N_("{path} is on a different disk from the recordings")
        advice = N_("Check what is mounted there: `findmnt -T {path}`. It hides recordings.")
        return Check(code, name, "fail", finding, advice, values)
    return Check(code, name, "ok", N_("in the same place as always"))


def _writable_check(settings: Settings, code: str, name: str, paths: list[Path]) -> Check:
    """Return the check that Asterisk can write to all the paths."""
    account = _asterisk_account(settings)
    for path in paths:
        fault = _path_fault(path, path != settings.paths.event_log, account)
        if fault:
            values = {"path": str(path), "parent": str(path.parent)}
            return Check(code, name, "fail", fault, _FOLDER_ADVICE, values)
    return Check(code, name, "ok", N_("can be written"))


def _path_fault(path: Path, is_folder: bool, account: tuple[int, int] | None) -> str:
    """Return the fault of a path that Asterisk must write, as a message id, or ""."""
    try:
        status = path.stat()
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    except FileNotFoundError:
        return N_("{path} does not exist")
    except OSError:
        return N_("{path} cannot be checked")
    if stat.S_ISDIR(status.st_mode) != is_folder or not (is_folder or stat.S_ISREG(status.st_mode)):
        return N_("{path} is not what it should be")
    if read_only or (account and not _can_write(status, *account)):
        return N_("{path} cannot be written by the exchange")
    return ""


def _asterisk_account(settings: Settings) -> tuple[int, int] | None:
    """Return the (user, group) ids of Asterisk, if it runs."""
    try:
        status = (settings.asterisk.run / _CONTROL_SOCKET).stat()
    except OSError:
        return None
    return status.st_uid, status.st_gid


def _can_write(status: os.stat_result, user: int, group: int) -> bool:
    owner_may, group_may, everybody_may = (bool(status.st_mode & bit) for bit in _WRITE_BITS)
    if user == 0:
        return True
    if status.st_uid == user:
        return owner_may
    return group_may if status.st_gid == group else everybody_may
