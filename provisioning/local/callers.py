"""Citizens who call: what they will do, placed as real SIP calls with sound, and what happened."""

import itertools
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.local import sound
from provisioning.local.phones import Handling, Phones, Ring, tail
from provisioning.local.sipp import Sipp, SippError, free_ports

PITCH = 210  # Hz of a caller's voice
_REFUSALS = (400, 401, 403, 404, 408, 480, 484, 486, 487, 488, 500, 503, 603)
_WITH_EVENTS = (
    "m=audio [auto_media_port] RTP/AVP 8 0 101",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
)
_WITHOUT_EVENTS = _WITH_EVENTS[0].removesuffix(" 101"), *_WITH_EVENTS[1:3]


@dataclass(frozen=True)
class CallPlan:
    """What one caller will do, and what the operator's phone will do with this caller.

    Seconds; key times and `stays` count from the answer of the box, not of the operator.
    """

    kind: str
    number: str  # unique in its last nine digits among callers of one time
    keys: tuple[tuple[float, str], ...] = ()
    stays: float = 120.0  # after which the caller hangs up, if the box has not done so
    after: float = 0.0  # from the start of the round to the call
    events: bool = True  # keys as RFC 4733; False: G.711 only, keys are tones in the sound
    silent: bool = False  # sends no sound at all, and so no keys
    handling: Handling = field(default_factory=Handling)


@dataclass
class CallReport:
    """What happened, seen by the caller and by the phones; times in seconds since 1970."""

    plan: CallPlan
    sent_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    ended_by: str = ""  # caller | box | refused; "" while it goes on or when it was cut off
    status: int | None = None  # SIP status of a refusal
    rings: list[Ring] = field(default_factory=list)

    @property
    def keys(self) -> list[tuple[float, str]]:
        """The keys pressed while the call was up: when, which."""
        if self.answered_at is None or self.plan.silent:
            return []
        end = self.ended_at or float("inf")
        pressed = ((self.answered_at + at, key) for at, key in self.plan.keys)
        return [(at, key) for at, key in pressed if at < end]

    @property
    def talk_seconds(self) -> float:
        """How long operators spoke with this caller, by the phones."""
        return sum(ring.talk_seconds for ring in self.rings)

    @property
    def operator(self) -> str | None:
        """The extension that answered last."""
        answered = [ring.extension for ring in self.rings if ring.answered_at]
        return answered[-1] if answered else None

    def __str__(self) -> str:
        """One line for people."""
        if self.status:
            return f"{self.plan.number}  {self.plan.kind}: refused with {self.status}"
        if self.answered_at is None:
            return f"{self.plan.number}  {self.plan.kind}: no answer from the box"
        whole = f"{(self.ended_at or self.answered_at) - self.answered_at:.0f} s"
        talk = f", spoke {self.talk_seconds:.0f} s with {self.operator}" if self.operator else ""
        end = {"caller": "caller hung up", "box": "box hung up"}.get(self.ended_by, "cut off")
        return f"{self.plan.number}  {self.plan.kind}: {whole}{talk}, {end}"


class Round:
    """Calls under way, placed together."""

    def __init__(
        self, plans: Sequence[CallPlan], processes: list[Sipp], phones: Phones, folder: Path
    ) -> None:
        self._plans = plans
        self._folder = folder
        self._processes = processes
        self._phones = phones

    @property
    def running(self) -> bool:
        """Whether some caller is still there, or still to come."""
        return any(process.running for process in self._processes)

    def reports(self) -> list[CallReport]:
        """How it stands, in the order of the plans."""
        reports = {tail(plan.number): CallReport(plan) for plan in self._plans}
        for event in sorted(
            itertools.chain.from_iterable(p.events() for p in self._processes), key=lambda e: e.at
        ):
            report = reports[tail(event.words[0])]
            if event.name == "sent":
                report.sent_at = event.at
            elif event.name == "answered":
                report.answered_at = event.at
            else:
                report.ended_at = event.at
                report.ended_by = {"left": "caller", "dismissed": "box"}.get(event.name, "refused")
                report.status = int(event.words[1]) if event.name == "refused" else None
        for ring in self._phones.rings():
            owner = reports.get(ring.caller)
            if owner and owner.sent_at and ring.rang_at >= owner.sent_at:
                owner.rings.append(ring)
        return list(reports.values())

    def wait(self, limit: float) -> list[CallReport]:
        """Wait until every call is over. Raises SippError when one is not after `limit` seconds."""
        end = time.monotonic() + limit
        try:
            for process in self._processes:
                process.wait(max(0.1, end - time.monotonic()))
        finally:
            self.stop()
        return self.reports()

    def stop(self) -> None:
        """Cut off whoever is still there."""
        for process in self._processes:
            process.stop()

    def discard(self) -> None:
        """Cut off whoever is still there and remove the round's folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def place(
    plans: Sequence[CallPlan], phones: Phones, address: str, folder: Path, number: str
) -> Round:
    """Call the hotline's `number` from the carrier's `address` as planned; returns at once.

    The phones must have been started with `handling(plans)`, or take the callers as they take
    any other. Raises SippError when SIPp does not start.
    """
    if len({tail(plan.number) for plan in plans}) != len(plans):
        raise ValueError("two callers share their last nine digits")
    groups: dict[CallPlan, list[CallPlan]] = {}
    for plan in plans:
        same = CallPlan("", "", plan.keys, plan.stays, 0.0, plan.events, plan.silent)
        groups.setdefault(same, []).append(plan)
    ports = free_ports(address, len(groups))
    processes = []
    for position, (script, members) in enumerate(groups.items()):
        process = Sipp("caller", folder / f"callers-{position:02}", address, ports[position])
        processes.append(process)
        process.folder.mkdir(parents=True, exist_ok=True)
        count = str(len(members))
        process.start(
            {"callers.csv": [(plan.number, round(plan.after * 1000)) for plan in members]},
            f"{phones.box}:5060",
            *("-s", number, "-m", count, "-l", count, "-r", count, "-recv_timeout", "60000"),
            *("-min_rtp_port", str(20000 + 400 * (position % 100)), "-max_rtp_port", "65000"),
            facts=facts(script, process.folder),
        )
    if not all(process.running for process in processes):
        broken = next(process for process in processes if not process.running)
        raise SippError(f"the callers do not start: {broken.complaint()}")
    return Round(plans, processes, phones, folder)


def handling(plans: Sequence[CallPlan]) -> dict[str, Handling]:
    """What the phones must know of the plans."""
    return {plan.number: plan.handling for plan in plans}


def facts(script: CallPlan, folder: Path) -> dict[str, object]:
    play = ""
    if not script.silent:
        voice = folder / "caller.pcap"
        sound.write_pcap(voice, script.stays + 1, PITCH, script.keys, script.events)
        play = f'<exec play_pcap_audio="{voice}"/>'
    refusals = "\n".join(
        f'  <recv response="{status}" optional="true" next="refused"><action>'
        f'<log message="refused [timestamp] [field0] {status}"/></action></recv>'
        for status in _REFUSALS
    )
    offer = _WITH_EVENTS if script.events else _WITHOUT_EVENTS
    return {
        "offer": "\n    ".join(offer),
        "play": play,
        "refusals": refusals,
        "stays": round(script.stays * 1000),
    }
