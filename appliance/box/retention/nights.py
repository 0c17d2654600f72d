"""Whether the clock can be believed: what was removed by age does not come back.

A clock that was set forward makes everything old at once. So a night goes by the nights before it:
where more than two days lie between them the clock has jumped, or the box was off. Nothing is
removed then until the clock has told three nights, one after the other: long enough for somebody to
see it, over a week-end too, and a box without a time server goes on by itself. Only the runs of the
job itself count: all else is soon written by the wrong clock as well.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import JobRun

JOB = "retention"  # its name on the timetable
APART = dt.timedelta(days=2)  # at most between two nights
AGREED = dt.timedelta(days=3) - dt.timedelta(hours=1)  # nights begin some moments early or late


class ClockDoubted(RuntimeError):
    """Nothing is removed, because the clock may be wrong."""


@dataclass(frozen=True)
class Doubt:
    """The gap: the last night before it (None: nobody knows of one), and the clock after it."""

    seen: dt.datetime | None
    since: dt.datetime


def doubt() -> Doubt | None:
    """Why the clock is not believed at this moment; None: it is."""
    now = since = clock.now()
    nights = _nights()
    come = [run for run in nights if run.started_at <= now]
    for run in come:
        if since - run.started_at > APART:
            return Doubt(run.started_at, since)
        if _was_believed(run) and (run.state != "new" or come == nights):
            return None
        since = run.started_at
        if now - since >= AGREED:
            return None
    return Doubt(None, since)


def ask(settings: Settings) -> None:
    """Raise ClockDoubted while the clock is not believed."""
    if not (found := doubt()):
        return
    seen, since = (
        f"{moment.astimezone(settings.tz):%d.%m.%Y %H:%M}" if moment else "an unknown night"
        for moment in (found.seen, found.since)
    )
    raise ClockDoubted(
        f"the clock went from {seen} to {since} with no night in between: nothing is removed until "
        "it has told three nights one after the other. Set it right if it is wrong"
    )


def was_doubted(run: JobRun) -> bool:
    """Whether a run was refused because the clock may be wrong."""
    return run.result.startswith(ClockDoubted.__name__)


def _was_believed(run: JobRun) -> bool:
    """Whether that night went by the clock. A job is `new` on a new site, and when the clock was
    put back behind all its nights: what it is now is then as doubtful as it was before."""
    return run.state != "lost" and not was_doubted(run)


def _nights() -> list[JobRun]:
    """The runs that have ended, the newest by its clock first."""
    ended = (JobRun.name == JOB, JobRun.state != "running")
    return list(JobRun.select().where(*ended).order_by(JobRun.started_at.desc()))
