"""Where Asterisk writes: what it cannot write there is lost, and it says so to nobody."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony.recordings import folder_mark

_SOCKET = "asterisk.ctl"  # in its `run` folder; made by Asterisk, and so its account's
_BITS = (stat.S_IWUSR, stat.S_IWGRP, stat.S_IWOTH)
_MAKE = N_(
    "Make {path} a folder again that the exchange's account may write into, as it was: "
    "`ls -l {parent}` tells how its neighbours are. What is lost until then is lost for good."
)


def folders(settings: Settings) -> Iterator[Check]:
    """The event log, the recordings and the other folders can be written by Asterisk."""
    log, place = settings.paths.event_log, settings.asterisk
    yield _look(
        settings,
        "event_log.file",
        N_("Event log of the exchange"),
        [log.parent, *([log] if os.path.lexists(log) else [])],
    )
    yield _look(
        settings, "recordings.folder", N_("Folder of the recordings"), [settings.paths.recordings]
    )
    yield _marked(settings)
    others = [place.run, place.log, place.spool, place.var]
    yield _look(settings, "asterisk.folders", N_("Folders of the exchange"), others)


def _marked(settings: Settings) -> Check:
    """The recordings folder is the marked one, and is on one disk."""
    code, name, folder = (
        "recordings.place",
        N_("Place of the recordings"),
        settings.paths.recordings,
    )
    values = {"path": str(folder), "note": str(folder_mark.note(settings))}
    if folder_mark.is_absent(settings):
        return Check(
            code,
            name,
            "fail",
            N_("{path} is another folder: its mark is missing"),
            N_(
                "The recordings do not lie there: mount their disk, and move what was recorded "
                "meanwhile onto it. Only if they are to lie in this folder from now on, remove "
                "{note}."
            ),
            values,
        )
    if other := folder_mark.elsewhere(settings):
        values |= {"path": str(other)}
        seen = N_("{path} lies on another disk than the recordings")
        advice = N_("Look what was mounted there: `findmnt -T {path}`. It hides recordings.")
        return Check(code, name, "fail", seen, advice, values)
    return Check(code, name, "ok", N_("where they always were"))


def _look(settings: Settings, code: str, name: str, paths: list[Path]) -> Check:
    account = _account(settings)
    for path in paths:
        wrong = _wrong(path, path != settings.paths.event_log, account)
        if wrong:
            values = {"path": str(path), "parent": str(path.parent)}
            return Check(code, name, "fail", wrong, _MAKE, values)
    return Check(code, name, "ok", N_("can be written"))


def _wrong(path: Path, is_folder: bool, account: tuple[int, int] | None) -> str:
    """What is wrong with a folder or file that Asterisk has to write; "" for nothing."""
    try:
        found = path.stat()
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    except FileNotFoundError:
        return N_("{path} is not there")
    except OSError:
        return N_("{path} cannot be looked at")
    if stat.S_ISDIR(found.st_mode) != is_folder or not (is_folder or stat.S_ISREG(found.st_mode)):
        return N_("{path} is something else")
    if read_only or (account and not _may_write(found, *account)):
        return N_("{path} cannot be written by the exchange")
    return ""


def _account(settings: Settings) -> tuple[int, int] | None:
    """(user, group) that Asterisk runs as; None while it does not run."""
    try:
        found = (settings.asterisk.run / _SOCKET).stat()
    except OSError:
        return None
    return found.st_uid, found.st_gid


def _may_write(found: os.stat_result, user: int, group: int) -> bool:
    owner, others, everybody = (bool(found.st_mode & bit) for bit in _BITS)
    if user == 0:
        return True
    if found.st_uid == user:
        return owner
    return others if found.st_gid == group else everybody
