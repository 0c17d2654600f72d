"""Simulated citizens: plans of what they do, placed as real SIP calls with sound, and reports."""

import itertools
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.local import sound
from provisioning.local.phones import Handling, Phones, Ring, number_tail
from provisioning.local.sipp import SippError, SippProcess, free_ports

CALLER_PITCH_HZ = 210  # Hz of a caller's voice
_REFUSAL_STATUSES = (400, 401, 403, 404, 408, 480, 484, 486, 487, 488, 500, 503, 603)
_OFFER_WITH_EVENTS = (
    "m=audio [auto_media_port] RTP/AVP 8 0 101",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
)
_OFFER_WITHOUT_EVENTS = _OFFER_WITH_EVENTS[0].removesuffix(" 101"), *_OFFER_WITH_EVENTS[1:3]


@dataclass(frozen=True)
class CallPlan:
    """What one caller will do, and what the operator's phone will do with this caller.

    Times are in seconds; key times and `stays` count from the answer of the box, not of the
    operator.
    """

    kind: str
    number: str  # unique in its last nine digits among callers at the same time
    keys: tuple[tuple[float, str], ...] = ()
    stays: float = 120.0  # then the caller hangs up, if the box has not done so
    after: float = 0.0  # from the start of the round to the call
    events: bool = True  # keys as RFC 4733; False: G.711 only, keys are tones in the sound
    silent: bool = False  # sends no sound at all, and therefore no keys
    handling: Handling = field(default_factory=Handling)


@dataclass
class CallReport:
    """What happened in one call, as logged by caller and phones; times are seconds since 1970."""

    plan: CallPlan
    sent_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    ended_by: str = ""  # caller | box | refused; "" while it goes on or when it was cut off
    status: int | None = None  # SIP status of a refusal
    rings: list[Ring] = field(default_factory=list)

    @property
    def pressed_keys(self) -> list[tuple[float, str]]:
        """The keys pressed while the call was up, as (time, key)."""
        if self.answered_at is None or self.plan.silent:
            return []
        end = self.ended_at or float("inf")
        presses = ((self.answered_at + at, key) for at, key in self.plan.keys)
        return [(at, key) for at, key in presses if at < end]

    @property
    def talk_seconds(self) -> float:
        """How long operators spoke with this caller, according to the phones."""
        return sum(ring.talk_seconds for ring in self.rings)

    @property
    def operator_extension(self) -> str | None:
        """The extension that answered last, if any."""
        extensions = [ring.extension for ring in self.rings if ring.answered_at]
        return extensions[-1] if extensions else None

    def __str__(self) -> str:
        """A one-line summary for people."""
        if self.status:
            return f"{self.plan.number}  {self.plan.kind}: refused with {self.status}"
        if self.answered_at is None:
            return f"{self.plan.number}  {self.plan.kind}: no answer from the box"
        duration = f"{(self.ended_at or self.answered_at) - self.answered_at:.0f} s"
        talk = (
            f", spoke {self.talk_seconds:.0f} s with {self.operator_extension}"
            if self.operator_extension
            else ""
        )
        end = {"caller": "caller hung up", "box": "box hung up"}.get(self.ended_by, "cut off")
        return f"{self.plan.number}  {self.plan.kind}: {duration}{talk}, {end}"


