"""Conversion of sound files to the telephone's format; unusable files are refused.

The format of a file is detected by its first bytes, never by its name: left to itself, sox would
guess among sixty formats, and open the files of a playlist through a shell. sox runs in a sandbox.
"""

import array
import functools
import hashlib
import math
import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

from appliance.core import sandbox
from appliance.core.refusals import Refused

SAMPLE_RATE_HZ = 8000
TELEPHONE_FORMAT = ("-r", str(SAMPLE_RATE_HZ), "-c", "1", "-b", "16")
# The loudness of the parts with speech, relative to full scale; as in carriers' announcements.
TARGET_LOUDNESS_DB = -20.0
MAX_PEAK_DB = -1.0
MAX_SECONDS, MIN_SECONDS = 120.0, 0.3
# Formats without a header that Asterisk can play with the modules that modules.conf loads.
_HEADERLESS_SUFFIXES = {".sln", ".alaw", ".ulaw", ".al", ".ul", ".pcm", ".g722"}
# The distance between two pairs of samples that are checked; how many pairs a verdict needs.
_STRIDE_SAMPLES, _MIN_PAIRS = (
    31,
    50,
)
_LOUD_SAMPLE = 8192  # of 32768
_NOISE_SHARE = 0.4  # if both the share of loud samples and of sign changes exceed it, it is noise
_SILENCE_DB = -50.0
_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 20
_CLIPPED_FLAT_FACTOR_DB = 6.0  # sox's flat factor: how long the wave stays at its highest value
# The first bytes of a file of each format (sox's name), as a regular expression.
_FORMAT_SIGNATURES = {
    "wav": rb"RIFF....WAVE",
    "aiff": rb"FORM....AIF[FC]",
    "flac": rb"fLaC",
    "opus": rb"OggS.{24}OpusHead",
    "vorbis": rb"OggS.{24}\x01vorbis",
    "mp3": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
}


@dataclass(frozen=True)
class SoundMeasurement:
    """The length, the loudness (dB relative to full scale) and the hash of a sound."""

    seconds: float
    loudness: float | None  # None: deliberate silence
    sha256: str


def convert_recording(source: Path, target: Path) -> SoundMeasurement:
    """Write a recording of any format to `target` as 8 kHz mono WAV of standard loudness.

    Silence at both ends is shortened to 0.1 and 0.2 s. Raises Refused with the code "unreadable"
    if the file is no sound of a known format, "silent" if it contains no speech, "clipped" if it
    was recorded too loud, or "short" or "long" for its length; `target` is then not written.
    """
    source_format = _detect_format(source)
    with tempfile.TemporaryDirectory() as folder:
        plain_file, cut_file = Path(folder) / "plain.wav", Path(folder) / "cut.wav"
        _check_original(source, source_format)
        _run_sox(source_format, source, plain_file, "highpass", "80", "rate", str(SAMPLE_RATE_HZ))
        if speech_loudness(plain_file) is None:
            raise Refused("silent", "nothing is heard")
        ends = ("silence", "1", "0.05", "0.5%", "reverse") * 2
        _run_sox("wav", plain_file, cut_file, *ends, "pad", "0.1", "0.2")
        seconds = duration_seconds(cut_file)
        if seconds < MIN_SECONDS:
            raise Refused("short", f"{seconds:.1f} s long")
        level_loudness(cut_file, target)
    return measure_sound(target)


def level_loudness(source: Path, target: Path) -> None:
    """Copy a WAV of the telephone's format, amplified or softened to TARGET_LOUDNESS_DB.

    It stays softer if its peaks would exceed MAX_PEAK_DB. Silence is copied unchanged.
    """
    present_loudness = speech_loudness(source)
    peak = _peak_level(source)
    gain = (
        0.0
        if present_loudness is None or peak is None
        else min(TARGET_LOUDNESS_DB - present_loudness, MAX_PEAK_DB - peak)
    )
    _run_sox("wav", source, target, "gain", f"{gain:.2f}")


