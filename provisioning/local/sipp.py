"""One SIPp process: a scenario, its lists, and what its log tells."""

import contextlib
import shutil
import signal
import socket
import string
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parent / "scenarios"
# SIPp sends its sound from raw sockets, which only root may open.
RAW_SOCKETS = "only root may send the sound of simulated calls (raw sockets)"


class SippError(RuntimeError):
    """SIPp is missing, would not start, or a registration was refused."""


@dataclass(frozen=True)
class Event:
    """One line that a scenario logged: its name, when (seconds since 1970), the rest."""

    name: str
    at: float
    words: tuple[str, ...]


class _Scenario(string.Template):
    """SIP is full of dollars and at signs: what we fill in is written %{name}."""

    delimiter = "%"


class Sipp:
    """A scenario of ours, ready to be run from one address."""

    def __init__(self, scenario: str, folder: Path, address: str, port: int = 0) -> None:
        """Use a folder of its own; `port` 0 takes a free one."""
        self.folder = folder
        self.address = address
        self.port = port or free_ports(address, 1)[0]
        self._scenario = scenario
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        lists: Mapping[str, Sequence[Sequence[object]]],
        *options: str,
        facts: Mapping[str, object],
        indexed: bool = False,
    ) -> None:
        """Write the scenario and its lists (name → rows; `indexed` by first column) and run it."""
        program = shutil.which("sipp")
        if not program:
            raise SippError("SIPp is not installed (Debian's package sip-tester)")
        _require_raw_sockets()
        self.folder.mkdir(parents=True, exist_ok=True)
        template = _Scenario((SCENARIOS / f"{self._scenario}.xml").read_text("utf-8"))
        (self.folder / "scenario.xml").write_text(template.safe_substitute(facts), "utf-8")
        command = ["setpriv", "--pdeathsig", "KILL", "--", program, "-sf", "scenario.xml"]
        for name, rows in lists.items():
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
    def running(self) -> bool:
        """Whether the process goes on."""
        return self._process is not None and self._process.poll() is None

    def wait(self, limit: float) -> int:
        """Wait until SIPp ends by itself; its exit status, 0 when every call went as written."""
        if self._process is None:
            raise SippError("not started")
        try:
            return self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.stop()
            raise SippError(f"{self._scenario}: not over after {limit:g} s") from None

    def stop(self) -> None:
        """End the process; calls that are up are dropped without a word."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """For so long the process neither speaks nor hears."""
        assert self._process  # noqa: S101  it was started
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def events(self) -> list[Event]:
        """What the scenario has logged so far, oldest first."""
        log = self.folder / "events.log"
        lines = log.read_text("utf-8", "replace").split("\n") if log.exists() else []
        # A line: name, local date, local time, seconds since 1970, then what the scenario adds.
        # The last line may still be written to.
        parts = [line.split() for line in lines[:-1]]
        return [
            Event(words[0], float(words[3]), tuple(words[4:])) for words in parts if len(words) > 3
        ]

    def complaint(self) -> str:
        """The last thing that went wrong, for an error message."""
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
        raise SippError(RAW_SOCKETS) from error


def free_ports(address: str, count: int) -> list[int]:
    """UDP ports that nobody listens on at that address, no two alike."""
    with contextlib.ExitStack() as held:
        probes = [
            held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for _ in range(count)
        ]
        for probe in probes:
            probe.bind((address, 0))
        return [probe.getsockname()[1] for probe in probes]
