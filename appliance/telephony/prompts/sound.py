"""Sound files brought to the telephone's form, measured and refused when they are no good.

What a file is, its first bytes say, never its name: sox would follow a playlist through a shell,
and guesses among sixty forms. It works in the sandbox.
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

RATE = 8000
TELEPHONE = ("-r", str(RATE), "-c", "1", "-b", "16")
LOUDNESS = -20.0  # dB below full scale, of the parts with speech; as carriers' own announcements
PEAK = -1.0
LONGEST, SHORTEST = 120.0, 0.3  # seconds
# Without a head; of the modules that modules.conf loads, none of which reads another form.
_PLAIN = {".sln", ".alaw", ".ulaw", ".al", ".ul", ".pcm", ".g722"}
_STRIDE, _FEW = 31, 50  # samples from one look to the next; looks that say something
_LOUD = 8192  # of 32768
_RANDOM = 0.4  # share of loud samples and of changes of sign; of speech both are far below
_SILENT = -50.0
_BLOCK = RATE // 20
_CLIPPED = 6.0  # sox's flat factor, dB: how long the wave stays at its highest value
# the first bytes of a file, and what sox calls that form
_FORMS = {
    "wav": rb"RIFF....WAVE",
    "aiff": rb"FORM....AIF[FC]",
    "flac": rb"fLaC",
    "opus": rb"OggS.{24}OpusHead",
    "vorbis": rb"OggS.{24}\x01vorbis",
    "mp3": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
}


class SoundError(ValueError):
    """A sound cannot be used.

    `code`: unreadable | silent | clipped | short | long | wordy | unknown.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Measured:
    """A sound of the telephone's form: its length, loudness in dB, hash."""

    seconds: float
    loudness: float | None  # None: silence on purpose
    sha256: str


def convert(source: Path, target: Path) -> Measured:
    """Write a recording of any form to `target` as 8 kHz mono WAV of one loudness.

    Silence at both ends is cut to a breath. Raises SoundError; `target` is whole or not there.
    """
    form = _form(source)
    with tempfile.TemporaryDirectory() as folder:
        plain, cut = Path(folder) / "plain.wav", Path(folder) / "cut.wav"
        _check_original(source, form)
        _sox(form, source, plain, "highpass", "80", "rate", str(RATE))
        if loudness(plain) is None:
            raise SoundError("silent", "nothing is heard")
        ends = ("silence", "1", "0.05", "0.5%", "reverse") * 2
        _sox("wav", plain, cut, *ends, "pad", "0.1", "0.2")
        seconds = seconds_of(cut)
        if seconds < SHORTEST:
            raise SoundError("short", f"{seconds:.1f} s long")
        level(cut, target)
    return measure(target)


def level(source: Path, target: Path) -> None:
    """Copy a WAV of the telephone's form at LOUDNESS, its peaks not above PEAK."""
    now = loudness(source)
    peak = _peak(source)
    gain = 0.0 if now is None or peak is None else min(LOUDNESS - now, PEAK - peak)
    _sox("wav", source, target, "gain", f"{gain:.2f}")


def measure(file: Path) -> Measured:
    """What a WAV of the telephone's form holds."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Measured(seconds_of(file), loudness(file), digest)


def loudness(file: Path) -> float | None:
    """Mean level in dB below full scale of the blocks with speech, or None for silence.

    Blocks of 50 ms more than 15 dB under the mean of the audible ones do not count, so that pauses
    do not make a prompt seem soft.
    """
    samples = _samples(file)
    powers = [
        sum(s * s for s in samples[at : at + _BLOCK]) / _BLOCK / 32768**2
        for at in range(0, len(samples) - _BLOCK + 1, _BLOCK)
    ]
    audible = [power for power in powers if power > 10 ** (_SILENT / 10)]
    if not audible:
        return None
    gate = sum(audible) / len(audible) * 10**-1.5
    spoken = [power for power in audible if power > gate]
    return 10 * math.log10(sum(spoken) / len(spoken))


def seconds_of(file: Path) -> float:
    """The length of a WAV of the telephone's form."""
    with wave.open(str(file)) as sound:
        return sound.getnframes() / sound.getframerate()


