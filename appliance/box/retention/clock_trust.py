"""Decides whether the clock can be trusted, because removal by age cannot be undone.

A clock that was set forward makes everything old at once. Therefore each night (a run of the
retention job) is compared with the nights before it: if more than two days lie between two nights,
the clock has jumped or the box was off.
Then nothing is removed until the clock has shown three consecutive nights: long enough for a person
to notice, even over a weekend, while a box without a time server continues on its own. Only the
runs of the retention job count: the wrong clock soon affects all other rows as well.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import JobRun

RETENTION_JOB = "retention"  # its name in the timetable
MAX_NIGHT_GAP = dt.timedelta(days=2)  # a longer gap is doubtful
TRUST_PERIOD = dt.timedelta(days=3) - dt.timedelta(hours=1)  # nights vary a little


class ClockDoubted(RuntimeError):
    """Nothing is removed because the clock may be wrong."""


@dataclass(frozen=True)
class ClockGap:
    """A gap between nights. `seen`: the last night before it, if known; `since`: when it ended."""

    seen: dt.datetime | None
    since: dt.datetime


def clock_gap() -> ClockGap | None:
    """Return the gap because of which the clock is distrusted now, if it is."""
    now = since = clock.now()
    nights = _ended_nights()
    past_nights = [run for run in nights if run.started_at <= now]
    for run in past_nights:
        if since - run.started_at > MAX_NIGHT_GAP:
            return ClockGap(run.started_at, since)
        # A job is `new` on a new site, and also after the clock was set back before all nights:
        # the current time is then as doubtful as it was before.
        if _is_trusted_night(run) and (run.state != "new" or past_nights == nights):
            return None
        since = run.started_at
        if now - since >= TRUST_PERIOD:
            return None
    return ClockGap(None, since)


def require_trusted_clock(settings: Settings) -> None:
    """Raise ClockDoubted while the clock is distrusted."""
    if not (gap := clock_gap()):
        return
    last_night, since = (
        f"{timestamp.astimezone(settings.tz):%d.%m.%Y %H:%M}" if timestamp else "an unknown night"
        for timestamp in (gap.seen, gap.since)
    )
    raise ClockDoubted(
        f"the clock went from {last_night} to {since} with no night in between: nothing "
        "is removed until "
        "it has told three nights one after the other. Set it right if it is wrong"
    )


def is_clock_refusal(run: JobRun) -> bool:
    """Whether a run was refused because the clock may be wrong."""
    return bool(run.result.startswith(ClockDoubted.__name__))


def _is_trusted_night(run: JobRun) -> bool:
    """Whether the clock was trusted in that night."""
    return run.state != "lost" and not is_clock_refusal(run)


def _ended_nights() -> list[JobRun]:
    """Return the ended runs of the retention job, newest first by their start."""
    is_ended = (JobRun.name == RETENTION_JOB, JobRun.state != "running")
    return list(JobRun.select().where(*is_ended).order_by(JobRun.started_at.desc()))
