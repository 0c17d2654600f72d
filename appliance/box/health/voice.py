"""The prompts and music for callers, and the fonts of printed papers."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance import PACKAGE
from appliance.box.health.check import Check
from appliance.core import sandbox
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import prompts as spoken

_PRINT_STYLE = PACKAGE / "reports" / "templates" / "print.css"
_SOUND_HEADER_BYTES = 44  # of a sound file, before the sound
_MAX_NAMES = 4  # listed at most
_PROMPTS_NAME = N_("Prompts")


def check_prompts(settings: Settings) -> Iterator[Check]:
    """Check that every prompt has a playable sound that was spoken by a person."""
    all_prompts = [
        prompt
        for language in spoken.LANGUAGES
        for prompt in spoken.list_prompts(settings.paths.prompts, language)
    ]
    yield next(_prompt_faults(settings, all_prompts), None) or _voice_check(all_prompts)


def _prompt_faults(settings: Settings, all_prompts: Sequence[spoken.PromptInfo]) -> Iterator[Check]:
    """Yield the faults that callers notice, the worst first."""
    folder, code, name = settings.paths.prompts, "prompts", _PROMPTS_NAME
    silent = [
        f"{prompt.language}/{prompt.name}"
        for prompt in all_prompts
        # Default prompts were measured just now; of a replaced one only the database row is known.
        if not prompt.seconds
        or (prompt.version and not spoken.sound_file(folder, prompt.language, prompt.name))
    ]
    if silent:
        yield Check(
            code,
            name,
            "fail",
            N_("{count} are missing: {names}"),
            N_("Run `appliance prompts synthesise`: silence is played to callers instead."),
            {"count": str(len(silent)), "names": ", ".join(silent[:_MAX_NAMES])},
        )
    damaged = [
        f"{prompt.language}/{prompt.name} ({fault})"
        for prompt in all_prompts
        if (fault := spoken.find_fault(folder / prompt.language / f"{prompt.name}.wav"))
    ]
    if damaged:
        yield Check(
            code,
            name,
            "fail",
            N_("{count} cannot be played: {names}"),
            N_(
                "Upload each of them again on the page Prompts, or remove the file and run "
                "`appliance prompts synthesise`: silence or noise is played to callers instead."
            ),
            {"count": str(len(damaged)), "names": ", ".join(damaged[:_MAX_NAMES])},
        )
    unlinked = [language for language in spoken.LANGUAGES if not _is_linked(settings, language)]
    if unlinked:
        yield Check(
            code,
            name,
            "fail",
            N_("the exchange does not find the prompts of {names}"),
            N_(
                "Numbers and waiting times are not spoken. Run `appliance prompts synthesise`: it "
                "creates the links in {folder} again."
            ),
            {
                "names": ", ".join(unlinked),
                "folder": str(settings.asterisk.data / "sounds"),
            },
        )


def _voice_check(all_prompts: Sequence[spoken.PromptInfo]) -> Check:
    """Return the check that people have spoken all prompts, if these have no other fault."""
    code, name, total = "prompts", _PROMPTS_NAME, str(len(all_prompts))
    synthetic_count = sum(prompt.kind == "synthetic" for prompt in all_prompts)
    if not synthetic_count:
        return Check(code, name, "ok", N_("all {total} are present"), values={"total": total})
    return Check(
        code,
        name,
        "warn",
        N_("{count} of {total} still use a synthetic voice"),
        N_("Have them recorded in a studio, and upload them on the page Prompts."),
        {"count": str(synthetic_count), "total": total},
    )


def check_sandbox(_settings: Settings) -> Iterator[Check]:
    """Check that the kernel can sandbox the programs that read sounds and texts; they need it."""
    code, name = "sandbox", N_("Isolation of programs")
    try:
        sandbox.run_program("true")
    except (OSError, subprocess.SubprocessError) as error:
        yield Check(
            code,
            name,
            "fail",
            N_("not possible here: {error}"),
            N_("The server needs Debian 13's own kernel: no recording is accepted or compressed."),
            {"error": str(error)},
        )
    else:
        yield Check(
            code, name, "ok", N_("sounds and texts are read without network and other files")
        )


def check_music(settings: Settings) -> Iterator[Check]:
    """Check that there is playable music on hold."""
    folder, code, name = settings.paths.prompts / "music", "music", N_("Music on hold")
    files = [
        file for file in sorted(folder.glob("*.*")) if file.stat().st_size > _SOUND_HEADER_BYTES
    ]
    damaged = [
        f"{sound_file.name} ({fault})"
        for sound_file in files
        if (fault := spoken.find_fault(sound_file))
    ]
    if files and not damaged:
        yield Check(code, name, "ok", N_("is there"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("cannot be played: {names}") if files else N_("{folder} contains no sound files"),
        N_(
            "Remove from {folder} the files that cannot be played, run `appliance prompts "
            "synthesise`, then `asterisk -rx 'moh reload'`: waiting callers get silence and think "
            "that they were cut off."
        ),
        {"folder": str(folder), "names": ", ".join(damaged[:_MAX_NAMES])},
    )


def _is_linked(settings: Settings, language: str) -> bool:
    """Whether Asterisk finds the prompts of a language, which its own announcements need."""
    link = settings.asterisk.data / "sounds" / language
    try:
        return link.resolve() == (settings.paths.prompts / language).resolve() and link.is_dir()
    except OSError:
        return False


def check_fonts(settings: Settings) -> Iterator[Check]:
    """Check that the fonts of printed papers are installed."""
    code, name = "fonts", N_("Document fonts")
    font_urls = re.findall(r"url\(([^)]+\.woff)\)", _PRINT_STYLE.read_text("utf-8"))
    missing = [Path(url).name for url in font_urls if not (_PRINT_STYLE.parent / url).is_file()]
    if missing:
        yield Check(
            code,
            name,
            "fail",
            N_("{count} are missing: {names}"),
            N_("Reinstall the appliance: no report can be printed without them."),
            {"count": str(len(missing)), "names": ", ".join(missing[:_MAX_NAMES])},
        )
    else:
        yield Check(
            code, name, "ok", N_("all {total} are present"), values={"total": str(len(font_urls))}
        )
