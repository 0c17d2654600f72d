"""The timetable's runs: recorded, caught up once, never concurrent; a failure stops no other."""

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
from tests.rig.fakes.sms import run_sms_service
from tests.rig.waiting import wait_until

DEAD_PROCESS = "999999999:1"
DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)


def job_results(name: str) -> list[tuple[str, str]]:
    rows = JobRun.select().where(JobRun.name == name).order_by(JobRun.due_at)
    return [(run.state, run.result) for run in rows]


def an_hour_ago() -> dt.datetime:
    return clock.now() - dt.timedelta(hours=1)


class ShiftedClock:
    """The machine's running clock, shifted by `off`."""

    def __init__(self) -> None:
        self.off = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.off


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> ShiftedClock:
    """The site's clock, which the test can shift."""
    shifted = ShiftedClock()
    monkeypatch.setattr(clock, "now", shifted)
    return shifted


def find_check(settings: Settings, code: str) -> health.Check | None:
    return next((check for check in work.check_jobs(settings) if check.code == code), None)


def record_run(name: str, age: dt.timedelta, state: str = "done", **more: str) -> JobRun:
    """Record a run that began `ago` before now and, unless it is still running, ended at once."""
    started_at = clock.now() - age
    over = {} if state == "running" else {"ended_at": started_at}
    columns = {"holder": "", **over, **more}
    return JobRun.create(
        name=name, due_at=started_at, started_at=started_at, state=state, **columns
    )


@pytest.mark.usefixtures("at_noon")
def test_a_run_is_recorded_once_per_scheduled_time(settings) -> None:
    job = Job("clear", runs.every_seconds(3600), lambda: 3)
    assert run_due(job)
    assert not run_due(job)
    [run] = JobRun.select()
    assert (run.state, run.result) == ("done", "3")
    assert run.due_at <= run.started_at <= run.ended_at


def test_a_failed_job_is_reported_and_stops_no_other(settings) -> None:
    def fail_on_full_disk() -> None:
        raise OSError("disk full")

    assert run_due(Job("clear", runs.every_seconds(3600), fail_on_full_disk))
    assert run_due(Job("disks", runs.every_seconds(3600), lambda: None))
    assert job_results("clear") == [("failed", "OSError: disk full")]
    assert job_results("disks") == [("done", "")]
    jobs_check = next(check for check in health.all_checks(settings) if check.code == "jobs")
    assert (jobs_check.state, jobs_check.values["error"]) == ("warn", "OSError: disk full")


@pytest.mark.usefixtures("at_noon")
def test_a_hanging_job_delays_no_other_and_runs_once(settings) -> None:
    goes_on, began = threading.Event(), []

    def hang() -> None:
        began.append(1)
        goes_on.wait(120)

    hands = timetable.JobRunner(threading.Event())
    for _ in range(3):
        hands.start_if_due(Job("clear", runs.every_seconds(3600), hang))
        hands.start_if_due(Job("disks", runs.every_seconds(3600), lambda: "seen"))
    wait_until(lambda: (job_results("disks"), len(began)) == ([("done", "seen")], 1), limit=60)
    assert job_results("clear") == [("running", "")]
    goes_on.set()
    for thread in hands.threads.values():
        thread.join(60)
    assert job_results("clear") == [("done", "")]
    assert began == [1]


def test_missed_runs_are_caught_up_by_a_single_run(settings) -> None:
    times = []
    for hours in (0, 5):
        moment = dt.datetime(2026, 11, 1, hours, 30, tzinfo=dt.UTC)
        job = Job(
            "clear", lambda now, at=moment: runs.every_seconds(3600)(at), lambda: times.append(1)
        )
        run_due(job)
        run_due(job)
    assert len(times) == 2


def test_a_new_nightly_job_first_runs_the_next_night(settings) -> None:
    times = []
    night = dt.datetime(2026, 11, 1, 22, tzinfo=dt.UTC)
    job = Job("retention", lambda now: night, lambda: times.append(1), catches_up=False)
    assert not run_due(job)
    night += dt.timedelta(days=3)  # the box was off for two nights
    assert run_due(job)
    assert not run_due(job)
    assert times == [1]


def test_a_daily_job_is_due_by_the_sites_time_zone(settings) -> None:
    slot = runs.daily_at(dt.time(3), settings.tz)
    before, after = (
        dt.datetime(2026, 11, 20, 2, 59, 59, tzinfo=settings.tz),
        dt.datetime(2026, 11, 20, 3, 0, 0, tzinfo=settings.tz),
    )
    assert slot(before) == dt.datetime(2026, 11, 19, 3, tzinfo=settings.tz)
    assert slot(after) == after


