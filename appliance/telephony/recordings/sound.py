"""The sound of a recording: repair its header, measure it, draw it, compress and compare it."""

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

SAMPLE_RATE_HZ = 8000  # Asterisk's recordings: 16 bit, mono
PEAK_COUNT = 200  # stretches of equal length into which a recording is divided for its waveform
COMPRESSED_SUFFIX = ".ogg"
_HEADER_BYTES = 44  # bytes before the sound in the WAV files that Asterisk writes
_SIZE_OFFSET = 4  # where the header has the size of the rest of the file
_LENGTH_OFFSET = 40  # where the header has the length of the sound in bytes
_LEVEL_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"  # loudness from silence to full scale
_MAX_DRIFT_SECONDS = 0.05  # seconds by which the compressed sound may differ in length
_MAX_MEAN_LEVEL_STEPS = 4  # steps of loudness by which a stretch may differ on average
_MAX_SOUND_BYTES = 1 << 30  # 18 hours of talk
_BITRATE_KBITS = "16"  # Opus: telephone speech is clear at that, 7 MB an hour


class CompressionMismatch(RuntimeError):
    """The compressed file does not contain the same sound as the recording."""


@dataclass(frozen=True)
class Sound:
    """The sound of a recording.

    `peaks` has one character of _LEVEL_CHARACTERS, a loudness, for each of PEAK_COUNT stretches.
    """

    seconds: float
    sha256: str
    peaks: str


def has_true_length(file: Path) -> bool:
    """Returns True if a WAV's header has its true length, because Asterisk has closed the file."""
    size = file.stat().st_size
    if size < _HEADER_BYTES:
        return False
    with file.open("rb") as stream:
        stream.seek(_LENGTH_OFFSET)
        length: int = struct.unpack("<I", stream.read(4))[0]
    return length == size - _HEADER_BYTES


def repair_header(file: Path) -> bool:
    """Write the true length into a WAV header that a killed Asterisk left at zero.

    Returns True if the header was repaired. A file shorter than its header is not changed.
    """
    size = file.stat().st_size
    if size < _HEADER_BYTES or has_true_length(file):
        return False
    with file.open("r+b") as stream:
        for offset, length in (
            (_SIZE_OFFSET, size - _SIZE_OFFSET - 4),
            (_LENGTH_OFFSET, size - _HEADER_BYTES),
        ):
            stream.seek(offset)
            stream.write(struct.pack("<I", length))
        stream.flush()
        os.fsync(stream.fileno())
    return True


def mix_speech(file: Path, speech_file: Path, offset_seconds: float) -> None:
    """Mix the sound of another WAV into `file`, beginning at `offset_seconds`.

    Both files must be WAVs as Asterisk writes them. The length of `file` does not change. It is
    replaced as a whole, or not at all.
    """
    header, sound, speech = (
        file.read_bytes()[:_HEADER_BYTES],
        _read_samples(file),
        _read_samples(speech_file),
    )
    begin = max(0, round(offset_seconds * SAMPLE_RATE_HZ))
    for position, sample in zip(range(begin, len(sound)), speech, strict=False):
        sound[position] = max(-32768, min(32767, sound[position] + sample))
    new_file = file.with_suffix(".mixed")
    try:
        with new_file.open("wb") as stream:
            stream.write(header)
            sound.tofile(stream)
            stream.flush()
            os.fsync(stream.fileno())
        new_file.replace(file)
    finally:
        new_file.unlink(missing_ok=True)


def measure_recording(file: Path) -> Sound:
    """Return the length, hash and peaks of a finished recording as Asterisk writes it."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    samples = max(0, file.stat().st_size - _HEADER_BYTES) // 2
    return Sound(samples / SAMPLE_RATE_HZ, digest, _draw_peaks(file, samples))


def compress_recording(file: Path) -> tuple[Path, Sound]:
    """Write an Opus file (.ogg) next to the WAV, and check that it contains the same sound.

    Returns the new file and its sound; the WAV remains. The Opus file is decoded, and must have the
    same length and loudness throughout. Raises CompressionMismatch if it has not, and
    subprocess.CalledProcessError if the encoder fails; then no Opus file is left.
    """
    recording = measure_recording(file)
    target = file.with_suffix(COMPRESSED_SUFFIX)
    new_file = file.with_suffix(f"{COMPRESSED_SUFFIX}.new")
    try:
        _run_sandboxed(
            "opusenc", "--quiet", "--bitrate", _BITRATE_KBITS, "--speech", str(file), str(new_file)
        )
        decoded = _decode_sound(new_file)
        if abs(decoded.seconds - recording.seconds) > _MAX_DRIFT_SECONDS or _peaks_differ(
            recording.peaks, decoded.peaks
        ):
            raise CompressionMismatch(
                f"{file}: {recording.seconds:.2f} s became {decoded.seconds:.2f} s"
            )
        with new_file.open("rb") as stream:
            os.fsync(stream.fileno())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        new_file.replace(target)
    finally:
        new_file.unlink(missing_ok=True)
    return target, Sound(recording.seconds, digest, recording.peaks)


def _decode_sound(file: Path) -> Sound:
    """Return the length and peaks of a compressed file, which is decoded to its end."""
    with tempfile.NamedTemporaryFile(suffix=".wav", dir=file.parent) as plain:
        _run_sandboxed("opusdec", "--quiet", "--rate", str(SAMPLE_RATE_HZ), str(file), plain.name)
        with wave.open(plain.name) as sound:
            samples = sound.getnframes()
        return Sound(samples / SAMPLE_RATE_HZ, "", _draw_peaks(Path(plain.name), samples))


def _read_samples(file: Path) -> "array.array[int]":
    data = file.read_bytes()[_HEADER_BYTES:]
    return array.array("h", data[: len(data) // 2 * 2])


def _draw_peaks(file: Path, samples: int) -> str:
    """Return one character for the loudest sample of each stretch of a WAV with these samples.

    The scale is the square root of the amplitude, so that soft speech is visible too.
    """
    if not samples:
        return ""
    stretch = max(1, -(-samples // PEAK_COUNT))
    levels = []
    with file.open("rb") as stream:
        stream.seek(_HEADER_BYTES)
        while data := stream.read(stretch * 2):
            loudest = audioop.max(data[: len(data) // 2 * 2], 2)
            levels.append(
                _LEVEL_CHARACTERS[round((loudest / 32768) ** 0.5 * (len(_LEVEL_CHARACTERS) - 1))]
            )
    return "".join(levels)


def _peaks_differ(peaks: str, other_peaks: str) -> bool:
    """Returns True if the peaks are those of different sounds."""
    pairs = list(zip(peaks, other_peaks, strict=False))
    difference = sum(abs(_LEVEL_CHARACTERS.index(a) - _LEVEL_CHARACTERS.index(b)) for a, b in pairs)
    return bool(pairs) and difference / len(pairs) > _MAX_MEAN_LEVEL_STEPS


def peak_level(character: str) -> float:
    """Return the loudness that a character of `peaks` represents: 0 silence, 1 full scale."""
    return _LEVEL_CHARACTERS.index(character) / (len(_LEVEL_CHARACTERS) - 1)


def _run_sandboxed(*command: str) -> None:
    """Run a program in the sandbox, because the sound may come from a caller.

    The last two words of the command are the source file and the target file.
    """
    source, target = map(Path, command[-2:])
    paths = {"reads": [source], "writes": [target]}
    sandbox.run_program(*command, **paths, seconds=600, max_file_bytes=_MAX_SOUND_BYTES, nice=19)
