"""Keeps a site's processes running: starts them, restarts those that died, stops all of them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

MARK_VARIABLE = "APPLIANCE_SITE"  # in the environment of every process of a site: the site's folder
QUICK_DEATH_SECONDS = 3.0  # a process that lives shorter has failed to start
MAX_QUICK_DEATHS = 3  # after this many quick deaths in a row a process is in trouble
RESTART_PAUSE_SECONDS = 2.0  # between starts of a process in trouble
STOP_TIMEOUT_SECONDS = 10.0  # time that processes have to end by themselves


@dataclass(frozen=True)
class Service:
    """One process of the site."""

    name: str
    command: Sequence[str]


class _ServiceProcess:
    """A service and its present process."""

    def __init__(self, service: Service, run: Path, log: Path) -> None:
        self.service = service
        self.pid_file = run / f"{service.name}.pid"
        self.trouble_file = run / f"{service.name}.trouble"
        self.log_file = log
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.failures = 0

    def start_process(self) -> None:
        """Start the process and write its pid file."""
        # The kernel ends the process if the supervisor is killed, so that no process remains.
        command = ["setpriv", "--pdeathsig", "TERM", "--", *self.service.command]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        new_file = self.pid_file.with_suffix(".new")
        new_file.write_text(f"{self.process.pid}\n", "ascii")
        new_file.replace(self.pid_file)

    def ensure_running(self) -> None:
        """Start the process if it does not run; first, processes that it left are ended."""
        if self.process and self.process.poll() is None:
            if self.failures and time.monotonic() - self.started_at > QUICK_DEATH_SECONDS:
                self.failures = 0
                self.trouble_file.unlink(missing_ok=True)
            return
        if self.process:
            lifetime = time.monotonic() - self.started_at
            self.send_signal(signal.SIGKILL)
            self.failures = self.failures + 1 if lifetime < QUICK_DEATH_SECONDS else 0
            print_log_line(
                f"{self.service.name} ended with {self.process.returncode} after {lifetime:.1f} s"
            )
            self.process = None
            if self.failures >= MAX_QUICK_DEATHS:
                self.trouble_file.touch()
        if (
            self.failures < MAX_QUICK_DEATHS
            or time.monotonic() - self.started_at > RESTART_PAUSE_SECONDS
        ):
            self.start_process()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to the processes that it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def print_log_line(text: str) -> None:
    """Print a line for the site's own log."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def supervise_services(services: Sequence[Service], run: Path, logs: Path) -> None:
    """Run the services, in order, until SIGTERM, SIGINT or SIGHUP; then stop them in reverse."""
    stopping = False

    def request_stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, request_stop)
    children = [_ServiceProcess(service, run, logs / f"{service.name}.log") for service in services]
    for child in children:
        child.trouble_file.unlink(missing_ok=True)
    while not stopping:
        for child in children:
            child.ensure_running()
        time.sleep(0.1)
    for child in reversed(children):
        child.send_signal(signal.SIGTERM)
    limit = time.monotonic() + STOP_TIMEOUT_SECONDS
    for child in reversed(children):
        if child.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, limit - time.monotonic()))
        child.send_signal(signal.SIGKILL)
        child.pid_file.unlink(missing_ok=True)


def marked_processes(folder: Path) -> list[int]:
    """Pids of processes with the site's mark, except this process and its parent."""
    mark = f"{MARK_VARIABLE}={folder}".encode()
    own_pids = {os.getpid(), os.getppid()}
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own_pids:
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    pids.append(int(entry.name))
    return pids


def end_marked_processes(folder: Path) -> int:
    """End the processes with the site's mark; returns how many there were."""
    pids = marked_processes(folder)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked_processes(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        limit = time.monotonic() + STOP_TIMEOUT_SECONDS
        while marked_processes(folder) and time.monotonic() < limit:
            time.sleep(0.05)
    return len(pids)
