"""Operators' phones: they register, ring, answer, speak and hang up, on one loopback address."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.local import sound
from provisioning.local.sipp import Event, Sipp, SippError

PORT = 5060
PITCH = 130  # Hz of an operator's voice; callers speak higher
TALK_LIMIT = 900  # seconds of sound a phone has
# How a phone takes a call, as the SIP status it gives; 0 rings for ever.
MANNERS = {"answer": 200, "busy": 486, "decline": 603, "never": 0}
_ENDS = {
    "hang_up": "operator",
    "left": "box",
    "cancelled": "cancelled",
    "busy": "busy",
    "decline": "decline",
    "lost": "lost",
}


@dataclass(frozen=True)
class Phone:
    """An operator's phone. A manner other than "answer" holds for every caller."""

    extension: str
    password: str
    manner: str = "answer"


@dataclass(frozen=True)
class Handling:
    """What a phone does with one caller: seconds it rings, then seconds of talk.

    `talk` None: the operator waits for the caller to hang up.
    """

    ring: float = 1.0
    talk: float | None = 6.0
    manner: str = "answer"


@dataclass
class Ring:
    """One ringing of one phone, from the phone's side; seconds since 1970.

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
        """How long this phone was in the call; 0 when it never answered or still talks."""
        return self.ended_at - self.answered_at if self.answered_at and self.ended_at else 0.0


@dataclass
class Phones:
    """All phones of a site, behind one SIPp process."""

    box: str  # address of the box, SIP at port 5060
    address: str
    folder: Path
    phones: Sequence[Phone]
    otherwise: Handling = field(default_factory=Handling)  # for callers nobody planned
    _sipp: Sipp | None = None

    def start(self, handling: dict[str, Handling] | None = None) -> None:
        """Take calls from now on; `handling` by the caller's number (its last nine digits count).

        Start again with other handling at any time: the phones stay registered.
        """
        self.stop()
        handling = handling or {}
        tails = {tail(number): how for number, how in handling.items()}
        if len(tails) != len(handling):
            raise ValueError("two callers share their last nine digits")
        self.folder.mkdir(parents=True, exist_ok=True)
        voice = self.folder / "operator.pcap"
        if not voice.exists():
            sound.write_pcap(voice, TALK_LIMIT, PITCH)
        self._sipp = Sipp("phone", self.folder / "phones", self.address, PORT)
        self._sipp.start(
            {
                "phones.csv": [(p.extension, MANNERS[p.manner]) for p in self.phones]
                or [("-", 200)],
                "callers.csv": [(t, *_row(how)) for t, how in tails.items()] or [("-", 200, 0, 0)],
            },
            "-min_rtp_port",
            "20000",
            "-max_rtp_port",
            "60000",
            facts={
                "sound": voice,
                "ring": _row(self.otherwise)[1],
                "talk": _row(self.otherwise)[2],
            },
            indexed=True,
        )
        self._await_listening()

    def register(self) -> None:
        """Register every phone, for an hour. Raises SippError when the box refuses one."""
        registrar = Sipp("register", self.folder / "register", self.address)
        rows = [
            (p.extension, f"[authentication username={p.extension} password={p.password}]")
            for p in self.phones
        ]
        number = str(len(rows))
        registrar.start(
            {"accounts.csv": rows},
            f"{self.box}:5060",
            *("-m", number, "-l", number, "-r", number, "-recv_timeout", "20000"),
            facts={"address": self.address, "port": PORT},
        )
        if registrar.wait(60):
            raise SippError(f"a phone could not register: {registrar.complaint()}")

    def stop(self) -> None:
        """Switch the phones off, without a word to the box."""
        if self._sipp:
            self._sipp.stop()

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        """A while in which the phones are dead: no sound, no signals; then they go on."""
        assert self._sipp  # noqa: S101  they were started
        return self._sipp.frozen()

    def rings(self) -> list[Ring]:
        """Every ringing since the last start, oldest first, also when another process started."""
        return rings(Sipp("phone", self.folder / "phones", self.address, PORT).events())

    def _await_listening(self) -> None:
        assert self._sipp  # noqa: S101  set by start
        limit = time.monotonic() + 10
        while not listens(self.address, PORT):
            if not self._sipp.running or time.monotonic() > limit:
                raise SippError(f"the phones do not start: {self._sipp.complaint()}")
            time.sleep(0.02)


def rings(events: list[Event]) -> list[Ring]:
    """Put together what the phones logged, by the SIP call of each ringing."""
    found: dict[str, Ring] = {}
    for event in events:
        extension, caller, call = event.words
        if event.name == "ring":
            found[call] = Ring(extension, caller, event.at)
        elif event.name == "answer":
            found[call].answered_at = event.at
        else:
            found[call].ended_at = event.at
            found[call].end = _ENDS[event.name]
    return list(found.values())


def tail(number: str) -> str:
    """What tells one caller from another, however the box writes the number."""
    return number[-9:]


def listens(address: str, port: int) -> bool:
    """Whether some process has this UDP port."""
    octets = address.split(".")
    place = "".join(f"{int(octet):02X}" for octet in reversed(octets)) + f":{port:04X}"
    lines = Path("/proc/net/udp").read_text("ascii").splitlines()[1:]
    return any(line.split()[1] == place for line in lines)


def _row(how: Handling) -> tuple[int, int, int]:
    """Code, ring and talk as the scenario wants them: tenths of a second, -1 for no end."""
    return (
        MANNERS[how.manner],
        round(how.ring * 10),
        -1 if how.talk is None else round(how.talk * 10),
    )
