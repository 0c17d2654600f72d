"""A wrong clock removes nothing; the job continues by itself when several nights agree."""

import dataclasses
import datetime as dt
import re

import pytest

from appliance.box import health, retention, runs
from appliance.core import clock
from appliance.core.settings import Retention
from appliance.jobs.due import Job, run_due
from appliance.models import JobRun
from tests.box import retained
from tests.box.retained import DAY, MINUTE

HOUR = dt.timedelta(hours=1)
YEAR = dt.timedelta(days=365)


@pytest.fixture
def site(settings):
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def move_clock(monkeypatch, site):
    """Set the clock to a time after 03:00 local time on 10 September 2026."""
    first = dt.datetime(2026, 9, 10, 3, tzinfo=site.tz).astimezone(dt.UTC)

    def move_clock(after: dt.timedelta) -> dt.datetime:
        monkeypatch.setattr(clock, "now", lambda: first + after)
        return first + after

    move_clock(dt.timedelta())
    return move_clock


@pytest.fixture
def job(site):
    return Job(
        "retention",
        runs.daily_at(dt.time(3), site.tz),
        lambda: retention.remove_due(site),
        catches_up=False,
    )


def newest_run() -> JobRun:
    return JobRun.select().order_by(JobRun.id.desc()).first()


def test_a_clock_a_year_ahead_removes_nothing(site, move_clock, job) -> None:
    retained.create_run(move_clock(-DAY))
    today = move_clock(MINUTE)
    paths = [retained.create_recording(site, f"1.{n}", today - n * HOUR) for n in range(50)]
    assert run_due(job)
    assert newest_run().state == "done"
    move_clock(YEAR + 5 * HOUR)
    assert run_due(job)
    assert all(path.exists() for path in paths)
    assert newest_run().state == "failed"
    assert "10.09.2026 03:01 to 10.09.2027 08:00" in newest_run().result
    assert not retention.recent_removals()
    [retention_check] = [
        check for check in health.all_checks(site) if check.code == "job.retention"
    ]
    assert (retention_check.state, retention_check.seen[:26]) == (
        "fail",
        "Nothing is removed for now",
    )


def test_a_clock_years_ahead_masks_no_appeal(site, move_clock, nilufar, bahodir) -> None:
    retained.create_run(move_clock(dt.timedelta()))
    appeal = retained.register_appeal(site, nilufar)
    retained.close_appeal(appeal, clock.now())
    move_clock(4 * YEAR)
    with pytest.raises(retention.ClockDoubted):
        retention.remove_due(site)
    assert not retention.recent_removals()


def test_the_job_continues_after_three_nights_that_agree(site, move_clock, job) -> None:
    retained.create_run(move_clock(dt.timedelta()))
    path = retained.create_recording(site, "1.1", clock.now())
    states = []
    for night in range(5):
        move_clock(YEAR + night * DAY + (HOUR if night == 0 else MINUTE))
        assert run_due(job)
        states.append((newest_run().state, path.exists()))
    assert states == [*[("failed", True)] * 3, ("done", False), ("done", False)]


def test_runs_in_quick_succession_do_not_count_as_nights(site, move_clock) -> None:
    """A box started at 02:59 has two times at which its job is due, a minute apart."""
    retained.create_run(move_clock(dt.timedelta()))
    for minutes in range(5):
        retained.create_run(move_clock(YEAR + minutes * MINUTE), "failed", "ClockDoubted: …")
    move_clock(YEAR + HOUR)
    assert retention.clock_gap()


def test_a_second_jump_starts_the_count_again(site, move_clock) -> None:
    for night in range(3):
        retained.create_run(move_clock(YEAR + night * DAY), "failed", "ClockDoubted: …")
    last = clock.now()
    now = move_clock(2 * YEAR)
    assert retention.clock_gap() == retention.ClockGap(last, now)


@pytest.mark.parametrize(
    ("state", "result"), [("done", ""), ("new", ""), ("failed", "OperationalError: locked")]
)
def test_a_night_that_was_not_refused_confirms_the_clock(site, move_clock, state, result) -> None:
    retained.create_run(move_clock(dt.timedelta()), state, result)
    move_clock(DAY)
    assert not retention.clock_gap()
    move_clock(2 * DAY + MINUTE)
    assert retention.clock_gap()


def test_a_lost_run_confirms_nothing(site, move_clock) -> None:
    retained.create_run(move_clock(dt.timedelta()))
    retained.create_run(move_clock(YEAR), "lost")
    first, second = move_clock(dt.timedelta()), move_clock(YEAR)
    move_clock(YEAR + DAY)
    assert retention.clock_gap() == retention.ClockGap(first, second)


def test_one_night_without_the_box_is_not_a_jump(site, move_clock, job) -> None:
    retained.create_run(move_clock(dt.timedelta()))
    path = retained.create_recording(site, "1.1", clock.now() - 90 * DAY)
    move_clock(DAY + 20 * HOUR)  # it was off until the evening
    assert run_due(job)
    assert not path.exists()


def test_nights_of_a_clock_that_was_later_set_back_do_not_count(site, move_clock) -> None:
    retained.create_run(move_clock(YEAR), "done")
    retained.create_run(move_clock(YEAR + DAY), "running")
    move_clock(dt.timedelta())
    assert retention.clock_gap() == retention.ClockGap(None, clock.now())


def test_a_job_that_looks_new_after_the_clock_was_set_back_confirms_nothing(
    site, move_clock, job
) -> None:
    retained.create_run(move_clock(YEAR), "failed", "ClockDoubted: …")
    move_clock(30 * DAY)  # it is still wrong
    run_due(job)
    assert newest_run().state == "new"
    move_clock(31 * DAY)
    run_due(job)
    assert newest_run().state == "failed"


def test_the_page_explains_why_nothing_is_removed(site, move_clock, app, login_as) -> None:
    app.config["SITE"] = site
    retained.create_run(clock.now())
    browser = login_as("manager")
    warning_pattern = re.compile(r'<p class="note is-bad"\s+role="alert">')
    assert not warning_pattern.search(browser.get("/retention").text)
    JobRun.update(started_at=clock.now() - 3 * DAY).execute()
    page = browser.get("/retention").text
    assert warning_pattern.search(page)
    assert "07.09.2026" in page
