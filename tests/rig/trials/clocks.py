"""A site whose clock can be stepped while the machine's is left alone, by Debian's libfaketime."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from provisioning.local.place import Place

_LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
LEARNS = 1  # seconds within which each process of the site has heard of a step


class Clock:
    """By how much the clock of a site's processes is ahead of the machine's."""

    def __init__(self, place: Place) -> None:
        self._file = place.folder / "clock"
        self.ahead = 0  # seconds

    def step(self, by: int) -> None:
        """Step it, for all processes of the site; what runs by a monotonic clock runs on."""
        self.ahead += by
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.ahead:+d}\n", "ascii")
        new.replace(self._file)


@contextlib.contextmanager
def stepped(place: Place) -> Iterator[Clock | None]:
    """Whatever is started within goes by the clock given; None when libfaketime is missing."""
    if not _LIBRARY:
        yield None
        return
    clock = Clock(place)
    clock.step(0)
    words = {
        "LD_PRELOAD": str(_LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock._file),
        "FAKETIME_CACHE_DURATION": str(LEARNS),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    former = {name: os.environ.get(name) for name in words}
    os.environ.update(words)
    try:
        yield clock
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
