"""The scheduled reports and the other jobs."""

import datetime as dt
from collections.abc import Iterator

from appliance.box import retention, runs, timetable
from appliance.box.health.check import Check, local_time_text
from appliance.core import clock, process_id
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import JobRun, ReportRun, User

MAX_REPORT_DELAY = dt.timedelta(hours=6)  # after which a due report counts as missing
MAX_JOBS_SILENCE = dt.timedelta(minutes=5)  # without a run of any job
_RETRY_ADVICE = N_(
    "It runs again at its scheduled time; the reason for the failure is in the log of `appliance "
    "jobs`."
)
_CLOCK_DOUBT_FINDING = N_(
    "Nothing is removed for now: more than two days lie between the last nightly run and the "
    "current time."
)
_CLOCK_DOUBT_ADVICE = N_(
    "If the date and time are right, removal continues automatically after three nights; if not, "
    "set the clock."
)
_HANGING_ADVICE = N_(
    "Restart it: `systemctl restart appliance-jobs`; its earlier log shows where it hangs."
)


def check_reports(settings: Settings) -> Iterator[Check]:
    """Check that every report that was due exists."""
    code, name = "reports", N_("Scheduled reports")
    failed_run = (
        ReportRun.select().where(ReportRun.state == "failed").order_by(ReportRun.due_at).first()
    )
    if failed_run:
        yield Check(
            code,
            name,
            "fail",
            N_("{report} was not made: {error}"),
            N_("It is retried automatically; the reason is in the log of `appliance jobs`."),
            {"report": f"{failed_run.name} {failed_run.period}", "error": failed_run.error},
        )
    elif overdue_report := _overdue_report(settings):
        yield Check(
            code,
            name,
            "fail",
            N_("{report} has not been made yet"),
            N_(
                "Check that `appliance jobs` is running. A report is delayed while calls of its "
                "days continue."
            ),
            {"report": overdue_report},
        )
    else:
        yield Check(code, name, "ok", N_("all are made"))


def _overdue_report(settings: Settings) -> str:
    """Return an overdue report's name, even of one never planned; "" if no report is overdue."""
    due_limit = clock.now() - MAX_REPORT_DELAY
    unfinished = ReportRun.select().where(ReportRun.state != "done", ReportRun.due_at < due_limit)
    if run := unfinished.order_by(ReportRun.due_at).first():
        return f"{run.name} {run.period}"
    day = due_limit.astimezone(settings.tz).date() - dt.timedelta(days=1)
    first_user = User.select(User.created_at).order_by(User.created_at).first()
    if first_user is None or first_user.created_at.astimezone(settings.tz).date() > day:
        return ""
    day_runs = ReportRun.select().where(ReportRun.name == "daily", ReportRun.period == str(day))
    return "" if day_runs.exists() else f"daily {day}"


def check_jobs(settings: Settings) -> Iterator[Check]:
    """Check that jobs run when they are due.

    Each job has a thread, so that a long run delays no other job. A job that hangs, is
    not done for too long or fails repeatedly gets a check of its own.
    """
    code, name, now = "jobs", N_("Scheduled jobs"), clock.now()
    latest_runs = runs.latest_runs()
    faults = {check.code: check for run in latest_runs for check in _job_faults(settings, run)}
    yield from faults.values()
    start_times = [run.started_at for run in latest_runs if run.started_at <= now]
    failed_run = next(
        (
            job_run
            for job_run in latest_runs
            if job_run.state == "failed" and f"job.{job_run.name}" not in faults
        ),
        None,
    )
    if not latest_runs:
        yield Check(
            code,
            name,
            "warn",
            N_("have not run yet"),
            N_("Check that `appliance jobs` is running."),
        )
    elif not start_times:
        yield Check(
            code,
            name,
            "fail",
            N_("no job has run since the clock was set back"),
            N_("Check that `appliance jobs` is running."),
        )
    elif now - max(start_times) > MAX_JOBS_SILENCE:
        yield Check(
            code,
            name,
            "fail",
            N_("stopped since {moment}"),
            N_("Check that `appliance jobs` is running."),
            {"moment": local_time_text(max(start_times), settings)},
        )
    elif failed_run:
        yield Check(
            code,
            timetable.JOB_TITLES.get(failed_run.name, name),
            "warn",
            N_("the last run failed, {moment}: {error}"),
            _RETRY_ADVICE,
            {
                "error": failed_run.result,
                "moment": local_time_text(failed_run.started_at, settings),
            },
        )
    else:
        yield Check(code, name, "ok", N_("run on schedule"))


def _job_faults(settings: Settings, latest: JobRun) -> Iterator[Check]:
    """Yield the fault of one job, judged by its newest run; nothing if this site lacks the job."""
    max_age, now = timetable.job_max_ages(settings).get(latest.name), clock.now()
    if not max_age:
        return
    if retention.is_clock_refusal(latest):
        yield Check(
            f"job.{latest.name}",
            timetable.JOB_TITLES[latest.name],
            "fail",
            _CLOCK_DOUBT_FINDING,
            _CLOCK_DOUBT_ADVICE,
        )
        return
    done_at, failed_run = runs.last_done_at(latest.name), runs.repeated_failure(latest.name)
    moment: dt.datetime = latest.started_at
    is_running = latest.state == "running" and process_id.is_process_alive(latest.holder)
    # The absolute difference: the run may have started before the clock was set back.
    is_on_time = is_running and abs(now - moment) <= min(max_age, timetable.NIGHTLY_MAX_AGE)
    if is_running and not is_on_time:
        finding, advice = N_("running since {moment}, for far too long"), _HANGING_ADVICE
    elif failed_run:
        finding, advice = N_("failed twice in a row, {moment}: {error}"), _RETRY_ADVICE
        moment = failed_run.started_at
    elif done_at and not is_on_time and now - done_at > max_age:
        finding, advice, moment = N_("was last done {moment}"), _RETRY_ADVICE, done_at
    else:
        return
    values = {
        "moment": local_time_text(moment, settings),
        "error": failed_run.result if failed_run else "",
    }
    yield Check(
        f"job.{latest.name}", timetable.JOB_TITLES[latest.name], "fail", finding, advice, values
    )
