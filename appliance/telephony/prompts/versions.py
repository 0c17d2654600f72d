"""The prompts of a site: the versions in force, the earlier ones, and how new sounds are added."""

import functools
import logging
import shutil
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peewee import fn

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.files import replacement_file
from appliance.core.refusals import Refused
from appliance.models import Prompt, PromptVersion
from appliance.telephony.prompts import sound, synthesis
from appliance.telephony.prompts.texts import LANGUAGES, all_texts, audible_texts, plan_texts

log = logging.getLogger(__name__)

PROMPT_KINDS = ("synthetic", "studio", "phone")
MAX_TEXT_CHARACTERS = 2000  # two minutes of speech


@dataclass(frozen=True)
class PromptInfo:
    """The version in force of a prompt.

    `version` is 0 for the default sound; `seconds` is None if there is no sound file; `trouble` is
    the code of the reason why the last recording by phone was refused, or "".
    """

    language: str
    name: str
    text: str
    kind: str
    version: int = 0
    seconds: float | None = None
    loudness: float | None = None
    trouble: str = ""


def list_prompts(folder: Path, language: str) -> list[PromptInfo]:
    """Return every prompt of a language that the dialplan can play."""
    versions_by_name = {
        version.prompt.name: version
        for version in PromptVersion.select(PromptVersion, Prompt)
        .join(Prompt)
        .where(Prompt.language == language, Prompt.version == PromptVersion.number)
    }
    return [
        _info_of_version(versions_by_name[name])
        if name in versions_by_name
        else _info_of_default(folder, language, name, text)
        for name, text in audible_texts(language).items()
    ]


def find_prompt(folder: Path, language: str, name: str) -> PromptInfo | None:
    """Return one prompt, if the language and the name are known."""
    if language not in LANGUAGES or name not in all_texts(language):
        return None
    version = _active_version(language, name)
    if version:
        return _info_of_version(version)
    return _info_of_default(folder, language, name, all_texts(language)[name])


def list_versions(language: str, name: str) -> list[PromptVersion]:
    """Return every version of a prompt, newest first; empty if it was never changed."""
    return list(
        PromptVersion.select()
        .join(Prompt)
        .where(Prompt.language == language, Prompt.name == name)
        .order_by(PromptVersion.number.desc())
    )


def sound_file(folder: Path, language: str, name: str, number: int = 0) -> Path | None:
    """The file of a version, or (0) of the one in force, if it exists."""
    if language not in LANGUAGES or name not in all_texts(language):
        return None
    file = (
        _version_file(folder, language, name, number)
        if number
        else _active_file(folder, language, name)
    )
    return file if file.is_file() else None


def new_recording_path(folder: Path, language: str, name: str) -> Path:
    """The path, without its suffix, for a new recording of this prompt by phone."""
    (folder / "incoming").mkdir(parents=True, exist_ok=True)
    stamp = f"{clock.now():%Y%m%dT%H%M%S%f}"
    return folder / "incoming" / f"{language}-{name.replace('/', '-')}-{stamp}"


def speak_text(
    folder: Path, language: str, name: str, text: str, by: str, *, in_force: bool = True
) -> PromptVersion:
    """Add a version that speech synthesis makes from a typed text.

    `in_force`: activate it at once. Raises Refused with the code "unknown" if there is no such
    prompt, "wordy" if the text is too long, or "unreadable" if the synthesis fails.
    """

    def make_sound(target: Path) -> sound.SoundMeasurement:
        is_brief = synthesis.is_operator_prompt(name)
        synthesis.synthesise_text(" ".join(text.split()), language, target, brief=is_brief)
        measured = sound.measure_sound(target)
        if measured.seconds > sound.MAX_SECONDS:
            raise Refused("wordy", f"{measured.seconds:.0f} s long")
        return measured

    return _add_version(
        folder, language, name, "synthetic", text, by, make_sound, in_force=in_force
    )


def update_plan_prompts(folder: Path) -> list[Path]:
    """Make the prompts that depend on the plan say what it now requires; returns the files made.

    A recording made for another plan could name wrong keys, so a synthetic voice replaces it.
    Errors are only logged: a plan can be put in force even if speech synthesis does not work.
    """
    files = []
    try:
        for language in LANGUAGES:
            for name, text in plan_texts(language).items():
                version = _active_version(language, name)
                if not version:
                    files += synthesis.synthesise_missing(folder / language, {name: text}, language)
                elif version.meant != text:
                    speak_text(folder, language, name, text, by="")
                    files.append(_active_file(folder, language, name))
    except (OSError, Refused) as error:
        log.warning("the topic menu is not spoken: %s", error)
    return files


