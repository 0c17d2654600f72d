"""A site whose clock can be stepped without the machine's, by Debian's libfaketime."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from provisioning.local.place import Place

_LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
CLOCK_CACHE_SECONDS = 1  # within which each process of the site follows a step


class SiteClock:
    """The offset of the clock of a site's processes from the machine's."""

    def __init__(self, place: Place) -> None:
        self._file = place.folder / "clock"
        self.offset_seconds = 0

    def step_clock(self, seconds: int) -> None:
        """Step the clock of all processes of the site; monotonic clocks are not affected."""
        self.offset_seconds += seconds
        new_file = self._file.with_suffix(".new")
        new_file.write_text(f"{self.offset_seconds:+d}\n", "ascii")
        new_file.replace(self._file)


@contextlib.contextmanager
def stepped_clock(place: Place) -> Iterator[SiteClock | None]:
    """Processes started within the block use the stepped clock.

    Yields nothing if libfaketime is missing.
    """
    if not _LIBRARY:
        yield None
        return
    clock = SiteClock(place)
    clock.step_clock(0)
    variables = {
        "LD_PRELOAD": str(_LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock._file),
        "FAKETIME_CACHE_DURATION": str(CLOCK_CACHE_SECONDS),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    previous = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield clock
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
