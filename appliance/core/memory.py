"""Memory of the processes that run for long and have many threads."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_ARENAS = 2


def settle() -> None:
    """Call it once all is loaded, before threads begin.

    What is loaded is not looked through any more when garbage is collected, and lies in pages that
    processes share. Threads share few arenas of the C library: by itself it makes eight for each
    processor, and each keeps what it held once.
    """
    ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def unsearched() -> Iterator[None]:
    """A while in which no garbage is searched for: only circles of objects stay until it is over.

    For work that makes many objects and is soon done. Threads share it: the first to begin ends it.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