def test_a_job_does_not_start_while_another_process_runs_it(settings) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = f"{other.pid}:{process_id.start_ticks(other.pid)}"
    slot = runs.every_seconds(3600)
    assert runs.claim_run("clear", slot(an_hour_ago()), holder)
    job = Job("clear", slot, lambda: 1)
    assert not run_due(job)
    other.communicate(b"\n")
    assert run_due(job)
    assert job_results("clear") == [("lost", ""), ("done", "1")]


def test_a_lost_run_is_repeated_for_the_same_scheduled_time(settings) -> None:
    slot = runs.every_seconds(3600 * 24 * 365)
    assert runs.claim_run("clear", slot(clock.now()), DEAD_PROCESS)
    assert run_due(Job("clear", slot, lambda: 1))
    assert job_results("clear") == [("done", "1")]


def test_only_one_of_several_processes_starts_the_run(settings) -> None:
    start, winners = threading.Barrier(6), []
    due_at = runs.every_seconds(3600)(clock.now())
    waits = [sys.executable, "-c", "input()"]
    processes = [subprocess.Popen(waits, stdin=subprocess.PIPE) for _ in range(5)]

    def race(pid: int) -> None:
        with db.database.connection_context():
            start.wait(20)
            if runs.claim_run("clear", due_at, f"{pid}:{process_id.start_ticks(pid)}"):
                winners.append(pid)

    threads = [threading.Thread(target=race, args=(process.pid,)) for process in processes]
    for thread in threads:
        thread.start()
    start.wait(20)
    for thread in threads:
        thread.join(30)
    for process in processes:
        process.communicate(b"\n")
    assert len(winners) == 1
    assert JobRun.select().where(JobRun.state == "running").count() == 1


def test_only_the_last_run_without_work_is_kept(settings) -> None:
    for hour, done in enumerate([None, "two", None, None]):
        moment = dt.datetime(2026, 11, 1, hour, tzinfo=dt.UTC)
        run_due(Job("reports", lambda now, at=moment: at, lambda result=done: result))
    assert job_results("reports") == [("done", "two"), ("done", "")]


def test_jobs_continue_after_the_clock_was_set_back(settings, now) -> None:
    done: list[str] = []
    plan = {"reports": runs.every_seconds(20), "retention": runs.daily_at(dt.time(3), settings.tz)}
    jobs = [
        Job(name, slot, lambda name=name: done.append(name), catches_up=name == "reports")
        for name, slot in plan.items()
    ]

    def names_run_at(offset: dt.timedelta) -> list[str]:
        now.off, done[:] = offset, []
        for job in jobs:
            run_due(job)
        return done

    start = DAY - (clock.now() - jobs[1].slot(clock.now()))  # a nightly time, and noon after it
    noon = 9 * HOUR
    assert names_run_at(start + noon) == ["reports"]  # a new nightly job waits
    assert names_run_at(start + noon + DAY) == ["reports", "retention"]  # the clock is a day ahead
    assert names_run_at(start + noon) == ["reports"]  # and correct again
    assert names_run_at(start + noon + HOUR) == ["reports"]
    assert names_run_at(start + DAY) == ["reports"]  # the work of this night is done already
    assert names_run_at(start + 2 * DAY) == ["reports", "retention"]


def test_a_clock_far_in_the_past_makes_no_nightly_job_due(settings, now) -> None:
    """The box starts with an unset clock, which is set shortly afterwards."""
    slot, times = runs.daily_at(dt.time(3), settings.tz), []
    job = Job("retention", slot, lambda: times.append(1), catches_up=False)
    record_run("retention", clock.now() - slot(clock.now()))
    now.off = -1000 * DAY
    assert not run_due(job)
    now.off = dt.timedelta()
    assert not run_due(job)
    assert times == []


def test_no_second_run_starts_during_one_begun_before_the_clock_was_set_back(settings, now) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    job = Job("clear", runs.every_seconds(20), lambda: "seen")
    now.off = DAY
    has_begun = runs.claim_run(
        "clear", job.slot(clock.now()), f"{other.pid}:{process_id.start_ticks(other.pid)}"
    )
    assert has_begun
    now.off = dt.timedelta()
    assert not run_due(job)
    other.communicate(b"\n")
    assert run_due(job)
    # the newest by id, not by the clock
    assert [run.state for run in runs.latest_runs()] == ["done"]


def test_a_timetable_stopped_since_the_clock_was_set_back_fails(settings, now) -> None:
    now.off = DAY
    run_due(Job("reports", runs.every_seconds(20), lambda: None))
    now.off = dt.timedelta()
    jobs_check = find_check(settings, "jobs")
    assert (jobs_check.state, jobs_check.seen) == (
        "fail",
        "no job has run since the clock was set back",
    )
    run_due(Job("reports", runs.every_seconds(20), lambda: None))
    assert find_check(settings, "jobs").state == "ok"


