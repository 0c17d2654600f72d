"""A recording that leaves the box says in its own metadata who took it and when."""

import datetime as dt
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


class Unmarkable(ValueError):
    """It is no sound of a kind that can be marked; it is not given out."""


def marked(file: Path, who: str, at: dt.datetime, tz: ZoneInfo, call_id: str, why: str) -> bytes:
    """The file with its taker in it: comments of Opus, an ID3 chunk of WAV; the sound is the same.

    Raises Unmarkable, OSError.
    """
    from mutagen.id3 import COMM, TXXX  # seldom asked for
    from mutagen.oggopus import OggOpus
    from mutagen.wave import WAVE

    tags = {
        "LISTENER": who,
        "TAKEN_AT": at.astimezone(tz).isoformat(timespec="seconds"),
        "CALL": call_id,
        "REASON": why,
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
            taken = f"{who}, {tags['TAKEN_AT']}"
            chunk.add(COMM(encoding=3, lang="uzb", desc="", text=[taken]))
            body.seek(0)
            sound.save(body)
    except Exception as error:  # the library's own errors have no common ancestor that says more
        raise Unmarkable(f"{file}: {error}") from error
    return body.getvalue()
