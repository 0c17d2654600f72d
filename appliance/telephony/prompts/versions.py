"""The prompts of a site: what is in force, what was, and how a new sound takes its place."""

import functools
import logging
import shutil
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peewee import fn

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Prompt, PromptVersion
from appliance.telephony.prompts import sound, speaking
from appliance.telephony.prompts.texts import LANGUAGES, planned, spoken_texts, texts_of

log = logging.getLogger(__name__)

KINDS = ("synthetic", "studio", "phone")
LONGEST_TEXT = 2000  # characters: two minutes of speech


@dataclass(frozen=True)
class Listed:
    """A prompt as it is in force. `version` 0: as it came along. `seconds` None: no sound yet."""

    language: str
    name: str
    text: str
    kind: str
    version: int = 0
    seconds: float | None = None
    loudness: float | None = None
    trouble: str = ""


def listed(folder: Path, language: str) -> list[Listed]:
    """Every prompt of a language that is ever played, in the order of their names."""
    changed = {
        version.prompt.name: version
        for version in PromptVersion.select(PromptVersion, Prompt)
        .join(Prompt)
        .where(Prompt.language == language, Prompt.version == PromptVersion.number)
    }
    return [
        _changed(changed[name]) if name in changed else _shipped(folder, language, name, text)
        for name, text in spoken_texts(language).items()
    ]


def found(folder: Path, language: str, name: str) -> Listed | None:
    """One prompt, or None when there is none of that name."""
    if language not in LANGUAGES or name not in texts_of(language):
        return None
    version = _in_force(language, name)
    if version:
        return _changed(version)
    return _shipped(folder, language, name, texts_of(language)[name])


def versions(language: str, name: str) -> list[PromptVersion]:
    """Every version of a prompt, newest first; none while it is as it came along."""
    return list(
        PromptVersion.select()
        .join(Prompt)
        .where(Prompt.language == language, Prompt.name == name)
        .order_by(PromptVersion.number.desc())
    )


def sound_of(folder: Path, language: str, name: str, number: int = 0) -> Path | None:
    """The file of a version, or of what is in force; None when there is none."""
    if language not in LANGUAGES or name not in texts_of(language):
        return None
    file = (
        _version_file(folder, language, name, number)
        if number
        else _playing(folder, language, name)
    )
    return file if file.is_file() else None


def incoming(folder: Path, language: str, name: str) -> Path:
    """Where a recording of this prompt by phone is written, without its ending."""
    (folder / "incoming").mkdir(parents=True, exist_ok=True)
    stamp = f"{clock.now():%Y%m%dT%H%M%S%f}"
    return folder / "incoming" / f"{language}-{name.replace('/', '-')}-{stamp}"


def speak_text(
    folder: Path, language: str, name: str, text: str, by: str, *, in_force: bool = True
) -> PromptVersion:
    """Have a typed text spoken by machine; in force at once, or when it is chosen.

    Raises SoundError for an unknown prompt ("unknown"), for a text that is too long to be heard
    ("wordy"), and when no sound comes of it.
    """

    def make(target: Path) -> sound.Measured:
        brief = speaking.is_brief(name)
        speaking.speak(" ".join(text.split()), language, target, brief=brief)
        made = sound.measure(target)
        if made.seconds > sound.LONGEST:
            raise sound.SoundError("wordy", f"{made.seconds:.0f} s long")
        return made

    return _add(folder, language, name, "synthetic", text, by, make, in_force=in_force)


def follow_plan(folder: Path) -> list[Path]:
    """Have the topic menu and the callback's offer say the plan's keys; returns the files made.

    A recording of other keys would lead callers to wrong keys: a synthetic voice takes its place.
    A machine that cannot speak must not keep a plan from being put in force: it is only logged.
    """
    made = []
    try:
        for language in LANGUAGES:
            for name, text in planned(language).items():
                version = _in_force(language, name)
                if not version:
                    made += speaking.speak_missing(folder / language, {name: text}, language)
                elif version.meant != text:
                    speak_text(folder, language, name, text, by="")
                    made.append(_playing(folder, language, name))
    except (OSError, sound.SoundError) as error:
        log.warning("the topic menu is not spoken: %s", error)
    return made


def take_in(
    folder: Path,
    language: str,
    name: str,
    source: Path,
    *,
    kind: str,
    text: str,
    by: str,
    in_force: bool = True,
) -> PromptVersion:
    """Take in a recording ("studio" or "phone"), brought to the telephone's form; in force at once,
    or when it is chosen.

    Raises SoundError when it is no good; that is audited, what was in force stays, and after a
    recording by phone the reason is kept for the page.
    """
    try:

        def make(target: Path) -> sound.Measured:
            return sound.convert(source, target)

        return _add(folder, language, name, kind, text, by, make, in_force=in_force)
    except sound.SoundError as error:
        if kind == "phone" and error.code != "unknown":
            with writing():
                _row(folder, language, name)
                _of(language, name, Prompt.update(trouble=error.code)).execute()
                live.publish("prompts")
        raise