def test_a_leftover_run_does_not_hide_a_stopped_timetable(settings) -> None:
    record_run("clear", 7 * HOUR)
    record_run("reports", 6 * HOUR, "running", holder=process_id.this_process_name())
    assert find_check(settings, "jobs").state == "fail"


@pytest.mark.parametrize(
    ("name", "ago", "fails"),
    [("retention", 9 * DAY, True), ("retention", 20 * HOUR, False), ("checks", DAY, True)],
)
def test_a_hanging_job_is_reported(settings, name, ago, fails) -> None:
    record_run("clear", 0 * HOUR)
    record_run(name, ago + MINUTE)
    run = record_run(name, ago, "running", holder=process_id.this_process_name())
    job_check = find_check(settings, f"job.{name}")
    assert bool(job_check) == fails
    if job_check:
        assert (job_check.state, job_check.seen) == (
            "fail",
            "running since {moment}, for far too long",
        )
    JobRun.update(holder=DEAD_PROCESS).where(JobRun.id == run.id).execute()
    job_check = find_check(settings, f"job.{name}")
    assert (job_check and job_check.seen) == ("was last done {moment}" if fails else None)


def test_a_nightly_job_that_never_completes_is_reported(settings) -> None:
    record_run("clear", 0 * HOUR)
    record_run("retention", 51 * HOUR, "new")
    assert find_check(settings, "job.retention").seen == "was last done {moment}"
    record_run("retention", 50 * HOUR, "lost")
    assert find_check(settings, "job.retention").state == "fail"
    record_run("retention", 49 * HOUR)
    assert find_check(settings, "job.retention") is None


def test_two_failures_in_a_row_alarm_and_one_does_not(settings, now) -> None:
    settings = dataclasses.replace(settings, telegram=Telegram("t", -5))
    record_run("retention", 49 * HOUR)
    for nights, failing in ((1, []), (2, ["job.retention"])):
        record_run("retention", (49 - 24 * nights) * HOUR, "failed", result="OSError: disk full")
        record_run("clear", 0 * HOUR)
        assert [c.code for c in work.check_jobs(settings) if c.state == "fail"] == failing
    assert find_check(settings, "jobs").state == "ok"  # it is reported once
    record_run("retention", 0 * HOUR, "running", holder=process_id.this_process_name())
    assert find_check(settings, "job.retention").values["error"] == "OSError: disk full"
    alarms.notify_due_alarms(settings, work.check_jobs(settings), alarms.REST_KIND)
    now.off = 2 * MINUTE
    assert alarms.notify_due_alarms(settings, work.check_jobs(settings), alarms.REST_KIND) == [
        "job.retention"
    ]


def test_a_failure_does_not_cancel_an_earlier_success(settings, now) -> None:
    good = Job("integrity", runs.every_seconds(3600), lambda: None)

    def fail_on_full_disk() -> None:
        raise OSError("disk full")

    for hour in range(3):
        now.off = hour * HOUR
        run_due(good)
    now.off = 3 * HOUR
    run_due(dataclasses.replace(good, action=fail_on_full_disk))
    assert find_check(settings, "job.integrity") is None
    now.off = 4 * HOUR
    run_due(good)
    now.off = 5 * HOUR
    run_due(dataclasses.replace(good, action=fail_on_full_disk))
    assert find_check(settings, "job.integrity") is None
    assert find_check(settings, "jobs").state == "warn"


def test_a_doubted_clock_raises_an_alarm_with_its_own_text(settings) -> None:
    record_run("clear", 0 * HOUR)
    record_run("retention", 100 * HOUR)
    record_run("retention", 1 * HOUR, "failed", result="ClockDoubted: the clock went from …")
    retention_check = find_check(settings, "job.retention")
    assert retention_check.seen.startswith("Nothing is removed for now")
    record_run("retention", 0 * HOUR)
    assert find_check(settings, "job.retention") is None


def test_every_job_of_the_timetable_is_monitored(settings) -> None:
    sms = SmsAccount("first", "eskiz", "https://sms.example/api", "u", "p", "4546")
    full_settings = dataclasses.replace(
        settings,
        sms=(sms,),
        telegram=Telegram("t", -5, summary="08:00"),
        backups=(Backup("second", "/mnt", settings.file),),
        links=Links(rate_url="http://x"),
        self_tests=SelfTests(10, 7, carrier_minutes=10),
        audit=Audit("audit.key"),
        snapshots=Snapshots(replica="second"),
    )
    for site in (settings, full_settings):
        names = {job.name for job in timetable.scheduled_jobs(site, lambda: True)}
        assert set(schedule.job_max_ages(site)) == names
    assert names == set(schedule.JOB_TITLES)


