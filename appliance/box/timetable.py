"""The scheduled jobs of a site, each once: its name, when it is due, how long it may go undone.

What a job does stands in jobs/timetable.py under the same name.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from appliance.box import runs
from appliance.box.runs import Slot
from appliance.core.i18n import N_
from appliance.core.settings import Settings

CHECKS = 10  # seconds between two looks at the box: an alarm comes within 90 s of a fault
_LOOK = 10  # seconds between two looks at what was asked for
_NIGHT, _LATER, _LAST_OF_NIGHT = dt.time(3), dt.time(4), dt.time(5)
_DRILL = dt.time(2, 30)  # on the first day of a month
# Without its being done. What is due often may take as long as the reports of a month do.
OFTEN, NIGHTLY = dt.timedelta(hours=3), dt.timedelta(hours=50)
WEEKLY, MONTHLY = dt.timedelta(days=15), dt.timedelta(days=63)


@dataclass(frozen=True)
class Scheduled:
    """A job as the timetable knows it."""

    name: str
    title: str  # a message id
    slot: Callable[[Settings], Slot]
    patience: dt.timedelta  # it may go so long without being done
    wanted: Callable[[Settings], object] = lambda settings: True
    catches_up: bool = True  # also on a site that did not know the job before
    within: dt.timedelta | None = None  # later than that after its moment it waits for the next one


def _every(seconds: int) -> Callable[[Settings], Slot]:
    return lambda settings: runs.every(seconds)


def _daily(at: dt.time) -> Callable[[Settings], Slot]:
    return lambda settings: runs.daily(at, settings.tz)


def summary_slot(settings: Settings) -> Slot:
    """When the summary of the day is due."""
    at = settings.telegram.summary if settings.telegram else ""
    return runs.daily(dt.time.fromisoformat(at), settings.tz)


def _offline(settings: Settings) -> Slot:
    tests = settings.self_tests
    return runs.weekly(tests.offline_weekday, dt.time(tests.offline_hour), settings.tz)


def _evidence(settings: Settings) -> Slot:
    """At once when a pack was asked for, else each hour, for those that are old enough to go."""
    from appliance.reports import evidence  # all that prints: not for who reads the names of jobs

    hourly = runs.every(3600)
    return lambda now: evidence.waits() or hourly(now)


def _copy_check(settings: Settings) -> Slot:
    """Each hour; after one that failed each ten minutes."""
    often, hourly = runs.every(600), runs.every(3600)
    return lambda now: (often if runs.has_failed("replica") else hourly)(now)


_SCHEDULED = (
    Scheduled("clear", N_("Clear old notes to open pages"), _every(600), OFTEN),
    Scheduled("reports", N_("Make reports"), _every(20), OFTEN),
    Scheduled("asterisk", N_("Keep the exchange up to date"), _every(600), OFTEN),
    Scheduled("disks", N_("Look at the disks"), _every(3600), OFTEN),
    Scheduled("retention", N_("Remove what is old"), _daily(_NIGHT), NIGHTLY, catches_up=False),
    Scheduled("checks", N_("Check the box and tell of faults"), _every(CHECKS), OFTEN),
    Scheduled(
        "integrity", N_("Read the whole database"), _daily(_LATER), NIGHTLY, catches_up=False
    ),
    Scheduled("audit", N_("Verify the audit"), _daily(_LAST_OF_NIGHT), NIGHTLY),
    Scheduled("audit_sign", N_("Sign the audit"), _every(3600), OFTEN, lambda site: site.audit.key),
    Scheduled("masks", N_("Note who was masked, for a restore"), _every(60), OFTEN),
    Scheduled("readings", N_("Look for unusual reading"), _every(300), OFTEN),
    Scheduled("evidence", N_("Make evidence packs"), _evidence, OFTEN, lambda site: site.audit.key),
    Scheduled("callers", N_("Write to callers"), _every(20), OFTEN, lambda site: site.sms),
    Scheduled("duty", N_("Ask the next on duty"), _every(20), OFTEN, lambda site: site.telegram),
    Scheduled(
        "changes",
        N_("Remind of the terms of change requests"),
        _every(600),
        OFTEN,
        lambda site: site.sms or site.telegram,
    ),
    Scheduled(
        "summary",
        N_("Tell the group how the day went"),
        summary_slot,
        NIGHTLY,
        lambda site: site.telegram and site.telegram.summary,
        catches_up=False,
    ),
    Scheduled(
        "snapshot",
        N_("Make a snapshot"),
        lambda site: runs.daily(dt.time.fromisoformat(site.snapshots.at), site.tz),
        NIGHTLY,
        lambda site: site.backups,
        catches_up=False,
    ),
    Scheduled(
        "drill",
        N_("Try a restore"),
        lambda site: runs.monthly(_DRILL, site.tz),
        MONTHLY,
        lambda site: site.backups,
        catches_up=False,
    ),
    Scheduled(  # waits for the snapshot of the night
        "snapshot_asked",
        N_("What was asked for on the page Backups"),
        _every(_LOOK),
        NIGHTLY,
        lambda site: site.backups,
    ),
    Scheduled(
        "replica",
        N_("Restore the continuous copy for trial"),
        _copy_check,
        OFTEN,
        lambda site: site.snapshots.replica,
    ),
    Scheduled(
        "replica_going",
        N_("Keep the continuous copy going"),
        _every(30),
        OFTEN,
        lambda site: site.snapshots.replica,
    ),
    Scheduled(
        "self_test_call",
        N_("Test call"),
        lambda site: runs.every(site.self_tests.call_minutes * 60),
        OFTEN,
        lambda site: site.self_tests.call_minutes,
        catches_up=False,
    ),
    Scheduled(
        "self_test_carriers",
        N_("Test calls over the trunks"),
        _every(60),  # which of them are due: selftests.is_due_over
        OFTEN,
        lambda site: site.self_tests.carrier_minutes,
        catches_up=False,
    ),
    Scheduled(
        "self_test_offline",
        N_("Drill without the internet"),
        _offline,
        WEEKLY,
        lambda site: site.self_tests.offline_weekday,
        catches_up=False,
    ),
    Scheduled(  # it fills the line: never in the middle of the day, when the box was off at night
        "rate",
        N_("Measure the rate of the internet"),
        lambda site: runs.daily(dt.time(site.links.rate_hour), site.tz),
        NIGHTLY,
        lambda site: site.links.rate_url,
        catches_up=False,
        within=dt.timedelta(hours=1),
    ),
)
TITLES = {job.name: job.title for job in _SCHEDULED}


def of(settings: Settings) -> list[Scheduled]:
    """The jobs that a site has by its settings."""
    return [job for job in _SCHEDULED if job.wanted(settings)]


def patience(settings: Settings) -> dict[str, dt.timedelta]:
    """Every job of a site, and for how long it may go without being done."""
    due = {job.name: job.patience for job in of(settings)}
    tests = settings.self_tests
    for name, minutes in (
        ("self_test_call", tests.call_minutes),
        ("self_test_carriers", tests.carrier_minutes),
    ):
        if name in due:
            due[name] = max(OFTEN, 3 * dt.timedelta(minutes=minutes))
    return due
