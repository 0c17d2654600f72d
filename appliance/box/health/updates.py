"""The age of Asterisk and of the appliance's release; makes no request to the outside."""

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

ADVISORIES_FILE = PACKAGE / "data" / "advisories.json"  # shipped with each release
ACCEPTED_RELEASE_FILE = "update"  # next to the settings: the newest bundle accepted by the box
EXPIRY_WARNING_PERIOD = dt.timedelta(days=60)  # in which a newer one can still be installed
MAX_ADVISORIES_AGE = dt.timedelta(days=100)  # since Asterisk's advisories were last reviewed
_PACKAGE_LISTS = (Path("/var/lib/dpkg/status"), Path("/var/lib/apt/lists"))
_POLICY_LINE = re.compile(r"^\s+(Installed|Candidate): (\S+)$", re.MULTILINE)


def check_asterisk_version(settings: Settings) -> Iterator[Check]:
    """Check that the installed package of Asterisk is the newest known one."""
    code, name = "asterisk.update", N_("Version of the exchange")
    policy = _asterisk_policy(shutil.which("apt-cache"), *_list_times())
    installed, candidate = policy.get("Installed", "(none)"), policy.get("Candidate", "(none)")
    values = {"installed": installed, "candidate": candidate}
    if installed == "(none)":
        yield Check(code, name, "ok", N_("not installed from a package of this machine"))
    elif candidate not in ("(none)", installed):
        yield Check(
            code,
            name,
            "warn",
            N_("{candidate} is available, {installed} is installed"),
            N_(
                "Upgrade at a quiet time: the new version fixes vulnerabilities that can be used "
                "to stop calls."
            ),
            values,
        )
    else:
        yield Check(code, name, "ok", N_("{installed}, no newer version known"), values=values)


def check_advisories(settings: Settings) -> Iterator[Check]:
    """Check that the advisories were reviewed recently, and Asterisk has the fixes."""
    code, name = "asterisk.advisories", N_("Security advisories for the exchange")
    advisory_data = json.loads(ADVISORIES_FILE.read_text("utf-8"))
    reviewed_on, fixed_version = (
        dt.date.fromisoformat(advisory_data["looked_at"]),
        advisory_data["mended_in"],
    )
    installed = _asterisk_policy(shutil.which("apt-cache"), *_list_times()).get(
        "Installed", "(none)"
    )
    values = {"date": f"{reviewed_on:%d.%m.%Y}", "mended": fixed_version, "installed": installed}
    upgrade = N_(
        "Install a newer release of the appliance on the server: its bundle includes Asterisk."
    )
    if _version_numbers(installed) and _version_numbers(installed) < _version_numbers(
        fixed_version
    ):
        finding = N_("{installed} is installed, the known vulnerabilities are fixed in {mended}")
        yield Check(code, name, "fail", finding, upgrade, values)
    elif clock.now().astimezone(settings.tz).date() - reviewed_on > MAX_ADVISORIES_AGE:
        yield Check(code, name, "warn", N_("viewed up to {date} only"), upgrade, values)
    else:
        yield Check(code, name, "ok", N_("viewed up to {date}"), values=values)


def check_release_expiry(settings: Settings) -> Iterator[Check]:
    """Check that the newest release that the box accepted has not expired, so updates reach it."""
    code, name = "release.expiry", N_("Age of the release")
    try:
        text = (settings.file.parent / ACCEPTED_RELEASE_FILE).read_text("ascii")
    except FileNotFoundError:  # a machine that is not installed from bundles
        return
    fields = dict(line.partition(": ")[::2] for line in text.splitlines())
    expires_at = dt.datetime.fromtimestamp(int(fields["expires"]), settings.tz)
    values = {"release": fields["release"], "date": f"{expires_at:%d.%m.%Y}"}
    advice = N_(
        "Request the newest release and install it: vulnerabilities are fixed in newer releases "
        "only."
    )
    if clock.now() > expires_at:
        yield Check(code, name, "warn", N_("{release} expired on {date}"), advice, values)
    elif clock.now() > expires_at - EXPIRY_WARNING_PERIOD:
        yield Check(code, name, "warn", N_("{release} expires on {date}"), advice, values)
    else:
        yield Check(code, name, "ok", N_("{release} may be used until {date}"), values=values)


def _version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a package version: (22, 10, 1) for 1:22.10.1+dfsg-1; () if invalid."""
    match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)+)", version)
    return tuple(map(int, match[1].split("."))) if match else ()


def _list_times() -> list[int]:
    """Return when apt's lists and the list of installed packages last changed, in nanoseconds."""
    return [path.stat().st_mtime_ns for path in _PACKAGE_LISTS if path.exists()]


@functools.lru_cache(maxsize=4)
def _asterisk_policy(program: str | None, *_changed: int) -> dict[str, str]:
    """Return the versions that apt reports; apt runs again only after its lists have changed."""
    if not program:
        return {}
    return dict(_POLICY_LINE.findall(programs.program_output(program, "policy", "asterisk") or ""))
