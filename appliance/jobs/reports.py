"""Making the reports that are due."""

import logging
from collections.abc import Callable

from appliance.core.settings import Settings
from appliance.reports import issuing, runs

log = logging.getLogger(__name__)


def make(settings: Settings, goes_on: Callable[[], bool]) -> int:
    """Make every report that is missing by now; returns how many were tried.

    One that fails is written down, seen by the self-checks, and tried again later.
    """
    runs.plan(settings)
    issuing.remove_files(settings)
    tried = 0
    while goes_on() and (run := runs.claim()):
        tried += 1
        try:
            runs.make(settings, run, goes_on)
        except Exception as error:  # the boundary of a job
            log.exception("report %s %s failed", run.name, run.period)
            runs.failed(run, error)
    return tried
