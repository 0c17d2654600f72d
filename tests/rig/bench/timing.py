"""How long something takes, of the processor."""

import time
from collections.abc import Callable
from typing import Any

TRIES = 3


def spent(run: Callable[[], Any]) -> float:
    """Seconds of a processor that this process spends on it."""
    begin = time.process_time()
    run()
    return time.process_time() - begin


def least(run: Callable[[], Any], tries: int = TRIES) -> float:
    """The same of the quickest of some times."""
    return min(spent(run) for _ in range(tries))
