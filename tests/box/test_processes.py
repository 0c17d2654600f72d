"""Signs of life: who runs, who hangs, who runs twice."""

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
from tests.rig.waiting import until

_ANOTHER = """
import sys, time
from appliance.box import processes
from appliance.core import db, settings
site = settings.load(sys.argv[1])
db.open_database(site.paths.database)
pulse = processes.begin(site, "jobs")
while True:
    pulse.give()
    time.sleep(0.05)
"""


def seen(settings, name: str = "jobs") -> tuple[str, str]:
    found = next(c for c in health.processes.run(settings) if c.code == f"process.{name}")
    assert bool(found.advice) == (found.state != "ok")
    return found.state, found.seen.format(**found.values)


@pytest.fixture
def quick(monkeypatch):
    """Hanging is seen soon."""
    monkeypatch.setattr(processes, "SILENT", 1.0)
    monkeypatch.setattr(processes, "EVERY", 0.1)


@pytest.fixture
def another(settings):
    """Another process of the same name."""
    command = [sys.executable, "-c", _ANOTHER.replace("while", "processes.EVERY = 0.1\nwhile")]
    process = subprocess.Popen([*command, str(settings.file)])
    until(lambda: len(processes.living(settings)["jobs"]) >= 1)
    yield process
    process.kill()
    process.wait()


def test_two_of_a_kind_are_seen_and_the_end_of_one_is_not_that_of_the_other(
    settings, another
) -> None:
    processes.begin(settings, "jobs")
    state, text = seen(settings)
    assert (state, text.startswith("runs 2 times:")) == ("fail", True)
    assert str(os.getpid()) in text
    assert str(another.pid) in text
    another.kill()
    another.wait()
    assert seen(settings)[0] == "ok"


@pytest.mark.usefixtures("quick")
def test_one_that_was_frozen_hangs_and_goes_on(settings, another) -> None:
    assert seen(settings)[0] == "ok"
    another.send_signal(signal.SIGSTOP)
    until(lambda: "no sign of life" in seen(settings)[1])
    assert process_id.stands_still(another.pid)
    another.send_signal(signal.SIGCONT)
    until(lambda: seen(settings)[0] == "ok")


def test_what_a_killed_one_left_is_no_process(settings, another) -> None:
    another.kill()
    another.wait()
    assert seen(settings)[0] == "fail"
    processes.begin(settings, "jobs")
    assert seen(settings)[0] == "ok"
    assert len(list((settings.asterisk.run / "signs").iterdir())) == 1


def test_a_process_of_another_account_lives_by_its_signs(settings, monkeypatch) -> None:
    processes.begin(settings, "jobs")
    monkeypatch.setattr(process_id, "lives", lambda _holder: False)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert seen(settings)[0] == "ok"


def test_signs_of_before_the_machine_was_started_again(settings) -> None:
    processes.begin(settings, "jobs")
    [file] = (settings.asterisk.run / "signs").iterdir()
    file.write_text(f'{{"began": "{clock.now().isoformat()}", "at": 1e12}}')
    assert seen(settings)[0] == "fail"
    file.write_text("scrap")
    assert seen(settings)[0] == "fail"


def test_a_database_that_is_locked_makes_no_process_look_dead(settings) -> None:
    pulse = processes.begin(settings, "pbx")
    other = sqlite.connect(settings.paths.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pulse.give()
    assert seen(settings, "pbx")[0] == "ok"
    other.close()


def test_the_jobs_have_an_alarm_that_the_pbx_process_raises(settings, at_noon, monkeypatch) -> None:
    check = health.jobs_process(settings)
    assert check.state == "fail"
    assert alarms.watch(settings, [check]) == []  # the jobs would not live to tell
    assert not Alarm.select().exists()
    alarms.raise_due(settings, [check], "jobs")
    monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.PATIENCE)
    assert alarms.raise_due(settings, [check], "jobs") == ["process.jobs"]
    assert alarms.raise_due(settings, [], alarms.REST) == []
    assert Alarm.select().count() == 1


@pytest.mark.parametrize("kind", ["", "@"])
def test_systemd_is_fed(settings, tmp_path, monkeypatch, kind) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        name = f"appliance-test-{os.getpid()}" if kind else str(tmp_path / "notify")
        systemd.bind(f"\0{name}" if kind else name)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{kind}{name}")
        monkeypatch.setattr(processes, "EVERY", 0.0)
        pulse = processes.begin(settings, "jobs")
        assert systemd.recv(64) == b"WATCHDOG=1"
        # A second Asterisk tells systemd when it ends: not that the unit does.
        assert subprocess.run(["printenv", "NOTIFY_SOCKET"]).returncode
        pulse.give()
        assert systemd.recv(64) == b"WATCHDOG=1"


def test_no_folder_for_signs_ends_nothing(settings, tmp_path) -> None:
    (tmp_path / "file").touch()
    nowhere = dataclasses.replace(settings.asterisk, run=tmp_path / "file")
    processes.begin(dataclasses.replace(settings, asterisk=nowhere), "jobs")
