"""One SIPp process: a scenario, its data files, and the events in its log."""

import contextlib
import shutil
import signal
import socket
import string
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIO_FOLDER = Path(__file__).parent / "scenarios"
# SIPp sends sound through raw sockets, which only root may open.
RAW_SOCKETS_ERROR = "only root may send the sound of simulated calls (raw sockets)"


class SippError(RuntimeError):
    """SIPp is missing, would not start, or a registration was refused."""


@dataclass(frozen=True)
class LogEvent:
    """One line that a scenario logged: its name, when (seconds since 1970), further values."""

    name: str
    at: float
    values: tuple[str, ...]


class _ScenarioTemplate(string.Template):
    """A template with placeholders %{name}, because SIP is full of dollars and at signs."""

    delimiter = "%"


class SippProcess:
    """One of the site's scenarios, run from one address."""

    def __init__(self, scenario: str, folder: Path, address: str, port: int = 0) -> None:
        """Use a separate folder; `port` 0 takes a free one."""
        self.folder = folder
        self.address = address
        self.port = port or free_ports(address, 1)[0]
        self._scenario = scenario
        self._process: subprocess.Popen[bytes] | None = None

    def start_scenario(
        self,
        data_files: Mapping[str, Sequence[Sequence[object]]],
        *options: str,
        placeholders: Mapping[str, object],
        indexed: bool = False,
    ) -> None:
        """Write the scenario and its data files, and run it.

        `data_files`: name → rows; `indexed`: by their first column. `placeholders`: name → value in
        the scenario.
        """
        program = shutil.which("sipp")
        if not program:
            raise SippError("SIPp is not installed (Debian's package sip-tester)")
        _require_raw_sockets()
        self.folder.mkdir(parents=True, exist_ok=True)
        template = _ScenarioTemplate((SCENARIO_FOLDER / f"{self._scenario}.xml").read_text("utf-8"))
        (self.folder / "scenario.xml").write_text(template.safe_substitute(placeholders), "utf-8")
        command = ["setpriv", "--pdeathsig", "KILL", "--", program, "-sf", "scenario.xml"]
        for name, rows in data_files.items():
            lines = ["SEQUENTIAL", *(";".join(map(str, row)) + ";" for row in rows)]
            (self.folder / name).write_text("\n".join(lines) + "\n", "utf-8")
            command += ["-inf", name, *(("-infindex", name, "0") if indexed else ())]
        command += ["-i", self.address, "-mi", self.address, "-ci", self.address]
        command += ["-p", str(self.port), "-nostdin", "-trace_err", "-error_file", "errors.log"]
        command += ["-ringbuffer_files", "2", "-ringbuffer_size", "1000000"]
        command += ["-trace_logs", "-log_file", "events.log", *options]
        (self.folder / "events.log").unlink(missing_ok=True)
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    @property
    def is_running(self) -> bool:
        """Returns True if the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def wait_for_end(self, limit: float) -> int:
        """Wait until SIPp ends by itself; returns its exit status, 0 if every call succeeded.

        Raises SippError after `limit` seconds.
        """
        if self._process is None:
            raise SippError("not started")
        try:
            return self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill_process()
            raise SippError(f"{self._scenario}: not over after {limit:g} s") from None

    def kill_process(self) -> None:
        """Kill the process; its calls are dropped without a message."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    @contextlib.contextmanager
    def freeze_process(self) -> Iterator[None]:
        """A context in which the process neither sends nor receives."""
        assert self._process  # noqa: S101  it was started
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def read_events(self) -> list[LogEvent]:
        """The events that the scenario has logged so far, oldest first."""
        log = self.folder / "events.log"
        lines = log.read_text("utf-8", "replace").split("\n") if log.exists() else []
        # A line: name, local date, local time, seconds since 1970, then the values that the
        # scenario adds. The last line may be incomplete.
        word_lists = [line.split() for line in lines[:-1]]
        return [
            LogEvent(words[0], float(words[3]), tuple(words[4:]))
            for words in word_lists
            if len(words) > 3
        ]

    def last_error(self) -> str:
        """The last line of SIPp's errors, for an error message."""
        for name in ("errors.log", "output"):
            file = self.folder / name
            text = file.read_text("utf-8", "replace").strip() if file.exists() else ""
            if text:
                return text.splitlines()[-1]
        return "SIPp said nothing"


def _require_raw_sockets() -> None:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    except PermissionError as error:
        raise SippError(RAW_SOCKETS_ERROR) from error


def free_ports(address: str, count: int) -> list[int]:
    """Different UDP ports that no process uses at that address."""
    with contextlib.ExitStack() as stack:
        probes = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for _ in range(count)
        ]
        for probe in probes:
            probe.bind((address, 0))
        return [probe.getsockname()[1] for probe in probes]
