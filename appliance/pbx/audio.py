"""What a recording holds, and mending one that a killed Asterisk left."""

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = 44  # bytes before the sound in the WAV files that Asterisk writes
_SIZE_AT = 4  # where its header tells the size of the rest of the file
_LENGTH_AT = 40  # and the length of the sound


@dataclass(frozen=True)
class Sound:
    """What a recording holds."""

    seconds: float
    sha256: str


def is_whole(file: Path) -> bool:
    """Whether a WAV's header tells its true length, as it does once Asterisk has closed it."""
    size = file.stat().st_size
    if size < _HEADER:
        return False
    with file.open("rb") as stream:
        stream.seek(_LENGTH_AT)
        (told,) = struct.unpack("<I", stream.read(4))
    return told == size - _HEADER


def mend(file: Path) -> bool:
    """Write the true length into a WAV header that a killed Asterisk left at zero.

    Returns whether it had to be mended. A file shorter than its header is left as it is.
    """
    size = file.stat().st_size
    if size < _HEADER or is_whole(file):
        return False
    with file.open("r+b") as stream:
        for place, length in ((_SIZE_AT, size - _SIZE_AT - 4), (_LENGTH_AT, size - _HEADER)):
            stream.seek(place)
            stream.write(struct.pack("<I", length))
        stream.flush()
        os.fsync(stream.fileno())
    return True


def measure(file: Path) -> Sound:
    """Length and hash of a finished recording (16-bit mono WAV at 8 kHz, as Asterisk writes it)."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Sound((file.stat().st_size - _HEADER) / 16_000, digest)
