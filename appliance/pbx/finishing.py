"""What is done with a call's recordings once it is over: mended, measured, later compressed."""

import datetime as dt
import logging
import subprocess
from pathlib import Path

from appliance import clock, recordings
from appliance.db import writing
from appliance.models import Call, Recording
from appliance.pbx import telling
from appliance.recordings import sound
from appliance.settings import Settings

log = logging.getLogger(__name__)

_SETTLES = dt.timedelta(seconds=10)  # after the call, a recording's header is whole by then
_GIVEN_UP = dt.timedelta(minutes=10)
_TIDIED = dt.timedelta(days=2)  # what is older was looked at before


def measure(settings: Settings) -> int:
    """Mend, measure and hash the recordings of ended calls; returns how many."""
    return sum(_measure(settings, recording) for recording in recordings.unfinished())


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
    except (sound.Spoilt, OSError, subprocess.SubprocessError) as error:
        log.warning("call %s: %s stays as it is: %s", recording.call_id, recording.file, error)
        with writing():
            recordings.keep(recording, recording.file, recording.sha256)
        return 0
    with writing():
        name = made.relative_to(settings.paths.recordings)
        recordings.keep(recording, str(name), heard.sha256)
    file.unlink()
    return 1


def tidy(settings: Settings) -> int:
    """Remove WAVs whose compressed file is written down, left when we were stopped in between."""
    since = clock.now() - dt.timedelta(seconds=settings.calls.compress_after) - _TIDIED
    left = 0
    for recording in recordings.compressed_since(since):
        file, kept = (settings.paths.recordings / n for n in (recording.file, recording.kept))
        if kept.exists() and file.exists():
            file.unlink()
            left += 1
    return left


def _measure(settings: Settings, recording: Recording) -> bool:
    file = settings.paths.recordings / recording.file
    call = Call.get_by_id(recording.call_id)
    waited = clock.now() - call.ended_at
    if not file.exists():
        if waited > _GIVEN_UP or not call.talk_seconds:
            _write_down(settings, recording, None, None)
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
    _write_down(settings, recording, heard, written)
    return True


def _mix_in(file: Path, call: Call) -> None:
    """Have the recording hold what a supervisor said to both, written beside it under its moment.

    Asterisk records while the two are connected: a recording begins with its talk.
    """
    for said in sorted(file.parent.glob(f"{file.stem}.said-*.wav")):
        moment = dt.datetime.fromtimestamp(int(said.stem.rpartition("-")[2]) / 1000, dt.UTC)
        begins = [talk.started_at for talk in call.talks if talk.started_at <= moment]
        if begins:
            sound.mix_in(file, said, (moment - max(begins)).total_seconds())
        said.unlink()


def _write_down(
    settings: Settings,
    recording: Recording,
    heard: sound.Sound | None,
    written: dt.datetime | None,
) -> None:
    with writing():
        recordings.write_down(recording, heard, written)
        telling.tell(recording.call_id, settings.calls.short_abandon)
