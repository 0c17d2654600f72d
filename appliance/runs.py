"""The runs of scheduled jobs: when each was due, when it ran, what came of it.

A run belongs to a moment at which its job was due, and is claimed under the write lock, so that no
job runs twice at once or twice for the same moment. Moments missed while nothing ran are caught up
by one run. A run whose process has died is lost, and its moment is run again.
"""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import clock, live
from appliance.db import writing
from appliance.models import JobRun

type Slot = Callable[[dt.datetime], dt.datetime]  # the newest moment at which a job was due

KEPT = dt.timedelta(days=30)
_ENDED = ("done", "failed", "new")
_LONGEST = 500  # letters of a result


def every(seconds: int) -> Slot:
    """Due each so many seconds."""

    def slot(now: dt.datetime) -> dt.datetime:
        return dt.datetime.fromtimestamp(now.timestamp() // seconds * seconds, dt.UTC)

    return slot


def daily(at: dt.time, tz: ZoneInfo) -> Slot:
    """Due each day at a time of the site's clock."""

    def slot(now: dt.datetime) -> dt.datetime:
        local = now.astimezone(tz)
        day = local.date() - dt.timedelta(days=local.time() < at)
        return dt.datetime.combine(day, at, tz).astimezone(dt.UTC)

    return slot


def weekly(weekday: int, at: dt.time, tz: ZoneInfo) -> Slot:
    """Due each week on a day (1 Monday … 7 Sunday) at a time of the site's clock."""
    day = daily(at, tz)

    def slot(now: dt.datetime) -> dt.datetime:
        newest = day(now)
        back = (newest.astimezone(tz).isoweekday() - weekday) % 7
        return day(newest - dt.timedelta(days=back))

    return slot


def is_due(name: str, due_at: dt.datetime) -> bool:
    """Whether a job has not run for a moment yet, nor for a later one."""
    ran = JobRun.select().where(
        JobRun.name == name, JobRun.due_at >= due_at, JobRun.state.in_(_ENDED)
    )
    return not ran.exists()


def begin(name: str, due_at: dt.datetime, holder: str) -> JobRun | None:
    """Claim the run for a moment; None when it has run, or one of that job is still running."""
    with writing():
        for run in JobRun.select().where(JobRun.name == name, JobRun.state == "running"):
            if run.holder != holder and lives(run.holder):
                return None
            _end(run, "lost", "")
        if not is_due(name, due_at):
            return None
        now = clock.now()
        JobRun.delete().where(JobRun.name == name, JobRun.due_at == due_at).execute()
        return JobRun.create(name=name, due_at=due_at, started_at=now, holder=holder)


def begin_later(name: str, due_at: dt.datetime) -> None:
    """A job that this site did not know before runs from its next moment on, not for this one."""
    with writing():
        if not JobRun.select().where(JobRun.name == name).exists():
            now = clock.now()
            JobRun.create(
                name=name, due_at=due_at, started_at=now, ended_at=now, state="new", holder=""
            )


def end(run: JobRun, state: str, result: str = "") -> None:
    """Write down what came of a claimed run: `done` or `failed`."""
    with writing():
        _end(run, state, result[:_LONGEST])
        old = JobRun.ended_at < clock.now() - KEPT
        nothing = (JobRun.state == "done") & (JobRun.result == "")
        mine = (JobRun.name == run.name, JobRun.id != run.id)
        JobRun.delete().where(*mine, old | nothing).execute()


def this_process() -> str:
    """A name for this process that no other ever has on this machine while it is up."""
    return f"{os.getpid()}:{_started(os.getpid())}"


def latest() -> list[JobRun]:
    """The newest run of each job, by name."""
    newest: dict[str, JobRun] = {}
    for run in JobRun.select().order_by(JobRun.started_at):
        newest[run.name] = run
    return [newest[name] for name in sorted(newest)]


def told(limit: int = 30) -> list[JobRun]:
    """Runs that did something, failed or were lost, the newest first."""
    telling = (JobRun.result != "") | JobRun.state.in_(["failed", "lost"])
    return list(JobRun.select().where(telling).order_by(JobRun.started_at.desc()).limit(limit))


def _end(run: JobRun, state: str, result: str) -> None:
    JobRun.update(state=state, result=result, ended_at=clock.now()).where(
        JobRun.id == run.id, JobRun.state == "running"
    ).execute()
    if result or state != "done":
        live.publish("jobs")


def lives(holder: str) -> bool:
    """Whether the process of that name (`this_process`) still runs."""
    pid, _, started = holder.partition(":")
    return pid.isdecimal() and bool(started) and _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; "" when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
