"""Newer versions of Asterisk that the machine's package lists know; asks nobody outside."""

import functools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health import programs
from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_LISTS = (Path("/var/lib/dpkg/status"), Path("/var/lib/apt/lists"))
_LINE = re.compile(r"^\s+(Installed|Candidate): (\S+)$", re.MULTILINE)


def asterisk(settings: Settings) -> Iterator[Check]:
    """The package of Asterisk is the newest one known."""
    code, name = "asterisk.update", N_("Version of the exchange")
    changed = [path.stat().st_mtime_ns for path in _LISTS if path.exists()]
    known = _policy(shutil.which("apt-cache"), *changed)
    installed, candidate = known.get("Installed", "(none)"), known.get("Candidate", "(none)")
    values = {"installed": installed, "candidate": candidate}
    if installed == "(none)":
        yield Check(code, name, "ok", N_("not from a package of this machine"))
    elif candidate not in ("(none)", installed):
        yield Check(
            code,
            name,
            "warn",
            N_("{candidate} is there, {installed} is installed"),
            N_("Upgrade in a quiet hour: it mends holes by which calls can be stopped."),
            values,
        )
    else:
        yield Check(code, name, "ok", N_("{installed}, the newest known"), values=values)


@functools.lru_cache(maxsize=4)
def _policy(program: str | None, *_changed: int) -> dict[str, str]:
    """What apt says, asked again only when its lists or the installed packages have changed."""
    if not program:
        return {}
    return dict(_LINE.findall(programs.output(program, "policy", "asterisk") or ""))
