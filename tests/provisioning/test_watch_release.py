"""A new release is watched until it works; one that crashes again and again is not waited for."""

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

from provisioning.box.bundle import PLAYBOOKS

SCRIPT = PLAYBOOKS / "files" / "watch_release.py"
RUNS = "ActiveState=active\nSubState=running\nNRestarts=0\nResult=success\n"
LOOP = "ActiveState=activating\nSubState=auto-restart\nNRestarts=2\nResult=exit-code\n"
FAILED = "ActiveState=failed\nSubState=failed\nNRestarts=0\nResult=exit-code\n"
UNITS = ("appliance-jobs", "appliance-web")
SYSTEMCTL = '#!/bin/sh\nfor unit; do :; done\ncat "$(dirname "$0")/$unit"\n'
DOCTOR = '#!/bin/sh\ncat "$(dirname "$0")/checks"\n'


@dataclass
class Box:
    """What systemd, the pages and the self-checks of a box answer."""

    folder: Path
    port: int
    answers: list[int] = field(default_factory=lambda: [200])

    def say(self, unit: str, state: str) -> None:
        (self.folder / unit).write_text(state)

    def check(self, **states: str) -> None:
        rows = [{"check": name.replace("_", "."), "state": one} for name, one in states.items()]
        (self.folder / "checks").write_text(json.dumps(rows))

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            ["/usr/bin/python3", "-I", SCRIPT, *words, "--command", self.folder / "appliance"]
            + ["--pages", f"http://127.0.0.1:{self.port}/healthz"],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not done.stderr
        return done.returncode, done.stdout.strip()

    def watch(self, seconds: int = 3) -> tuple[int, str, float]:
        """What is said of the release, and after how many seconds."""
        began = time.monotonic()
        status, text = self.run("after", self.before, "--seconds", str(seconds))
        return status, text, time.monotonic() - began

    def look_before(self) -> None:
        self.before = self.run("before", *UNITS)[1]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """All is well before the upgrade, but for one self-check."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(made.answers[0])
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as pages:
        made = Box(tmp_path, pages.server_address[1])
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        for name, text in (("systemctl", SYSTEMCTL), ("appliance", DOCTOR)):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        for unit in UNITS:
            made.say(unit, RUNS)
        made.check(database="ok", backup="fail")
        made.look_before()
        yield made
        pages.shutdown()


def test_a_release_that_works_is_watched_for_a_while(box: Box) -> None:
    box.check(database="ok", backup="fail", novelty="fail", job_import="fail")
    status, text, seconds = box.watch()
    assert (status, text) == (0, "")
    assert seconds >= 10


def test_a_self_check_that_fails_since_is_named(box: Box) -> None:
    box.check(database="fail", backup="fail")
    status, text, seconds = box.watch()
    assert (status, text) == (1, "the self-check database fails")
    assert seconds >= 3


def test_a_doctor_without_an_answer_does_not_pass(box: Box) -> None:
    (box.folder / "checks").write_text("Traceback")
    assert box.watch()[:2] == (1, "the self-check doctor fails")


def test_pages_that_do_not_answer_are_named(box: Box) -> None:
    box.answers[0] = 502
    assert box.watch()[:2] == (1, "the pages do not answer: HTTP Error 502: Bad Gateway")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (LOOP, "appliance-web has ended 2 times since its start (exit-code)"),
        (FAILED, "appliance-web has failed (exit-code)"),
    ],
)
def test_a_crash_loop_ends_the_waiting_at_once(box: Box, state: str, said: str) -> None:
    box.say("appliance-web", state)
    status, text, seconds = box.watch(seconds=55)
    assert (status, text) == (1, said)
    assert seconds < 10


def test_a_unit_that_did_not_run_before_says_nothing(box: Box) -> None:
    box.say("appliance-jobs", LOOP)
    box.look_before()
    assert box.watch()[0] == 0
