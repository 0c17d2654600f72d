"""Wait for a condition, with a limit, instead of sleeping."""

import threading
import time
from collections.abc import Callable


def wait_until[T](condition: Callable[[], T], limit: float = 30.0, every: float = 0.05) -> T:
    """The first true value of the condition; fails unless it is true within `limit` seconds."""
    end = time.monotonic() + limit
    pause = threading.Event()
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not true after {limit:.0f} s: {condition}")
        pause.wait(every)
    return value
