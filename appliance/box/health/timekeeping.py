"""The clock: whether somebody keeps it. Nothing here ever sets it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health import programs
from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

FAR = 1.0  # seconds off, from which times in the ledger are wrong
_ADVICE = N_(
    "Look whether `chrony` runs and reaches a time server: `chronyc sources`. Without the internet "
    "give it the time server of the ministry's network."
)
BOX_SETTINGS = Path("/etc/appliance")  # a local site goes by the machine of its developer
_OFFSET, _LEAP = 4, 13  # columns of `chronyc -c tracking`
_NOBODY = "7F7F0101"  # chrony's own clock as a fallback


def time_zone(settings: Settings) -> Iterator[Check]:
    """The exchange uses the site's time zone: opening hours and prompts depend on it."""
    code, name = "clock.zone", N_("Time zone")
    now = dt.datetime.now(dt.UTC)
    here, wanted = now.astimezone().utcoffset(), now.astimezone(settings.tz).utcoffset()
    values = {"zone": settings.timezone, "seen": f"{now.astimezone():%H:%M}"}
    if settings.file.parent == BOX_SETTINGS and here != wanted:
        advice = N_(
            "`timedatectl set-timezone {zone}`, then start the appliance's processes and "
            "`asterisk` again in a quiet minute."
        )
        seen = N_("the machine has another one than {zone}: it is {seen} there")
        yield Check(code, name, "fail", seen, advice, values)
    else:
        yield Check(code, name, "ok", "{zone}", values=values)


def clock(settings: Settings) -> Iterator[Check]:
    """The clock is kept by a time server."""
    code, name = "clock", N_("Clock")
    tracking = programs.output("chronyc", "-c", "-n", "tracking")
    columns = tracking.strip().split(",") if tracking else []
    if len(columns) > _LEAP:
        off = abs(float(columns[_OFFSET]))
        values = {"milliseconds": f"{off * 1000:.1f}"}
        if columns[_LEAP] == "Not synchronised":
            yield Check(code, name, "warn", N_("no time server keeps it"), _ADVICE)
        elif columns[0] == _NOBODY:
            yield Check(code, name, "warn", N_("kept by the box itself"), _ADVICE)
        elif off >= FAR:
            yield Check(code, name, "fail", N_("{milliseconds} ms off"), _ADVICE, values)
        else:
            yield Check(code, name, "ok", N_("kept, {milliseconds} ms off"), values=values)
        return
    synchronised = programs.output("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    match (synchronised or "").strip():
        case "yes":
            yield Check(code, name, "ok", N_("kept by a time server"))
        case "no":
            yield Check(code, name, "warn", N_("no time server keeps it"), _ADVICE)
        case _:
            yield Check(code, name, "warn", N_("nobody tells whether it is kept"), _ADVICE)
