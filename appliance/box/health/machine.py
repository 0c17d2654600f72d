"""The machine: memory, and files that grow without bounds if something fails."""

from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core import db
from appliance.core.i18n import N_
from appliance.core.settings import Settings

LOW_MEMORY_SHARE, VERY_LOW_MEMORY_SHARE = 0.10, 0.03  # shares of the memory that are available
LOW_SWAP_SHARE = 0.05  # share of the swap space
MAX_EVENT_LOG_BYTES = 1 << 30  # of a log that is rotated each day
MAX_OLD_LOGS_BYTES = 2 << 30  # of the rotated logs that are kept
MAX_UNCOPIED_BYTES = 256 << 20  # of changes that are not yet copied into the database's file
_MEGABYTE = 1 << 20


def check_memory(settings: Settings) -> Iterator[Check]:
    """Check that there is memory and swap space left."""
    meminfo = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(meminfo[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    state = (
        "fail"
        if free < VERY_LOW_MEMORY_SHARE * total
        else "warn"
        if free < LOW_MEMORY_SHARE * total
        else "ok"
    )
    yield Check(
        "memory",
        N_("Memory"),
        state,
        N_("{free} of {total} MB are available"),
        ""
        if state == "ok"
        else N_(
            "Find the program that uses it: `systemctl status`, `ps --sort=-rss`; restart that "
            "program."
        ),
        {"free": str(free // 1024), "total": str(total // 1024)},
    )
    swap, swap_free = (int(meminfo[key].split()[0]) for key in ("SwapTotal", "SwapFree"))
    if swap:
        is_used_up = swap_free < LOW_SWAP_SHARE * swap
        advice = N_(
            "Programs wait for the disk instead of memory, and the sound of calls may stutter. "
            "Find the program that uses it: `ps --sort=-rss`; restart that program."
        )
        yield Check(
            "memory.swap",
            N_("Swap space"),
            "fail" if is_used_up else "ok",
            N_("{free} of {total} MB are free"),
            advice if is_used_up else "",
            {"free": str(swap_free // 1024), "total": str(swap // 1024)},
        )


def check_log_sizes(settings: Settings) -> Iterator[Check]:
    """Check that the event log is rotated, and the write-ahead log copied into the database."""
    log = settings.paths.event_log
    yield _file_size_check(
        "event_log.size",
        N_("Size of the event log"),
        log,
        MAX_EVENT_LOG_BYTES,
        N_("Check that `logrotate` is running: `systemctl status logrotate.timer`."),
    )
    yield _size_check(
        "event_log.old",
        N_("Old event logs"),
        sum(file.stat().st_size for file in log.parent.glob(f"{log.name}?*") if file.is_file()),
        MAX_OLD_LOGS_BYTES,
        N_(
            "Check that `logrotate` is running; files that the ledger has already imported may be "
            "moved elsewhere."
        ),
    )
    yield _size_check(
        "database.wal",
        N_("Changes not yet written to the database file"),
        db.uncopied_log_bytes(),
        MAX_UNCOPIED_BYTES,
        N_(
            "A process has been reading for hours and prevents them from being written to the "
            "file. Restart `appliance-web`, then `appliance-jobs`."
        ),
    )


def _file_size_check(code: str, name: str, file: Path, max_bytes: int, advice: str) -> Check:
    size = file.stat().st_size if file.is_file() else 0
    return _size_check(code, name, size, max_bytes, advice)


def _size_check(code: str, name: str, size: int, max_bytes: int, advice: str) -> Check:
    values = {"size": str(size // _MEGABYTE)}
    if size > max_bytes:
        return Check(code, name, "fail", N_("{size} MB"), advice, values)
    return Check(code, name, "ok", N_("{size} MB"), values=values)
