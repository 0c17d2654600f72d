"""A clock that is wrong removes nothing; the job goes on by itself when the nights agree."""

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
def at(monkeypatch, site):
    """Set the clock, so long after the 10th of September 2026 at 03:00 here."""
    first = dt.datetime(2026, 9, 10, 3, tzinfo=site.tz).astimezone(dt.UTC)

    def moved(after: dt.timedelta) -> dt.datetime:
        monkeypatch.setattr(clock, "now", lambda: first + after)
        return first + after

    moved(dt.timedelta())
    return moved


@pytest.fixture
def job(site):
    return Job(
        "retention",
        runs.daily(dt.time(3), site.tz),
        lambda: retention.remove_due(site),
        catches_up=False,
    )


def newest() -> JobRun:
    return JobRun.select().order_by(JobRun.id.desc()).first()


def test_a_clock_a_year_ahead_removes_nothing_at_once(site, at, job) -> None:
    retained.night(at(-DAY))
    today = at(MINUTE)
    paths = [retained.record(site, f"1.{n}", today - n * HOUR) for n in range(50)]
    assert run_due(job)
    assert newest().state == "done"
    at(YEAR + 5 * HOUR)
    assert run_due(job)
    assert all(path.exists() for path in paths)
    assert newest().state == "failed"
    assert "10.09.2026 03:01 to 10.09.2027 08:00" in newest().result
    assert not retention.removals()
    [told] = [check for check in health.checks(site) if check.code == "job.retention"]
    assert (told.state, told.seen[:26]) == ("fail", "Nothing is removed for now")


def test_an_appeal_is_not_masked_either(site, at, nilufar, bahodir) -> None:
    retained.night(at(dt.timedelta()))
    appeal = retained.register(site, nilufar)
    retained.close(appeal, clock.now())
    at(4 * YEAR)
    with pytest.raises(retention.ClockDoubted):
        retention.remove_due(site)
    assert not retention.removals()


def test_after_three_nights_that_agree_it_goes_on_by_itself(site, at, job) -> None:
    retained.night(at(dt.timedelta()))
    path = retained.record(site, "1.1", clock.now())
    states = []
    for night in range(5):
        at(YEAR + night * DAY + (HOUR if night == 0 else MINUTE))
        assert run_due(job)
        states.append((newest().state, path.exists()))
    assert states == [*[("failed", True)] * 3, ("done", False), ("done", False)]


def test_looks_one_after_the_other_are_no_nights(site, at) -> None:
    """A box that began at 02:59 has two moments at which its job is due, a minute apart."""
    retained.night(at(dt.timedelta()))
    for minutes in range(5):
        retained.night(at(YEAR + minutes * MINUTE), "failed", "ClockDoubted: …")
    at(YEAR + HOUR)
    assert retention.doubt()


def test_a_second_jump_begins_anew(site, at) -> None:
    for night in range(3):
        retained.night(at(YEAR + night * DAY), "failed", "ClockDoubted: …")
    last = clock.now()
    now = at(2 * YEAR)
    assert retention.doubt() == retention.Doubt(last, now)


@pytest.mark.parametrize(
    ("state", "result"), [("done", ""), ("new", ""), ("failed", "OperationalError: locked")]
)
def test_a_night_that_was_not_refused_is_believed(site, at, state, result) -> None:
    retained.night(at(dt.timedelta()), state, result)
    at(DAY)
    assert not retention.doubt()
    at(2 * DAY + MINUTE)
    assert retention.doubt()


def test_a_run_that_was_lost_believed_nothing(site, at) -> None:
    retained.night(at(dt.timedelta()))
    retained.night(at(YEAR), "lost")
    first, second = at(dt.timedelta()), at(YEAR)
    at(YEAR + DAY)
    assert retention.doubt() == retention.Doubt(first, second)


def test_one_night_without_the_box_is_no_jump(site, at, job) -> None:
    retained.night(at(dt.timedelta()))
    path = retained.record(site, "1.1", clock.now() - 90 * DAY)
    at(DAY + 20 * HOUR)  # it was off until the evening
    assert run_due(job)
    assert not path.exists()


def test_nights_of_a_clock_that_was_set_back_do_not_count(site, at) -> None:
    retained.night(at(YEAR), "done")
    retained.night(at(YEAR + DAY), "running")
    at(dt.timedelta())
    assert retention.doubt() == retention.Doubt(None, clock.now())


def test_a_job_that_is_new_because_the_clock_was_put_back_believed_nothing(site, at, job) -> None:
    retained.night(at(YEAR), "failed", "ClockDoubted: …")
    at(30 * DAY)  # it is still wrong
    run_due(job)
    assert newest().state == "new"
    at(31 * DAY)
    run_due(job)
    assert newest().state == "failed"


def test_the_page_says_why_nothing_goes(site, at, app, login_as) -> None:
    app.config["SITE"] = site
    retained.night(clock.now())
    browser = login_as("manager")
    says = re.compile(r'<p class="note is-bad"\s+role="alert">')
    assert not says.search(browser.get("/retention").text)
    JobRun.update(started_at=clock.now() - 3 * DAY).execute()
    page = browser.get("/retention").text
    assert says.search(page)
    assert "07.09.2026" in page
