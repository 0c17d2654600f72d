"""A test call over one trunk: out to the hotline's number, back in, and heard at both ends.

Two phones of this machine speak with each other over the carrier. The call is marked in the ledger
and rings no operator: a call that is not recognised as it comes back is hung up while the greeting
is spoken.
"""

import asyncio
import contextlib
import fcntl
import secrets
import time
from dataclasses import dataclass, field

from appliance.box import selftests
from appliance.box.selftests import Result
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.pbx.selftest.steps import StepFailed, Steps, until
from appliance.sip import message, tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.telephony import calls, devices, routing, trunks
from appliance.telephony.routing import Trunk

CALLER, ANSWERER = tones.CALLERS[6], tones.OPERATORS[3]
_VOICES = (CALLER, ANSWERER)
_REGISTER = 10.0  # seconds for each step
_THROUGH = 15.0
_UNKNOWN = 4.0  # after the answer: then the greeting is spoken, and nobody has rung yet
_HEARD = 6.0
_PAUSE = 1.0  # seconds between two attempts
_ATTEMPTS = 2
_CODE_DIGITS = 6
_NEEDS, _LEAST = 2, 3  # channels that the call takes, and that a trunk must have
_BUSY = 486  # SIP: the dialplan finds the line too busy; a carrier's busy comes back as 403


@dataclass
class _Attempt:
    """One call: its steps, and the caller's number as it came back."""

    steps: Steps = field(default_factory=Steps)
    shown: str = ""


def eligible(settings: Settings) -> list[Trunk]:
    """The trunks over which test calls go."""
    listed = routing.current(settings).trunks if settings.calls.hotline_number else ()
    return [trunk for trunk in listed if trunk.test_calls]


def carrier_call(settings: Settings, name: str) -> Result:
    """Place a test call over a trunk, a second one if that fails; write down what was found.

    One at a time, and none on a busy line: that is no fault and is recorded as `busy`. Raises
    LookupError for no such trunk.
    """
    trunk = next((t for t in routing.current(settings).trunks if t.name == name), None)
    if not trunk:
        raise LookupError(name)
    kind = f"{selftests.CARRIER}{name}"
    with (settings.paths.database.parent / "self-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = clock.now()
        if is_busy(trunk):
            found = Result(kind, started, (), "busy")
            selftests.record(found)
            return found
        for number in range(_ATTEMPTS):
            time.sleep(_PAUSE if number else 0.0)
            attempt = _Attempt()
            with contextlib.suppress(StepFailed):  # written down in the steps
                asyncio.run(_speak(settings, trunk, attempt))
            if attempt.steps.failed in ("", "busy"):
                break
    steps = attempt.steps
    seen = steps.seen if steps.failed else _shown(attempt)
    found = Result(kind, started, tuple(steps.done), steps.failed, seen)
    selftests.record(found)
    return found


def is_busy(trunk: Trunk) -> bool:
    """Whether a test call would take what citizens need: a place in line, or the last channel."""
    if any(call.waits_since for call in calls.going_on()):
        return True
    used, most = trunks.load(
        trunk, {device.name: device.channels for device in devices.trunks()}, trunks.spans()
    )
    return bool(most) and (most < _LEAST or used + _NEEDS >= most)


async def _speak(settings: Settings, trunk: Trunk, attempt: _Attempt) -> None:
    line, here = selftests.line(settings), settings.asterisk.address
    step, box = attempt.steps.step, (here, settings.asterisk.sip_port)
    rung: list[Call] = []
    async with Agent(here, 0, box) as outside, Agent(here, 0, box) as desk:
        desk.taken = rung.append
        code = "".join(secrets.choice("123456789") for _ in range(_CODE_DIGITS))
        call = outside.call(line.out, trunk.name, CALLER, account=(line.name, line.secret))
        call.media.among = _VOICES
        try:
            with step("phone"):
                async with asyncio.timeout(_REGISTER):
                    status = await desk.register(line.phone, line.secret)
                if status != 200:
                    raise StepFailed(f"REGISTER: {status}")
            call.start([("X-Hotline-Code", code)])
            await _put_through(call, rung, attempt, code)
            leg = rung[-1]
            attempt.shown = message.user(leg.theirs)
            leg.media.pitch, leg.media.among = ANSWERER, _VOICES
            leg.ring()
            leg.pick_up()
            with step("there"):
                await _hears(leg, CALLER)
            with step("back"):
                await _hears(call, ANSWERER)
        finally:
            await _tidy(desk, line, [call, *rung])


async def _put_through(call: Call, rung: list[Call], attempt: _Attempt, code: str) -> None:
    """Wait until the phone inside rings; a call that is answered without that is hung up."""
    name = "carrier"
    try:
        end, pressed = time.monotonic() + _THROUGH, False
        while not rung:
            if call.state == "over":
                name = "busy" if call.status == _BUSY else "carrier"
                raise StepFailed(f"SIP {call.status}")
            if call.state == "up" and not pressed:
                pressed, name = True, "arrival"
                end = time.monotonic() + _UNKNOWN
                call.media.press(code)
            if time.monotonic() > end:
                answered = "answered, but not by the phone inside"
                raise StepFailed(answered if pressed else "no answer to the INVITE")
            await asyncio.sleep(0.02)
    except StepFailed as failure:
        with attempt.steps.step(name):
            raise StepFailed(str(failure)) from failure
    with attempt.steps.step("arrival"):
        pass


async def _hears(call: Call, pitch: int) -> None:
    def heard() -> bool:
        if call.state == "over":
            raise StepFailed(f"the call is over, {call.ended_by}")
        return any(pitch in who for _, who in call.media.flow.heard)

    await until(heard, _HEARD, lambda: f"{call.media.flow.packets} packets of sound")


async def _tidy(desk: Agent, line: selftests.Line, placed: list[Call]) -> None:
    for call in placed:
        call.hang_up()
    with contextlib.suppress(TimeoutError, StepFailed):
        async with asyncio.timeout(2):
            await desk.register(line.phone, line.secret, expires=0)
            await until(lambda: all(c.state == "over" for c in placed), 2, str)


def _shown(attempt: _Attempt) -> str:
    """The caller's number that the carrier handed on; "" when it hid it."""
    return attempt.shown if attempt.shown.lstrip("+").isdigit() else ""
