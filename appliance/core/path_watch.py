"""Waiting for events of a file or folder that the kernel reports (inotify)."""

import select
import time
from pathlib import Path

from inotify_simple import INotify, flags

_FALLBACK_POLL_SECONDS = 0.03  # seconds between two polls while the kernel reports no events


class PathWatch:
    """Waits until a file or folder changes, so that a process need not poll it."""

    def __init__(self, path: Path, event_flags: int, gather_seconds: float) -> None:
        """Start watching `path`; if the kernel cannot watch it, polls instead of raising an error.

        `path` need not exist yet: each wait tries to watch it again. `event_flags` are the inotify
        flags of the changes to wait for, its events. After an event a wait lasts `gather_seconds`
        longer, so that events that occur together are reported together.
        """
        self._path, self._event_flags, self._gather_seconds = path, event_flags, gather_seconds
        self._inotify: INotify | None = None
        self._start_watch()

    def wait_for_event(self, seconds: float) -> bool:
        """Wait up to about `seconds` for an event; returns True if one may have occurred.

        After an event it waits another `gather_seconds`. While the kernel reports no events (the
        path does not exist, or inotify is not available), it ignores `seconds` and returns True
        after _FALLBACK_POLL_SECONDS, so that the caller looks for itself.
        """
        if not self._inotify:
            time.sleep(_FALLBACK_POLL_SECONDS)
            self._start_watch()
            return True
        if not select.select([self._inotify], [], [], seconds)[0]:
            return False
        time.sleep(self._gather_seconds)
        if any(event.mask & flags.IGNORED for event in self._inotify.read(timeout=0)):
            self.close()  # the watched path was removed
        return True

    def close(self) -> None:
        """Stop watching the path; a later `wait_for_event` would start again."""
        if self._inotify:
            self._inotify.close()
        self._inotify = None

    def _start_watch(self) -> None:
        """Start watching; if that fails, `_inotify` stays None, and the next wait tries again."""
        inotify = None
        try:
            inotify = INotify()
            inotify.add_watch(self._path, self._event_flags)
        except OSError:  # the path does not exist yet, or other processes use up all watches
            if inotify:
                inotify.close()
            return
        self._inotify = inotify
