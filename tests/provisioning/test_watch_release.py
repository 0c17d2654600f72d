"""A new release is watched until it works; a crash loop ends the watch at once."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provisioning.box.bundle import PLAYBOOK_FOLDER

SCRIPT = PLAYBOOK_FOLDER / "files" / "watch_release.py"
RUNNING_STATE = "ActiveState=active\nSubState=running\nNRestarts=0\nResult=success\n"
CRASH_LOOP_STATE = "ActiveState=activating\nSubState=auto-restart\nNRestarts=2\nResult=exit-code\n"
FAILED_STATE = "ActiveState=failed\nSubState=failed\nNRestarts=0\nResult=exit-code\n"
UNITS = ("appliance-jobs", "appliance-web")
FAKE_SYSTEMCTL = '#!/bin/sh\nfor unit; do :; done\ncat "$(dirname "$0")/$unit"\n'
FAKE_DOCTOR = '#!/bin/sh\ncat "$(dirname "$0")/checks"\n'


@dataclass
class Box:
    """The answers of a box's systemd, pages and self-checks."""

    folder: Path
    port: int
    page_statuses: list[int] = field(default_factory=lambda: [200])

    def set_unit_state(self, unit: str, state: str) -> None:
        (self.folder / unit).write_text(state)

    def set_checks(self, **states: str) -> None:
        rows = [{"check": name.replace("_", "."), "state": state} for name, state in states.items()]
        (self.folder / "checks").write_text(json.dumps(rows))

    def run_script(self, *arguments: str) -> tuple[int, str]:
        process = subprocess.run(
            ["/usr/bin/python3", "-I", SCRIPT, *arguments, "--command", self.folder / "appliance"]
            + ["--pages", f"http://127.0.0.1:{self.port}/healthz"],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not process.stderr
        return process.returncode, process.stdout.strip()

    def watch_release(self, seconds: int = 3) -> tuple[int, str, float]:
        """Return the exit status, the output, and the seconds that the watch took."""
        started_at = time.monotonic()
        status, text = self.run_script("after", self.state_before, "--seconds", str(seconds))
        return status, text, time.monotonic() - started_at

    def record_state_before(self) -> None:
        self.state_before = self.run_script("before", *UNITS)[1]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """Before the upgrade everything works except one self-check."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(fake_box.page_statuses[0])
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as pages:
        fake_box = Box(tmp_path, pages.server_address[1])
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        for name, text in (("systemctl", FAKE_SYSTEMCTL), ("appliance", FAKE_DOCTOR)):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        for unit in UNITS:
            fake_box.set_unit_state(unit, RUNNING_STATE)
        fake_box.set_checks(database="ok", backup="fail")
        fake_box.record_state_before()
        yield fake_box
        pages.shutdown()


def test_a_working_release_is_watched_for_ten_seconds(box: Box) -> None:
    box.set_checks(database="ok", backup="fail", novelty="fail", job_import="fail")
    status, text, seconds = box.watch_release()
    assert (status, text) == (0, "")
    assert seconds >= 10


def test_a_self_check_that_fails_after_the_upgrade_is_named(box: Box) -> None:
    box.set_checks(database="fail", backup="fail")
    status, text, seconds = box.watch_release()
    assert (status, text) == (1, "the self-check database fails")
    assert seconds >= 3


def test_a_self_check_without_an_answer_fails_the_release(box: Box) -> None:
    (box.folder / "checks").write_text("Traceback")
    assert box.watch_release()[:2] == (1, "the self-check doctor fails")


def test_pages_that_do_not_answer_are_named(box: Box) -> None:
    box.page_statuses[0] = 502
    assert box.watch_release()[:2] == (1, "the pages do not answer: HTTP Error 502: Bad Gateway")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (CRASH_LOOP_STATE, "appliance-web has ended 2 times since its start (exit-code)"),
        (FAILED_STATE, "appliance-web has failed (exit-code)"),
    ],
)
def test_a_crash_loop_ends_the_watch_at_once(box: Box, state: str, message: str) -> None:
    box.set_unit_state("appliance-web", state)
    status, text, seconds = box.watch_release(seconds=55)
    assert (status, text) == (1, message)
    assert seconds < 10


def test_a_unit_that_did_not_run_before_is_ignored(box: Box) -> None:
    box.set_unit_state("appliance-jobs", CRASH_LOOP_STATE)
    box.record_state_before()
    assert box.watch_release()[0] == 0
