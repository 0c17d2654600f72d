"""A scheduled job, and running it when it is due."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass

from appliance.box import runs
from appliance.core import clock, process_id

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What is done when; `do` returns what was done, in words, or nothing."""

    name: str  # worded by the page of the state
    slot: runs.Slot
    do: Callable[[], object]
    catches_up: bool = True  # also on a site that did not know the job before
    within: dt.timedelta | None = None  # later than that after its moment it waits for the next one

    def do_in_time(self, due_at: dt.datetime) -> object:
        """Do it, unless it is too late; what was done, in words."""
        if self.within and clock.now() - due_at > self.within:
            return f"skipped: more than {self.within} late"
        return self.do()


def run_due(job: Job, stopped: Callable[[], bool] = lambda: False) -> bool:
    """Run a job if it is due and nobody runs it; whether it ran. Never raises what it raises.

    What is raised once the process was told to stop (`stopped`) is the stop's doing: helpers end
    with it. Such a run is lost, and made anew.
    """
    try:
        due_at = job.slot(clock.now())
        if not runs.is_due(job.name, due_at):
            return False
        if not job.catches_up:
            runs.begin_later(job.name, due_at)
        mine = runs.begin(job.name, due_at, process_id.this_process())
        if not mine:
            return False
        try:
            done = job.do_in_time(due_at)
        except Exception as error:  # the boundary of a job
            log.exception("%s failed", job.name)
            state = "lost" if stopped() else "failed"
            runs.end(mine, state, f"{type(error).__name__}: {error}")
        else:
            if done:
                log.info("%s: %s", job.name, done)
            runs.end(mine, "done", str(done or ""))
        return True
    except Exception:  # the database takes no change: nothing can be written down
        log.exception("%s could not be run", job.name)
        return False
