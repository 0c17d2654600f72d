"""Following Asterisk's event log and its recordings, live and after a stop alike."""

import datetime as dt
import logging
from pathlib import Path

from appliance import clock, recordings
from appliance.db import writing
from appliance.models import Call, Recording
from appliance.pbx import audio, ledger, telling
from appliance.settings import Settings

log = logging.getLogger(__name__)

_SETTLES = dt.timedelta(seconds=10)  # after the call, a recording's header is whole by then
_GIVEN_UP = dt.timedelta(minutes=10)


class Follower:
    """Reads what is new in the event log, rotated files included, and measures recordings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sizes: dict[tuple[int, str], int] = {}  # (inode, name) → size when last read

    def step(self) -> int:
        """Take in everything new; returns how many records that were."""
        known = 0
        for path in self._files():
            status = path.stat()
            key = (status.st_ino, path.name)
            if self._sizes.get(key) == status.st_size:
                continue
            known += ledger.read(path, self._settings.calls.short_abandon, growing=True)
            self._sizes[key] = status.st_size
        return known

    def _files(self) -> list[Path]:
        """The log and what it was rotated to (events.csv.1, events.csv.20261124, …), oldest first.

        Packed ones are left out: what they hold was read before they were packed.
        """
        current = self._settings.paths.event_log
        names = current.parent.glob(f"{current.name}*")
        files = [path for path in names if path.suffix not in (".gz", ".xz", ".zst")]
        return sorted(files, key=lambda path: path.stat().st_mtime)

    def measure(self) -> int:
        """Mend, measure and hash the recordings of ended calls; returns how many."""
        return sum(self._measure(recording) for recording in recordings.unfinished())

    def _measure(self, recording: Recording) -> bool:
        file = self._settings.paths.recordings / recording.file
        call = Call.get_by_id(recording.call_id)
        waited = clock.now() - call.ended_at
        if not file.exists():
            if waited > _GIVEN_UP or not call.talk_seconds:
                self._write_down(recording, 0.0, None, None)
            return False
        whole = audio.is_whole(file)
        if not whole and waited < _SETTLES:
            return False
        written = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
        if not whole and audio.mend(file):
            log.warning("call %s: mended the header of %s", call.id, recording.file)
        sound = audio.measure(file)
        if not sound.seconds and not call.talk_seconds:  # nobody spoke: nothing was recorded
            file.unlink()
        self._write_down(recording, sound.seconds, sound.sha256, written)
        return True

    def _write_down(
        self,
        recording: Recording,
        seconds: float,
        sha256: str | None,
        written: dt.datetime | None,
    ) -> None:
        with writing():
            recordings.write_down(recording, seconds, sha256, written)
            telling.tell(recording.call_id, self._settings.calls.short_abandon)
