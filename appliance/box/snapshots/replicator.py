"""Litestream as a child of `appliance replicate`: started, watched, and restarted when it fails.

`appliance jobs` asks for a restart by a file (`request_restart`). On a box systemd starts the unit
while that file exists, so that nobody needs the right to start units.
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

from appliance.core import clock
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

STALL_SECONDS = 120.0  # the database changes and Litestream copies nothing for so long
_LONGEST_WAIT_SECONDS = 30.0  # between two starts of a Litestream that ends at once
_CALM_SECONDS = 60.0  # one that ran so long is started again at once
_STOP_SECONDS = 20.0
_RESTARTS_STORED = 100
ALIVE = "alive"  # file in the folder of the replica; written while the copying goes on
_RESTARTS, _RUNS = "restarts", "runs"  # files in the folder of the replica
REASONS = ("ended", "stalled", "killed", "stands", "restore", "damaged")


@dataclass(frozen=True)
class Restart:
    """One restart of the replicator; `reason` as in REASONS, `at` in ISO 8601."""

    at: str
    reason: str

    @property
    def moment(self) -> dt.datetime:
        """When it was."""
        return dt.datetime.fromisoformat(self.at)


class Replicator:
    """One Litestream; `copy`: the folder that it writes to, `state`: what it stores for itself."""

    def __init__(
        self, settings: Settings, command: list[str | Path], copy: Path, state: Path
    ) -> None:
        self._settings, self._command, self._copy, self._state = settings, command, copy, state
        database = settings.paths.database
        self._log = database.with_name(f"{database.name}-wal")
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._next_start = 0.0
        self._quick_ends = 0
        self._copy_time = self._log_time = 0  # nanoseconds since 1970
        self._behind_since: float | None = None

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        self._began, self._behind_since = time.monotonic(), None

    def keep_running(self) -> bool:
        """Restart it when it has ended, stalls, or a request exists; returns whether it runs."""
        if request := _take_request(self._settings):
            self.stop()
            if request == "damaged":
                _put_aside(self._copy)
            return self._restart(request)
        if self._process is None or self._process.poll() is not None:
            return self._restart("ended")
        if self._is_stalled():
            self.stop()
            return self._restart("stalled")
        return True

    def stop(self) -> None:
        """Stop it; kill it when it does not end in time."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        self._process = None

    def _restart(self, reason: str) -> bool:
        now = time.monotonic()
        if self._process is not None:
            log.error("litestream ended with %s", self._process.returncode)
            self._process = None
            self._quick_ends = 0 if now - self._began > _CALM_SECONDS else self._quick_ends + 1
            wait = min(_LONGEST_WAIT_SECONDS, 2.0**self._quick_ends) if self._quick_ends else 0.0
            self._next_start = now + wait
        if reason == "ended" and now < self._next_start:
            return False
        log.warning("litestream is restarted: %s", reason)
        note_restart(self._copy.parent, reason)
        self.start()
        return True

    def _is_stalled(self) -> bool:
        """Whether the database has changed and Litestream has copied nothing for too long.

        A base that is being written counts, also the first one, which lies next to the database.
        """
        folders = [self._copy] if any(self._copy.rglob("*.ltx")) else [self._copy, self._state]
        copy_time, log_time = _newest(*folders), _modified(self._log)
        if copy_time != self._copy_time:
            self._copy_time, self._log_time, self._behind_since = copy_time, log_time, None
        elif log_time != self._log_time and self._behind_since is None:
            self._behind_since = time.monotonic()
        behind = self._behind_since
        return behind is not None and time.monotonic() - behind > STALL_SECONDS


def request_restart(settings: Settings, reason: str) -> None:
    """Have the replicator restarted; `damaged`: its copy is put aside first."""
    file = _request_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(reason, "ascii")
    fresh.replace(file)


def requested_at(settings: Settings) -> dt.datetime | None:
    """When a restart was requested that has not been done yet; None without a request."""
    try:
        return dt.datetime.fromtimestamp(_request_file(settings).stat().st_mtime, dt.UTC)
    except FileNotFoundError:
        return None


def note_restart(folder: Path, reason: str) -> None:
    """Write down a restart in the folder of the replica, which the pages may read."""
    file = folder / _RESTARTS
    entries = [*restarts(folder), Restart(clock.now().isoformat(), reason)][-_RESTARTS_STORED:]
    fresh = file.with_suffix(".new")
    fresh.write_text("".join(f"{json.dumps(asdict(one))}\n" for one in entries), "ascii")
    fresh.replace(file)


def restarts(folder: Path) -> list[Restart]:
    """The restarts that are written down, the oldest first."""
    try:
        lines = (folder / _RESTARTS).read_text("ascii").splitlines()
    except FileNotFoundError:
        return []
    return [Restart(**json.loads(line)) for line in lines]


def begin_run(settings: Settings, folder: Path) -> None:
    """`appliance replicate` starts: when the one before was killed, or stopped and missed, that is
    noted. One that ended with the machine is none of those.
    """
    file, boot = folder / _RUNS, _boot_id()
    if _request_file(settings).exists():
        if _request_file(settings).read_text("ascii") == "stands":  # done by this start
            _take_request(settings)
            if (folder / ALIVE).exists():
                note_restart(folder, "stands")
    elif file.exists() and file.read_text("ascii") == boot:
        note_restart(folder, "killed")
    file.write_text(boot, "ascii")


def end_run(folder: Path) -> None:
    """`appliance replicate` ends by itself."""
    (folder / _RUNS).unlink(missing_ok=True)


def asides(folder: Path) -> list[dt.datetime]:
    """When damaged copies were put aside in the folder of the replica, the oldest first."""
    moments = []
    for copy in folder.glob("database-former-*-damaged"):
        with contextlib.suppress(ValueError):
            stamp = copy.name.split("-")[2]
            moments.append(dt.datetime.strptime(f"{stamp}+0000", "%Y%m%dT%H%M%S%z"))
    return sorted(moments)


def _take_request(settings: Settings) -> str:
    """The reason of a requested restart, which is no request any more; "" without one."""
    file = _request_file(settings)
    try:
        reason = file.read_text("ascii").strip()
        file.unlink()
    except FileNotFoundError:
        return ""
    return reason if reason in REASONS else "stands"


def _put_aside(copy: Path) -> None:
    """Rename a damaged copy, so that Litestream begins with a new base; nothing is deleted."""
    stamp = clock.now().strftime("%Y%m%dT%H%M%S")
    if copy.exists():
        copy.rename(copy.with_name(f"{copy.name}-former-{stamp}-damaged"))


def _newest(*folders: Path) -> int:
    """When the newest file below some folders was written, in nanoseconds; 0 without any."""
    return max(
        (_modified(file) for folder in folders for file in folder.rglob("*") if file.is_file()),
        default=0,
    )


def _modified(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:  # Litestream removes what is old
        return 0


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def _request_file(settings: Settings) -> Path:
    return settings.paths.backups / "replicate.request"
