"""The timetable's runs: written down, caught up once, never two at once, none stops the others."""

import datetime as dt
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from waiting import until

from appliance import clock, db, health, holders, outbox, runs
from appliance.jobs import timetable
from appliance.jobs.due import Job, run_due
from appliance.models import JobRun, Message
from provisioning.local.standins.sms import service

DEAD = "999999999:1"


def ran(name: str) -> list[tuple[str, str]]:
    rows = JobRun.select().where(JobRun.name == name).order_by(JobRun.due_at)
    return [(run.state, run.result) for run in rows]


def an_hour_ago() -> dt.datetime:
    return clock.now() - dt.timedelta(hours=1)


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
    holder = f"{other.pid}:{holders.started(other.pid)}"
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
    living = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()][:5]

    def race(pid: int) -> None:
        with db.database.connection_context():
            start.wait(20)
            if runs.begin("clear", due_at, f"{pid}:{holders.started(pid)}"):
                won.append(pid)

    threads = [threading.Thread(target=race, args=(pid,)) for pid in living]
    for thread in threads:
        thread.start()
    start.wait(20)
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    assert JobRun.select().where(JobRun.state == "running").count() == 1


def test_of_runs_without_work_the_last_is_kept(settings) -> None:
    for hour, done in enumerate([None, "two", None, None]):
        moment = dt.datetime(2026, 11, 1, hour, tzinfo=dt.UTC)
        run_due(Job("reports", lambda now, at=moment: at, lambda said=done: said))
    assert ran("reports") == [("done", "two"), ("done", "")]


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
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
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
