"""Keeps a site's processes running: starts them, starts again what died, stops all of them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

MARK = "APPLIANCE_SITE"  # in the environment of every process of a site: the site's folder
QUICK = 3.0  # seconds; a process that lives shorter has failed to start
FAILURES = 3  # quick deaths in a row after which a process is in trouble
PAUSE = 2.0  # seconds between starts of a process in trouble
GRACE = 10.0  # seconds that processes have to end by themselves


@dataclass(frozen=True)
class Service:
    """One process of the site."""

    name: str
    command: Sequence[str]


class _Child:
    """A service and its present process."""

    def __init__(self, service: Service, run: Path, log: Path) -> None:
        self.service = service
        self.pid_file = run / f"{service.name}.pid"
        self.trouble = run / f"{service.name}.trouble"
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.failures = 0

    def start(self) -> None:
        # The kernel ends the process when the supervisor is killed, so that nothing is left over.
        command = ["setpriv", "--pdeathsig", "TERM", "--", *self.service.command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started = time.monotonic()
        fresh = self.pid_file.with_suffix(".new")
        fresh.write_text(f"{self.process.pid}\n", "ascii")
        fresh.replace(self.pid_file)

    def look_after(self) -> None:
        """Start the process if it is not there; what it left running is ended first."""
        if self.process and self.process.poll() is None:
            if self.failures and time.monotonic() - self.started > QUICK:
                self.failures = 0
                self.trouble.unlink(missing_ok=True)
            return
        if self.process:
            lived = time.monotonic() - self.started
            self.end(signal.SIGKILL)
            self.failures = self.failures + 1 if lived < QUICK else 0
            say(f"{self.service.name} ended with {self.process.returncode} after {lived:.1f} s")
            self.process = None
            if self.failures >= FAILURES:
                self.trouble.touch()
        if self.failures < FAILURES or time.monotonic() - self.started > PAUSE:
            self.start()

    def end(self, number: signal.Signals) -> None:
        """Send a signal to the process and what it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def say(text: str) -> None:
    """A line for the site's own log."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def supervise(services: Sequence[Service], run: Path, logs: Path) -> None:
    """Run the services, in order, until SIGTERM, SIGINT or SIGHUP; then stop them, in turn."""
    stopping = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    children = [_Child(service, run, logs / f"{service.name}.log") for service in services]
    for child in children:
        child.trouble.unlink(missing_ok=True)
    while not stopping:
        for child in children:
            child.look_after()
        time.sleep(0.1)
    for child in reversed(children):
        child.end(signal.SIGTERM)
    limit = time.monotonic() + GRACE
    for child in reversed(children):
        if child.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, limit - time.monotonic()))
        child.end(signal.SIGKILL)
        child.pid_file.unlink(missing_ok=True)


def left_over(folder: Path) -> list[int]:
    """Processes that carry the site's mark, but for this one and those that started it."""
    mark = f"{MARK}={folder}".encode()
    own = {os.getpid(), os.getppid()}
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own:
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def end_left_over(folder: Path) -> int:
    """End what carries the site's mark; returns how many processes there were."""
    pids = left_over(folder)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left_over(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        limit = time.monotonic() + GRACE
        while left_over(folder) and time.monotonic() < limit:
            time.sleep(0.05)
    return len(pids)
