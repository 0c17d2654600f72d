"""The machine: memory, and files that grow when nobody looks after them."""

from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

LOW, VERY_LOW = 0.10, 0.03  # shares of the memory that can still be had
GROWN = 1 << 30  # bytes of a log that is put in order each day
BEHIND = 256 << 20  # bytes that wait to be taken into the database's file
_MEGABYTE = 1 << 20


def memory(settings: Settings) -> Iterator[Check]:
    """There is memory left."""
    told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(told[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    state = "fail" if free < VERY_LOW * total else "warn" if free < LOW * total else "ok"
    yield Check(
        "memory",
        N_("Memory"),
        state,
        N_("{free} of {total} MB can be had"),
        ""
        if state == "ok"
        else N_("See which program takes it: `systemctl status`, `ps --sort=-rss`; restart that."),
        {"free": str(free // 1024), "total": str(total // 1024)},
    )


def logs(settings: Settings) -> Iterator[Check]:
    """The event log is rotated, and the database's own log is taken in."""
    log, database = settings.paths.event_log, settings.paths.database
    yield _grown(
        "event_log.size",
        N_("Size of the event log"),
        log,
        GROWN,
        N_("Look whether `logrotate` runs: `systemctl status logrotate.timer`."),
    )
    yield _grown(
        "database.wal",
        N_("Changes that wait for the database's file"),
        database.with_name(f"{database.name}-wal"),
        BEHIND,
        N_(
            "Some process reads for hours and keeps them from being taken in. Restart "
            "`appliance-web`, then `appliance-jobs`."
        ),
    )


def _grown(code: str, name: str, file: Path, most: int, advice: str) -> Check:
    size = file.stat().st_size if file.is_file() else 0
    values = {"size": str(size // _MEGABYTE)}
    if size > most:
        return Check(code, name, "fail", N_("{size} MB"), advice, values)
    return Check(code, name, "ok", N_("{size} MB"), values=values)
