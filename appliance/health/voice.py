"""What callers hear, and what papers are printed in."""

import re
from collections.abc import Iterator
from pathlib import Path

from appliance import prompts as spoken
from appliance.health.looking import N_, Check
from appliance.settings import Settings

_PACKAGE = Path(__file__).resolve().parent.parent
_STYLE = _PACKAGE / "reports" / "templates" / "print.css"
_NAMED = 4  # of many, that are named


def prompts(settings: Settings) -> Iterator[Check]:
    """Every prompt has a sound, and people spoke it."""
    folder, code, name = settings.paths.prompts, "prompts", N_("Prompts")
    known = [one for language in spoken.LANGUAGES for one in spoken.listed(folder, language)]
    silent = [
        f"{one.language}/{one.name}"
        for one in known
        if not one.seconds or not spoken.sound_of(folder, one.language, one.name)
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


def fonts(settings: Settings) -> Iterator[Check]:
    """The fonts that papers are printed in are there."""
    code, name = "fonts", N_("Fonts of the papers")
    named = re.findall(r"url\(([^)]+\.woff2)\)", _STYLE.read_text("utf-8"))
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
