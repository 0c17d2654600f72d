"""A test as a sequence of steps, each timed; the first that fails ends it."""

import asyncio
import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from appliance.box.selftests import SelfTestStep
from appliance.core.settings import Settings

_POLL_SECONDS = 0.02


class StepFailed(Exception):
    """A step failed; the message says what was observed instead."""


@dataclass
class Steps:
    """The steps of one test that have ended, in order, and the failure of the last one, if any."""

    finished: list[SelfTestStep] = field(default_factory=list)
    failed_step: str = ""  # its name; "": no step has failed
    detail: str = ""  # the reason

    @contextlib.contextmanager
    def time_step(self, name: str) -> Iterator[None]:
        """Time the step in the `with` block and add it to the finished ones.

        Any error in it is recorded as the failed step, and raised as StepFailed.
        """
        started = time.monotonic()
        try:
            yield
        except Exception as error:  # any fault is a finding of the test
            self.failed_step, self.detail = name, str(error) or type(error).__name__
            self.finished.append(SelfTestStep(name, round(time.monotonic() - started, 3), ok=False))
            raise StepFailed(self.detail) from error
        self.finished.append(SelfTestStep(name, round(time.monotonic() - started, 3), ok=True))


@contextlib.contextmanager
def hold_test_line(settings: Settings) -> Iterator[None]:
    """Wait until no other test call is in progress; no other can begin inside the `with` block."""
    with (settings.paths.database.parent / "self-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def wait_until[T](
    condition: Callable[[], T], limit_seconds: float, failure_text: Callable[[], str]
) -> T:
    """Wait until `condition` returns a true value; returns that value.

    Raises StepFailed with `failure_text()` if it takes longer than `limit_seconds`.
    """
    deadline = time.monotonic() + limit_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise StepFailed(failure_text())
        await asyncio.sleep(_POLL_SECONDS)
    return value
