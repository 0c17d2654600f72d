"""Prompts spoken by machine as a stop-gap, and the music of the queue."""

import subprocess
import tempfile
from pathlib import Path

from appliance.prompts import sound
from appliance.prompts.texts import LANGUAGES, defaults

MARK = ".synthetic.txt"  # beside a sound made by machine: the text it says


def synthesise(folder: Path) -> list[Path]:
    """Speak every text that comes along into <folder>/<lang>/<name>.wav; returns the files made.

    A file is made when it is missing or when it was made by machine from another text: beside it
    lies the text it says. What was recorded or chosen on the page has no such text and stays.
    """
    made = []
    for language in LANGUAGES:
        made += speak_missing(folder / language, defaults(language), language)
    for target, play in ((folder / "music" / "hold.wav", _play), (folder / "beep.wav", _beep)):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            play(target)
            made.append(target)
    return made


def speak_missing(folder: Path, texts: dict[str, str], language: str) -> list[Path]:
    """Speak the texts (by name) whose sound is missing or was made by machine from another text."""
    made = []
    for name, words in texts.items():
        target = folder / f"{name}.wav"
        said = target.with_suffix(MARK)
        if target.exists() and (not said.exists() or said.read_text("utf-8") == words):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        speak(words, language, target)
        said.write_text(words, "utf-8")
        made.append(target)
    return made


def speak(words: str, language: str, target: Path) -> None:
    """espeak-ng speaks, sox brings it to the telephone's form and the prompts' loudness.

    No words: a tenth of a second of silence. The file is replaced whole.
    """
    fresh = target.with_name(f".{target.name}.new.wav")
    if not words:
        _run("sox", "-n", *sound.TELEPHONE, str(fresh), "trim", "0", "0.1")
        fresh.replace(target)
        return
    with tempfile.TemporaryDirectory() as folder:
        raw, plain = f"{folder}/raw.wav", f"{folder}/plain.wav"
        _run("espeak-ng", "-v", language, "-s", "165", "-w", raw, "--", words)
        _run("sox", raw, *sound.TELEPHONE, plain, "gain", "-3", "rate", str(sound.RATE))
        sound.level(Path(plain), fresh)
    fresh.replace(target)


def show_to_asterisk(folder: Path, data: Path) -> None:
    """Have Asterisk's own Say and queues find the prompts: a link per language among its sounds."""
    for language in LANGUAGES:
        link = data / "sounds" / language
        if link.is_symlink() and link.readlink() == folder / language:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder / language)


def _play(target: Path) -> None:
    """A slow broken chord, soft enough to be spoken over."""
    notes = ("220", "277.18", "329.63", "440", "329.63", "277.18")
    with tempfile.TemporaryDirectory() as folder:
        parts = [str(Path(folder) / f"{number}.wav") for number in range(len(notes))]
        for part, note in zip(parts, notes, strict=True):
            pluck = ("synth", "2", "pluck", note, "fade", "0.05", "2")
            _run("sox", "-n", *sound.TELEPHONE, part, *pluck)
        made = (*sound.TELEPHONE, str(target), "gain", "-n", "-14", "repeat", "4")
        _run("sox", *parts, *made)


def _beep(target: Path) -> None:
    """The tone after which one speaks."""
    made = (*sound.TELEPHONE, str(target), "synth", "0.3", "sine", "880", "gain", "-12")
    _run("sox", "-n", *made, "fade", "0.02", "0.3")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603  fixed programs