class CallRound:
    """Calls that were placed together and may still go on."""

    def __init__(
        self, plans: Sequence[CallPlan], processes: list[SippProcess], phones: Phones, folder: Path
    ) -> None:
        self._plans = plans
        self._folder = folder
        self._processes = processes
        self._phones = phones

    @property
    def is_running(self) -> bool:
        """Returns True if some call has not ended, or has not begun yet."""
        return any(process.is_running for process in self._processes)

    def current_reports(self) -> list[CallReport]:
        """The present reports of the calls, in the order of the plans."""
        reports = {number_tail(plan.number): CallReport(plan) for plan in self._plans}
        for event in sorted(
            itertools.chain.from_iterable(p.read_events() for p in self._processes),
            key=lambda e: e.at,
        ):
            report = reports[number_tail(event.values[0])]
            if event.name == "sent":
                report.sent_at = event.at
            elif event.name == "answered":
                report.answered_at = event.at
            else:
                report.ended_at = event.at
                report.ended_by = {"left": "caller", "dismissed": "box"}.get(event.name, "refused")
                report.status = int(event.values[1]) if event.name == "refused" else None
        for ring in self._phones.list_rings():
            report_of_caller = reports.get(ring.caller)
            if (
                report_of_caller
                and report_of_caller.sent_at
                and ring.rang_at >= report_of_caller.sent_at
            ):
                report_of_caller.rings.append(ring)
        return list(reports.values())

    def wait_for_end(self, limit: float) -> list[CallReport]:
        """Wait until every call has ended; SippError if one has not after `limit` seconds."""
        end = time.monotonic() + limit
        try:
            for process in self._processes:
                process.wait_for_end(max(0.1, end - time.monotonic()))
        finally:
            self.stop()
        return self.current_reports()

    def stop(self) -> None:
        """Cut off all calls that have not ended."""
        for process in self._processes:
            process.kill_process()

    def remove_files(self) -> None:
        """Cut off all calls that have not ended and remove the round's folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def place_calls(
    plans: Sequence[CallPlan], phones: Phones, address: str, folder: Path, number: str
) -> CallRound:
    """Call the hotline's `number` from the carrier's `address` as planned; returns at once.

    The phones must have been started with `handling_by_number(plans)`, or they treat the callers
    like any others. Raises SippError if SIPp does not start.
    """
    if len({number_tail(plan.number) for plan in plans}) != len(plans):
        raise ValueError("two callers share their last nine digits")
    groups: dict[CallPlan, list[CallPlan]] = {}
    for plan in plans:
        script_plan = CallPlan("", "", plan.keys, plan.stays, 0.0, plan.events, plan.silent)
        groups.setdefault(script_plan, []).append(plan)
    ports = free_ports(address, len(groups))
    processes = []
    for position, (script, members) in enumerate(groups.items()):
        process = SippProcess("caller", folder / f"callers-{position:02}", address, ports[position])
        processes.append(process)
        process.folder.mkdir(parents=True, exist_ok=True)
        count = str(len(members))
        process.start_scenario(
            {"callers.csv": [(plan.number, round(plan.after * 1000)) for plan in members]},
            f"{phones.box}:5060",
            *("-s", number, "-m", count, "-l", count, "-r", count, "-recv_timeout", "60000"),
            *("-min_rtp_port", str(20000 + 400 * (position % 100)), "-max_rtp_port", "65000"),
            placeholders=scenario_values(script, process.folder),
        )
    if not all(process.is_running for process in processes):
        failed = next(process for process in processes if not process.is_running)
        raise SippError(f"the callers do not start: {failed.last_error()}")
    return CallRound(plans, processes, phones, folder)


def handling_by_number(plans: Sequence[CallPlan]) -> dict[str, Handling]:
    """Caller's number → what the phones do with the call."""
    return {plan.number: plan.handling for plan in plans}


def scenario_values(script: CallPlan, folder: Path) -> dict[str, object]:
    """The values for the placeholders of the caller's scenario.

    Writes the sound file that the scenario plays.
    """
    play_action = ""
    if not script.silent:
        voice = folder / "caller.pcap"
        sound.write_pcap(voice, script.stays + 1, CALLER_PITCH_HZ, script.keys, script.events)
        play_action = f'<exec play_pcap_audio="{voice}"/>'
    refusals = "\n".join(
        f'  <recv response="{status}" optional="true" next="refused"><action>'
        f'<log message="refused [timestamp] [field0] {status}"/></action></recv>'
        for status in _REFUSAL_STATUSES
    )
    offer = _OFFER_WITH_EVENTS if script.events else _OFFER_WITHOUT_EVENTS
    return {
        "offer": "\n    ".join(offer),
        "play": play_action,
        "refusals": refusals,
        "stays": round(script.stays * 1000),
    }
