"""The job that builds the reports that are due."""

import logging
from collections.abc import Callable

from appliance.core.settings import Settings
from appliance.reports import issuing, runs

log = logging.getLogger(__name__)


def build_due_reports(settings: Settings, may_continue: Callable[[], bool]) -> int:
    """Build every report that is due; returns how many were attempted.

    If a report fails, that is recorded and reported by the self-checks, and the report is attempted
    again later.
    """
    runs.plan_runs(settings)
    issuing.remove_files(settings)
    attempts = 0
    while may_continue() and (run := runs.claim_run()):
        attempts += 1
        try:
            runs.make_report(settings, run, may_continue)
        except Exception as error:  # the boundary of a job
            log.exception("report %s %s failed", run.name, run.period)
            runs.record_failure(run, error)
    return attempts
