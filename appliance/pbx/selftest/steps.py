"""A test as a row of steps, each timed; the first that fails ends it."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from appliance.box.selftests import Step

_LOOK = 0.02


class StepFailed(Exception):
    """A step was not done; the message says what was seen instead."""


@dataclass
class Steps:
    """What was done so far; `failed` names the step that was not, `seen` says why."""

    done: list[Step] = field(default_factory=list)
    failed: str = ""
    seen: str = ""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step. A fault in it is written down, and raised as StepFailed."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # whatever goes wrong is what the test has found
            self.failed, self.seen = name, str(error) or type(error).__name__
            self.done.append(Step(name, round(time.monotonic() - began, 3), ok=False))
            raise StepFailed(self.seen) from error
        self.done.append(Step(name, round(time.monotonic() - began, 3), ok=True))


async def until[T](seen: Callable[[], T], limit: float, otherwise: Callable[[], str]) -> T:
    """The first true value within so many seconds. Raises StepFailed with what `otherwise` says."""
    end = time.monotonic() + limit
    while not (value := seen()):
        if time.monotonic() > end:
            raise StepFailed(otherwise())
        await asyncio.sleep(_LOOK)
    return value
