"""How new Asterisk and the appliance's release are; makes no request to the outside."""

import datetime as dt
import functools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance import PACKAGE
from appliance.box.health import programs
from appliance.box.health.check import Check
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings

ADVISORIES = PACKAGE / "data" / "advisories.json"  # comes with each release
ACCEPTED = "update"  # next to the settings: the newest bundle that the box has accepted
SOON = dt.timedelta(days=60)  # before a release expires: a newer one can still be brought in time
OLD = dt.timedelta(days=100)  # without a look at Asterisk's advisories
_LISTS = (Path("/var/lib/dpkg/status"), Path("/var/lib/apt/lists"))
_LINE = re.compile(r"^\s+(Installed|Candidate): (\S+)$", re.MULTILINE)


def asterisk(settings: Settings) -> Iterator[Check]:
    """The package of Asterisk is the newest one known."""
    code, name = "asterisk.update", N_("Version of the exchange")
    known = _policy(shutil.which("apt-cache"), *_changed())
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


def advisories(settings: Settings) -> Iterator[Check]:
    """Asterisk's security advisories were looked at lately, and what is installed is mended."""
    code, name = "asterisk.advisories", N_("Advisories of the exchange")
    known = json.loads(ADVISORIES.read_text("utf-8"))
    looked, mended = dt.date.fromisoformat(known["looked_at"]), known["mended_in"]
    installed = _policy(shutil.which("apt-cache"), *_changed()).get("Installed", "(none)")
    values = {"date": f"{looked:%d.%m.%Y}", "mended": mended, "installed": installed}
    upgrade = N_("Bring a newer release of the appliance onto the box: its bundle has Asterisk.")
    if _number(installed) and _number(installed) < _number(mended):
        told = N_("{installed} is installed, holes known are mended in {mended}")
        yield Check(code, name, "fail", told, upgrade, values)
    elif clock.now().astimezone(settings.tz).date() - looked > OLD:
        yield Check(code, name, "warn", N_("looked at up to {date} only"), upgrade, values)
    else:
        yield Check(code, name, "ok", N_("looked at up to {date}"), values=values)


def release(settings: Settings) -> Iterator[Check]:
    """The newest release that the box has accepted has not expired: newer ones do reach it."""
    code, name = "release.expiry", N_("Age of the release")
    try:
        text = (settings.file.parent / ACCEPTED).read_text("ascii")
    except FileNotFoundError:  # no box that bundles make
        return
    known = dict(line.partition(": ")[::2] for line in text.splitlines())
    ends = dt.datetime.fromtimestamp(int(known["expires"]), settings.tz)
    values = {"release": known["release"], "date": f"{ends:%d.%m.%Y}"}
    advice = N_("Ask for the newest release and bring it: holes are mended in newer ones only.")
    if clock.now() > ends:
        yield Check(code, name, "warn", N_("{release} has expired on {date}"), advice, values)
    elif clock.now() > ends - SOON:
        yield Check(code, name, "warn", N_("{release} expires on {date}"), advice, values)
    else:
        yield Check(code, name, "ok", N_("{release} may be used until {date}"), values=values)


def _number(version: str) -> tuple[int, ...]:
    """1:22.10.1+dfsg-1 → (22, 10, 1); nothing for what is none."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)+)", version)
    return tuple(map(int, found[1].split("."))) if found else ()


def _changed() -> list[int]:
    return [path.stat().st_mtime_ns for path in _LISTS if path.exists()]


@functools.lru_cache(maxsize=4)
def _policy(program: str | None, *_changed: int) -> dict[str, str]:
    """What apt says, asked again only when its lists or the installed packages have changed."""
    if not program:
        return {}
    return dict(_LINE.findall(programs.output(program, "policy", "asterisk") or ""))
