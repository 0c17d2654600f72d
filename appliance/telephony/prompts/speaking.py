"""Prompts spoken by machine as a stop-gap, and the music of the queue."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from appliance.core import sandbox
from appliance.telephony.prompts import sound
from appliance.telephony.prompts.texts import LANGUAGES, defaults

_SOX = ("sox", "-R")  # dithers and plucks by the same numbers each time: equal texts, equal files
_BRIEF = ("whisper-", "topic-")
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
        spoken = target.with_suffix(MARK)
        if target.exists() and (not spoken.exists() or spoken.read_text("utf-8") == words):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        speak(words, language, target, brief=is_brief(name))
        spoken.write_text(words, "utf-8")
        made.append(target)
    return made


def is_brief(name: str) -> bool:
    """Whether a prompt is one that keeps a caller waiting while his operator hears it."""
    return name.startswith(_BRIEF)


def speak(words: str, language: str, target: Path, *, brief: bool = False) -> None:
    """espeak-ng speaks, sox brings it to the telephone's form and the prompts' loudness.

    No words: a tenth of a second of silence. `brief`: without the silence that espeak-ng ends with,
    a third of a second. The file is replaced whole. Raises SoundError.
    """
    fresh = target.with_name(f".{target.name}.new.wav")
    with tempfile.TemporaryDirectory() as folder:
        raw, plain = f"{folder}/raw.wav", f"{folder}/plain.wav"
        if words:
            _run(folder, "espeak-ng", "-v", language, "-s", "165", "-w", raw, "--", words)
            turned = ["gain", "-3", "rate", str(sound.RATE)]
            if brief:
                turned += ["reverse", "silence", "1", "0.05", "0.5%", "reverse"]
            _run(
                folder, *_SOX, "--temp", folder, "-t", "wav", raw, *sound.TELEPHONE, plain, *turned
            )
            sound.level(Path(plain), fresh)
        else:
            _run(folder, *_SOX, "-n", *sound.TELEPHONE, plain, "trim", "0", "0.1")
            shutil.copyfile(plain, fresh)
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
        parts = [f"{folder}/{number}.wav" for number in range(len(notes))]
        for part, note in zip(parts, notes, strict=True):
            pluck = ("synth", "2", "pluck", note, "fade", "0.05", "2")
            _run(folder, *_SOX, "-n", *sound.TELEPHONE, part, *pluck)
        made = (*sound.TELEPHONE, f"{folder}/all.wav", "gain", "-n", "-14", "repeat", "4")
        _run(folder, *_SOX, "--temp", folder, *parts, *made)
        shutil.copyfile(f"{folder}/all.wav", target)


def _beep(target: Path) -> None:
    """The tone after which one speaks."""
    with tempfile.TemporaryDirectory() as folder:
        made = (*sound.TELEPHONE, f"{folder}/beep.wav", "synth", "0.3", "sine", "880")
        _run(folder, *_SOX, "-n", *made, "gain", "-12", "fade", "0.02", "0.3")
        shutil.copyfile(f"{folder}/beep.wav", target)


def _run(folder: str, *command: str) -> None:
    """Run a program that reads and writes in this folder. Raises SoundError."""
    try:
        sandbox.run(*command, writes=[Path(folder)])
    except subprocess.CalledProcessError as error:
        raise sound.SoundError("unreadable", error.stderr.strip()[-200:]) from error
    except subprocess.TimeoutExpired as error:
        raise sound.SoundError("unreadable", f"{command[0]} takes too long") from error