def measure_sound(file: Path) -> SoundMeasurement:
    """Length, loudness and hash of a WAV in the telephone's format."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return SoundMeasurement(duration_seconds(file), speech_loudness(file), digest)


def speech_loudness(file: Path) -> float | None:
    """Return the mean level of speech in dB relative to full scale; None for silence.

    The file is divided into blocks of 50 ms. Blocks more than 15 dB below the mean of the audible
    ones do not count, so that pauses do not make a prompt seem soft.
    """
    samples = _read_samples(file)
    powers = [
        sum(s * s for s in samples[start : start + _BLOCK_SAMPLES]) / _BLOCK_SAMPLES / 32768**2
        for start in range(0, len(samples) - _BLOCK_SAMPLES + 1, _BLOCK_SAMPLES)
    ]
    audible = [power for power in powers if power > 10 ** (_SILENCE_DB / 10)]
    if not audible:
        return None
    gate = sum(audible) / len(audible) * 10**-1.5
    speech = [power for power in audible if power > gate]
    return 10 * math.log10(sum(speech) / len(speech))


def duration_seconds(file: Path) -> float:
    """Return the length of a WAV file."""
    with wave.open(str(file)) as sound:
        seconds: float = sound.getnframes() / sound.getframerate()
    return seconds


def find_fault(file: Path) -> str:
    """Return why Asterisk cannot play a sound file as intended; "" if it can.

    Only WAV files are read; for other formats only the file's suffix is checked. Noise instead of
    speech is also a fault: it is loud throughout, and about every second sample changes its sign.
    """
    if file.suffix.lower() != ".wav":
        return "" if file.suffix.lower() in _HEADERLESS_SUFFIXES else "no kind of sound"
    status = file.stat()
    return _find_wav_fault(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=2048)
def _find_wav_fault(file: Path, _written: int, _size: int) -> str:
    try:
        with wave.open(str(file)) as sound:
            wave_format = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
            data = sound.readframes(sound.getnframes())
            frame_count = sound.getnframes()
    except (wave.Error, EOFError, OSError):
        return "no sound"
    if wave_format != (SAMPLE_RATE_HZ, 1, 2):
        rate, channels, width = wave_format
        return f"{rate} Hz, {channels} × {8 * width} bit"
    samples = array.array("h", data)
    if len(samples) < frame_count:
        return "cut off"
    return "noise" if _is_noise(samples) else ""


def _is_noise(samples: array.array[int]) -> bool:
    """Returns True if samples look like random bytes: loud throughout, without a wave."""
    pairs = [
        (samples[position], samples[position + 1])
        for position in range(0, len(samples) - 1, _STRIDE_SAMPLES)
    ]
    if len(pairs) < _MIN_PAIRS:
        return False
    loud_share = sum(abs(first) > _LOUD_SAMPLE for first, _ in pairs) / len(pairs)
    sign_change_share = sum((first < 0) != (second < 0) for first, second in pairs) / len(pairs)
    return loud_share > _NOISE_SHARE and sign_change_share > _NOISE_SHARE


def _read_samples(file: Path) -> array.array[int]:
    with wave.open(str(file)) as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def _peak_level(file: Path) -> float | None:
    highest = max((abs(sample) for sample in _read_samples(file)), default=0)
    return 20 * math.log10(highest / 32768) if highest else None


def _check_original(source: Path, source_format: str) -> None:
    """Raise Refused for a file that is not a sound, is too long or was recorded too loud."""
    effects = ("trim", "0", str(MAX_SECONDS + 1), "remix", "-", "stats")
    report = _run_sox(source_format, source, None, *effects)
    facts = {
        name: float(value)
        for name, value in re.findall(
            r"^(Pk lev dB|Flat factor|Length s) +(-?[\d.]+)", report, re.MULTILINE
        )
    }
    seconds = facts.get("Length s", 0.0)
    if not seconds:
        raise Refused("unreadable", "no sound in it")
    if seconds > MAX_SECONDS:
        raise Refused("long", f"longer than {MAX_SECONDS:.0f} s")
    if seconds < MIN_SECONDS:
        raise Refused("short", f"{seconds:.1f} s long")
    if (
        facts.get("Pk lev dB", -99.0) > -0.5
        and facts.get("Flat factor", 0.0) > _CLIPPED_FLAT_FACTOR_DB
    ):
        raise Refused("clipped", "recorded too loud")


def _detect_format(source: Path) -> str:
    """Return sox's name for the format of a file. Raises Refused "unreadable" if it is unknown."""
    with source.open("rb") as stream:
        head = stream.read(64)
    for name, signature in _FORMAT_SIGNATURES.items():
        if re.match(signature, head, re.DOTALL):
            return name
    raise Refused("unreadable", "no form of sound that is known")


def _run_sox(source_format: str, source: Path, target: Path | None, *effects: str) -> str:
    """Apply effects with sox and return its report.

    The result is written to `target`, if given, as a WAV of the telephone's format. Raises Refused
    "unreadable" if sox cannot read the source or takes too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        output_file = Path(folder) / "made.wav"
        output = (*TELEPHONE_FORMAT, str(output_file)) if target else ("-n",)
        command = ("sox", "-V1", "-D", "--temp", folder, "-t", source_format, str(source), *output)
        try:
            report = sandbox.run_program(*command, *effects, reads=[source], writes=[Path(folder)])
        except subprocess.CalledProcessError as error:
            raise Refused("unreadable", error.stderr.strip()[-200:]) from error
        except subprocess.TimeoutExpired as error:
            raise Refused("unreadable", "sox takes too long") from error
        if target:
            shutil.copyfile(output_file, target)
    return report
