"""The mark in a downloaded recording: its own metadata say who downloaded it, and when."""

import datetime as dt
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


class MarkingError(ValueError):
    """The file cannot be marked, and therefore must not be sent."""


def mark_recording(
    file: Path, listener: str, downloaded_at: dt.datetime, tz: ZoneInfo, call_id: str, reason: str
) -> bytes:
    """Return the file's bytes with the listener in its metadata; the sound is unchanged.

    The metadata are comments of Opus, or an ID3 chunk of WAV. Raises MarkingError if the file is
    not a sound of one of these formats, or OSError if it cannot be read.
    """
    from mutagen.id3 import COMM, TXXX  # imported here because it is seldom needed
    from mutagen.oggopus import OggOpus
    from mutagen.wave import WAVE

    tags = {
        "LISTENER": listener,
        "TAKEN_AT": downloaded_at.astimezone(tz).isoformat(timespec="seconds"),
        "CALL": call_id,
        "REASON": reason,
    }
    body = io.BytesIO(file.read_bytes())
    try:
        if file.suffix == ".ogg":
            opus = OggOpus(body)
            for name, text in tags.items():
                opus[name] = text
            body.seek(0)
            opus.save(body)
        else:
            sound = WAVE(body)
            if sound.tags is None:
                sound.add_tags()
            chunk: Any = sound.tags
            for name, text in tags.items():
                chunk.add(TXXX(encoding=3, desc=name, text=[text]))
            comment = f"{listener}, {tags['TAKEN_AT']}"
            chunk.add(COMM(encoding=3, lang="uzb", desc="", text=[comment]))
            body.seek(0)
            sound.save(body)
    except Exception as error:  # the library's errors have no narrower common base class
        raise MarkingError(f"{file}: {error}") from error
    return body.getvalue()
