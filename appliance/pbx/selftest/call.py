"""A test call through the real dialplan (menu, language, queue, talk, rating), and its check."""

import asyncio
import time
from dataclasses import dataclass, field

from appliance.core.settings import Settings
from appliance.models import Call as Row
from appliance.models import Recording
from appliance.pbx.selftest.parties import (
    answer_call,
    describe_state,
    register_phone,
    release_calls,
    wait_for_sound,
)
from appliance.pbx.selftest.steps import StepFailed, Steps, wait_until
from appliance.sip import listening, tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.telephony import routing

STEP_LIMIT_SECONDS = 60.0  # steps take one second, but a busy machine must not raise an alarm
MENU_LIMIT_SECONDS = 120.0  # for the notice, the message out of hours, and the ringing
TALK_SECONDS = 3.0
MIN_SECONDS_OF_BOTH = 1  # whole seconds of a recording that contain both voices
MARK = 5
CALLER_PITCH, ANSWERER_PITCH = tones.CALLERS[4], tones.OPERATORS[1]
_VOICES = (CALLER_PITCH, ANSWERER_PITCH)


@dataclass
class CallScenario:
    """A test call and its two parties; an account is (name, password).

    A caller without a password is identified by their address.
    """

    settings: Settings
    caller: tuple[str, str]  # the account that calls the hotline
    phone: tuple[str, str]  # the account of the phone that answers
    from_host: str  # the caller's own address
    from_port: int = 0  # 0: any free port
    dialled_number: str = ""  # "": the hotline's number in the settings
    steps: Steps = field(default_factory=Steps)
    sip_call_id: str = ""  # set when the call is placed
    row: Row | None = None  # the call in the ledger, set when it is found there


def run_scenario(scenario: CallScenario) -> None:
    """Place the call and check what is stored about it; raises StepFailed at the first fault."""
    asyncio.run(_run_sip_part(scenario))
    with scenario.steps.time_step("ledger"):
        scenario.row = _check_ledger_row(scenario)
    with scenario.steps.time_step("recording"):
        _check_recording(scenario, scenario.row)


async def _run_sip_part(scenario: CallScenario) -> None:
    """Do the part of the test over SIP and RTP, at both ends of the call.

    Raises StepFailed at the first fault.
    """
    step, exchange = (
        scenario.steps.time_step,
        (scenario.settings.asterisk.address, scenario.settings.asterisk.sip_port),
    )
    ringing_calls: list[Call] = []
    async with (
        Agent(scenario.from_host, scenario.from_port, exchange) as outside,
        Agent(scenario.settings.asterisk.address, 0, exchange) as desk,
    ):
        desk.on_call = ringing_calls.append
        call: Call | None = None
        try:
            with step("phone"):
                await register_phone(desk, scenario.phone, STEP_LIMIT_SECONDS)
            with step("line"):
                call = _start_call(scenario, outside)
                await _wait_for_answer(call)
            with step("menu"):
                await wait_for_sound(call, tones.MUSIC, STEP_LIMIT_SECONDS)
            with step("queue"):
                if len(_menu_languages(scenario.settings)) > 1:
                    call.media.press_keys(str(_menu_languages(scenario.settings).index("uz") + 1))
                await wait_until(
                    lambda: ringing_calls, MENU_LIMIT_SECONDS, lambda: describe_state(call)
                )
                leg = ringing_calls[-1]
                answer_call(leg, ANSWERER_PITCH, _VOICES)
            with step("talk"):
                await wait_for_sound(call, ANSWERER_PITCH, STEP_LIMIT_SECONDS)
                await wait_for_sound(leg, CALLER_PITCH, STEP_LIMIT_SECONDS)
                await asyncio.sleep(TALK_SECONDS)
            with step("mark"):
                leg.hang_up()
                since = time.time() + 0.5
                await wait_for_sound(call, tones.MUSIC, STEP_LIMIT_SECONDS, since)
                call.media.press_keys(str(MARK))
                await wait_until(
                    lambda: call.state == "over", STEP_LIMIT_SECONDS, lambda: "the call goes on"
                )
        finally:
            placed_calls = [call] if call else []
            await release_calls(desk, scenario.phone, [*placed_calls, *ringing_calls])


def _start_call(scenario: CallScenario, outside: Agent) -> Call:
    """Start the call to the hotline, and set `scenario.sip_call_id`."""
    name, password = scenario.caller
    number = scenario.dialled_number or scenario.settings.calls.hotline_number
    account = (name, password) if password else ("", "")
    call = outside.create_call(name, number, CALLER_PITCH, account=account)
    call.media.pitches = _VOICES
    scenario.sip_call_id = call.call_id
    call.send_invite()
    return call


async def _wait_for_answer(call: Call) -> None:
    """Wait until the call is answered. Raises StepFailed if it ends or takes too long."""

    def is_answered() -> bool:
        """Return True once the call is answered; raises StepFailed if it is over."""
        if call.state == "over":
            raise StepFailed(f"SIP {call.status}")
        return call.state == "up"

    await wait_until(is_answered, STEP_LIMIT_SECONDS, lambda: "no answer to the INVITE")


def _menu_languages(settings: Settings) -> tuple[str, ...]:
    """Return the languages offered to a caller of the hotline's number, in the order of keys.

    The caller presses no key if there is only one. A plan without this number, and without an entry
    for all other numbers, offers both.
    """
    numbers = {number.number: number for number in routing.current_plan(settings).numbers}
    number_entry = numbers.get(settings.calls.hotline_number) or numbers.get("")
    return number_entry.languages if number_entry else ("uz", "ru")


def _check_ledger_row(scenario: CallScenario) -> Row:
    """Wait until the call has ended in the ledger, and check its values; returns its row.

    The row is set in `scenario` before the check, so that a failed test shows its call. Raises
    StepFailed if the call does not end or a value is wrong.
    """
    deadline = time.monotonic() + STEP_LIMIT_SECONDS
    while not (row := _find_ended_call(scenario.sip_call_id)):
        if time.monotonic() > deadline:
            raise StepFailed("the call is not in the ledger")
        time.sleep(0.1)
    scenario.row = row
    languages = _menu_languages(scenario.settings)
    expected = {
        "outcome": "answered",
        "language": "uz" if "uz" in languages else languages[0],
        "rating": MARK,
        "ended_by": "operator",
    }
    if mismatches := [
        f"{name}: {getattr(row, name)}"
        for name, value in expected.items()
        if getattr(row, name) != value
    ]:
        raise StepFailed(", ".join(mismatches))
    return row


def _find_ended_call(sip_call_id: str) -> Row | None:
    """Return the ledger's call with this SIP Call-ID, if it is there and has ended."""
    row: Row | None = Row.get_or_none(Row.sip == sip_call_id, Row.ended_at.is_null(False))
    return row


def _check_recording(scenario: CallScenario, row: Row) -> None:
    """Raise StepFailed unless the call's recording contains both voices."""
    names = [recording.file for recording in Recording.select().where(Recording.call_id == row.id)]
    if not names:
        raise StepFailed("no recording in the ledger")
    seconds = [
        pitches
        for name in names
        if (file := scenario.settings.paths.recordings / name).exists()
        for pitches in listening.voices_by_second(file, _VOICES)
    ]
    seconds_of_both = sum(frozenset(_VOICES) <= pitches for pitches in seconds)
    if seconds_of_both < MIN_SECONDS_OF_BOTH:
        raise StepFailed(f"both voices in {seconds_of_both} of {len(seconds)} s")
