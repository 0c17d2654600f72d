"""The runs of scheduled jobs: when each was due, when it ran, what came of it.

A run belongs to a moment at which its job was due, and is claimed under the write lock, so that no
job runs twice at once or twice for the same moment. Moments missed while nothing ran are caught up
by one run. A run whose process has died is lost, and its moment is run again; so is that of a run
which the stop of the process broke off. Moments that have not come yet do not count: the clock may
have been ahead when a job ran for them, and is right again.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from peewee import fn

from appliance.core import clock, live, process_id
from appliance.core.clock import microseconds
from appliance.core.db import writing
from appliance.core.statements import Question, value
from appliance.models import JobRun

type Slot = Callable[[dt.datetime], dt.datetime]  # the newest moment at which a job was due

KEPT = dt.timedelta(days=70)  # two monthly runs
_ENDED = ("done", "failed", "new")
_LONGEST = 500  # letters of a result


_RAN = Question(
    lambda: (
        JobRun.select(JobRun.id)
        .where(
            JobRun.name == value("name"),
            JobRun.due_at.between(value("due"), value("until")),
            JobRun.state.in_(_ENDED),
        )
        .limit(1)
    )
)


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


def monthly(at: dt.time, tz: ZoneInfo) -> Slot:
    """Due on the first day of each month at a time of the site's clock."""

    def slot(now: dt.datetime) -> dt.datetime:
        first = dt.datetime.combine(now.astimezone(tz).date().replace(day=1), at, tz)
        if first > now:
            last = first.date() - dt.timedelta(days=1)
            first = dt.datetime.combine(last.replace(day=1), at, tz)
        return first.astimezone(dt.UTC)

    return slot


def is_due(name: str, due_at: dt.datetime) -> bool:
    """Whether a job has not run for a moment yet, nor for a later one that has come."""
    due, until = microseconds(due_at), microseconds(max(due_at, clock.now()))
    return not _RAN.ask(name=name, due=due, until=until)


def begin(name: str, due_at: dt.datetime, holder: str) -> JobRun | None:
    """Claim the run for a moment; None when it has run, or one of that job is still running."""
    with writing():
        for run in JobRun.select().where(JobRun.name == name, JobRun.state == "running"):
            if run.holder != holder and process_id.lives(run.holder):
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
        if not _until_now(name, due_at).exists():
            now = clock.now()
            JobRun.create(
                name=name, due_at=due_at, started_at=now, ended_at=now, state="new", holder=""
            )


def end(run: JobRun, state: str, result: str = "") -> None:
    """Write down what came of a claimed run: `done`, `failed`, or `lost`, to be made anew."""
    with writing():
        _end(run, state, result[:_LONGEST])
        old = JobRun.ended_at < clock.now() - KEPT
        nothing = (JobRun.state == "done") & (JobRun.result == "")
        mine = (JobRun.name == run.name, JobRun.id != run.id)
        # The last that was done stays until the next one is.
        JobRun.delete().where(*mine, old | nothing if state == "done" else old).execute()


def latest() -> list[JobRun]:
    """The newest run of each job, by name; the newest whatever the clock said then."""
    newest = JobRun.select(fn.MAX(JobRun.id)).group_by(JobRun.name)
    return list(JobRun.select().where(JobRun.id.in_(newest)).order_by(JobRun.name))


def last_done(name: str) -> dt.datetime | None:
    """When a job was done last, or became known; None when nothing of that is known."""
    done = JobRun.select(fn.MAX(JobRun.ended_at)).where(
        JobRun.name == name, JobRun.state.in_(["done", "new"]), JobRun.ended_at <= clock.now()
    )
    moment: dt.datetime | None = done.scalar()
    return moment


def failed_twice(name: str) -> JobRun | None:
    """The run of a job that ended last, when it failed and so did the one before it."""
    ended = JobRun.select().where(JobRun.name == name, JobRun.state.in_(["done", "failed"]))
    last = list(ended.order_by(JobRun.id.desc()).limit(2))
    return last[0] if [run.state for run in last] == ["failed", "failed"] else None


def has_failed(name: str) -> bool:
    """Whether the run of a job that ended last failed."""
    ended = JobRun.select().where(JobRun.name == name, JobRun.state.in_(["done", "failed"]))
    last = ended.order_by(JobRun.id.desc()).first()
    return last is not None and last.state == "failed"


def eventful(limit: int = 30) -> list[JobRun]:
    """Runs that did something, failed or were lost, the newest first."""
    telling = (JobRun.result != "") | JobRun.state.in_(["failed", "lost"])
    return list(JobRun.select().where(telling).order_by(JobRun.id.desc()).limit(limit))


def _until_now(name: str, due_at: dt.datetime) -> Any:
    """Runs of a job for moments that have come, that one among them."""
    return JobRun.select().where(JobRun.name == name, JobRun.due_at <= max(due_at, clock.now()))


def _end(run: JobRun, state: str, result: str) -> None:
    JobRun.update(state=state, result=result, ended_at=clock.now()).where(
        JobRun.id == run.id, JobRun.state == "running"
    ).execute()
    if result or state != "done":
        live.publish("jobs")
