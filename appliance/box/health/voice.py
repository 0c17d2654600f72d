"""What callers hear, and what papers are printed in."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from appliance import PACKAGE
from appliance.box.health.check import Check
from appliance.core import sandbox
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import prompts as spoken

_STYLE = PACKAGE / "reports" / "templates" / "print.css"
_HEAD = 44  # bytes of a sound file before its sound
_NAMED = 4  # of many, that are named


def prompts(settings: Settings) -> Iterator[Check]:
    """Every prompt has a sound, and people spoke it."""
    folder, code, name = settings.paths.prompts, "prompts", N_("Prompts")
    known = [one for language in spoken.LANGUAGES for one in spoken.listed(folder, language)]
    silent = [
        f"{one.language}/{one.name}"
        for one in known
        # One that came along was measured just now; of one put in only a row tells.
        if not one.seconds or (one.version and not spoken.sound_of(folder, one.language, one.name))
    ]
    unlinked = [language for language in spoken.LANGUAGES if not _is_linked(settings, language)]
    damaged = [
        f"{one.language}/{one.name} ({fault})"
        for one in known
        if f"{one.language}/{one.name}" not in silent
        and (fault := spoken.fault_of(folder / one.language / f"{one.name}.wav"))
    ]
    by_machine = sum(one.kind == "synthetic" for one in known)
    if silent:
        yield Check(
            code,
            name,
            "fail",
            N_("{count} are missing: {names}"),
            N_("Run `appliance prompts synthesise`: callers hear nothing in their place."),
            {"count": str(len(silent)), "names": ", ".join(silent[:_NAMED])},
        )
    elif damaged:
        yield Check(
            code,
            name,
            "fail",
            N_("{count} cannot be played: {names}"),
            N_(
                "Put each in again on the page Prompts, or remove the file and run `appliance "
                "prompts synthesise`: callers hear nothing or noise in their place."
            ),
            {"count": str(len(damaged)), "names": ", ".join(damaged[:_NAMED])},
        )
    elif unlinked:
        yield Check(
            code,
            name,
            "fail",
            N_("the exchange does not find those of {names}"),
            N_(
                "Numbers and waiting times are not spoken. Run `appliance prompts synthesise`: it "
                "makes the links in {folder} again."
            ),
            {
                "names": ", ".join(unlinked),
                "folder": str(settings.asterisk.data / "sounds"),
            },
        )
    elif by_machine:
        yield Check(
            code,
            name,
            "warn",
            N_("{count} of {total} are still spoken by a machine"),
            N_("Have them spoken in a studio and put them in on the page Prompts."),
            {"count": str(by_machine), "total": str(len(known))},
        )
    else:
        yield Check(
            code, name, "ok", N_("all {total} are there"), values={"total": str(len(known))}
        )


def shut_in(_settings: Settings) -> Iterator[Check]:
    """The kernel shuts in the programs that read sounds and texts, or they do not run at all."""
    code, name = "sandbox", N_("Programs shut in")
    try:
        sandbox.run("true")
    except (OSError, subprocess.SubprocessError) as error:
        yield Check(
            code,
            name,
            "fail",
            N_("not possible here: {error}"),
            N_("The box needs Debian 13's own kernel: no recording is taken in or compressed."),
            {"error": str(error)},
        )
    else:
        yield Check(code, name, "ok", N_("sounds and texts are read without network and files"))


def music(settings: Settings) -> Iterator[Check]:
    """There is something to hear while waiting."""
    folder, code, name = settings.paths.prompts / "music", "music", N_("Music on hold")
    files = [file for file in sorted(folder.glob("*.*")) if file.stat().st_size > _HEAD]
    damaged = [f"{f.name} ({fault})" for f in files if (fault := spoken.fault_of(f))]
    if files and not damaged:
        yield Check(code, name, "ok", N_("is there"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("cannot be played: {names}") if files else N_("{folder} holds no sound"),
        N_(
            "Take out of {folder} what cannot be played, run `appliance prompts synthesise`, then "
            "`asterisk -rx 'moh reload'`: callers who wait hear nothing, and think that they were "
            "cut off."
        ),
        {"folder": str(folder), "names": ", ".join(damaged[:_NAMED])},
    )


def _is_linked(settings: Settings, language: str) -> bool:
    """Whether Asterisk finds the prompts of a language, which its own announcements need."""
    link = settings.asterisk.data / "sounds" / language
    try:
        return link.resolve() == (settings.paths.prompts / language).resolve() and link.is_dir()
    except OSError:
        return False


def fonts(settings: Settings) -> Iterator[Check]:
    """The fonts that papers are printed in are there."""
    code, name = "fonts", N_("Fonts of the papers")
    named = re.findall(r"url\(([^)]+\.woff)\)", _STYLE.read_text("utf-8"))
    missing = [Path(n).name for n in named if not (_STYLE.parent / n).is_file()]
    if missing:
        yield Check(
            code,
            name,
            "fail",
            N_("{count} are missing: {names}"),
            N_("Install the appliance again: no report can be printed without them."),
            {"count": str(len(missing)), "names": ", ".join(missing[:_NAMED])},
        )
    else:
        yield Check(
            code, name, "ok", N_("all {total} are there"), values={"total": str(len(named))}
        )
