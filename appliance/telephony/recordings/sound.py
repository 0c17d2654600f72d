"""A recording's sound: mended, measured, drawn, compressed once it is proven to be kept whole."""

import array
import hashlib
import os
import struct
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import audioop

from appliance.core import sandbox

RATE = 8000  # Asterisk's recordings: 16 bit, mono
PEAKS = 200  # stretches that a waveform is drawn of
COMPRESSED = ".ogg"
_HEADER = 44  # bytes before the sound in the WAV files that Asterisk writes
_SIZE_AT = 4  # where its header tells the size of the rest of the file
_LENGTH_AT = 40  # and the length of the sound
_LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"  # how loud, from silence to full scale
_DRIFT = 0.05  # seconds by which the compressed sound may differ in length
_FAINTER = 4  # steps of _LEVELS by which one stretch may differ on the average
_LARGEST = 1 << 30  # bytes of sound: 18 hours of talk
_BITRATE = "16"  # kbit/s of Opus: speech of a telephone's width is clear at that, 7 MB an hour


class Spoilt(RuntimeError):
    """The compressed file does not hold what the recording holds."""


@dataclass(frozen=True)
class Sound:
    """What a recording holds. `peaks`: one character of _LEVELS for each of PEAKS stretches."""

    seconds: float
    sha256: str
    peaks: str


def is_whole(file: Path) -> bool:
    """Whether a WAV's header tells its true length, as it does once Asterisk has closed it."""
    size = file.stat().st_size
    if size < _HEADER:
        return False
    with file.open("rb") as stream:
        stream.seek(_LENGTH_AT)
        (length,) = struct.unpack("<I", stream.read(4))
    return length == size - _HEADER


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


def mix_in(file: Path, said: Path, at: float) -> None:
    """Have a WAV hold also what was said in another one, from `at` seconds on; its length stays.

    Both as Asterisk writes them. The file is replaced whole, or stays as it was.
    """
    head, sound, other = file.read_bytes()[:_HEADER], _samples(file), _samples(said)
    begin = max(0, round(at * RATE))
    for position, sample in zip(range(begin, len(sound)), other, strict=False):
        sound[position] = max(-32768, min(32767, sound[position] + sample))
    fresh = file.with_suffix(".mixed")
    try:
        with fresh.open("wb") as stream:
            stream.write(head)
            sound.tofile(stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def measure(file: Path) -> Sound:
    """Length, hash and loudness of a finished recording as Asterisk writes it."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    samples = max(0, file.stat().st_size - _HEADER) // 2
    return Sound(samples / RATE, digest, _peaks(file, samples))


def compress(file: Path) -> tuple[Path, Sound]:
    """Make an Opus file (.ogg) beside the WAV and prove that it holds the same; the WAV stays.

    The proof: decoded, it is as long, and as loud all along. Raises Spoilt, and
    subprocess.CalledProcessError when the encoder fails; nothing is left behind then.
    """
    before = measure(file)
    target = file.with_suffix(COMPRESSED)
    fresh = file.with_suffix(f"{COMPRESSED}.new")
    try:
        _run("opusenc", "--quiet", "--bitrate", _BITRATE, "--speech", str(file), str(fresh))
        after = _decoded(fresh)
        if abs(after.seconds - before.seconds) > _DRIFT or _unlike(before.peaks, after.peaks):
            raise Spoilt(f"{file}: {before.seconds:.2f} s became {after.seconds:.2f} s")
        with fresh.open("rb") as stream:
            os.fsync(stream.fileno())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target, Sound(before.seconds, digest, before.peaks)


def _decoded(file: Path) -> Sound:
    """What a compressed file holds, heard to its end."""
    with tempfile.NamedTemporaryFile(suffix=".wav", dir=file.parent) as plain:
        _run("opusdec", "--quiet", "--rate", str(RATE), str(file), plain.name)
        with wave.open(plain.name) as sound:
            samples = sound.getnframes()
        return Sound(samples / RATE, "", _peaks(Path(plain.name), samples))


def _samples(file: Path) -> "array.array[int]":
    data = file.read_bytes()[_HEADER:]
    return array.array("h", data[: len(data) // 2 * 2])


def _peaks(file: Path, samples: int) -> str:
    """The loudest sample of each stretch; loudness by the square root, so that speech is seen."""
    if not samples:
        return ""
    stretch = max(1, -(-samples // PEAKS))
    levels = []
    with file.open("rb") as stream:
        stream.seek(_HEADER)
        while data := stream.read(stretch * 2):
            loudest = audioop.max(data[: len(data) // 2 * 2], 2)
            levels.append(_LEVELS[round((loudest / 32768) ** 0.5 * (len(_LEVELS) - 1))])
    return "".join(levels)


def _unlike(one: str, other: str) -> bool:
    """Whether two drawings are of different sounds."""
    pairs = list(zip(one, other, strict=False))
    apart = sum(abs(_LEVELS.index(a) - _LEVELS.index(b)) for a, b in pairs)
    return bool(pairs) and apart / len(pairs) > _FAINTER


def level(character: str) -> float:
    """What a character of `peaks` stands for: 0 silence, 1 full scale."""
    return _LEVELS.index(character) / (len(_LEVELS) - 1)


def _run(*command: str) -> None:
    """Run a program on a sound, perhaps a caller's own, last two words: from, to."""
    source, target = map(Path, command[-2:])
    given = {"reads": [source], "writes": [target]}
    sandbox.run(*command, **given, seconds=600, largest=_LARGEST, nice=19)
