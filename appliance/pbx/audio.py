"""Sound files: prompts spoken by machine as a stop-gap, music, and what a recording holds."""

import hashlib
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import ivr

TEXTS = Path(ivr.__file__).parent / "prompts"
_HEADER = 44  # bytes before the sound in the WAV files that Asterisk writes
_SIZE_AT = 4  # where its header tells the size of the rest of the file
_LENGTH_AT = 40  # and the length of the sound
_TELEPHONE = ("-r", "8000", "-c", "1", "-b", "16")


@dataclass(frozen=True)
class Sound:
    """What a recording holds."""

    seconds: float
    sha256: str


def synthesise(folder: Path) -> list[Path]:
    """Speak every text of ivr/prompts into <folder>/<lang>/<name>.wav; returns the files made.

    A file is made when it is missing or when it was made by machine from another text: beside it
    lies the text it says. A studio recording has no such text and is never overwritten.
    """
    made = []
    for text in sorted(TEXTS.glob("*/*.txt")):
        sound = folder / text.parent.name / f"{text.stem}.wav"
        said = sound.with_suffix(".synthetic.txt")
        words = text.read_text("utf-8").strip()
        if sound.exists() and (not said.exists() or said.read_text("utf-8") == words):
            continue
        sound.parent.mkdir(parents=True, exist_ok=True)
        _speak(words, text.parent.name, sound)
        said.write_text(words, "utf-8")
        made.append(sound)
    music = folder / "music" / "hold.wav"
    if not music.exists():
        music.parent.mkdir(parents=True, exist_ok=True)
        _play(music)
        made.append(music)
    return made


def _speak(words: str, language: str, target: Path) -> None:
    """espeak-ng speaks, sox brings it to the telephone's 8 kHz and one loudness."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as raw:
        _run("espeak-ng", "-v", language, "-s", "165", "-w", raw.name, words)
        _run("sox", raw.name, *_TELEPHONE, str(target), "gain", "-n", "-4", "rate", "8000")


def _play(target: Path) -> None:
    """A slow broken chord, soft enough to be spoken over."""
    notes = ("220", "277.18", "329.63", "440", "329.63", "277.18")
    with tempfile.TemporaryDirectory() as folder:
        parts = [str(Path(folder) / f"{number}.wav") for number in range(len(notes))]
        for part, note in zip(parts, notes, strict=True):
            _run("sox", "-n", *_TELEPHONE, part, "synth", "2", "pluck", note, "fade", "0.05", "2")
        _run("sox", *parts, *_TELEPHONE, str(target), "gain", "-n", "-14", "repeat", "4")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  fixed programs


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
