"""The processor time that a function takes."""

import time
from collections.abc import Callable
from typing import Any

TRY_COUNT = 3


def cpu_seconds(run: Callable[[], Any]) -> float:
    """Seconds of a processor that this process spends on `run`."""
    cpu_before = time.process_time()
    run()
    return time.process_time() - cpu_before


def least_cpu_seconds(run: Callable[[], Any], tries: int = TRY_COUNT) -> float:
    """Seconds of a processor of the quickest of several runs."""
    return min(cpu_seconds(run) for _ in range(tries))
