"""The timetable's runs: written down, caught up once, never two at once, none stops the others."""

import dataclasses
import datetime as dt
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.box import alarms, health, runs
from appliance.box import timetable as schedule
from appliance.box.health import work
from appliance.core import clock, db, outbox, process_id
from appliance.core.settings import (
    Audit,
    Backup,
    Links,
    SelfTests,
    Settings,
    SmsAccount,
    Snapshots,
    Telegram,
)
from appliance.jobs import selftests, timetable
from appliance.jobs.due import Job, run_due
from appliance.models import JobRun, Message
from tests.rig.fakes.sms import service
from tests.rig.waiting import until

DEAD = "999999999:1"
DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)


def ran(name: str) -> list[tuple[str, str]]:
    rows = JobRun.select().where(JobRun.name == name).order_by(JobRun.due_at)
    return [(run.state, run.result) for run in rows]


def an_hour_ago() -> dt.datetime:
    return clock.now() - dt.timedelta(hours=1)


class Clock:
    """The site's clock, that far off the machine's, which goes on."""

    def __init__(self) -> None:
        self.off = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.off


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made)
    return made


def check(settings: Settings, code: str) -> health.Check | None:
    return next((check for check in work.jobs(settings) if check.code == code), None)


def was(name: str, ago: dt.timedelta, state: str = "done", **more: str) -> JobRun:
    """A run that began so long ago and ended at once, if it is over."""
    moment = clock.now() - ago
    over = {} if state == "running" else {"ended_at": moment}
    given = {"holder": "", **over, **more}
    return JobRun.create(name=name, due_at=moment, started_at=moment, state=state, **given)


@pytest.mark.usefixtures("at_noon")
def test_a_run_is_written_down_once_a_moment(settings) -> None:
    job = Job("clear", runs.every(3600), lambda: 3)
    assert run_due(job)
    assert not run_due(job)
    [run] = JobRun.select()
    assert (run.state, run.result) == ("done", "3")
    assert run.due_at <= run.started_at <= run.ended_at


def test_what_fails_is_said_and_stops_nothing(settings) -> None:
    def broken() -> None:
        raise OSError("disk full")

    assert run_due(Job("clear", runs.every(3600), broken))
    assert run_due(Job("disks", runs.every(3600), lambda: None))
    assert ran("clear") == [("failed", "OSError: disk full")]
    assert ran("disks") == [("done", "")]
    found = next(check for check in health.checks(settings) if check.code == "jobs")
    assert (found.state, found.values["error"]) == ("warn", "OSError: disk full")


@pytest.mark.usefixtures("at_noon")
def test_a_job_that_hangs_holds_up_no_other_and_runs_once(settings) -> None:
    goes_on, began = threading.Event(), []

    def hang() -> None:
        began.append(1)
        goes_on.wait(120)

    hands = timetable.Hands(threading.Event())
    for _ in range(3):
        hands.look(Job("clear", runs.every(3600), hang))
        hands.look(Job("disks", runs.every(3600), lambda: "seen"))
    until(lambda: (ran("disks"), len(began)) == ([("done", "seen")], 1), limit=60)
    assert ran("clear") == [("running", "")]
    goes_on.set()
    for thread in hands.busy.values():
        thread.join(60)
    assert ran("clear") == [("done", "")]
    assert began == [1]


def test_missed_moments_are_caught_up_by_one_run(settings) -> None:
    times = []
    for hours in (0, 5):
        moment = dt.datetime(2026, 11, 1, hours, 30, tzinfo=dt.UTC)
        job = Job("clear", lambda now, at=moment: runs.every(3600)(at), lambda: times.append(1))
        run_due(job)
        run_due(job)
    assert len(times) == 2


def test_a_new_nightly_job_waits_for_its_first_night(settings) -> None:
    times = []
    night = dt.datetime(2026, 11, 1, 22, tzinfo=dt.UTC)
    job = Job("retention", lambda now: night, lambda: times.append(1), catches_up=False)
    assert not run_due(job)
    night += dt.timedelta(days=3)  # the box was off for two nights
    assert run_due(job)
    assert not run_due(job)
    assert times == [1]


def test_daily_by_the_sites_clock(settings) -> None:
    slot = runs.daily(dt.time(3), settings.tz)
    before, after = (
        dt.datetime(2026, 11, 20, 2, 59, 59, tzinfo=settings.tz),
        dt.datetime(2026, 11, 20, 3, 0, 0, tzinfo=settings.tz),
    )
    assert slot(before) == dt.datetime(2026, 11, 19, 3, tzinfo=settings.tz)
    assert slot(after) == after


