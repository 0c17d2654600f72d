"""What is done with a call's recordings once it is over: mended, measured, later compressed."""

import datetime as dt
import glob
import logging
import re
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

from appliance.core import clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import Call, Recording
from appliance.telephony import recordings
from appliance.telephony.recordings import sound

log = logging.getLogger(__name__)

type Project = Callable[[str], object]  # writes a call into the ledger anew

_SETTLES = dt.timedelta(seconds=10)  # after the call, a recording's header is whole by then
_GIVEN_UP = dt.timedelta(minutes=10)
_TIDIED = dt.timedelta(days=2)  # what is older was looked at before


def measure(settings: Settings, project: Project) -> int:
    """Mend, measure and hash the recordings of ended calls; returns how many. `project` is called
    with the call of each that became known, in the same transaction.

    A file that cannot be read is given up after ten minutes, and counts as missing.
    """
    done = 0
    for recording in recordings.unfinished():
        try:
            done += _measure(settings, recording, project)
        except (OSError, ValueError) as error:
            log.warning("call %s: %s: %s", recording.call_id, recording.file, error)
            if _waited(recording) > _GIVEN_UP:
                _write_down(recording, None, None, project)
    return done


def compress(settings: Settings) -> int:
    """Compress the oldest recording whose time has come, if any; returns how many.

    The WAV is removed once the compressed file is proven to hold the same and is written down.
    """
    before = clock.now() - dt.timedelta(seconds=settings.calls.compress_after)
    recording = recordings.uncompressed(before)
    if not recording:
        return 0
    file = settings.paths.recordings / recording.file
    try:
        made, heard = sound.compress(file)
    except (sound.Spoilt, OSError, EOFError, wave.Error, subprocess.SubprocessError) as error:
        log.warning("call %s: %s stays as it is: %s", recording.call_id, recording.file, error)
        with writing():
            recordings.set_kept_file(recording, recording.file, recording.sha256)
        return 0
    with writing():
        name = made.relative_to(settings.paths.recordings)
        recordings.set_kept_file(recording, str(name), heard.sha256)
    file.unlink(missing_ok=True)
    return 1


def tidy(settings: Settings) -> int:
    """Remove WAVs whose compressed file is written down, left when we were stopped in between."""
    since = clock.now() - dt.timedelta(seconds=settings.calls.compress_after) - _TIDIED
    left = 0
    for recording in recordings.compressed_since(since):
        file, compressed = (settings.paths.recordings / n for n in (recording.file, recording.kept))
        if compressed.exists() and file.exists():
            file.unlink()
            left += 1
    return left


def _measure(settings: Settings, recording: Recording, project: Project) -> bool:
    file = settings.paths.recordings / recording.file
    call, waited = Call.get_by_id(recording.call_id), _waited(recording)
    if not file.exists():
        if waited > _GIVEN_UP or not call.talk_seconds:
            _write_down(recording, None, None, project)
        return False
    whole = sound.is_whole(file)
    if not whole and waited < _SETTLES:
        return False
    written = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
    if not whole and sound.mend(file):
        log.warning("call %s: mended the header of %s", call.id, recording.file)
    _mix_in(file, call)
    heard = sound.measure(file)
    if not heard.seconds:  # nobody spoke on this leg: nothing was recorded
        file.unlink()
    _write_down(recording, heard, written, project)
    return True


def _waited(recording: Recording) -> dt.timedelta:
    """For how long the call has been over."""
    return clock.now() - Call.get_by_id(recording.call_id).ended_at


def _mix_in(file: Path, call: Call) -> None:
    """Have the recording hold what a supervisor said to both, written beside it under its moment.

    Asterisk records while the two are connected: a recording begins with its talk.
    """
    for part in sorted(file.parent.glob(f"{glob.escape(file.stem)}.said-*.wav")):
        if not re.search(r"\.said-\d{1,14}$", part.stem, re.ASCII):
            continue  # none of ours
        moment = dt.datetime.fromtimestamp(int(part.stem.rpartition("-")[2]) / 1000, dt.UTC)
        begins = [talk.started_at for talk in call.talks if talk.started_at <= moment]
        if begins:
            sound.mix_in(file, part, (moment - max(begins)).total_seconds())
        part.unlink()


def _write_down(
    recording: Recording,
    heard: sound.Sound | None,
    written: dt.datetime | None,
    project: Project,
) -> None:
    with writing():
        recordings.write_down(recording, heard, written)
        project(recording.call_id)
