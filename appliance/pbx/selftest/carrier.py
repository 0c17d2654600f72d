"""A test call over one trunk: out to the hotline's number and back in, checked at both ends.

Two simulated phones on this machine talk to each other over the carrier. The call is marked in the
ledger and rings no operator: if it is not recognised when it returns, it is hung up during the
greeting.
"""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass, field

from appliance.box import selftests
from appliance.box.selftests import SelfTestResult
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.pbx.selftest.parties import (
    answer_call,
    register_phone,
    release_calls,
    wait_for_sound,
)
from appliance.pbx.selftest.steps import StepFailed, Steps, hold_test_line
from appliance.sip import message, tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.telephony import calls, devices, routing, trunks
from appliance.telephony.routing import Trunk

CALLER_PITCH, ANSWERER_PITCH = tones.CALLERS[6], tones.OPERATORS[3]
_VOICES = (CALLER_PITCH, ANSWERER_PITCH)
_REGISTER_SECONDS = 10.0  # this and the following ones are the limits of the steps
_CONNECT_SECONDS = 15.0
_RECOGNITION_SECONDS = 4.0  # after the answer, while the greeting plays and no operator is rung
_SOUND_SECONDS = 6.0
_RETRY_SECONDS = 1.0  # between two attempts
_MAX_ATTEMPTS = 2
_CODE_DIGITS = 6
_CHANNELS_PER_CALL, _MIN_CHANNELS = 2, 3  # channels that a call takes; that a trunk must have
_SIP_BUSY = 486  # sent by the dialplan if the line is too busy; a carrier's busy arrives as 403


@dataclass
class _CallAttempt:
    """One attempt at the call: its steps, and the caller's number with which it returned."""

    steps: Steps = field(default_factory=Steps)
    returned_number: str = ""


def eligible_trunks(settings: Settings) -> list[Trunk]:
    """Return the trunks over which test calls are placed; empty without a hotline number."""
    all_trunks = routing.current_plan(settings).trunks if settings.calls.hotline_number else ()
    return [trunk for trunk in all_trunks if trunk.test_calls]


def place_carrier_call(settings: Settings, name: str) -> SelfTestResult:
    """Place a test call over the trunk `name`, and a second one if that fails; record the result.

    Only one test call is placed at a time. If the line is busy, no call is placed: this is not a
    fault and is recorded as `busy`. Raises LookupError if there is no such trunk.
    """
    trunk = next(
        (
            candidate
            for candidate in routing.current_plan(settings).trunks
            if candidate.name == name
        ),
        None,
    )
    if not trunk:
        raise LookupError(name)
    kind = f"{selftests.CARRIER_KIND_PREFIX}{name}"
    with hold_test_line(settings):
        started_at = clock.now()
        if is_busy(trunk):
            result = SelfTestResult(kind, started_at, (), "busy")
            selftests.save_result(result)
            return result
        for number in range(_MAX_ATTEMPTS):
            time.sleep(_RETRY_SECONDS if number else 0.0)
            attempt = _CallAttempt()
            # The failed step, recorded in the steps, becomes the result.
            with contextlib.suppress(StepFailed):
                asyncio.run(_run_sip_part(settings, trunk, attempt))
            if attempt.steps.failed_step in ("", "busy"):
                break
    steps = attempt.steps
    detail = steps.detail if steps.failed_step else _returned_number(attempt)
    result = SelfTestResult(kind, started_at, tuple(steps.finished), steps.failed_step, detail)
    selftests.save_result(result)
    return result


def is_busy(trunk: Trunk) -> bool:
    """Return True if citizens need the line: a caller waits, or few channels are free.

    A trunk without a limit of channels always has free ones.
    """
    if any(call.waiting_since for call in calls.live_calls()):
        return True
    used_channels, capacity = trunks.trunk_load(
        trunk,
        {device.name: device.channels for device in devices.list_trunks()},
        trunks.span_states(),
    )
    return bool(capacity) and (
        capacity < _MIN_CHANNELS or used_channels + _CHANNELS_PER_CALL >= capacity
    )


async def _run_sip_part(settings: Settings, trunk: Trunk, attempt: _CallAttempt) -> None:
    """Do the part of the test over SIP and RTP, at both ends of the call.

    Raises StepFailed at the first fault.
    """
    line, local_address = selftests.self_test_line(settings), settings.asterisk.address
    step, exchange = attempt.steps.time_step, (local_address, settings.asterisk.sip_port)
    ringing_calls: list[Call] = []
    async with (
        Agent(local_address, 0, exchange) as outside,
        Agent(local_address, 0, exchange) as desk,
    ):
        desk.on_call = ringing_calls.append
        code = "".join(secrets.choice("123456789") for _ in range(_CODE_DIGITS))
        call = outside.create_call(
            line.out, trunk.name, CALLER_PITCH, account=(line.name, line.secret)
        )
        call.media.pitches = _VOICES
        try:
            with step("phone"):
                await register_phone(desk, (line.phone, line.secret), _REGISTER_SECONDS)
            call.send_invite([("X-Hotline-Code", code)])
            await _wait_for_return(call, ringing_calls, attempt, code)
            leg = ringing_calls[-1]
            attempt.returned_number = message.header_user(leg.remote_party)
            answer_call(leg, ANSWERER_PITCH, _VOICES)
            with step("there"):
                await wait_for_sound(leg, CALLER_PITCH, _SOUND_SECONDS)
            with step("back"):
                await wait_for_sound(call, ANSWERER_PITCH, _SOUND_SECONDS)
        finally:
            await release_calls(desk, (line.phone, line.secret), [call, *ringing_calls])


async def _wait_for_return(
    call: Call, ringing_calls: list[Call], attempt: _CallAttempt, code: str
) -> None:
    """Wait until the call, sent out to the carrier, comes back and rings the test phone here.

    `call` is the outgoing end, `ringing_calls` fills when that phone rings. `code` is pressed when
    the call is answered, by which the dialplan recognises it. Raises StepFailed if the call ends,
    takes too long, or is answered but does not ring that phone soon; the failed step is "busy",
    "carrier" (before the answer) or "arrival" (after it).
    """
    step_name = "carrier"
    try:
        deadline, is_answered = time.monotonic() + _CONNECT_SECONDS, False
        while not ringing_calls:
            if call.state == "over":
                step_name = "busy" if call.status == _SIP_BUSY else "carrier"
                raise StepFailed(f"SIP {call.status}")
            if call.state == "up" and not is_answered:
                is_answered, step_name = True, "arrival"
                deadline = time.monotonic() + _RECOGNITION_SECONDS
                call.media.press_keys(code)
            if time.monotonic() > deadline:
                failure_text = "answered, but not by the phone inside"
                raise StepFailed(failure_text if is_answered else "no answer to the INVITE")
            await asyncio.sleep(0.02)
    except StepFailed as failure:
        with attempt.steps.time_step(step_name):
            raise StepFailed(str(failure)) from failure
    with attempt.steps.time_step("arrival"):  # the call has arrived: only notes the success
        pass


def _returned_number(attempt: _CallAttempt) -> str:
    """Return the caller's number with which the call returned; "" if the carrier hid it."""
    return attempt.returned_number if attempt.returned_number.lstrip("+").isdigit() else ""
