"""What is done by itself: reports on schedule and the other jobs."""

import datetime as dt
from collections.abc import Iterator

from appliance import clock, runs
from appliance.health.looking import N_, Check, told
from appliance.models import ReportRun, User
from appliance.settings import Settings

LATE = dt.timedelta(hours=6)  # after which a report that was due is missing
JOBS = {
    "clear": N_("Clear old notes to open pages"),
    "reports": N_("Make reports"),
    "asterisk": N_("Keep the exchange up to date"),
    "disks": N_("Look at the disks"),
    "retention": N_("Remove what is old"),
    "callers": N_("Write to callers"),
    "duty": N_("Ask the next on duty"),
    "summary": N_("Tell the group how the day went"),
    "checks": N_("Check the box and tell of faults"),
    "integrity": N_("Read the whole database"),
    "self_test_call": N_("Test call"),
    "self_test_offline": N_("Drill without the internet"),
    "rate": N_("Measure the rate of the internet"),
    "snapshot": N_("Make a snapshot"),
    "drill": N_("Try a restore"),
    "snapshot_asked": N_("What was asked for on the page Backups"),
}
STANDS = dt.timedelta(minutes=5)  # without a run of any job


def reports(settings: Settings) -> Iterator[Check]:
    """Reports that were due are there."""
    code, name = "reports", N_("Reports on schedule")
    failed = (
        ReportRun.select().where(ReportRun.state == "failed").order_by(ReportRun.due_at).first()
    )
    if failed:
        yield Check(
            code,
            name,
            "fail",
            N_("{report} was not made: {error}"),
            N_("It is tried again by itself; see the log of `appliance jobs` for why it failed."),
            {"report": f"{failed.name} {failed.period}", "error": failed.error},
        )
    elif overdue := _overdue(settings):
        yield Check(
            code,
            name,
            "fail",
            N_("{report} is not made yet"),
            N_("Look whether `appliance jobs` runs. A report waits while calls of its days go on."),
            {"report": overdue},
        )
    else:
        yield Check(code, name, "ok", N_("none is missing"))


def _overdue(settings: Settings) -> str:
    """A report that should be there by now; also one that nobody has even planned; "" for none."""
    late = clock.now() - LATE
    waiting = ReportRun.select().where(ReportRun.state != "done", ReportRun.due_at < late)
    if run := waiting.order_by(ReportRun.due_at).first():
        return f"{run.name} {run.period}"
    day = late.astimezone(settings.tz).date() - dt.timedelta(days=1)
    first = User.select(User.created_at).order_by(User.created_at).first()
    if first is None or first.created_at.astimezone(settings.tz).date() > day:
        return ""
    planned = ReportRun.select().where(ReportRun.name == "daily", ReportRun.period == str(day))
    return "" if planned.exists() else f"daily {day}"


def jobs(settings: Settings) -> Iterator[Check]:
    """Jobs run as they are due."""
    code, name = "jobs", N_("Scheduled work")
    latest = runs.latest()
    newest = max((run.started_at for run in latest), default=None)
    failed = next((run for run in latest if run.state == "failed"), None)
    if newest is None:
        yield Check(
            code, name, "warn", N_("has not run yet"), N_("Look whether `appliance jobs` runs.")
        )
    elif clock.now() - newest > STANDS and not any(run.state == "running" for run in latest):
        yield Check(
            code,
            name,
            "fail",
            N_("stands since {moment}"),
            N_("Look whether `appliance jobs` runs."),
            {"moment": told(newest, settings)},
        )
    elif failed:
        yield Check(
            code,
            JOBS.get(failed.name, name),
            "warn",
            N_("the last run failed, {moment}: {error}"),
            N_("It runs again when it is due; see the log of `appliance jobs` for why it failed."),
            {"error": failed.result, "moment": told(failed.started_at, settings)},
        )
    else:
        yield Check(code, name, "ok", N_("runs as it is due"))
