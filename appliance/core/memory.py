"""Memory of processes that run for a long time and have many threads."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

_M_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_MAX_ARENAS = 2


def freeze_loaded_objects() -> None:
    """Reduce memory use; call it once everything is loaded, before threads start.

    Loaded objects are excluded from garbage collection and stay in pages that processes share. The
    number of the C library's arenas is limited: by default it creates eight for each processor, and
    each arena keeps the memory that it once held.
    """
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _MAX_ARENAS)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def garbage_collection_pause() -> Iterator[None]:
    """Pause garbage collection inside the `with` block: reference cycles stay in memory.

    For short work that creates many objects. All threads share the setting: the first to enter the
    context ends it for all.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
