"""Litestream as a child process of `appliance replicate`, restarted when it fails.

`appliance jobs` requests a restart by a file (`request_restart`). On a box, systemd starts the unit
while that file exists, so that no account needs the right to start units.
"""

import contextlib
import datetime as dt
import json
import logging
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.box.snapshots import copy_folders
from appliance.core import clock
from appliance.core.files import replacement_file
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

STALL_SECONDS = 120.0  # after a change that Litestream does not copy
_LONGEST_WAIT_SECONDS = 30.0  # between two starts of a Litestream that ends at once
_CALM_SECONDS = 60.0  # after a longer run it is restarted without delay
_STOP_SECONDS = 20.0
_MAX_STORED_RESTARTS = 100
ALIVE_FILE = "alive"  # file in the replica's folder; written while copying works
_RESTARTS_FILE, _RUN_FILE = "restarts", "runs"  # files in the replica's folder
# The last three are those of requests: after silence, a failed check, or a damaged copy.
RESTART_REASONS = ("ended", "stalled", "killed", "stands", "restore", "damaged")


@dataclass(frozen=True)
class Restart:
    """One restart of the replicator; `reason` is one of RESTART_REASONS, `at` is in ISO 8601."""

    at: str
    reason: str

    @property
    def restarted_at(self) -> dt.datetime:
        """The time of the restart."""
        return dt.datetime.fromisoformat(self.at)


class Replicator:
    """Runs one Litestream process. `copy`: the folder it writes to; `state`: for its own state."""

    def __init__(
        self, settings: Settings, command: list[str | Path], copy: Path, state: Path
    ) -> None:
        self._settings, self._command, self._copy_folder, self._state_folder = (
            settings,
            command,
            copy,
            state,
        )
        database = settings.paths.database
        self._wal_file = database.with_name(f"{database.name}-wal")
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._next_start = 0.0
        self._quick_ends = 0
        self._copy_time = self._wal_time = 0  # nanoseconds since 1970
        self._behind_since: float | None = None

    def start_process(self) -> None:
        """Start Litestream."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        self._started_at, self._behind_since = time.monotonic(), None

    def keep_running(self) -> bool:
        """Restart Litestream if it ended or stalls, or on request. Returns True if it runs."""
        if request := _take_request(self._settings):
            self.stop_process()
            if request == "damaged":
                copy_folders.set_copy_aside(self._copy_folder.parent, is_damaged=True)
            return self._restart_process(request)
        if self._process is None or self._process.poll() is not None:
            return self._restart_process("ended")
        if self._is_stalled():
            self.stop_process()
            return self._restart_process("stalled")
        return True

    def stop_process(self) -> None:
        """Stop Litestream; kill it if it does not end in time."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        self._process = None

    def _restart_process(self, reason: str) -> bool:
        """Restart Litestream, with growing delays if it keeps ending. Returns True if started."""
        now = time.monotonic()
        if self._process is not None:
            log.error("litestream ended with %s", self._process.returncode)
            self._process = None
            self._quick_ends = 0 if now - self._started_at > _CALM_SECONDS else self._quick_ends + 1
            wait = min(_LONGEST_WAIT_SECONDS, 2.0**self._quick_ends) if self._quick_ends else 0.0
            self._next_start = now + wait
        if reason == "ended" and now < self._next_start:
            return False
        log.warning("litestream is restarted: %s", reason)
        record_restart(self._copy_folder.parent, reason)
        self.start_process()
        return True

    def _is_stalled(self) -> bool:
        """Whether the database has changed and Litestream has copied nothing for too long.

        Writing a base (a complete copy) counts as copying. The first base is written next to the
        database.
        """
        folders = (
            [self._copy_folder]
            if any(self._copy_folder.rglob("*.ltx"))
            else [self._copy_folder, self._state_folder]
        )
        copy_time, wal_time = _newest_file_time(*folders), _modification_time(self._wal_file)
        if copy_time != self._copy_time:
            self._copy_time, self._wal_time, self._behind_since = copy_time, wal_time, None
        elif wal_time != self._wal_time and self._behind_since is None:
            self._behind_since = time.monotonic()
        behind_since = self._behind_since
        return behind_since is not None and time.monotonic() - behind_since > STALL_SECONDS


def request_restart(settings: Settings, reason: str) -> None:
    """Request a restart of the replicator; with reason `damaged` its copy is set aside first."""
    file = _request_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacement_file(file) as new_file:
        new_file.write_text(reason, "ascii")


def restart_requested_at(settings: Settings) -> dt.datetime | None:
    """Return when the pending restart, if any, was requested."""
    try:
        return dt.datetime.fromtimestamp(_request_file(settings).stat().st_mtime, dt.UTC)
    except FileNotFoundError:
        return None


def record_restart(folder: Path, reason: str) -> None:
    """Record a restart in the replica's folder, which the pages may read."""
    file = folder / _RESTARTS_FILE
    entries = [*recorded_restarts(folder), Restart(clock.now().isoformat(), reason)][
        -_MAX_STORED_RESTARTS:
    ]
    lines = (f"{json.dumps(asdict(restart))}\n" for restart in entries)
    with replacement_file(file) as new_file:
        new_file.write_text("".join(lines), "ascii")


def recorded_restarts(folder: Path) -> list[Restart]:
    """Return the recorded restarts, oldest first."""
    try:
        lines = (folder / _RESTARTS_FILE).read_text("ascii").splitlines()
    except FileNotFoundError:
        return []
    return [Restart(**json.loads(line)) for line in lines]


def record_replication_start(settings: Settings, folder: Path) -> None:
    """Record the start of `appliance replicate`, and a restart if the previous run was killed.

    A start that was requested because the process was silent is also recorded as a restart, but not
    a start after the machine was restarted.
    """
    file, boot = folder / _RUN_FILE, _boot_id()
    if _request_file(settings).exists():
        if _request_file(settings).read_text("ascii") == "stands":  # this start fulfils the request
            _take_request(settings)
            if (folder / ALIVE_FILE).exists():
                record_restart(folder, "stands")
    elif file.exists() and file.read_text("ascii") == boot:
        record_restart(folder, "killed")
    file.write_text(boot, "ascii")


def record_replication_end(folder: Path) -> None:
    """Record that `appliance replicate` ends regularly."""
    (folder / _RUN_FILE).unlink(missing_ok=True)


def _take_request(settings: Settings) -> str:
    """Remove the request for a restart and return its reason, or "" if there is no request."""
    file = _request_file(settings)
    try:
        reason = file.read_text("ascii").strip()
        file.unlink()
    except FileNotFoundError:
        return ""
    return reason if reason in RESTART_REASONS else "stands"


def _newest_file_time(*folders: Path) -> int:
    """Return when the newest file in the folders was written, in ns; 0 if there are no files."""
    return max(
        (
            _modification_time(file)
            for folder in folders
            for file in folder.rglob("*")
            if file.is_file()
        ),
        default=0,
    )


def _modification_time(file: Path) -> int:
    """Return the modification time of a file in nanoseconds; 0 if it is missing."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:  # Litestream removes old files
        return 0


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def _request_file(settings: Settings) -> Path:
    return settings.paths.backups / "replicate.request"
