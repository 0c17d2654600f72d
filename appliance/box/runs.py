"""The runs of scheduled jobs: when each was due, when it ran, and its result.

A run belongs to a time at which its job was due, and is claimed under the write lock, so that no
job runs twice at once or twice for the same due time. Due times missed while no jobs process ran
are made up for by one run. A run whose process has died is lost, and its due time is run again; the
same holds for a run interrupted by the stop of its process. Runs for due times in the future do not
count: the clock may have been ahead when a job ran for them, and has since been corrected.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from peewee import fn

from appliance.core import clock, live, process_id
from appliance.core.clock import microseconds_since_epoch
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import JobRun

# A slot receives the current time and returns the newest time at which a job was due.
type Slot = Callable[[dt.datetime], dt.datetime]

RUN_RETENTION = dt.timedelta(days=70)  # covers two monthly runs
_FINAL_STATES = ("done", "failed", "new")
_MAX_RESULT_LETTERS = 500  # maximum length of a stored result, in letters


_FINISHED_RUN = PreparedQuery(
    lambda: (
        JobRun.select(JobRun.id)
        .where(
            JobRun.name == query_parameter("name"),
            JobRun.due_at.between(query_parameter("due"), query_parameter("until")),
            JobRun.state.in_(_FINAL_STATES),
        )
        .limit(1)
    )
)


def every_seconds(seconds: int) -> Slot:
    """Return the slot of a job that is due every `seconds` seconds."""

    def interval_slot(now: dt.datetime) -> dt.datetime:
        return dt.datetime.fromtimestamp(now.timestamp() // seconds * seconds, dt.UTC)

    return interval_slot


def daily_at(at: dt.time, tz: ZoneInfo) -> Slot:
    """Return the slot of a job that is due daily at a local time of the site."""

    def daily_slot(now: dt.datetime) -> dt.datetime:
        local = now.astimezone(tz)
        day = local.date() - dt.timedelta(days=local.time() < at)
        return dt.datetime.combine(day, at, tz).astimezone(dt.UTC)

    return daily_slot


def weekly_at(weekday: int, at: dt.time, tz: ZoneInfo) -> Slot:
    """Return the slot of a weekly job. `weekday`: 1 (Monday) to 7; `at`: local time."""
    newest_daily = daily_at(at, tz)

    def weekly_slot(now: dt.datetime) -> dt.datetime:
        newest = newest_daily(now)
        days_back = (newest.astimezone(tz).isoweekday() - weekday) % 7
        return newest_daily(newest - dt.timedelta(days=days_back))

    return weekly_slot


def monthly_at(at: dt.time, tz: ZoneInfo) -> Slot:
    """Return the slot of a job that is due on the first of each month at a local time."""

    def monthly_slot(now: dt.datetime) -> dt.datetime:
        first = dt.datetime.combine(now.astimezone(tz).date().replace(day=1), at, tz)
        if first > now:
            last = first.date() - dt.timedelta(days=1)
            first = dt.datetime.combine(last.replace(day=1), at, tz)
        return first.astimezone(dt.UTC)

    return monthly_slot


def is_run_due(name: str, due_at: dt.datetime) -> bool:
    """Whether a job has not yet run for `due_at`, nor for a later due time that has passed."""
    due, until = (
        microseconds_since_epoch(due_at),
        microseconds_since_epoch(max(due_at, clock.now())),
    )
    return not _FINISHED_RUN.fetch_tuples(name=name, due=due, until=until)


def claim_run(name: str, due_at: dt.datetime, holder: str) -> JobRun | None:
    """Claim the run for a due time; returns None if it has run or the job is still running."""
    with write_transaction():
        for run in JobRun.select().where(JobRun.name == name, JobRun.state == "running"):
            if run.holder != holder and process_id.is_process_alive(run.holder):
                return None
            _close_run(run, "lost", "")
        if not is_run_due(name, due_at):
            return None
        now = clock.now()
        JobRun.delete().where(JobRun.name == name, JobRun.due_at == due_at).execute()
        new_run: JobRun = JobRun.create(name=name, due_at=due_at, started_at=now, holder=holder)
        return new_run


def record_new_job(name: str, due_at: dt.datetime) -> None:
    """Record a job that is new to this site, so that it first runs at its next due time."""
    with write_transaction():
        if not _runs_until_now(name, due_at).exists():
            now = clock.now()
            JobRun.create(
                name=name, due_at=due_at, started_at=now, ended_at=now, state="new", holder=""
            )


def finish_run(run: JobRun, state: str, result: str = "") -> None:
    """Store the result of a claimed run. `state`: `done`, `failed`, or `lost` (it is repeated)."""
    with write_transaction():
        _close_run(run, state, result[:_MAX_RESULT_LETTERS])
        is_old = JobRun.ended_at < clock.now() - RUN_RETENTION
        is_uneventful = (JobRun.state == "done") & (JobRun.result == "")
        other_runs = (JobRun.name == run.name, JobRun.id != run.id)
        # The last successful run is kept until the next one is done.
        JobRun.delete().where(
            *other_runs, is_old | is_uneventful if state == "done" else is_old
        ).execute()


def latest_runs() -> list[JobRun]:
    """Return the newest run of each job by id, as its times may be wrong, ordered by name."""
    newest = JobRun.select(fn.MAX(JobRun.id)).group_by(JobRun.name)
    return list(JobRun.select().where(JobRun.id.in_(newest)).order_by(JobRun.name))


def last_done_at(name: str) -> dt.datetime | None:
    """Return when a job last succeeded or was first recorded, if either is known."""
    newest_end = JobRun.select(fn.MAX(JobRun.ended_at)).where(
        JobRun.name == name, JobRun.state.in_(["done", "new"]), JobRun.ended_at <= clock.now()
    )
    ended_at: dt.datetime | None = newest_end.scalar()
    return ended_at


def repeated_failure(name: str) -> JobRun | None:
    """Return the last finished run of a job, if it and the one before it failed."""
    finished_runs = JobRun.select().where(JobRun.name == name, JobRun.state.in_(["done", "failed"]))
    last_two = list(finished_runs.order_by(JobRun.id.desc()).limit(2))
    return last_two[0] if [run.state for run in last_two] == ["failed", "failed"] else None


def has_last_run_failed(name: str) -> bool:
    """Whether the last finished run of a job failed."""
    finished_runs = JobRun.select().where(JobRun.name == name, JobRun.state.in_(["done", "failed"]))
    last = finished_runs.order_by(JobRun.id.desc()).first()
    return last is not None and last.state == "failed"


def eventful_runs(limit: int = 30) -> list[JobRun]:
    """Return the runs that had a result, failed or were lost, newest first."""
    is_eventful = (JobRun.result != "") | JobRun.state.in_(["failed", "lost"])
    return list(JobRun.select().where(is_eventful).order_by(JobRun.id.desc()).limit(limit))


def _runs_until_now(name: str, due_at: dt.datetime) -> Any:
    """Return the runs of a job for due times that have passed, and for `due_at`."""
    return JobRun.select().where(JobRun.name == name, JobRun.due_at <= max(due_at, clock.now()))


def _close_run(run: JobRun, state: str, result: str) -> None:
    """Close a run that is still running; notify the pages unless it was uneventful."""
    JobRun.update(state=state, result=result, ended_at=clock.now()).where(
        JobRun.id == run.id, JobRun.state == "running"
    ).execute()
    if result or state != "done":
        live.publish_topics("jobs")