def fault_of(file: Path) -> str:
    """Why Asterisk cannot play a sound as it was meant; "" when it can.

    Of other forms than WAV only the name is judged. Noise in the place of speech is loud and
    changes its sign at every second sample.
    """
    if file.suffix.lower() != ".wav":
        return "" if file.suffix.lower() in _PLAIN else "no kind of sound"
    status = file.stat()
    return _fault_of(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=2048)
def _fault_of(file: Path, _written: int, _size: int) -> str:
    try:
        with wave.open(str(file)) as sound:
            form = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
            data = sound.readframes(sound.getnframes())
            promised = sound.getnframes()
    except (wave.Error, EOFError, OSError):
        return "no sound"
    if form != (RATE, 1, 2):
        rate, channels, width = form
        return f"{rate} Hz, {channels} × {8 * width} bit"
    samples = array.array("h", data)
    if len(samples) < promised:
        return "cut off"
    return "noise" if _is_noise(samples) else ""


def _is_noise(samples: array.array[int]) -> bool:
    """Whether samples look like random bytes: loud throughout, and no wave among them."""
    pairs = [(samples[at], samples[at + 1]) for at in range(0, len(samples) - 1, _STRIDE)]
    if len(pairs) < _FEW:
        return False
    loud = sum(abs(first) > _LOUD for first, _ in pairs) / len(pairs)
    turns = sum((first < 0) != (second < 0) for first, second in pairs) / len(pairs)
    return loud > _RANDOM and turns > _RANDOM


def _samples(file: Path) -> array.array[int]:
    with wave.open(str(file)) as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def _peak(file: Path) -> float | None:
    highest = max((abs(sample) for sample in _samples(file)), default=0)
    return 20 * math.log10(highest / 32768) if highest else None


def _check_original(source: Path, form: str) -> None:
    """Refuse what is no sound, too long, or was recorded too loud."""
    stretch = ("trim", "0", str(LONGEST + 1), "remix", "-", "stats")
    measured = _sox(form, source, None, *stretch)
    facts = {
        name: float(value)
        for name, value in re.findall(
            r"^(Pk lev dB|Flat factor|Length s) +(-?[\d.]+)", measured, re.MULTILINE
        )
    }
    seconds = facts.get("Length s", 0.0)
    if not seconds:
        raise SoundError("unreadable", "no sound in it")
    if seconds > LONGEST:
        raise SoundError("long", f"longer than {LONGEST:.0f} s")
    if seconds < SHORTEST:
        raise SoundError("short", f"{seconds:.1f} s long")
    if facts.get("Pk lev dB", -99.0) > -0.5 and facts.get("Flat factor", 0.0) > _CLIPPED:
        raise SoundError("clipped", "recorded too loud")


def _form(source: Path) -> str:
    """What sox calls the form of a file, by its first bytes. Raises SoundError for any other."""
    with source.open("rb") as stream:
        head = stream.read(64)
    for form, start in _FORMS.items():
        if re.match(start, head, re.DOTALL):
            return form
    raise SoundError("unreadable", "no form of sound that is known")


def _sox(form: str, source: Path, target: Path | None, *effects: str) -> str:
    """Have sox make a WAV of the telephone's form, or no file; what it reported.

    Raises SoundError when it cannot read the source or takes too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.wav"
        written = (*TELEPHONE, str(made)) if target else ("-n",)
        command = ("sox", "-V1", "-D", "--temp", folder, "-t", form, str(source), *written)
        try:
            report = sandbox.run(*command, *effects, reads=[source], writes=[Path(folder)])
        except subprocess.CalledProcessError as error:
            raise SoundError("unreadable", error.stderr.strip()[-200:]) from error
        except subprocess.TimeoutExpired as error:
            raise SoundError("unreadable", "sox takes too long") from error
        if target:
            shutil.copyfile(made, target)
    return report
