"""Simulated operators' phones on one loopback address: register, ring, answer, speak, hang up."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.local import sound
from provisioning.local.sipp import LogEvent, SippError, SippProcess

PHONES_PORT = 5060
OPERATOR_PITCH_HZ = 130  # of an operator's voice; callers have a higher one
MAX_TALK_SECONDS = 900  # length of the sound file of a phone
# How a phone handles a call, as the SIP status that it returns; 0 rings for ever.
SIP_STATUS_BY_MANNER = {"answer": 200, "busy": 486, "decline": 603, "never": 0}
_RING_ENDS = {
    "hang_up": "operator",
    "left": "box",
    "cancelled": "cancelled",
    "busy": "busy",
    "decline": "decline",
    "lost": "lost",
}


@dataclass(frozen=True)
class Phone:
    """An operator's phone. A manner other than "answer" applies to every caller."""

    extension: str
    password: str
    manner: str = "answer"


@dataclass(frozen=True)
class Handling:
    """What a phone does with one caller: seconds it rings, then seconds of talk.

    Without `talk`, the operator waits for the caller to hang up.
    """

    ring: float = 1.0
    talk: float | None = 6.0
    manner: str = "answer"


@dataclass
class Ring:
    """One ringing of one phone, as logged by the phone; times are seconds since 1970.

    `end`: operator (hung up), box (BYE from the box), cancelled, busy, decline, lost; "" while it
    goes on.
    """

    extension: str
    caller: str  # the last nine digits
    rang_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    end: str = ""

    @property
    def talk_seconds(self) -> float:
        """How long this phone was in the call; 0 if it never answered or still talks."""
        return self.ended_at - self.answered_at if self.answered_at and self.ended_at else 0.0


@dataclass
class Phones:
    """All phones of a site, behind one SIPp process."""

    box: str  # address of the box, SIP at port 5060
    address: str
    folder: Path
    phones: Sequence[Phone]
    default_handling: Handling = field(default_factory=Handling)  # for callers without a plan
    _sipp: SippProcess | None = None

    def start_phones(self, handling: dict[str, Handling] | None = None) -> None:
        """Accept calls from now on.

        `handling` is keyed by the caller's number, of which the last nine digits count.

        May be called again with other handling at any time: the phones stay registered.
        """
        self.stop_phones()
        handling = handling or {}
        handling_by_tail = {number_tail(number): value for number, value in handling.items()}
        if len(handling_by_tail) != len(handling):
            raise ValueError("two callers share their last nine digits")
        self.folder.mkdir(parents=True, exist_ok=True)
        voice = self.folder / "operator.pcap"
        if not voice.exists():
            sound.write_pcap(voice, MAX_TALK_SECONDS, OPERATOR_PITCH_HZ)
        self._sipp = SippProcess("phone", self.folder / "phones", self.address, PHONES_PORT)
        self._sipp.start_scenario(
            {
                "phones.csv": [(p.extension, SIP_STATUS_BY_MANNER[p.manner]) for p in self.phones]
                or [("-", 200)],
                "callers.csv": [
                    (number_end, *_handling_row(value))
                    for number_end, value in handling_by_tail.items()
                ]
                or [("-", 200, 0, 0)],
            },
            "-min_rtp_port",
            "20000",
            "-max_rtp_port",
            "60000",
            placeholders={
                "sound": voice,
                "ring": _handling_row(self.default_handling)[1],
                "talk": _handling_row(self.default_handling)[2],
            },
            indexed=True,
        )
        self._await_listening()

    def register_all(self) -> None:
        """Register every phone for an hour. Raises SippError if the box refuses one."""
        registrar = SippProcess("register", self.folder / "register", self.address)
        rows = [
            (p.extension, f"[authentication username={p.extension} password={p.password}]")
            for p in self.phones
        ]
        count = str(len(rows))
        registrar.start_scenario(
            {"accounts.csv": rows},
            f"{self.box}:5060",
            *("-m", count, "-l", count, "-r", count, "-recv_timeout", "20000"),
            placeholders={"address": self.address, "port": PHONES_PORT},
        )
        if registrar.wait_for_end(60):
            raise SippError(f"a phone could not register: {registrar.last_error()}")

    def stop_phones(self) -> None:
        """Stop the phones without a message to the box."""
        if self._sipp:
            self._sipp.kill_process()

    def freeze_phones(self) -> contextlib.AbstractContextManager[None]:
        """A context in which the phones send no sound and no signals; afterwards they continue."""
        assert self._sipp  # noqa: S101  they were started
        return self._sipp.freeze_process()

    def list_rings(self) -> list[Ring]:
        """Every ringing since the last start, oldest first.

        Works also if another process started the phones.
        """
        return rings_of_events(
            SippProcess("phone", self.folder / "phones", self.address, PHONES_PORT).read_events()
        )

    def _await_listening(self) -> None:
        assert self._sipp  # noqa: S101  set by start
        limit = time.monotonic() + 10
        while not is_port_open(self.address, PHONES_PORT):
            if not self._sipp.is_running or time.monotonic() > limit:
                raise SippError(f"the phones do not start: {self._sipp.last_error()}")
            time.sleep(0.02)


def rings_of_events(events: list[LogEvent]) -> list[Ring]:
    """The rings in the log of the phones, by the SIP call of each."""
    rings_by_call: dict[str, Ring] = {}
    for event in events:
        extension, caller, call = event.values
        if event.name == "ring":
            rings_by_call[call] = Ring(extension, caller, event.at)
        elif event.name == "answer":
            rings_by_call[call].answered_at = event.at
        else:
            rings_by_call[call].ended_at = event.at
            rings_by_call[call].end = _RING_ENDS[event.name]
    return list(rings_by_call.values())


def number_tail(number: str) -> str:
    """The digits that identify a caller, in whatever format the box writes the number."""
    return number[-9:]


def is_port_open(address: str, port: int) -> bool:
    """Returns True if some process has opened this UDP port."""
    octets = address.split(".")
    local_address = "".join(f"{int(octet):02X}" for octet in reversed(octets)) + f":{port:04X}"
    lines = Path("/proc/net/udp").read_text("ascii").splitlines()[1:]
    return any(line.split()[1] == local_address for line in lines)


def _handling_row(handling: Handling) -> tuple[int, int, int]:
    """Status, ring and talk for the scenario: tenths of a second, -1 for no end."""
    return (
        SIP_STATUS_BY_MANNER[handling.manner],
        round(handling.ring * 10),
        -1 if handling.talk is None else round(handling.talk * 10),
    )
