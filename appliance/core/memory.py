"""Memory of processes that run for a long time and have many threads."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

_M_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_MAX_ARENAS = 2


def freeze_loaded_objects() -> None:
    """Reduce this process's memory use; call it once everything is loaded, before threads start.

    Loaded objects are excluded from garbage collection, so that processes go on sharing their
    pages. The C library may create two arenas only: by default it creates eight for each processor,
    and each keeps the memory that it once held.
    """
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _MAX_ARENAS)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def garbage_collection_pause() -> Iterator[None]:
    """Pause garbage collection inside the `with` block, for short work that creates many objects.

    Reference cycles stay in memory until the block ends. The setting is shared by all threads: when
    the thread that paused first leaves its block, collection is on again for all.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
