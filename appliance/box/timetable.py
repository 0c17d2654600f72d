"""The scheduled jobs of a site: name, due times, and the longest time without a run.

The functions that the jobs run are in jobs/timetable.py, under the same names.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from appliance.box import runs
from appliance.box.runs import Slot
from appliance.core.i18n import N_
from appliance.core.settings import Settings

CHECK_INTERVAL_SECONDS = 10  # between two rounds of checks: alarms within 90 s of a fault
_REQUEST_POLL_SECONDS = 10  # seconds between two checks for requests from the pages
_RETENTION_TIME, _INTEGRITY_TIME, _AUDIT_TIME = dt.time(3), dt.time(4), dt.time(5)
_DRILL_TIME = dt.time(2, 30)  # on the first day of each month
# Longest times without a successful run. A frequent job may have to wait for monthly reports.
FREQUENT_MAX_AGE, NIGHTLY_MAX_AGE = dt.timedelta(hours=3), dt.timedelta(hours=50)
WEEKLY_MAX_AGE, MONTHLY_MAX_AGE = dt.timedelta(days=15), dt.timedelta(days=63)


@dataclass(frozen=True)
class ScheduledJob:
    """An entry of the timetable."""

    name: str
    title: str  # a message id
    slot: Callable[[Settings], Slot]  # its due times: see runs.Slot
    max_age: dt.timedelta  # the longest time without a successful run
    is_enabled: Callable[[Settings], object] = lambda settings: True
    catches_up: bool = True  # also runs on a site where the job is new
    start_window: dt.timedelta | None = None  # a run later than this is left out


def _interval_slot(seconds: int) -> Callable[[Settings], Slot]:
    return lambda settings: runs.every_seconds(seconds)


def _daily_slot(at: dt.time) -> Callable[[Settings], Slot]:
    return lambda settings: runs.daily_at(at, settings.tz)


def summary_slot(settings: Settings) -> Slot:
    """Return the due times of the summary of the day."""
    at = settings.telegram.summary if settings.telegram else ""
    return runs.daily_at(dt.time.fromisoformat(at), settings.tz)


def _offline_drill_slot(settings: Settings) -> Slot:
    tests = settings.self_tests
    return runs.weekly_at(tests.offline_weekday, dt.time(tests.offline_hour), settings.tz)


def _evidence_slot(settings: Settings) -> Slot:
    """Return due times: at once if an evidence pack is requested, else hourly for expired packs."""
    from appliance.reports import evidence  # loads PDF code, which job names do not need

    hourly = runs.every_seconds(3600)
    return lambda now: evidence.newest_request_time() or hourly(now)


def _copy_check_slot(settings: Settings) -> Slot:
    """Return the due times of the copy check: hourly, but every ten minutes after a failure."""
    every_ten_minutes, hourly = runs.every_seconds(600), runs.every_seconds(3600)
    return lambda now: (every_ten_minutes if runs.has_last_run_failed("replica") else hourly)(now)


_SCHEDULED_JOBS = (
    ScheduledJob(
        "clear", N_("Clear old page notifications"), _interval_slot(600), FREQUENT_MAX_AGE
    ),
    ScheduledJob("reports", N_("Make reports"), _interval_slot(20), FREQUENT_MAX_AGE),
    ScheduledJob(
        "asterisk", N_("Keep the exchange up to date"), _interval_slot(600), FREQUENT_MAX_AGE
    ),
    ScheduledJob("disks", N_("Check the disks"), _interval_slot(3600), FREQUENT_MAX_AGE),
    ScheduledJob(
        "retention",
        N_("Remove old data"),
        _daily_slot(_RETENTION_TIME),
        NIGHTLY_MAX_AGE,
        catches_up=False,
    ),
    ScheduledJob(
        "checks",
        N_("Check the system and report faults"),
        _interval_slot(CHECK_INTERVAL_SECONDS),
        FREQUENT_MAX_AGE,
    ),
    ScheduledJob(
        "integrity",
        N_("Read the whole database"),
        _daily_slot(_INTEGRITY_TIME),
        NIGHTLY_MAX_AGE,
        catches_up=False,
    ),
    ScheduledJob("audit", N_("Verify the audit"), _daily_slot(_AUDIT_TIME), NIGHTLY_MAX_AGE),
    ScheduledJob(
        "audit_sign",
        N_("Sign the audit"),
        _interval_slot(3600),
        FREQUENT_MAX_AGE,
        lambda site: site.audit.key,
    ),
    ScheduledJob(
        "masks",
        N_("Record whose data were masked, in case of a restore"),
        _interval_slot(60),
        FREQUENT_MAX_AGE,
    ),
    ScheduledJob("readings", N_("Detect unusual viewing"), _interval_slot(300), FREQUENT_MAX_AGE),
    ScheduledJob(
        "evidence",
        N_("Creation of evidence packs"),
        _evidence_slot,
        FREQUENT_MAX_AGE,
        lambda site: site.audit.key,
    ),
    ScheduledJob(
        "callers",
        N_("Write to callers"),
        _interval_slot(20),
        FREQUENT_MAX_AGE,
        lambda site: site.sms,
    ),
    ScheduledJob(
        "duty",
        N_("Notify the next person on duty"),
        _interval_slot(20),
        FREQUENT_MAX_AGE,
        lambda site: site.telegram,
    ),
    ScheduledJob(
        "changes",
        N_("Reminders about the terms of change requests"),
        _interval_slot(600),
        FREQUENT_MAX_AGE,
        lambda site: site.sms or site.telegram,
    ),
    ScheduledJob(
        "summary",
        N_("Report the day's results to the group"),
        summary_slot,
        NIGHTLY_MAX_AGE,
        lambda site: site.telegram and site.telegram.summary,
        catches_up=False,
    ),
    ScheduledJob(
        "snapshot",
        N_("Make a snapshot"),
        lambda site: runs.daily_at(dt.time.fromisoformat(site.snapshots.at), site.tz),
        NIGHTLY_MAX_AGE,
        lambda site: site.backups,
        catches_up=False,
    ),
    ScheduledJob(
        "drill",
        N_("Test a restore"),
        lambda site: runs.monthly_at(_DRILL_TIME, site.tz),
        MONTHLY_MAX_AGE,
        lambda site: site.backups,
        catches_up=False,
    ),
    ScheduledJob(  # waits for the nightly snapshot
        "snapshot_asked",
        N_("Jobs requested on the page Backups"),
        _interval_slot(_REQUEST_POLL_SECONDS),
        NIGHTLY_MAX_AGE,
        lambda site: site.backups,
    ),
    ScheduledJob(
        "replica",
        N_("Trial restore of the continuous copy"),
        _copy_check_slot,
        FREQUENT_MAX_AGE,
        lambda site: site.snapshots.replica,
    ),
    ScheduledJob(
        "replica_going",
        N_("Keep the continuous copy running"),
        _interval_slot(30),
        FREQUENT_MAX_AGE,
        lambda site: site.snapshots.replica,
    ),
    ScheduledJob(
        "self_test_call",
        N_("Test call"),
        lambda site: runs.every_seconds(site.self_tests.call_minutes * 60),
        FREQUENT_MAX_AGE,
        lambda site: site.self_tests.call_minutes,
        catches_up=False,
    ),
    ScheduledJob(
        "self_test_carriers",
        N_("Test calls over the trunks"),
        _interval_slot(60),  # selftests.is_trunk_call_due decides which trunks are due
        FREQUENT_MAX_AGE,
        lambda site: site.self_tests.carrier_minutes,
        catches_up=False,
    ),
    ScheduledJob(
        "self_test_offline",
        N_("Test without the internet"),
        _offline_drill_slot,
        WEEKLY_MAX_AGE,
        lambda site: site.self_tests.offline_weekday,
        catches_up=False,
    ),
    ScheduledJob(  # it saturates the line: never run at midday because the box was off at night
        "rate",
        N_("Measure the internet speed"),
        lambda site: runs.daily_at(dt.time(site.links.rate_hour), site.tz),
        NIGHTLY_MAX_AGE,
        lambda site: site.links.rate_url,
        catches_up=False,
        start_window=dt.timedelta(hours=1),
    ),
)
JOB_TITLES = {job.name: job.title for job in _SCHEDULED_JOBS}


def site_jobs(settings: Settings) -> list[ScheduledJob]:
    """Return the jobs that the settings of a site enable."""
    return [job for job in _SCHEDULED_JOBS if job.is_enabled(settings)]


def job_max_ages(settings: Settings) -> dict[str, dt.timedelta]:
    """Map every job of a site to the longest time it may go without a successful run."""
    max_ages = {job.name: job.max_age for job in site_jobs(settings)}
    tests = settings.self_tests
    for name, minutes in (
        ("self_test_call", tests.call_minutes),
        ("self_test_carriers", tests.carrier_minutes),
    ):
        if name in max_ages:
            max_ages[name] = max(FREQUENT_MAX_AGE, 3 * dt.timedelta(minutes=minutes))
    return max_ages