def test_not_while_another_process_runs_it(settings) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = f"{other.pid}:{process_id.started(other.pid)}"
    slot = runs.every(3600)
    assert runs.begin("clear", slot(an_hour_ago()), holder)
    job = Job("clear", slot, lambda: 1)
    assert not run_due(job)
    other.communicate(b"\n")
    assert run_due(job)
    assert ran("clear") == [("lost", ""), ("done", "1")]


def test_a_lost_run_is_made_again_for_the_same_moment(settings) -> None:
    slot = runs.every(3600 * 24 * 365)
    assert runs.begin("clear", slot(clock.now()), DEAD)
    assert run_due(Job("clear", slot, lambda: 1))
    assert ran("clear") == [("done", "1")]


def test_of_many_at_once_one_runs(settings) -> None:
    start, won = threading.Barrier(6), []
    due_at = runs.every(3600)(clock.now())
    waits = [sys.executable, "-c", "input()"]
    others = [subprocess.Popen(waits, stdin=subprocess.PIPE) for _ in range(5)]

    def race(pid: int) -> None:
        with db.database.connection_context():
            start.wait(20)
            if runs.begin("clear", due_at, f"{pid}:{process_id.started(pid)}"):
                won.append(pid)

    threads = [threading.Thread(target=race, args=(other.pid,)) for other in others]
    for thread in threads:
        thread.start()
    start.wait(20)
    for thread in threads:
        thread.join(30)
    for other in others:
        other.communicate(b"\n")
    assert len(won) == 1
    assert JobRun.select().where(JobRun.state == "running").count() == 1


def test_of_runs_without_work_the_last_is_kept(settings) -> None:
    for hour, done in enumerate([None, "two", None, None]):
        moment = dt.datetime(2026, 11, 1, hour, tzinfo=dt.UTC)
        run_due(Job("reports", lambda now, at=moment: at, lambda said=done: said))
    assert ran("reports") == [("done", "two"), ("done", "")]


def test_work_goes_on_when_the_clock_was_put_back(settings, now) -> None:
    done: list[str] = []
    plan = {"reports": runs.every(20), "retention": runs.daily(dt.time(3), settings.tz)}
    jobs = [
        Job(name, slot, lambda name=name: done.append(name), catches_up=name == "reports")
        for name, slot in plan.items()
    ]

    def ran_at(off: dt.timedelta) -> list[str]:
        now.off, done[:] = off, []
        for job in jobs:
            run_due(job)
        return done

    start = DAY - (clock.now() - jobs[1].slot(clock.now()))  # a night's moment, and noon after it
    noon = 9 * HOUR
    assert ran_at(start + noon) == ["reports"]  # a new nightly job waits
    assert ran_at(start + noon + DAY) == ["reports", "retention"]  # the clock is a day ahead
    assert ran_at(start + noon) == ["reports"]  # and right again
    assert ran_at(start + noon + HOUR) == ["reports"]
    assert ran_at(start + DAY) == ["reports"]  # what was done for this night was done
    assert ran_at(start + 2 * DAY) == ["reports", "retention"]


def test_a_clock_far_back_makes_no_nightly_work_due(settings, now) -> None:
    """The box starts with an empty clock, and is set right a moment later."""
    slot, times = runs.daily(dt.time(3), settings.tz), []
    job = Job("retention", slot, lambda: times.append(1), catches_up=False)
    was("retention", clock.now() - slot(clock.now()))
    now.off = -1000 * DAY
    assert not run_due(job)
    now.off = dt.timedelta()
    assert not run_due(job)
    assert times == []


def test_no_second_run_beside_one_that_began_before_the_clock_was_put_back(settings, now) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    job = Job("clear", runs.every(20), lambda: "seen")
    now.off = DAY
    begun = runs.begin(
        "clear", job.slot(clock.now()), f"{other.pid}:{process_id.started(other.pid)}"
    )
    assert begun
    now.off = dt.timedelta()
    assert not run_due(job)
    other.communicate(b"\n")
    assert run_due(job)
    assert [run.state for run in runs.latest()] == ["done"]  # the newest, whatever the clock said


def test_a_timetable_that_stands_since_the_clock_was_put_back_fails(settings, now) -> None:
    now.off = DAY
    run_due(Job("reports", runs.every(20), lambda: None))
    now.off = dt.timedelta()
    found = check(settings, "jobs")
    assert (found.state, found.seen) == ("fail", "no job has run since the clock was put back")
    run_due(Job("reports", runs.every(20), lambda: None))
    assert check(settings, "jobs").state == "ok"