def choose(folder: Path, language: str, name: str, number: int, by: str) -> bool:
    """Put an earlier version in force again; False when there is no such version."""
    with writing():
        row = Prompt.get_or_none(Prompt.language == language, Prompt.name == name)
        version = row and PromptVersion.get_or_none(prompt=row, number=number)
        if not version or not _version_file(folder, language, name, number).is_file():
            return False
        _put_in_force(folder, row, version)
        audit.record(by, "prompt.choose", f"{language}/{name}", version=number)
    return True


def _add(
    folder: Path,
    language: str,
    name: str,
    kind: str,
    text: str,
    by: str,
    make: Callable[[Path], sound.Measured],
    *,
    in_force: bool,
) -> PromptVersion:
    if language not in LANGUAGES or name not in texts_of(language):
        raise sound.SoundError("unknown", f"no prompt {language}/{name}")
    fresh = incoming(folder, language, name).with_suffix(".made.wav")
    try:
        try:
            if len(text) > LONGEST_TEXT:
                raise sound.SoundError("wordy", f"{len(text)} characters")
            made = make(fresh)
        except sound.SoundError as error:
            detail = {"kind": kind, "reason": error.code}
            audit.record(by, "prompt.refuse", f"{language}/{name}", **detail)
            raise
        with writing():
            row = _row(folder, language, name)
            newest = PromptVersion.select(fn.MAX(PromptVersion.number))
            number = (newest.where(PromptVersion.prompt == row).scalar() or 0) + 1
            version = _write_down(row, number, kind, " ".join(text.split()), made, by)
            _put_into_place(fresh, _version_file(folder, language, name, number))
            if in_force:
                _put_in_force(folder, row, version)
            done = "prompt.change" if in_force else "prompt.add"
            audit.record(by, done, f"{language}/{name}", kind=kind, version=number)
    finally:
        fresh.unlink(missing_ok=True)
    return version


def _row(folder: Path, language: str, name: str) -> Prompt:
    """The prompt's row; the first time, what came along is kept as version 1."""
    row, fresh = Prompt.get_or_create(language=language, name=name)
    playing = _playing(folder, language, name)
    if fresh and playing.is_file():
        made = sound.measure(playing)
        _write_down(row, 1, "synthetic", texts_of(language)[name], made, "")
        _put_into_place(playing, _version_file(folder, language, name, 1))
        row.version = 1
        row.save()
    return row


def _write_down(
    row: Prompt, number: int, kind: str, text: str, made: sound.Measured, by: str
) -> PromptVersion:
    return PromptVersion.create(
        prompt=row,
        number=number,
        kind=kind,
        text=text,
        meant=texts_of(row.language)[row.name],
        seconds=made.seconds,
        loudness=made.loudness,
        sha256=made.sha256,
        author=by,
        made_at=clock.now(),
    )


def _put_in_force(folder: Path, row: Prompt, version: PromptVersion) -> None:
    """A call hears the old sound or the new one, never half a file."""
    playing = _playing(folder, row.language, row.name)
    mark = playing.with_suffix(speaking.MARK)
    mark.unlink(missing_ok=True)
    _put_into_place(_version_file(folder, row.language, row.name, version.number), playing)
    if version.kind == "synthetic" and version.text == texts_of(row.language)[row.name]:
        mark.write_text(version.text, "utf-8")  # a text that comes along may be bettered later
    Prompt.update(version=version.number, trouble="").where(Prompt.id == row.id).execute()
    live.publish("prompts")


def _put_into_place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _in_force(language: str, name: str) -> PromptVersion | None:
    return (
        PromptVersion.select(PromptVersion, Prompt)
        .join(Prompt)
        .where(
            Prompt.language == language,
            Prompt.name == name,
            Prompt.version == PromptVersion.number,
        )
        .first()
    )


def _of(language: str, name: str, query):  # type: ignore[no-untyped-def]  # peewee's query
    return query.where(Prompt.language == language, Prompt.name == name)


def _changed(version: PromptVersion) -> Listed:
    return Listed(
        version.prompt.language,
        version.prompt.name,
        version.text,
        version.kind,
        version.number,
        version.seconds,
        version.loudness,
        version.prompt.trouble,
    )


def _shipped(folder: Path, language: str, name: str, text: str) -> Listed:
    file = _playing(folder, language, name)
    if not file.is_file():
        return Listed(language, name, text, "synthetic")
    status = file.stat()
    try:
        made = _measured(file, status.st_mtime_ns, status.st_size)
    except (wave.Error, EOFError):  # the file is damaged: it has no sound
        return Listed(language, name, text, "synthetic", trouble="unknown")
    kind = "synthetic" if file.with_suffix(speaking.MARK).exists() else "studio"
    return Listed(language, name, text, kind, seconds=made.seconds, loudness=made.loudness)


@functools.lru_cache(maxsize=1024)
def _measured(file: Path, _written: int, _size: int) -> sound.Measured:
    return sound.measure(file)


def _playing(folder: Path, language: str, name: str) -> Path:
    return folder / language / f"{name}.wav"


def _version_file(folder: Path, language: str, name: str, number: int) -> Path:
    return folder / "versions" / language / f"{name}.{number}.wav"
