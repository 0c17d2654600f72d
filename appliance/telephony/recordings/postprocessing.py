"""Processing of recordings after a call: repair the header, measure the sound, compress it."""

import datetime as dt
import glob
import logging
import re
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import Call, Recording
from appliance.telephony import recordings
from appliance.telephony.recordings import sound

log = logging.getLogger(__name__)

type UpdateLedger = Callable[[str], object]  # stores a call in the ledger again

# Asterisk completes the header of a recording within this time after the call.
_SETTLING_TIME = dt.timedelta(seconds=10)
_GIVE_UP_AFTER = dt.timedelta(minutes=10)
_TIDY_PERIOD = dt.timedelta(days=2)  # for leftover WAVs; older recordings were checked before


def measure_recordings(settings: Settings, update_ledger: UpdateLedger) -> int:
    """Repair, measure and hash the recordings of ended calls; returns how many.

    `update_ledger` is called with the call id of each measured recording, in the transaction that
    stores its measurement. A file that is missing or unreadable ten minutes after the call is
    stored as empty.
    """
    count = 0
    for recording in recordings.unmeasured_recordings():
        try:
            count += _measure_recording(settings, recording, update_ledger)
        except (OSError, ValueError) as error:
            log.warning("call %s: %s: %s", recording.call_id, recording.file, error)
            if _time_since_end(recording) > _GIVE_UP_AFTER:
                _store_measurement(recording, None, None, update_ledger)
    return count


def compress_oldest(settings: Settings) -> int:
    """Compress the oldest recording that is due, if there is one; returns how many (0 or 1).

    The WAV is removed only after the compressed file was found to contain the same sound and its
    name is stored in the database. If the compression fails, the recording remains a WAV.
    """
    before = clock.now() - dt.timedelta(seconds=settings.calls.compress_after)
    recording = recordings.oldest_uncompressed(before)
    if not recording:
        return 0
    file = settings.paths.recordings / recording.file
    try:
        compressed, result = sound.compress_recording(file)
    except (
        sound.CompressionMismatch,
        OSError,
        EOFError,
        wave.Error,
        subprocess.SubprocessError,
    ) as error:
        log.warning("call %s: %s stays as it is: %s", recording.call_id, recording.file, error)
        with write_transaction():
            recordings.set_file_name(recording, recording.file, recording.sha256)
        return 0
    with write_transaction():
        name = compressed.relative_to(settings.paths.recordings)
        recordings.set_file_name(recording, str(name), result.sha256)
    file.unlink(missing_ok=True)
    return 1


def remove_compressed_wavs(settings: Settings) -> int:
    """Remove WAVs whose compressed file is stored; an interrupted compression leaves them."""
    since = clock.now() - dt.timedelta(seconds=settings.calls.compress_after) - _TIDY_PERIOD
    count = 0
    for recording in recordings.compressed_recordings(since):
        file, compressed = (settings.paths.recordings / n for n in (recording.file, recording.kept))
        if compressed.exists() and file.exists():
            file.unlink()
            count += 1
    return count


def _measure_recording(
    settings: Settings, recording: Recording, update_ledger: UpdateLedger
) -> bool:
    file = settings.paths.recordings / recording.file
    call, elapsed = Call.get_by_id(recording.call_id), _time_since_end(recording)
    if not file.exists():
        if elapsed > _GIVE_UP_AFTER or not call.talk_seconds:
            _store_measurement(recording, None, None, update_ledger)
        return False
    is_complete = sound.has_true_length(file)
    if not is_complete and elapsed < _SETTLING_TIME:
        return False
    written_at = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
    if not is_complete and sound.repair_header(file):
        log.warning("call %s: mended the header of %s", call.id, recording.file)
    _mix_in_supervisor(file, call)
    measured = sound.measure_recording(file)
    if not measured.seconds:  # nobody spoke on this leg: nothing was recorded
        file.unlink()
    _store_measurement(recording, measured, written_at, update_ledger)
    return True


def _time_since_end(recording: Recording) -> dt.timedelta:
    """The time since the call ended."""
    ended_at: dt.datetime = Call.get_by_id(recording.call_id).ended_at
    return clock.now() - ended_at


def _mix_in_supervisor(file: Path, call: Call) -> None:
    """Mix into the recording what a supervisor said to both sides, and delete its own file.

    That file is next to the recording, with its time in ms since 1970 in the name. Its position in
    the recording is the time since the last talk began, because a recording begins with its talk.
    """
    for speech in sorted(file.parent.glob(f"{glob.escape(file.stem)}.said-*.wav")):
        if not re.search(r"\.said-\d{1,14}$", speech.stem, re.ASCII):
            continue  # not one of these files
        spoken_at = dt.datetime.fromtimestamp(int(speech.stem.rpartition("-")[2]) / 1000, dt.UTC)
        talk_begins = [talk.started_at for talk in call.talks if talk.started_at <= spoken_at]
        if talk_begins:
            sound.mix_speech(file, speech, (spoken_at - max(talk_begins)).total_seconds())
        speech.unlink()


def _store_measurement(
    recording: Recording,
    measured: sound.Sound | None,
    written_at: dt.datetime | None,
    update_ledger: UpdateLedger,
) -> None:
    with write_transaction():
        recordings.store_measurement(recording, measured, written_at)
        update_ledger(recording.call_id)