def test_a_timetable_that_stands_is_not_hidden_by_a_run_left_behind(settings) -> None:
    was("clear", 7 * HOUR)
    was("reports", 6 * HOUR, "running", holder=process_id.this_process())
    assert check(settings, "jobs").state == "fail"


@pytest.mark.parametrize(
    ("name", "ago", "fails"),
    [("retention", 9 * DAY, True), ("retention", 20 * HOUR, False), ("checks", DAY, True)],
)
def test_a_job_that_hangs_is_told(settings, name, ago, fails) -> None:
    was("clear", 0 * HOUR)
    was(name, ago + MINUTE)
    run = was(name, ago, "running", holder=process_id.this_process())
    found = check(settings, f"job.{name}")
    assert bool(found) == fails
    if found:
        assert (found.state, found.seen) == ("fail", "runs since {moment}, for far too long")
    JobRun.update(holder=DEAD).where(JobRun.id == run.id).execute()
    found = check(settings, f"job.{name}")
    assert (found and found.seen) == ("was last done {moment}" if fails else None)


def test_a_nightly_job_that_is_never_done_is_told(settings) -> None:
    was("clear", 0 * HOUR)
    was("retention", 51 * HOUR, "new")
    assert check(settings, "job.retention").seen == "was last done {moment}"
    was("retention", 50 * HOUR, "lost")
    assert check(settings, "job.retention").state == "fail"
    was("retention", 49 * HOUR)
    assert check(settings, "job.retention") is None


def test_two_failures_in_a_row_alarm_and_one_does_not(settings, now) -> None:
    settings = dataclasses.replace(settings, telegram=Telegram("t", -5))
    was("retention", 49 * HOUR)
    for nights, failing in ((1, []), (2, ["job.retention"])):
        was("retention", (49 - 24 * nights) * HOUR, "failed", result="OSError: disk full")
        was("clear", 0 * HOUR)
        assert [c.code for c in work.jobs(settings) if c.state == "fail"] == failing
    assert check(settings, "jobs").state == "ok"  # it is told once
    was("retention", 0 * HOUR, "running", holder=process_id.this_process())
    assert check(settings, "job.retention").values["error"] == "OSError: disk full"
    alarms.raise_due(settings, work.jobs(settings), alarms.REST)
    now.off = 2 * MINUTE
    assert alarms.raise_due(settings, work.jobs(settings), alarms.REST) == ["job.retention"]


def test_a_failure_takes_no_good_night_away(settings, now) -> None:
    good = Job("integrity", runs.every(3600), lambda: None)

    def broken() -> None:
        raise OSError("disk full")

    for hour in range(3):
        now.off = hour * HOUR
        run_due(good)
    now.off = 3 * HOUR
    run_due(dataclasses.replace(good, do=broken))
    assert check(settings, "job.integrity") is None
    now.off = 4 * HOUR
    run_due(good)
    now.off = 5 * HOUR
    run_due(dataclasses.replace(good, do=broken))
    assert check(settings, "job.integrity") is None
    assert check(settings, "jobs").state == "warn"


def test_a_clock_in_doubt_is_alarmed_by_its_own_words(settings) -> None:
    was("clear", 0 * HOUR)
    was("retention", 100 * HOUR)
    was("retention", 1 * HOUR, "failed", result="ClockDoubted: the clock went from …")
    found = check(settings, "job.retention")
    assert found.seen.startswith("Nothing is removed for now")
    was("retention", 0 * HOUR)
    assert check(settings, "job.retention") is None


def test_every_job_of_the_timetable_is_looked_after(settings) -> None:
    sms = SmsAccount("first", "eskiz", "https://sms.example/api", "u", "p", "4546")
    whole = dataclasses.replace(
        settings,
        sms=(sms,),
        telegram=Telegram("t", -5, summary="08:00"),
        backups=(Backup("second", "/mnt", settings.file),),
        links=Links(rate_url="http://x"),
        self_tests=SelfTests(10, 7, carrier_minutes=10),
        audit=Audit("audit.key"),
        snapshots=Snapshots(replica="second"),
    )
    for site in (settings, whole):
        names = {job.name for job in timetable.jobs(site, lambda: True)}
        assert set(schedule.patience(site)) == names
    assert names == set(schedule.TITLES)