def test_a_run_interrupted_by_a_stop_is_repeated(settings) -> None:
    stop = threading.Event()
    hands, slot = timetable.JobRunner(stop), runs.every_seconds(3600 * 24 * 365)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as helper:

        def work_with_a_helper() -> None:
            if helper.wait():
                raise OSError(f"the helper ended with {helper.returncode}")

        hands.start_if_due(Job("snapshot", slot, work_with_a_helper))
        wait_until(lambda: job_results("snapshot") == [("running", "")])
        helper.terminate()  # the manager's signal reaches the helper first
        stop.set()
        hands.threads["snapshot"].join(60)
    assert job_results("snapshot") == [("lost", "OSError: the helper ended with -15")]
    assert run_due(Job("snapshot", slot, lambda: "made"))
    assert job_results("snapshot") == [("done", "made")]


def test_a_failed_run_is_not_repeated_for_its_scheduled_time(settings) -> None:
    hands, slot = timetable.JobRunner(threading.Event()), runs.every_seconds(3600 * 24 * 365)

    def fail_on_full_disk() -> None:
        raise OSError("disk full")

    hands.start_if_due(Job("snapshot", slot, fail_on_full_disk))
    hands.threads["snapshot"].join(60)
    assert job_results("snapshot") == [("failed", "OSError: disk full")]
    assert not run_due(Job("snapshot", slot, lambda: "made"))


@pytest.mark.parametrize(("late", "result"), [(59 * MINUTE, "measured"), (61 * MINUTE, "skipped")])
def test_the_rate_is_not_measured_in_the_middle_of_the_day(settings, monkeypatch, late, result):
    site = dataclasses.replace(settings, links=Links(rate_url="http://x"))
    monkeypatch.setattr(timetable.rate, "measure_rate", lambda settings: "measured")
    [job] = [job for job in timetable.scheduled_jobs(site, lambda: True) if job.name == "rate"]
    moment = clock.now()
    record_run("rate", 2 * DAY)
    job = dataclasses.replace(job, slot=lambda now: moment - late)
    assert run_due(job)
    assert not run_due(job)
    assert [run.result.partition(":")[0] for run in runs.eventful_runs()] == [result]


def test_a_drill_that_died_reports_its_error(settings, monkeypatch) -> None:
    ends = [sys.executable, "-c", "import sys; sys.exit('killed')"]
    monkeypatch.setattr(selftests.selftests, "appliance_command", lambda *words: ends)
    with pytest.raises(RuntimeError, match="killed"):
        selftests.run_offline_drill(settings)


@pytest.mark.parametrize(("ago", "state"), [(0, "ok"), (6, "fail")])
def test_the_self_check_detects_a_stopped_timetable(settings, ago, state) -> None:
    run_due(Job("reports", runs.every_seconds(20), lambda: None))
    past = clock.now() - dt.timedelta(minutes=ago)
    JobRun.update(started_at=past).execute()
    jobs_check = next(check for check in health.all_checks(settings) if check.code == "jobs")
    assert jobs_check.state == state


def test_the_page_shows_each_job(settings, login_as) -> None:
    for job in timetable.scheduled_jobs(settings, lambda: True):
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
        wait_until(
            lambda: {"clear", "disks", "reports"} <= {r.name for r in runs.latest_runs()}, limit=90
        )
        wait_until(lambda: not JobRun.select().where(JobRun.state == "running").exists(), limit=90)
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait()
    assert not JobRun.select().where(JobRun.state == "running").exists()


_SMS_ACCOUNT_TOML = """
[[sms]]
name = "eskiz"
kind = "eskiz"
url = "{url}"
user = "user"
password = "secret"
sender = "4546"
"""


def test_a_stop_waits_for_the_message_being_sent(settings) -> None:
    goes_on = threading.Event()
    with run_sms_service() as provider:
        provider.delay_seconds = lambda: float(not goes_on.wait(60))
        settings.file.write_text(
            settings.file.read_text() + _SMS_ACCOUNT_TOML.format(url=provider.url)
        )
        for number in range(3):
            phone = f"+99893555014{number}"
            outbox.queue_sms("registered", phone, "x", key=phone, tz=settings.tz)
        program = [Path(sys.executable).with_name("appliance"), "--config", str(settings.file)]
        process = subprocess.Popen([*program, "jobs"], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: provider.messages, limit=90)
            process.send_signal(signal.SIGTERM)
            goes_on.set()
            assert process.wait(90) == 0
        finally:
            process.kill()
            process.wait()
        states = [m.state for m in Message.select().order_by(Message.id)]
        assert set(states) <= {"sent", "pending"}
        assert states.count("sent") == len(provider.messages)
    assert not Message.select().where(Message.perhaps_twice).exists()
