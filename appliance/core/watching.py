"""Waiting for what happens to a file or in a folder, as the kernel tells it."""

import select
import time
from pathlib import Path

from inotify_simple import INotify, flags

_BLIND = 0.03  # seconds between two looks where the kernel tells nothing


class Watch:
    """Waits for what happens to a path.

    `news`: flags of inotify; `gathered`: seconds, for what happens together is seen together.
    """

    def __init__(self, path: Path, news: int, gathered: float) -> None:
        self._path, self._news, self._gathered = path, news, gathered
        self._told: INotify | None = None
        self._open()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether something may have happened meanwhile."""
        if not self._told:
            time.sleep(_BLIND)
            self._open()
            return True
        if not select.select([self._told], [], [], seconds)[0]:
            return False
        time.sleep(self._gathered)
        if any(event.mask & flags.IGNORED for event in self._told.read(timeout=0)):
            self.close()  # what was watched is gone
        return True

    def close(self) -> None:
        """Watch no more."""
        if self._told:
            self._told.close()
        self._told = None

    def _open(self) -> None:
        made = None
        try:
            made = INotify()
            made.add_watch(self._path, self._news)
        except OSError:  # there is no such thing yet, or others watch too much
            if made:
                made.close()
            return
        self._told = made
