"""Files in the recordings' folders that no recording owns any more.

One that was brought back out of a snapshot after its removal; one that a killed process left: a
decoded copy, what a supervisor said. Nothing else than plain files in folders YYYY/MM/DD.
"""

import datetime as dt
import hashlib
import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from appliance.box.retention import proof, rules
from appliance.box.retention.turns import REST, Turns
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import Recording

log = logging.getLogger(__name__)

_DAYS = "/".join("[0-9]" * digits for digits in (4, 2, 2))
_ENDS = re.compile(r"(\.said-\d+)?\.(wav|mixed|ogg|ogg\.new)$")  # what stands beside CALL.wav
_LEG = re.compile(r"-\d+$")


def remove(settings: Settings, turns: Turns, before: dt.datetime, rule: str) -> int:
    """Remove what lies in the folders of days before a moment and was not written since."""
    folder, count = settings.paths.recordings.resolve(), 0
    for path in _files(folder, f"{before.astimezone(settings.tz):%Y/%m/%d}"):
        if _size(path, before) is None or _call_of(folder, path) is None:
            continue
        if not turns.goes_on():
            break
        try:
            count += _remove_file(folder, path, before, rule)
        except OSError as error:  # of somebody else: the others go all the same
            log.warning("a stray file stays: %s", error)
        turns.pause(REST)
    return count


def _files(folder: Path, upto: str) -> Iterator[Path]:
    """What lies in the folders of days before one, oldest first; never behind a link."""
    for day in sorted(folder.glob(_DAYS)):
        if day.relative_to(folder).as_posix() < upto and day.resolve() == day and day.is_dir():
            yield from sorted(day.iterdir())


def _size(path: Path, before: dt.datetime) -> int | None:
    """The size of a plain file that was not written since; None of anything else."""
    told = path.lstat()
    old = stat.S_ISREG(told.st_mode) and told.st_mtime < before.timestamp()
    return told.st_size if old else None


def _call_of(folder: Path, path: Path) -> str | None:
    """The call that a stray file is of, as its name says; None when it has to stay."""
    name = path.relative_to(folder).as_posix()
    stem = _ENDS.sub("", name)
    named = Recording.file.in_([name, f"{stem}.wav"]) | (Recording.kept == name)
    known = list(Recording.select().where(named))
    if any(recording.kept != "" for recording in known):
        return None  # it is removed with the recording
    call_id = known[0].call_id if known else _LEG.sub("", PurePosixPath(stem).name)
    return None if rules.is_held(call_id) else call_id


def _remove_file(folder: Path, path: Path, before: dt.datetime, rule: str) -> bool:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with writing():
        size, call_id = _size(path, before), _call_of(folder, path)
        if size is None or call_id is None:
            return False
        name = path.relative_to(folder).as_posix()
        proof.write_down("stray", name, rule, call=call_id, sha256=digest, bytes=size)
        path.unlink()
    return True
