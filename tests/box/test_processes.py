"""Signs of life: processes that run, hang or run twice."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys

import pytest

from appliance.box import alarms, health, processes
from appliance.core import clock, process_id, sqlite
from appliance.models import Alarm
from tests.rig.waiting import wait_until

_OTHER_PROCESS = """
import sys, time
from appliance.box import processes
from appliance.core import db, settings
site = settings.load_settings(sys.argv[1])
db.open_database(site.paths.database)
heartbeat = processes.register_process(site, "jobs")
while True:
    heartbeat.write_if_due()
    time.sleep(0.05)
"""


def process_state(settings, name: str = "jobs") -> tuple[str, str]:
    check = next(
        c for c in health.processes.check_processes(settings) if c.code == f"process.{name}"
    )
    assert bool(check.advice) == (check.state != "ok")
    return check.state, check.seen.format(**check.values)


@pytest.fixture
def quick(monkeypatch):
    """Shorten the intervals, so that a hanging process is detected quickly."""
    monkeypatch.setattr(processes, "HANG_SECONDS", 1.0)
    monkeypatch.setattr(processes, "HEARTBEAT_SECONDS", 0.1)


@pytest.fixture
def another(settings):
    """Another process of the same name."""
    command = [
        sys.executable,
        "-c",
        _OTHER_PROCESS.replace("while", "processes.HEARTBEAT_SECONDS = 0.1\nwhile"),
    ]
    process = subprocess.Popen([*command, str(settings.file)])
    wait_until(lambda: len(processes.running_processes(settings)["jobs"]) >= 1)
    yield process
    process.kill()
    process.wait()


def test_two_processes_of_a_name_are_reported_until_one_ends(settings, another) -> None:
    processes.register_process(settings, "jobs")
    state, text = process_state(settings)
    assert (state, text.startswith("running 2 times:")) == ("fail", True)
    assert str(os.getpid()) in text
    assert str(another.pid) in text
    another.kill()
    another.wait()
    assert process_state(settings)[0] == "ok"


@pytest.mark.usefixtures("quick")
def test_a_frozen_process_is_reported_until_it_continues(settings, another) -> None:
    assert process_state(settings)[0] == "ok"
    another.send_signal(signal.SIGSTOP)
    wait_until(lambda: "no activity" in process_state(settings)[1])
    assert process_id.is_stopped(another.pid)
    another.send_signal(signal.SIGCONT)
    wait_until(lambda: process_state(settings)[0] == "ok")


def test_the_sign_of_a_killed_process_does_not_count(settings, another) -> None:
    another.kill()
    another.wait()
    assert process_state(settings)[0] == "fail"
    processes.register_process(settings, "jobs")
    assert process_state(settings)[0] == "ok"
    assert len(list((settings.asterisk.run / "signs").iterdir())) == 1


def test_a_process_of_another_account_counts_by_its_sign(settings, monkeypatch) -> None:
    processes.register_process(settings, "jobs")
    monkeypatch.setattr(process_id, "is_process_alive", lambda _holder: False)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert process_state(settings)[0] == "ok"


def test_signs_from_before_a_reboot_do_not_count(settings) -> None:
    processes.register_process(settings, "jobs")
    [file] = (settings.asterisk.run / "signs").iterdir()
    file.write_text(f'{{"began": "{clock.now().isoformat()}", "at": 1e12}}')
    assert process_state(settings)[0] == "fail"
    file.write_text("scrap")
    assert process_state(settings)[0] == "fail"


def test_a_locked_database_does_not_make_a_process_look_dead(settings) -> None:
    heartbeat = processes.register_process(settings, "pbx")
    other_connection = sqlite.connect(settings.paths.database, isolation_level=None)
    other_connection.execute("BEGIN IMMEDIATE")
    heartbeat.write_if_due()
    assert process_state(settings, "pbx")[0] == "ok"
    other_connection.close()


def test_the_pbx_process_raises_the_alarm_about_the_jobs_process(
    settings, at_noon, monkeypatch
) -> None:
    check = health.jobs_process(settings)
    assert check.state == "fail"
    # the jobs process itself could not report that it is dead
    assert alarms.update_alarms(settings, [check]) == []
    assert not Alarm.select().exists()
    alarms.notify_due_alarms(settings, [check], "jobs")
    monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.FAULT_GRACE_PERIOD)
    assert alarms.notify_due_alarms(settings, [check], "jobs") == ["process.jobs"]
    assert alarms.notify_due_alarms(settings, [], alarms.REST_KIND) == []
    assert Alarm.select().count() == 1


@pytest.mark.parametrize("kind", ["", "@"])
def test_the_systemd_watchdog_is_notified(settings, tmp_path, monkeypatch, kind) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        name = f"appliance-test-{os.getpid()}" if kind else str(tmp_path / "notify")
        systemd.bind(f"\0{name}" if kind else name)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{kind}{name}")
        monkeypatch.setattr(processes, "HEARTBEAT_SECONDS", 0.0)
        heartbeat = processes.register_process(settings, "jobs")
        assert systemd.recv(64) == b"WATCHDOG=1"
        # A second Asterisk would notify systemd when it ends, although the unit does not end.
        assert subprocess.run(["printenv", "NOTIFY_SOCKET"]).returncode
        heartbeat.write_if_due()
        assert systemd.recv(64) == b"WATCHDOG=1"


def test_a_missing_folder_for_signs_stops_no_process(settings, tmp_path, caplog) -> None:
    (tmp_path / "file").touch()
    invalid_asterisk = dataclasses.replace(settings.asterisk, run=tmp_path / "file")
    site = dataclasses.replace(settings, asterisk=invalid_asterisk)
    processes.register_process(site, "jobs")
    assert "no sign of life" in caplog.text
    assert processes.process_states()["jobs"].holder == process_id.this_process_name()
    assert processes.running_processes(site)["jobs"] == []
