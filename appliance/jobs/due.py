"""A scheduled job, and the function that runs it when it is due."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass

from appliance.box import runs
from appliance.core import clock, process_id

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """An action and its schedule.

    `slot` returns the last time, at or before a given time, at which the job had to run; `action`
    returns a text about its result, or nothing.
    """

    name: str  # its title is in box.timetable
    slot: runs.Slot
    action: Callable[[], object]
    catches_up: bool = True  # True: a job that is new on a site runs at once
    max_lateness: dt.timedelta | None = None  # if it is later than this, the run is skipped

    def run_in_time(self, due_at: dt.datetime) -> object:
        """Run the action unless it is too late; returns a text about the result."""
        if self.max_lateness and clock.now() - due_at > self.max_lateness:
            return f"skipped: more than {self.max_lateness} late"
        return self.action()


def run_due(job: Job, is_stopping: Callable[[], bool] = lambda: False) -> bool:
    """Run a job if it is due and no process is running it; returns True if it ran.

    An exception of the job is recorded, not raised. If the process has been asked to stop by then
    (`is_stopping`), the stop is taken as the cause, because it also ends helper processes: the run
    is recorded as lost, and repeated later.
    """
    try:
        due_at = job.slot(clock.now())
        if not runs.is_run_due(job.name, due_at):
            return False
        if not job.catches_up:
            runs.record_new_job(job.name, due_at)
        run = runs.claim_run(job.name, due_at, process_id.this_process_name())
        if not run:
            return False
        try:
            result = job.run_in_time(due_at)
        except Exception as error:  # the boundary of a job
            log.exception("%s failed", job.name)
            state = "lost" if is_stopping() else "failed"
            runs.finish_run(run, state, f"{type(error).__name__}: {error}")
        else:
            if result:
                log.info("%s: %s", job.name, result)
            runs.finish_run(run, "done", str(result or ""))
        return True
    except Exception:  # the database cannot be written: the failure cannot be recorded
        log.exception("%s could not be run", job.name)
        return False
