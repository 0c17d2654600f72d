"""The machine: memory, and files that grow when nobody looks after them."""

import struct
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

LOW, VERY_LOW = 0.10, 0.03  # shares of the memory that can still be had
SWAP_LEFT = 0.05  # share of the swap space
GROWN = 1 << 30  # bytes of a log that is put in order each day
OLD_LOGS_BYTES = 2 << 30  # of the logs that were rotated and stay
BEHIND = 256 << 20  # bytes that wait to be taken into the database's file
_MEGABYTE = 1 << 20
# SQLite's index of the write-ahead log (sqlite.org/walformat.html): the number of the last frame,
# how many frames are in the database's file, the size of a page
_LAST_FRAME, _COPIED_FRAMES, _PAGE_SIZE = (16, "=I"), (96, "=I"), (14, "=H")
_INDEX_HEAD_BYTES = 136  # the rest lists frames, some hundred kB of them
_LARGEST_PAGE_BYTES = 65536  # which the index writes as 1


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
    swap, swap_free = (int(told[key].split()[0]) for key in ("SwapTotal", "SwapFree"))
    if swap:
        is_used_up = swap_free < SWAP_LEFT * swap
        advice = N_(
            "Programs wait for the disk instead of the memory, and calls may stutter. See which "
            "program takes it: `ps --sort=-rss`; restart that."
        )
        yield Check(
            "memory.swap",
            N_("Swap space"),
            "fail" if is_used_up else "ok",
            N_("{free} of {total} MB are free"),
            advice if is_used_up else "",
            {"free": str(swap_free // 1024), "total": str(swap // 1024)},
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
    yield _size_check(
        "event_log.old",
        N_("Old event logs"),
        sum(file.stat().st_size for file in log.parent.glob(f"{log.name}?*") if file.is_file()),
        OLD_LOGS_BYTES,
        N_("Look whether `logrotate` runs; what the ledger has taken may be moved elsewhere."),
    )
    yield _size_check(
        "database.wal",
        N_("Changes that wait for the database's file"),
        uncopied_bytes(database),
        BEHIND,
        N_(
            "Some process reads for hours and keeps them from being taken in. Restart "
            "`appliance-web`, then `appliance-jobs`."
        ),
    )


def uncopied_bytes(database: Path) -> int:
    """How much of the write-ahead log is not in the database's file yet.

    The log's own size proves nothing: the file never shrinks. 0 without a log.
    """
    try:
        with database.with_name(f"{database.name}-shm").open("rb") as file:
            index = file.read(_INDEX_HEAD_BYTES)
        last, copied, page = (
            struct.unpack_from(form, index, place)[0]
            for place, form in (_LAST_FRAME, _COPIED_FRAMES, _PAGE_SIZE)
        )
    except (OSError, struct.error):
        return 0
    return max(0, last - copied) * (_LARGEST_PAGE_BYTES if page == 1 else page)


def _grown(code: str, name: str, file: Path, most: int, advice: str) -> Check:
    size = file.stat().st_size if file.is_file() else 0
    return _size_check(code, name, size, most, advice)


def _size_check(code: str, name: str, size: int, most: int, advice: str) -> Check:
    values = {"size": str(size // _MEGABYTE)}
    if size > most:
        return Check(code, name, "fail", N_("{size} MB"), advice, values)
    return Check(code, name, "ok", N_("{size} MB"), values=values)
