"""The timetable of reports: what has to be made, who makes it, what failed.

A run is a row for each report and period, so that none is made twice; whoever makes it has claimed
the row by a conditional UPDATE and holds it for LEASE, after which it counts as left behind.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import ReportRun, User
from appliance.reports import files, issuing
from appliance.reports.periods import Period, quarter_of

SETTLED = dt.timedelta(hours=1)  # after a period's end: calls have ended, recordings are measured
LEASE = dt.timedelta(minutes=15)
AGAIN = dt.timedelta(minutes=10)  # after a failure, doubled by each further one
_LONGEST = dt.timedelta(hours=6)
_BACK = {"daily": 7, "monthly": 2, "quarterly": 2}  # periods that are made up for
_ERROR = 500  # letters


def plan(settings: Settings) -> int:
    """Write down the runs that are missing by now; returns how many."""
    now = clock.now()
    first = User.select(User.created_at).order_by(User.created_at).first()
    began = first.created_at if first else now
    missing = 0
    for name, text in _expected(now.astimezone(settings.tz).date()):
        period = files.FORMS[name].period(text, settings.tz, None)
        due = period.end + SETTLED
        if began < period.end and due <= now:
            row = {"name": name, "period": text, "due_at": due, "next_at": due}
            known = ReportRun.select().where(ReportRun.name == name, ReportRun.period == text)
            if not known.exists():
                ReportRun.insert(row).on_conflict_ignore().execute()
                missing += 1
    return missing


def ask(name: str, period: str, upto: str, by: str) -> ReportRun:
    """Have a report issued as soon as its period is closed; again, when it was before."""
    now = clock.now()
    with writing():
        run, made = ReportRun.get_or_create(
            name=name, period=period, upto=upto, defaults={"due_at": now, "next_at": now, "by": by}
        )
        if not made and run.state != "running":
            again = {"state": "due", "due_at": now, "next_at": now, "by": by}
            ReportRun.update(**again, attempts=0, error="").where(ReportRun.id == run.id).execute()
        live.publish("reports")
    return run


def claim() -> ReportRun | None:
    """The next run to be made, now held by the caller; None when nothing is due."""
    now, token = clock.now(), secrets.token_hex(8)
    ready = ReportRun.select(ReportRun.id).where(
        ReportRun.state != "done", ReportRun.next_at <= now
    )
    with writing():
        first = ready.order_by(ReportRun.due_at, ReportRun.id).limit(1).scalar()
        taken = (
            ReportRun.update(
                state="running", claim=token, next_at=now + LEASE, attempts=ReportRun.attempts + 1
            )
            .where(ReportRun.id == first, ReportRun.state != "done", ReportRun.next_at <= now)
            .execute()
        )
        return ReportRun.get(ReportRun.claim == token) if taken else None


def make(settings: Settings, run: ReportRun, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Make a claimed run's report; one whose period is not closed waits."""
    form = files.FORMS[run.name]
    period: Period = form.period(run.period, settings.tz, run.upto or None)
    try:
        issuing.issue(settings, run.name, period, run.by, run, goes_on)
    except issuing.NotClosed as error:
        _put_back(run, AGAIN, str(error))
    except issuing.Stopped:
        _put_back(run, dt.timedelta(), "")


def failed(run: ReportRun, error: Exception) -> None:
    """Write down that a claimed run failed; it is tried again, each time later."""
    wait = min(AGAIN * 2 ** min(run.attempts - 1, 10), _LONGEST)
    reason = f"{type(error).__name__}: {error}"[:_ERROR]
    _held(run, state="failed", error=reason, next_at=clock.now() + wait)


def run(number: int) -> ReportRun | None:
    """The run with this id; None when there is none."""
    return ReportRun.get_or_none(ReportRun.id == number)


def retry(run: ReportRun) -> None:
    """Try a failed or waiting run at once."""
    waiting = ReportRun.state << ("failed", "due")
    ReportRun.update(next_at=clock.now()).where(ReportRun.id == run.id, waiting).execute()


def unfinished() -> list[ReportRun]:
    """What was not made yet, the oldest first."""
    return list(ReportRun.select().where(ReportRun.state != "done").order_by(ReportRun.due_at))


def _put_back(run: ReportRun, wait: dt.timedelta, why: str) -> None:
    _held(run, state="due", error=why, next_at=clock.now() + wait, attempts=run.attempts - 1)


def _held(run: ReportRun, **values: object) -> None:
    claimed = (ReportRun.id == run.id, ReportRun.claim == run.claim, ReportRun.state == "running")
    with writing():
        ReportRun.update(**values).where(*claimed).execute()
        live.publish("reports")


def _expected(today: dt.date) -> Iterator[tuple[str, str]]:
    """Name and period of each report whose period was over before today, as far back as _BACK."""
    day = dt.timedelta(days=1)
    for number in range(_BACK["daily"], 0, -1):
        yield "daily", str(today - number * day)
    first = today.replace(day=1)
    for _ in range(_BACK["monthly"]):
        first = (first - day).replace(day=1)
        yield "monthly", f"{first:%Y-%m}"
        yield "accesses", f"{first:%Y-%m}"
    for number in range(1, _BACK["quarterly"] + 1):
        months = today.year * 12 + today.month - 1 - 3 * number
        yield "quarterly", quarter_of(dt.date(months // 12, months % 12 + 1, 1))
