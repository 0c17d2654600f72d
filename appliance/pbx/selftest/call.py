"""A call through the real dialplan: menu, language, queue, talk, mark; and what is kept of it."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from appliance.core.settings import Settings
from appliance.models import Call as Row
from appliance.models import Recording
from appliance.pbx.selftest.steps import StepFailed, Steps, until
from appliance.sip import listening, tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.telephony import routing

PATIENCE = 60.0  # seconds for what takes one, so that a busy machine raises no alarm
MENU = 120.0  # the notice, the message out of hours, and the ringing
TALK = 3.0
BOTH = 1  # whole seconds of a recording in which both voices must be heard
MARK = 5
CALLER, ANSWERER = tones.CALLERS[4], tones.OPERATORS[1]
_VOICES = (CALLER, ANSWERER)


@dataclass
class Road:
    """Who calls whom. An account is (name, password); the caller's may be known by his address."""

    settings: Settings
    caller: tuple[str, str]
    phone: tuple[str, str]
    from_host: str
    from_port: int = 0
    dialled: str = ""
    steps: Steps = field(default_factory=Steps)
    sip: str = ""  # Call-ID
    row: Row | None = None


def follow(road: Road) -> None:
    """Place the call and look at what is kept of it. Raises StepFailed at the first fault."""
    asyncio.run(_speak(road))
    with road.steps.step("ledger"):
        road.row = _ledger(road)
    with road.steps.step("recording"):
        _recording(road, road.row)


async def _speak(road: Road) -> None:
    """All that is said over SIP and RTP."""
    step, box = road.steps.step, (road.settings.asterisk.address, road.settings.asterisk.sip_port)
    rung: list[Call] = []
    async with Agent(road.from_host, road.from_port, box) as outside, _desk(road, box) as desk:
        desk.taken = rung.append
        call: Call | None = None
        try:
            with step("phone"):
                async with asyncio.timeout(PATIENCE):
                    status = await desk.register(*road.phone)
                if status != 200:
                    raise StepFailed(f"REGISTER: {status}")
            with step("line"):
                call = _dial(road, outside)
                await _up(call)
            with step("menu"):
                await _hears(call, tones.MUSIC)
            with step("queue"):
                if len(_languages(road.settings)) > 1:
                    call.media.press(str(_languages(road.settings).index("uz") + 1))
                await until(lambda: rung, MENU, lambda: _state(call))
                leg = rung[-1]
                leg.media.pitch, leg.media.among = ANSWERER, _VOICES
                leg.ring()
                leg.pick_up()
            with step("talk"):
                await _hears(call, ANSWERER)
                await _hears(leg, CALLER)
                await asyncio.sleep(TALK)
            with step("mark"):
                leg.hang_up()
                await _hears(call, tones.MUSIC, since=time.time() + 0.5)
                call.media.press(str(MARK))
                await until(lambda: call.state == "over", PATIENCE, lambda: "the call goes on")
        finally:
            await _tidy(desk, road, [c for c in (call, *rung) if c])


@contextlib.asynccontextmanager
async def _desk(road: Road, box: tuple[str, int]):  # type: ignore[no-untyped-def]
    async with Agent(road.settings.asterisk.address, 0, box) as desk:
        yield desk


def _dial(road: Road, outside: Agent) -> Call:
    name, password = road.caller
    number = road.dialled or road.settings.calls.hotline_number
    account = (name, password) if password else ("", "")
    call = outside.call(name, number, CALLER, account=account)
    call.media.among = _VOICES
    road.sip = call.call_id
    call.start()
    return call


async def _up(call: Call) -> None:
    def answered() -> bool:
        if call.state == "over":
            raise StepFailed(f"SIP {call.status}")
        return call.state == "up"

    await until(answered, PATIENCE, lambda: "no answer to the INVITE")


async def _hears(call: Call, pitch: int, since: float = 0.0) -> None:
    """Wait until a voice, or a prompt (MUSIC), is heard at this end."""

    def heard() -> bool:
        if call.state == "over":
            raise StepFailed(_state(call))
        return any(pitch in who for at, who in call.media.flow.heard if at > since)

    await until(heard, PATIENCE, lambda: f"not heard; {call.media.flow.packets} packets of sound")


def _state(call: Call) -> str:
    return f"the call is {call.state} {call.ended_by}".strip()


async def _tidy(desk: Agent, road: Road, calls: list[Call]) -> None:
    """Leave nothing behind in Asterisk, also after a fault."""
    for call in calls:
        call.hang_up()
    with contextlib.suppress(TimeoutError, StepFailed):
        async with asyncio.timeout(2):
            await desk.register(*road.phone, expires=0)
            await until(lambda: all(c.state == "over" for c in calls), 2, str)


def _languages(settings: Settings) -> tuple[str, ...]:
    """The languages that a caller of the hotline's number chooses from, by their keys."""
    numbers = {number.number: number for number in routing.current(settings).numbers}
    found = numbers.get(settings.calls.hotline_number) or numbers.get("")
    return found.languages if found else ("uz", "ru")


def _ledger(road: Road) -> Row:
    """The call's row, once it is over there too. Raises StepFailed when it is not as it should."""
    end = time.monotonic() + PATIENCE
    while not (row := Row.get_or_none(Row.sip == road.sip, Row.ended_at.is_null(False))):
        if time.monotonic() > end:
            raise StepFailed("the call is not in the ledger")
        time.sleep(0.1)
    road.row = row
    languages = _languages(road.settings)
    wanted = {
        "outcome": "answered",
        "language": "uz" if "uz" in languages else languages[0],
        "rating": MARK,
        "ended_by": "operator",
    }
    if wrong := [f"{n}: {getattr(row, n)}" for n, v in wanted.items() if getattr(row, n) != v]:
        raise StepFailed(", ".join(wrong))
    return row


def _recording(road: Road, row: Row) -> None:
    """Raise StepFailed when the call's recording does not hold both voices."""
    names = [r.file for r in Recording.select().where(Recording.call_id == row.id)]
    if not names:
        raise StepFailed("no recording in the ledger")
    seconds = [
        heard
        for name in names
        if (file := road.settings.paths.recordings / name).exists()
        for heard in listening.by_second(file, _VOICES)
    ]
    both = sum(frozenset(_VOICES) <= heard for heard in seconds)
    if both < BOTH:
        raise StepFailed(f"both voices in {both} of {len(seconds)} s")
