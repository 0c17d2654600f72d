"""The processes of the site: who began last, and who gives signs of life.

A sign stands in Asterisk's `run` folder, which lies in memory: a database that is locked makes no
process look dead, and a sign costs no write to the disk. Each process has one of its own, so that
two of a kind are seen, and the end of one is not taken for the end of the other.
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
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import ProcessState

log = logging.getLogger(__name__)

OURS = ("web", "pbx", "jobs")
TOPIC = "checks"
EVERY = 5.0  # seconds between two signs of life
SILENT = 30.0  # seconds without one, after which a process hangs


@dataclass(frozen=True)
class Sign:
    """The last sign of life of one process."""

    name: str
    holder: str
    since: dt.datetime  # when it began
    ago: float  # seconds
    visible: bool  # whether this process could see that one among the machine's
    sqlite: str  # the version of its SQLite; "" when it does not report one

    @property
    def lives(self) -> bool:
        """Whether it still runs; of one that another account runs only its signs tell."""
        return process_id.lives(self.holder) or (not self.visible and self.ago < SILENT)

    @property
    def hangs(self) -> bool:
        """Whether it runs, and does nothing."""
        return self.ago >= SILENT


class Pulse:
    """Signs of life of this process, for those who look and for systemd's watchdog."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._began = clock.now().isoformat()
        self._file = _folder(settings) / f"{name}.{process_id.this_process()}"
        self._due = 0.0
        # Kept from what this process starts: a second Asterisk that ends tells systemd so, which
        # would take it for the end of this process.
        self._systemd = os.environ.pop("NOTIFY_SOCKET", "")

    def give(self) -> None:
        """Give a sign when it is time to; what hinders that is only logged."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        _feed_watchdog(self._systemd)
        sign = {"began": self._began, "at": time.monotonic(), "sqlite": sqlite.version}
        fresh = self._file.with_name(f".{self._file.name}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(sign), "ascii")
            fresh.replace(self._file)
        except OSError as error:
            log.warning("no sign of life: %s", error)

    def end(self) -> None:
        """This process ends by itself."""
        self._file.unlink(missing_ok=True)


def begin(settings: Settings, name: str) -> Pulse:
    """This process is one of that name from now on; a database that is full stops no start."""
    pulse = sign_of(settings, name)
    version = metadata.version("appliance")
    try:
        _write(name, process_id.this_process(), version, clock.now())
    except peewee.OperationalError:
        log.exception("the start cannot be written down")
    pulse.give()
    return pulse


def sign_of(settings: Settings, name: str) -> Pulse:
    """Signs of life of this process, outside of the database; old ones are removed."""
    for file in _folder(settings).glob(f"{name}.*"):
        sign = _read(file)
        if sign and sign.visible and not sign.lives:
            file.unlink(missing_ok=True)
    return Pulse(settings, name)


def living(settings: Settings) -> dict[str, list[Sign]]:
    """Name → the processes of that name that run, the oldest first; more than one is too many."""
    found: dict[str, list[Sign]] = {name: [] for name in OURS}
    for file in _folder(settings).glob("*.*"):
        sign = _read(file)
        if sign and sign.name in found and sign.lives:
            found[sign.name].append(sign)
    return {name: sorted(signs, key=lambda one: one.since) for name, signs in found.items()}


def see_asterisk(version: str, began: dt.datetime) -> None:
    """Asterisk tells its version, and when it began."""
    known = ProcessState.get_or_none(ProcessState.name == "asterisk")
    if not known or (known.version, known.since) != (version, began):
        _write("asterisk", "", version, began)


def states() -> dict[str, ProcessState]:
    """Name → process as it began last."""
    return {row.name: row for row in ProcessState.select()}


def _folder(settings: Settings) -> Path:
    return settings.asterisk.run / "signs"


def _read(file: Path) -> Sign | None:
    """The sign in a file; None for one that is gone, or is none."""
    name, _, holder = file.name.partition(".")
    try:
        told = json.loads(file.read_text("ascii"))
        ago, began = time.monotonic() - told["at"], dt.datetime.fromisoformat(told["began"])
        version = str(told.get("sqlite", ""))
        visible = file.stat().st_uid == os.geteuid() or os.geteuid() == 0
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # A sign of the future was given before the machine was started again.
    return Sign(name, holder, began, ago if ago >= 0 else float("inf"), visible, version)


def serves(line: http.client.HTTPConnection) -> bool:
    """Whether the pages at the other end of a connection say that they serve; it is closed."""
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _feed_watchdog(address: str) -> None:
    """Tell systemd that this process works; it ends one that no more does, and starts it anew."""
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.connect(address)
            line.send(b"WATCHDOG=1")
    except OSError as error:
        log.warning("systemd was not told: %s", error)


def _write(name: str, holder: str, version: str, since: dt.datetime) -> None:
    with writing():
        ProcessState.replace(name=name, holder=holder, version=version, since=since).execute()
        live.publish(TOPIC)
