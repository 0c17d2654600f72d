"""Prompts spoken by a speech synthesiser until people record them, and the music of the queue."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from appliance.core import sandbox
from appliance.core.files import replacement_file
from appliance.core.refusals import Refused
from appliance.telephony.prompts import sound
from appliance.telephony.prompts.texts import LANGUAGES, default_texts

# -R: the same random numbers each time, so equal texts give equal files
_SOX_COMMAND = (
    "sox",
    "-R",
)
_OPERATOR_PROMPT_PREFIXES = ("whisper-", "topic-")
TEXT_SUFFIX = ".synthetic.txt"  # of the file next to a synthetic sound that has its text


def synthesise_prompts(folder: Path) -> list[Path]:
    """Speak every default text into <folder>/<lang>/<name>.wav, and make the music and the tone.

    Returns the files made. A prompt is made if its file is missing, or if it is synthetic and says
    another text, according to the text file next to it. Sounds that were recorded or chosen on the
    page have no such text file and are not changed.
    """
    files = []
    for language in LANGUAGES:
        files += synthesise_missing(folder / language, default_texts(language), language)
    for target, make_sound in (
        (folder / "music" / "hold.wav", _make_music),
        (folder / "beep.wav", _make_beep),
    ):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            make_sound(target)
            files.append(target)
    return files


def synthesise_missing(folder: Path, texts: dict[str, str], language: str) -> list[Path]:
    """Speak those of the texts (by name) whose sound is missing, or synthetic with another text.

    Returns the files made.
    """
    files = []
    for name, text in texts.items():
        target = folder / f"{name}.wav"
        text_file = target.with_suffix(TEXT_SUFFIX)
        if target.exists() and (not text_file.exists() or text_file.read_text("utf-8") == text):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        synthesise_text(text, language, target, brief=is_operator_prompt(name))
        text_file.write_text(text, "utf-8")
        files.append(target)
    return files


def is_operator_prompt(name: str) -> bool:
    """Returns True for a prompt that an operator listens to while the caller waits."""
    return name.startswith(_OPERATOR_PROMPT_PREFIXES)


def synthesise_text(text: str, language: str, target: Path, *, brief: bool = False) -> None:
    """Speak a text with espeak-ng; sox converts it to the telephone's format and loudness.

    An empty text gives 0.1 s of silence. `brief`: the 0.3 s of silence at the end of espeak-ng's
    sound are removed. The file is replaced as a whole. Raises Refused "unreadable" if a program
    fails or takes too long.
    """
    with replacement_file(target) as new_file, tempfile.TemporaryDirectory() as folder:
        raw_file, telephone_file = f"{folder}/raw.wav", f"{folder}/plain.wav"
        if text:
            _run_sandboxed(
                folder, "espeak-ng", "-v", language, "-s", "165", "-w", raw_file, "--", text
            )
            effects = ["gain", "-3", "rate", str(sound.SAMPLE_RATE_HZ)]
            if brief:
                effects += ["reverse", "silence", "1", "0.05", "0.5%", "reverse"]
            _run_sandboxed(
                folder,
                *_SOX_COMMAND,
                "--temp",
                folder,
                "-t",
                "wav",
                raw_file,
                *sound.TELEPHONE_FORMAT,
                telephone_file,
                *effects,
            )
            sound.level_loudness(Path(telephone_file), new_file)
        else:
            _run_sandboxed(
                folder,
                *_SOX_COMMAND,
                "-n",
                *sound.TELEPHONE_FORMAT,
                telephone_file,
                "trim",
                "0",
                "0.1",
            )
            shutil.copyfile(telephone_file, new_file)


def link_for_asterisk(folder: Path, data: Path) -> None:
    """Link each language's prompts into Asterisk's folder of sounds, for its own announcements."""
    for language in LANGUAGES:
        link = data / "sounds" / language
        if link.is_symlink() and link.readlink() == folder / language:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder / language)


def _make_music(target: Path) -> None:
    """Write a slow broken chord, soft enough for announcements over it."""
    notes = ("220", "277.18", "329.63", "440", "329.63", "277.18")
    with tempfile.TemporaryDirectory() as folder:
        note_files = [f"{folder}/{number}.wav" for number in range(len(notes))]
        for note_file, note in zip(note_files, notes, strict=True):
            effect = ("synth", "2", "pluck", note, "fade", "0.05", "2")
            _run_sandboxed(folder, *_SOX_COMMAND, "-n", *sound.TELEPHONE_FORMAT, note_file, *effect)
        output = (*sound.TELEPHONE_FORMAT, f"{folder}/all.wav", "gain", "-n", "-14", "repeat", "4")
        _run_sandboxed(folder, *_SOX_COMMAND, "--temp", folder, *note_files, *output)
        shutil.copyfile(f"{folder}/all.wav", target)


def _make_beep(target: Path) -> None:
    """Write the tone after which callers speak."""
    with tempfile.TemporaryDirectory() as folder:
        output = (*sound.TELEPHONE_FORMAT, f"{folder}/beep.wav", "synth", "0.3", "sine", "880")
        _run_sandboxed(folder, *_SOX_COMMAND, "-n", *output, "gain", "-12", "fade", "0.02", "0.3")
        shutil.copyfile(f"{folder}/beep.wav", target)


def _run_sandboxed(folder: str, *command: str) -> None:
    """Run a program that reads and writes in this folder.

    Raises Refused "unreadable" if it fails or takes too long.
    """
    try:
        sandbox.run_program(*command, writes=[Path(folder)])
    except subprocess.CalledProcessError as error:
        raise Refused("unreadable", error.stderr.strip()[-200:]) from error
    except subprocess.TimeoutExpired as error:
        raise Refused("unreadable", f"{command[0]} takes too long") from error
