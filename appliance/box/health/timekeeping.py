"""The clock: whether a time server keeps it right. Nothing here ever sets it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health import programs
from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

MAX_OFFSET_SECONDS = 1.0  # a larger offset makes times in the ledger wrong
_ADVICE = N_(
    "Check that `chrony` is running and reaches a time server: `chronyc sources`. Without the "
    "internet, configure the time server of the ministry's network."
)
BOX_SETTINGS = Path("/etc/appliance")  # other sites use the time zone of their machine
_OFFSET_COLUMN, _LEAP_COLUMN = 4, 13  # columns of `chronyc -c tracking`
_LOCAL_REFERENCE = "7F7F0101"  # chrony's reference id for its own clock as a fallback


def check_time_zone(settings: Settings) -> Iterator[Check]:
    """Check that the machine uses the site's time zone: opening hours and prompts depend on it."""
    code, name = "clock.zone", N_("Time zone")
    now = dt.datetime.now(dt.UTC)
    machine_offset, site_offset = (
        now.astimezone().utcoffset(),
        now.astimezone(settings.tz).utcoffset(),
    )
    values = {"zone": settings.timezone, "seen": f"{now.astimezone():%H:%M}"}
    if settings.file.parent == BOX_SETTINGS and machine_offset != site_offset:
        advice = N_(
            "`timedatectl set-timezone {zone}`, then restart the appliance's processes and "
            "`asterisk` at a quiet time."
        )
        finding = N_("the machine does not use {zone}: the time there is {seen}")
        yield Check(code, name, "fail", finding, advice, values)
    else:
        yield Check(code, name, "ok", "{zone}", values=values)


def check_clock(settings: Settings) -> Iterator[Check]:
    """Check that the clock is synchronised by a time server."""
    code, name = "clock", N_("Clock")
    tracking = programs.program_output("chronyc", "-c", "-n", "tracking")
    columns = tracking.strip().split(",") if tracking else []
    if len(columns) > _LEAP_COLUMN:
        offset_seconds = abs(float(columns[_OFFSET_COLUMN]))
        values = {"milliseconds": f"{offset_seconds * 1000:.1f}"}
        if columns[_LEAP_COLUMN] == "Not synchronised":
            yield Check(
                code, name, "warn", N_("it is not synchronised with any time server"), _ADVICE
            )
        elif columns[0] == _LOCAL_REFERENCE:
            yield Check(code, name, "warn", N_("kept only by the server's own clock"), _ADVICE)
        elif offset_seconds >= MAX_OFFSET_SECONDS:
            yield Check(code, name, "fail", N_("off by {milliseconds} ms"), _ADVICE, values)
        else:
            yield Check(
                code, name, "ok", N_("synchronised, off by {milliseconds} ms"), values=values
            )
        return
    synchronised = programs.program_output(
        "timedatectl", "show", "-p", "NTPSynchronized", "--value"
    )
    match (synchronised or "").strip():
        case "yes":
            yield Check(code, name, "ok", N_("synchronised with a time server"))
        case "no":
            yield Check(
                code, name, "warn", N_("it is not synchronised with any time server"), _ADVICE
            )
        case _:
            yield Check(code, name, "warn", N_("it is unknown whether it is synchronised"), _ADVICE)
