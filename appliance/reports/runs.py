"""The schedule of reports: which are to be made, which process makes them, which failed.

A run is the task of making one report for one period. There is one row for each, so no report is
made twice. A process claims a run with a conditional UPDATE and then has CLAIM_LEASE to finish it;
after that another process may claim it.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.core.statements import find_row
from appliance.models import ReportRun, User
from appliance.reports import files, issuing
from appliance.reports.periods import Period, quarter_name

# after a period's end, so that calls have ended and their recordings are measured
SETTLING_DELAY = dt.timedelta(hours=1)
CLAIM_LEASE = dt.timedelta(minutes=15)
RETRY_DELAY = dt.timedelta(minutes=10)  # after a failure, doubled after each further failure
_MAX_RETRY_DELAY = dt.timedelta(hours=6)
# the number of past periods for which missing reports are made
_BACKFILLED_PERIODS = {"daily": 7, "monthly": 2, "quarterly": 2}
_MAX_ERROR_LENGTH = 500  # characters


def plan_runs(settings: Settings) -> int:
    """Create the runs that are due and do not exist yet, and return their number.

    Periods that ended before the first user was created are left out.
    """
    now = clock.now()
    first_user = User.select(User.created_at).order_by(User.created_at).first()
    in_use_since = first_user.created_at if first_user else now
    missing = 0
    for name, text in _expected_runs(now.astimezone(settings.tz).date()):
        period = files.FORMS[name].parse_period(text, settings.tz, None)
        due = period.end + SETTLING_DELAY
        if in_use_since < period.end and due <= now:
            row = {"name": name, "period": text, "due_at": due, "next_at": due}
            existing_run = ReportRun.select().where(
                ReportRun.name == name, ReportRun.period == text
            )
            if not existing_run.exists():
                ReportRun.insert(row).on_conflict_ignore().execute()
                missing += 1
    return missing


def request_run(name: str, period: str, upto: str, by: str) -> ReportRun:
    """Request a report, which is issued as soon as its period is over and its calls have ended.

    `name` is a key of files.FORMS, `period` a text such as "2026-10", and `upto` the date on which
    the period ends early, "" for the whole period; `by` is the login of the user. A report that was
    already issued is issued again. If a process is making the report, nothing is changed. Returns
    the run in each case.
    """
    now = clock.now()
    with write_transaction():
        run: ReportRun
        run, is_new = ReportRun.get_or_create(
            name=name, period=period, upto=upto, defaults={"due_at": now, "next_at": now, "by": by}
        )
        if not is_new and run.state != "running":
            reset_values = {"state": "due", "due_at": now, "next_at": now, "by": by}
            ReportRun.update(**reset_values, attempts=0, error="").where(
                ReportRun.id == run.id
            ).execute()
        live.publish_topics("reports")
    return run


def claim_run() -> ReportRun | None:
    """Claim the next run that is due, if any, and return it.

    A run whose process did not finish it within CLAIM_LEASE is due again.
    """
    now, token = clock.now(), secrets.token_hex(8)
    ready_runs = ReportRun.select(ReportRun.id).where(
        ReportRun.state != "done", ReportRun.next_at <= now
    )
    with write_transaction():
        first_id = ready_runs.order_by(ReportRun.due_at, ReportRun.id).limit(1).scalar()
        updated_rows = (
            ReportRun.update(
                state="running",
                claim=token,
                next_at=now + CLAIM_LEASE,
                attempts=ReportRun.attempts + 1,
            )
            .where(ReportRun.id == first_id, ReportRun.state != "done", ReportRun.next_at <= now)
            .execute()
        )
        return ReportRun.get(ReportRun.claim == token) if updated_rows else None


def make_report(
    settings: Settings, run: ReportRun, should_continue: Callable[[], bool] = lambda: True
) -> None:
    """Issue the report of a claimed run.

    If its period is not over or a call is in progress, the run becomes due again after RETRY_DELAY.
    `should_continue` is called between the steps; if it returns False, because the process is to
    stop, the run becomes due again at once.
    """
    form = files.FORMS[run.name]
    period: Period = form.parse_period(run.period, settings.tz, run.upto or None)
    try:
        issuing.issue_report(settings, run.name, period, run.by, run, should_continue)
    except issuing.PeriodNotClosedError as error:
        _release_run(run, RETRY_DELAY, str(error))
    except issuing.IssueStoppedError:
        _release_run(run, dt.timedelta(), "")


def record_failure(run: ReportRun, error: Exception) -> None:
    """Record that a claimed run failed, and when it is retried.

    The delay is RETRY_DELAY, doubled after each further failure up to _MAX_RETRY_DELAY.
    """
    wait = min(RETRY_DELAY * 2 ** min(run.attempts - 1, 10), _MAX_RETRY_DELAY)
    reason = f"{type(error).__name__}: {error}"[:_MAX_ERROR_LENGTH]
    _update_claimed_run(run, state="failed", error=reason, next_at=clock.now() + wait)


def find_run(number: int) -> ReportRun | None:
    """Return the run with this id, if it exists."""
    return find_row(ReportRun, id=number)


def retry_run(run: ReportRun) -> None:
    """Make a failed or waiting run due immediately; a running or finished one is left unchanged."""
    is_waiting = ReportRun.state << ("failed", "due")
    ReportRun.update(next_at=clock.now()).where(ReportRun.id == run.id, is_waiting).execute()


def unfinished_runs() -> list[ReportRun]:
    """Return the runs that are due, running or failed, in the order of when they were due."""
    return list(ReportRun.select().where(ReportRun.state != "done").order_by(ReportRun.due_at))


def _release_run(run: ReportRun, wait: dt.timedelta, reason: str) -> None:
    """Make a claimed run due again after `wait`, without counting the attempt as a failure.

    `reason` is stored with the run. If it is not "", the list of runs says that the period or its
    calls have not ended.
    """
    _update_claimed_run(
        run, state="due", error=reason, next_at=clock.now() + wait, attempts=run.attempts - 1
    )


def _update_claimed_run(run: ReportRun, **values: object) -> None:
    """Update the row of a claimed run, unless another process has claimed it in the meantime.

    `values` are the new values by column.
    """
    still_claimed = (
        ReportRun.id == run.id,
        ReportRun.claim == run.claim,
        ReportRun.state == "running",
    )
    with write_transaction():
        ReportRun.update(**values).where(*still_claimed).execute()
        live.publish_topics("reports")


def _expected_runs(today: dt.date) -> Iterator[tuple[str, str]]:
    """Yield (report name, period) of the reports for the last periods that ended before today.

    _BACKFILLED_PERIODS is the number of periods for each report; the access report is made for the
    same months as the monthly report.
    """
    day = dt.timedelta(days=1)
    for number in range(_BACKFILLED_PERIODS["daily"], 0, -1):
        yield "daily", str(today - number * day)
    first = today.replace(day=1)
    for _ in range(_BACKFILLED_PERIODS["monthly"]):
        first = (first - day).replace(day=1)
        yield "monthly", f"{first:%Y-%m}"
        yield "accesses", f"{first:%Y-%m}"
    for number in range(1, _BACKFILLED_PERIODS["quarterly"] + 1):
        months = today.year * 12 + today.month - 1 - 3 * number
        yield "quarterly", quarter_name(dt.date(months // 12, months % 12 + 1, 1))