def test_what_a_stop_interrupts_is_made_up_for(settings) -> None:
    stop = threading.Event()
    hands, slot = timetable.Hands(stop), runs.every(3600 * 24 * 365)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as helper:

        def work_with_a_helper() -> None:
            if helper.wait():
                raise OSError(f"the helper ended with {helper.returncode}")

        hands.look(Job("snapshot", slot, work_with_a_helper))
        until(lambda: ran("snapshot") == [("running", "")])
        helper.terminate()  # the manager's signal reaches the helper first
        stop.set()
        hands.busy["snapshot"].join(60)
    assert ran("snapshot") == [("lost", "OSError: the helper ended with -15")]
    assert run_due(Job("snapshot", slot, lambda: "made"))
    assert ran("snapshot") == [("done", "made")]


def test_what_fails_by_itself_is_not_run_again_for_its_moment(settings) -> None:
    hands, slot = timetable.Hands(threading.Event()), runs.every(3600 * 24 * 365)

    def broken() -> None:
        raise OSError("disk full")

    hands.look(Job("snapshot", slot, broken))
    hands.busy["snapshot"].join(60)
    assert ran("snapshot") == [("failed", "OSError: disk full")]
    assert not run_due(Job("snapshot", slot, lambda: "made"))


@pytest.mark.parametrize(("late", "said"), [(59 * MINUTE, "measured"), (61 * MINUTE, "skipped")])
def test_the_rate_is_not_measured_in_the_middle_of_the_day(settings, monkeypatch, late, said):
    site = dataclasses.replace(settings, links=Links(rate_url="http://x"))
    monkeypatch.setattr(timetable.links, "measure", lambda settings: "measured")
    [job] = [job for job in timetable.jobs(site, lambda: True) if job.name == "rate"]
    moment = clock.now()
    was("rate", 2 * DAY)
    job = dataclasses.replace(job, slot=lambda now: moment - late)
    assert run_due(job)
    assert not run_due(job)
    assert [run.result.partition(":")[0] for run in runs.eventful()] == [said]


def test_a_drill_that_died_says_how(settings, monkeypatch) -> None:
    ends = [sys.executable, "-c", "import sys; sys.exit('killed')"]
    monkeypatch.setattr(selftests.selftests, "command", lambda *words: ends)
    with pytest.raises(RuntimeError, match="killed"):
        selftests.offline(settings)


@pytest.mark.parametrize(("ago", "state"), [(0, "ok"), (6, "fail")])
def test_the_self_check_sees_a_timetable_that_stands(settings, ago, state) -> None:
    run_due(Job("reports", runs.every(20), lambda: None))
    past = clock.now() - dt.timedelta(minutes=ago)
    JobRun.update(started_at=past).execute()
    found = next(check for check in health.checks(settings) if check.code == "jobs")
    assert found.state == state


def test_the_page_shows_each_job(settings, login_as) -> None:
    for job in timetable.jobs(settings, lambda: True):
        run_due(job)
    run_due(Job("reports", lambda now: now + dt.timedelta(days=1), lambda: "2 <b>reports</b>"))
    page = login_as("technician").get("/status").text
    assert 'id="job-disks"' in page
    assert 'id="job-retention"' in page
    assert "2 &lt;b&gt;reports" in page


def test_the_process_runs_its_timetable_and_stops(settings) -> None:
    program = [Path(sys.executable).with_name("appliance"), "--config", str(settings.file), "jobs"]
    process = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        until(lambda: {"clear", "disks", "reports"} <= {r.name for r in runs.latest()}, limit=90)
        until(lambda: not JobRun.select().where(JobRun.state == "running").exists(), limit=90)
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait()
    assert not JobRun.select().where(JobRun.state == "running").exists()


_ACCOUNT = """
[[sms]]
name = "eskiz"
kind = "eskiz"
url = "{url}"
user = "user"
password = "secret"
sender = "4546"
"""


def test_a_stop_lets_the_message_on_its_way_arrive(settings) -> None:
    goes_on = threading.Event()
    with service() as far:
        far.slow = lambda: float(not goes_on.wait(60))
        settings.file.write_text(settings.file.read_text() + _ACCOUNT.format(url=far.url))
        for number in range(3):
            phone = f"+99893555014{number}"
            outbox.put_sms("registered", phone, "x", key=phone, tz=settings.tz)
        program = [Path(sys.executable).with_name("appliance"), "--config", str(settings.file)]
        process = subprocess.Popen([*program, "jobs"], stderr=subprocess.DEVNULL)
        try:
            until(lambda: far.took, limit=90)
            process.send_signal(signal.SIGTERM)
            goes_on.set()
            assert process.wait(90) == 0
        finally:
            process.kill()
            process.wait()
        states = [m.state for m in Message.select().order_by(Message.id)]
        assert set(states) <= {"sent", "pending"}
        assert states.count("sent") == len(far.took)
    assert not Message.select().where(Message.perhaps_twice).exists()