def import_recording(
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
    """Add a version from a recording (`kind`: "studio" or "phone"), in the telephone's format.

    `in_force`: activate it at once. Raises Refused for an unusable recording, with a code of
    `sound.convert_recording`; the audit records that, and the version in force does not change.
    After a recording by phone, the code is also stored, and the page shows it.
    """
    try:

        def make_sound(target: Path) -> sound.SoundMeasurement:
            return sound.convert_recording(source, target)

        return _add_version(folder, language, name, kind, text, by, make_sound, in_force=in_force)
    except Refused as error:
        if kind == "phone" and error.code != "unknown":
            with write_transaction():
                _prompt_row(folder, language, name)
                _where_prompt(language, name, Prompt.update(trouble=error.code)).execute()
                live.publish_topics("prompts")
        raise


def choose_version(folder: Path, language: str, name: str, number: int, by: str) -> bool:
    """Put an earlier version in force again; returns False if it does not exist."""
    with write_transaction():
        row = Prompt.get_or_none(Prompt.language == language, Prompt.name == name)
        version = row and PromptVersion.get_or_none(prompt=row, number=number)
        if not version or not _version_file(folder, language, name, number).is_file():
            return False
        _activate_version(folder, row, version)
        audit.record_entry(by, "prompt.choose", f"{language}/{name}", version=number)
    return True


def _add_version(
    folder: Path,
    language: str,
    name: str,
    kind: str,
    text: str,
    by: str,
    make_sound: Callable[[Path], sound.SoundMeasurement],
    *,
    in_force: bool,
) -> PromptVersion:
    if language not in LANGUAGES or name not in all_texts(language):
        raise Refused("unknown", f"no prompt {language}/{name}")
    new_file = new_recording_path(folder, language, name).with_suffix(".made.wav")
    try:
        try:
            if len(text) > MAX_TEXT_CHARACTERS:
                raise Refused("wordy", f"{len(text)} characters")
            measured = make_sound(new_file)
        except Refused as error:
            details = {"kind": kind, "reason": error.code}
            audit.record_entry(by, "prompt.refuse", f"{language}/{name}", **details)
            raise
        with write_transaction():
            row = _prompt_row(folder, language, name)
            newest = PromptVersion.select(fn.MAX(PromptVersion.number))
            number = (newest.where(PromptVersion.prompt == row).scalar() or 0) + 1
            version = _create_version(row, number, kind, " ".join(text.split()), measured, by)
            _replace_file(new_file, _version_file(folder, language, name, number))
            if in_force:
                _activate_version(folder, row, version)
            action = "prompt.change" if in_force else "prompt.add"
            audit.record_entry(by, action, f"{language}/{name}", kind=kind, version=number)
    finally:
        new_file.unlink(missing_ok=True)
    return version


def _prompt_row(folder: Path, language: str, name: str) -> Prompt:
    """Return the prompt's row. If it is created, the default sound is stored as version 1."""
    row: Prompt
    row, is_new = Prompt.get_or_create(language=language, name=name)
    active_file = _active_file(folder, language, name)
    if is_new and active_file.is_file():
        measured = sound.measure_sound(active_file)
        _create_version(row, 1, "synthetic", all_texts(language)[name], measured, "")
        _replace_file(active_file, _version_file(folder, language, name, 1))
        row.version = 1
        row.save()
    return row


def _create_version(
    row: Prompt, number: int, kind: str, text: str, measured: sound.SoundMeasurement, by: str
) -> PromptVersion:
    version: PromptVersion = PromptVersion.create(
        prompt=row,
        number=number,
        kind=kind,
        text=text,
        meant=all_texts(row.language)[row.name],
        seconds=measured.seconds,
        loudness=measured.loudness,
        sha256=measured.sha256,
        author=by,
        made_at=clock.now(),
    )
    return version


def _activate_version(folder: Path, row: Prompt, version: PromptVersion) -> None:
    """Put a version in force; a call plays the old sound or the new one, never half a file."""
    active_file = _active_file(folder, row.language, row.name)
    text_file = active_file.with_suffix(synthesis.TEXT_SUFFIX)
    text_file.unlink(missing_ok=True)
    _replace_file(_version_file(folder, row.language, row.name, version.number), active_file)
    if version.kind == "synthetic" and version.text == all_texts(row.language)[row.name]:
        # Marked as synthetic: if the default text is improved later, the sound follows it.
        text_file.write_text(version.text, "utf-8")
    Prompt.update(version=version.number, trouble="").where(Prompt.id == row.id).execute()
    live.publish_topics("prompts")


def _replace_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacement_file(target) as new_file:
        shutil.copyfile(source, new_file)


def _active_version(language: str, name: str) -> PromptVersion | None:
    versions = PromptVersion.select(PromptVersion, Prompt).join(Prompt)
    is_active = Prompt.version == PromptVersion.number
    version: PromptVersion | None = _where_prompt(language, name, versions.where(is_active)).first()
    return version


def _where_prompt(language: str, name: str, query):  # type: ignore[no-untyped-def]  # peewee's query
    return query.where(Prompt.language == language, Prompt.name == name)


def _info_of_version(version: PromptVersion) -> PromptInfo:
    return PromptInfo(
        version.prompt.language,
        version.prompt.name,
        version.text,
        version.kind,
        version.number,
        version.seconds,
        version.loudness,
        version.prompt.trouble,
    )


def _info_of_default(folder: Path, language: str, name: str, text: str) -> PromptInfo:
    file = _active_file(folder, language, name)
    if not file.is_file():
        return PromptInfo(language, name, text, "synthetic")
    status = file.stat()
    try:
        measured = _measure_cached(file, status.st_mtime_ns, status.st_size)
    except (wave.Error, EOFError):  # the file is damaged: it has no sound
        return PromptInfo(language, name, text, "synthetic", trouble="unknown")
    kind = "synthetic" if file.with_suffix(synthesis.TEXT_SUFFIX).exists() else "studio"
    return PromptInfo(
        language, name, text, kind, seconds=measured.seconds, loudness=measured.loudness
    )


@functools.lru_cache(maxsize=1024)
def _measure_cached(file: Path, _written: int, _size: int) -> sound.SoundMeasurement:
    return sound.measure_sound(file)


def _active_file(folder: Path, language: str, name: str) -> Path:
    return folder / language / f"{name}.wav"


def _version_file(folder: Path, language: str, name: str, number: int) -> Path:
    return folder / "versions" / language / f"{name}.{number}.wav"
