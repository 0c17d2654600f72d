"""The two ends of a test call: the phone that registers and answers, and what each end receives."""

import asyncio
import contextlib
from collections.abc import Iterable

from appliance.pbx.selftest.steps import StepFailed, wait_until
from appliance.sip.agent import Agent
from appliance.sip.call import Call

_RELEASE_SECONDS = 2.0


async def register_phone(desk: Agent, account: tuple[str, str], limit_seconds: float) -> None:
    """Register the phone of an account (name, password).

    Raises StepFailed if it is refused, TimeoutError if it takes longer than `limit_seconds`.
    """
    async with asyncio.timeout(limit_seconds):
        status = await desk.register(*account)
    if status != 200:
        raise StepFailed(f"REGISTER: {status}")


def answer_call(call: Call, own_pitch: int, voices: tuple[int, ...]) -> None:
    """Ring and answer a call at once, and send a tone of `own_pitch` as the voice of this end.

    `voices` are the pitches to recognise in what is received. All pitches are in hertz.
    """
    call.media.pitch, call.media.pitches = own_pitch, voices
    call.send_ringing()
    call.pick_up()


async def wait_for_sound(call: Call, pitch: int, limit_seconds: float, since: float = 0.0) -> None:
    """Wait until a voice of this pitch in hertz, or a prompt (tones.MUSIC), is received.

    `since` is a time (epoch seconds) before which sounds do not count. Raises StepFailed if the
    call ends or it takes longer than `limit_seconds`.
    """

    def is_received() -> bool:
        """Return True once the pitch is received; raises StepFailed if the call is over."""
        if call.state == "over":
            raise StepFailed(describe_state(call))
        return any(pitch in pitches for at, pitches in call.media.received.voices if at > since)

    await wait_until(
        is_received,
        limit_seconds,
        lambda: f"not heard; {call.media.received.packets} packets of sound",
    )


def describe_state(call: Call) -> str:
    """Return the state of the call, as the detail of a failed step."""
    return f"the call is {call.state} {call.ended_by}".strip()


async def release_calls(desk: Agent, account: tuple[str, str], calls: Iterable[Call]) -> None:
    """Hang up these calls and unregister the phone, so that nothing remains in Asterisk.

    It is for the end of every test, even a failed one; it raises nothing if Asterisk is silent.
    """
    remaining_calls = list(calls)
    for call in remaining_calls:
        call.hang_up()
    # The test has its result: Asterisk, which does not answer, forgets the phone by itself.
    with contextlib.suppress(TimeoutError, StepFailed):
        async with asyncio.timeout(_RELEASE_SECONDS):
            await desk.register(*account, expires=0)
            await wait_until(
                lambda: all(call.state == "over" for call in remaining_calls), _RELEASE_SECONDS, str
            )
