"""The processes of the site: when each last started, and which of them are alive.

A heartbeat is a file in Asterisk's `run` folder, which is in memory: a locked database makes no
process look dead, and a heartbeat costs no disk write. Each process has its own file, so that two
processes of one kind can be distinguished, and the end of one is not mistaken for the end of the
other.
"""

import datetime as dt
import http.client
import json
import logging
import os
import socket
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import peewee

from appliance.core import clock, live, process_id, sqlite
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import ProcessState

log = logging.getLogger(__name__)

PROCESS_NAMES = ("web", "pbx", "jobs")
TOPIC = "checks"
HEARTBEAT_SECONDS = 5.0  # seconds between two heartbeats
HANG_SECONDS = 30.0  # seconds without a heartbeat until a process counts as hanging


@dataclass(frozen=True)
class Heartbeat:
    """The last heartbeat of one process."""

    name: str
    holder: str
    since: dt.datetime  # when the process started
    age_seconds: float  # seconds since the heartbeat
    visible: bool  # whether this process may see that process in the machine's process list
    sqlite: str  # the version of its SQLite; "" when it does not report one

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; for a process of another account, only its heartbeat is used."""
        return process_id.is_process_alive(self.holder) or (
            not self.visible and self.age_seconds < HANG_SECONDS
        )

    @property
    def is_hanging(self) -> bool:
        """Whether it exists but has stopped sending heartbeats."""
        return self.age_seconds >= HANG_SECONDS


class HeartbeatWriter:
    """Writes heartbeats of this process, for the checks and for systemd's watchdog."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._started_at = clock.now().isoformat()
        self._file = _heartbeat_folder(settings) / f"{name}.{process_id.this_process_name()}"
        self._next_due = 0.0
        # Removed from the environment of child processes: a second Asterisk that ends notifies
        # systemd, which would mistake that for the end of this process.
        self._systemd = os.environ.pop("NOTIFY_SOCKET", "")

    def write_if_due(self) -> None:
        """Write a heartbeat if one is due; a failure is only logged."""
        if time.monotonic() < self._next_due:
            return
        self._next_due = time.monotonic() + HEARTBEAT_SECONDS
        _feed_watchdog(self._systemd)
        content = {"began": self._started_at, "at": time.monotonic(), "sqlite": sqlite.version}
        new_file = self._file.with_name(f".{self._file.name}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new_file.write_text(json.dumps(content), "ascii")
            new_file.replace(self._file)
        except OSError as error:
            log.warning("no sign of life: %s", error)

    def remove_file(self) -> None:
        """Remove the heartbeat file because this process ends regularly."""
        self._file.unlink(missing_ok=True)


def register_process(settings: Settings, name: str) -> HeartbeatWriter:
    """Register this process under `name` and start its heartbeat, even if the database is full."""
    heartbeat = open_heartbeat(settings, name)
    version = metadata.version("appliance")
    try:
        _store_process_state(name, process_id.this_process_name(), version, clock.now())
    except peewee.OperationalError:
        log.exception("the start cannot be written down")
    heartbeat.write_if_due()
    return heartbeat


def open_heartbeat(settings: Settings, name: str) -> HeartbeatWriter:
    """Return a heartbeat writer for this process and remove stale files; uses no database."""
    for file in _heartbeat_folder(settings).glob(f"{name}.*"):
        heartbeat = _read_heartbeat(file)
        if heartbeat and heartbeat.visible and not heartbeat.is_alive:
            file.unlink(missing_ok=True)
    return HeartbeatWriter(settings, name)


def running_processes(settings: Settings) -> dict[str, list[Heartbeat]]:
    """Map each process name to its running processes, oldest first; more than one is a fault."""
    heartbeats: dict[str, list[Heartbeat]] = {name: [] for name in PROCESS_NAMES}
    for file in _heartbeat_folder(settings).glob("*.*"):
        heartbeat = _read_heartbeat(file)
        if heartbeat and heartbeat.name in heartbeats and heartbeat.is_alive:
            heartbeats[heartbeat.name].append(heartbeat)
    return {
        name: sorted(process_heartbeats, key=lambda heartbeat: heartbeat.since)
        for name, process_heartbeats in heartbeats.items()
    }


def record_asterisk_start(version: str, started_at: dt.datetime) -> None:
    """Record the version of Asterisk and when it started, if they changed."""
    state = ProcessState.get_or_none(ProcessState.name == "asterisk")
    if not state or (state.version, state.since) != (version, started_at):
        _store_process_state("asterisk", "", version, started_at)


def process_states() -> dict[str, ProcessState]:
    """Map each process name to its last recorded start."""
    return {row.name: row for row in ProcessState.select()}


def _heartbeat_folder(settings: Settings) -> Path:
    return settings.asterisk.run / "signs"


def _read_heartbeat(file: Path) -> Heartbeat | None:
    """Read a heartbeat file, if it exists and is valid."""
    name, _, holder = file.name.partition(".")
    try:
        content = json.loads(file.read_text("ascii"))
        age_seconds, started_at = (
            time.monotonic() - content["at"],
            dt.datetime.fromisoformat(content["began"]),
        )
        version = str(content.get("sqlite", ""))
        visible = file.stat().st_uid == os.geteuid() or os.geteuid() == 0
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # A heartbeat of the future was written before the machine was restarted.
    return Heartbeat(
        name,
        holder,
        started_at,
        age_seconds if age_seconds >= 0 else float("inf"),
        visible,
        version,
    )


def is_serving(connection: http.client.HTTPConnection) -> bool:
    """Whether the web server at the other end reports that it serves; closes the connection."""
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _feed_watchdog(address: str) -> None:
    """Notify systemd's watchdog that this process works; systemd restarts it otherwise."""
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as watchdog:
            watchdog.connect(address)
            watchdog.send(b"WATCHDOG=1")
    except OSError as error:
        log.warning("systemd was not told: %s", error)


def _store_process_state(name: str, holder: str, version: str, since: dt.datetime) -> None:
    with write_transaction():
        ProcessState.replace(name=name, holder=holder, version=version, since=since).execute()
        live.publish_topics(TOPIC)
