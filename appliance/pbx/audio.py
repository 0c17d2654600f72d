"""Prompts spoken by machine as a stop-gap, and music."""

import subprocess
import tempfile
from pathlib import Path

import ivr

TEXTS = Path(ivr.__file__).parent / "prompts"
_TELEPHONE = ("-r", "8000", "-c", "1", "-b", "16")


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
