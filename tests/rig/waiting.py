"""Waits for a condition, with a limit, instead of sleeping for a guessed time."""

import asyncio
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


async def wait_within[T](condition: Callable[[], T], limit: float, every: float = 0.05) -> T:
    """The first true value of the condition, or its value after `limit` seconds; calls go on."""
    end = time.monotonic() + limit
    while not (value := condition()) and time.monotonic() < end:
        await asyncio.sleep(every)
    return value


async def wait_for[T](condition: Callable[[], T], what: str = "", limit: float = 30.0) -> T:
    """The first true value of the condition, while calls go on; fails after `limit` seconds."""
    value = await wait_within(condition, limit)
    if not value:
        raise AssertionError(f"not seen within {limit:.0f} s: {what or condition}")
    return value
