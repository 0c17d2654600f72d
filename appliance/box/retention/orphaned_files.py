"""Removes files in the recordings' folders that belong to no recording.

Examples are a file restored from a snapshot after its removal, or one left by a killed process: a
decoded copy, or a supervisor's spoken message. Only plain files in folders YYYY/MM/DD are removed.
"""

import datetime as dt
import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from appliance.box.retention import removal_log, rules
from appliance.box.retention.removal_batches import PAUSE_SECONDS, RemovalBatches
from appliance.core.db import write_transaction
from appliance.core.files import file_sha256
from appliance.core.settings import Settings
from appliance.models import Recording

log = logging.getLogger(__name__)

_DAY_FOLDERS = "/".join("[0-9]" * digits for digits in (4, 2, 2))
_CALL_FILE_SUFFIX = re.compile(r"(\.said-\d+)?\.(wav|mixed|ogg|ogg\.new)$")  # next to CALL.wav
_LEG_SUFFIX = re.compile(r"-\d+$")


def remove_orphaned_files(
    settings: Settings, batches: RemovalBatches, before: dt.datetime, rule: str
) -> int:
    """Remove orphaned files from days before `before`, unless modified since; return how many."""
    folder, count = settings.paths.recordings.resolve(), 0
    for path in _files_before(folder, f"{before.astimezone(settings.tz):%Y/%m/%d}"):
        if _old_file_size(path, before) is None or _removable_call_id(folder, path) is None:
            continue
        if not batches.may_continue():
            break
        try:
            count += _remove_orphaned_file(folder, path, before, rule)
        except OSError as error:  # owned by another account: the remaining files are still removed
            log.warning("a stray file stays: %s", error)
        batches.pause(PAUSE_SECONDS)
    return count


def _files_before(folder: Path, upto: str) -> Iterator[Path]:
    """Yield the files in the folders of days before `upto`, oldest first, ignoring links."""
    for day in sorted(folder.glob(_DAY_FOLDERS)):
        if day.relative_to(folder).as_posix() < upto and day.resolve() == day and day.is_dir():
            yield from sorted(day.iterdir())


def _old_file_size(path: Path, before: dt.datetime) -> int | None:
    """Return the size of a file, if it is a plain file not modified since `before`."""
    status = path.lstat()
    is_old = stat.S_ISREG(status.st_mode) and status.st_mtime < before.timestamp()
    return status.st_size if is_old else None


def _removable_call_id(folder: Path, path: Path) -> str | None:
    """Return the id of the call in the name of an orphaned file; None if it must be kept."""
    name = path.relative_to(folder).as_posix()
    stem = _CALL_FILE_SUFFIX.sub("", name)
    has_file = Recording.file.in_([name, f"{stem}.wav"]) | (Recording.kept == name)
    recordings = list(Recording.select().where(has_file))
    if any(recording.kept != "" for recording in recordings):
        return None  # it is removed together with the recording
    call_id = recordings[0].call_id if recordings else _LEG_SUFFIX.sub("", PurePosixPath(stem).name)
    return None if rules.is_call_kept(call_id) else call_id


def _remove_orphaned_file(folder: Path, path: Path, before: dt.datetime, rule: str) -> bool:
    """Remove one file and record it. Returns False if the file must be kept after all."""
    digest = file_sha256(path)
    with write_transaction():
        size, call_id = _old_file_size(path, before), _removable_call_id(folder, path)
        if size is None or call_id is None:
            return False
        name = path.relative_to(folder).as_posix()
        removal_log.record_removal("stray", name, rule, call=call_id, sha256=digest, bytes=size)
        path.unlink()
    return True
