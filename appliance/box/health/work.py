"""What is done by itself: reports on schedule and the other jobs."""

import datetime as dt
from collections.abc import Iterator

from appliance.box import retention, runs, timetable
from appliance.box.health.check import Check, moment_text
from appliance.core import clock, process_id
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import JobRun, ReportRun, User

LATE = dt.timedelta(hours=6)  # after which a report that was due is missing
STANDS = dt.timedelta(minutes=5)  # without a run of any job
_AGAIN = N_("It runs again when it is due; see the log of `appliance jobs` for why it failed.")
_DOUBTED = N_(
    "Nothing is removed for now: more than two days lie between the last night and the clock."
)
_CLOCK = N_(
    "If date and time are right, it goes on by itself after three nights; if not, the clock must "
    "be set."
)
_HANGS = N_(
    "Restart it: `systemctl restart appliance-jobs`; its log before that says where it hangs."
)


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
    """Jobs run as they are due. Each has a thread: one that runs long keeps no other from running.

    One that hangs, is not done for too long or fails again and again fails by a name of its own.
    """
    code, name, now = "jobs", N_("Scheduled work"), clock.now()
    latest = runs.latest()
    in_trouble = {check.code: check for run in latest for check in _in_trouble(settings, run)}
    yield from in_trouble.values()
    come = [run.started_at for run in latest if run.started_at <= now]
    failed = next(
        (r for r in latest if r.state == "failed" and f"job.{r.name}" not in in_trouble), None
    )
    if not latest:
        yield Check(
            code, name, "warn", N_("has not run yet"), N_("Look whether `appliance jobs` runs.")
        )
    elif not come:
        yield Check(
            code,
            name,
            "fail",
            N_("no job has run since the clock was put back"),
            N_("Look whether `appliance jobs` runs."),
        )
    elif now - max(come) > STANDS:
        yield Check(
            code,
            name,
            "fail",
            N_("stands since {moment}"),
            N_("Look whether `appliance jobs` runs."),
            {"moment": moment_text(max(come), settings)},
        )
    elif failed:
        yield Check(
            code,
            timetable.TITLES.get(failed.name, name),
            "warn",
            N_("the last run failed, {moment}: {error}"),
            _AGAIN,
            {"error": failed.result, "moment": moment_text(failed.started_at, settings)},
        )
    else:
        yield Check(code, name, "ok", N_("runs as it is due"))


def _in_trouble(settings: Settings, latest: JobRun) -> Iterator[Check]:
    """What is wrong with one job, by its newest run; nothing of one that is not done here."""
    limit, now = timetable.patience(settings).get(latest.name), clock.now()
    if not limit:
        return
    if retention.was_doubted(latest):
        yield Check(f"job.{latest.name}", timetable.TITLES[latest.name], "fail", _DOUBTED, _CLOCK)
        return
    done, failed = runs.last_done(latest.name), runs.failed_twice(latest.name)
    moment: dt.datetime = latest.started_at
    lives = latest.state == "running" and process_id.lives(latest.holder)
    # It may have begun before the clock was put back.
    goes_on = lives and abs(now - moment) <= min(limit, timetable.NIGHTLY)
    if lives and not goes_on:
        seen, advice = N_("runs since {moment}, for far too long"), _HANGS
    elif failed:
        seen, advice = N_("failed twice in a row, {moment}: {error}"), _AGAIN
        moment = failed.started_at
    elif done and not goes_on and now - done > limit:
        seen, advice, moment = N_("was last done {moment}"), _AGAIN, done
    else:
        return
    values = {"moment": moment_text(moment, settings), "error": failed.result if failed else ""}
    yield Check(f"job.{latest.name}", timetable.TITLES[latest.name], "fail", seen, advice, values)
