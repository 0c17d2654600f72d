"""Overwrites remnants of masked or removed data in the database's files.

SQLite overwrites what is deleted or replaced (`secure_delete`). Three kinds of remnants stay: words
in old segments of the search index, pages in the write-ahead log, and copies of rows that SQLite
has moved between pages. The index is merged and the log emptied; a database file that is small
enough is rewritten completely.
"""

import logging
import time
from collections.abc import Callable

from appliance.casework import search
from appliance.core import db_upkeep

log = logging.getLogger(__name__)

MAX_REBUILD_BYTES = 256 << 20  # a file of this size is rewritten in about three seconds
_LOG_ATTEMPTS, _WAIT_SECONDS = 20, 0.5  # attempts to empty the log
_PAGE_BUDGET_SECONDS = 2.0  # how long a page waits for the index


def scrub_database(
    max_bytes: int = MAX_REBUILD_BYTES,
    may_continue: Callable[[], bool] = lambda: True,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Overwrite all remnants. Returns True if that succeeded; else the next night tries again.

    `max_bytes`: size of the largest file that is rewritten.
    """
    search.merge_index(may_continue)
    is_rebuilt = may_continue() and db_upkeep.vacuum_if_small_enough(max_bytes)
    if not is_rebuilt:
        log.warning("the database was not rewritten: over %s MB, or in use", max_bytes >> 20)
    for _ in range(_LOG_ATTEMPTS):
        if db_upkeep.truncate_log():
            return is_rebuilt
        if not may_continue():
            break
        pause(_WAIT_SECONDS)
    log.warning("the write-ahead log is in use: it still holds pages of before")
    return False


def scrub_quickly() -> None:
    """Overwrite what is fast enough for a page; the nightly job does the rest."""
    deadline = time.monotonic() + _PAGE_BUDGET_SECONDS
    search.merge_index(lambda: time.monotonic() < deadline)
    db_upkeep.truncate_log()
