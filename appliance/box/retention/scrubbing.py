"""Overwriting what the database's files still hold of what was masked or removed.

SQLite overwrites what is deleted or replaced (`secure_delete`). Three things stay: words in old
pieces of the search's index, pages in the write-ahead log, copies of rows that SQLite has moved
from page to page. The index is merged and the log emptied; a file that is small enough is rewritten
as a whole.
"""

import logging
import time
from collections.abc import Callable

from appliance.casework import search
from appliance.core import db_upkeep

log = logging.getLogger(__name__)

REBUILT_BYTES = 256 << 20  # a file of this size is rewritten in some three seconds
_TRIES, _WAIT_SECONDS = 20, 0.5  # for a moment in which nobody reads the log
_PAGE_SECONDS = 2.0  # for which a page waits


def scrub(
    most: int = REBUILT_BYTES,
    goes_on: Callable[[], bool] = lambda: True,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Overwrite all of it; returns whether nothing is left, else the next night tries again.

    `most`: bytes of the largest file that is rewritten.
    """
    search.merge(goes_on)
    whole = goes_on() and db_upkeep.rebuild(most)
    if not whole:
        log.warning("the database was not rewritten: over %s MB, or in use", most >> 20)
    for _ in range(_TRIES):
        if db_upkeep.empty_log():
            return whole
        if not goes_on():
            break
        pause(_WAIT_SECONDS)
    log.warning("the write-ahead log is in use: it still holds pages of before")
    return False


def scrub_soon() -> None:
    """The part that is quick enough for a page; the nightly job does the rest."""
    until = time.monotonic() + _PAGE_SECONDS
    search.merge(lambda: time.monotonic() < until)
    db_upkeep.empty_log()
