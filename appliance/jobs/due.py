"""A scheduled job, and running it when it is due."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from appliance import clock, holders, runs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What is done when; `do` returns what was done, in words, or nothing."""

    name: str  # worded by the page of the state
    slot: runs.Slot
    do: Callable[[], object]
    catches_up: bool = True  # also on a site that did not know the job before


def run_due(job: Job) -> bool:
    """Run a job if it is due and nobody runs it; whether it ran. Never raises what it raises."""
    try:
        due_at = job.slot(clock.now())
        if not runs.is_due(job.name, due_at):
            return False
        if not job.catches_up:
            runs.begin_later(job.name, due_at)
        mine = runs.begin(job.name, due_at, holders.this_process())
        if not mine:
            return False
        try:
            done = job.do()
        except Exception as error:  # the boundary of a job
            log.exception("%s failed", job.name)
            runs.end(mine, "failed", f"{type(error).__name__}: {error}")
        else:
            if done:
                log.info("%s: %s", job.name, done)
            runs.end(mine, "done", str(done or ""))
        return True
    except Exception:  # the database takes no change: nothing can be written down
        log.exception("%s could not be run", job.name)
        return False
