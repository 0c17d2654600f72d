"""Citizens, operators, employees and a supervisor at the telephones of one Asterisk under test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

from appliance.core.settings import Settings
from appliance.models import User
from appliance.people import accounts
from appliance.sip import tones
from appliance.sip.call import Call
from tests.rig.parties import People, Phone, people

LIMIT = 30.0


async def seen[T](condition: Callable[[], T], what: str) -> T:
    """The first true value of the condition."""
    for _ in range(int(LIMIT / 0.05)):
        if value := condition():
            return value
        await asyncio.sleep(0.05)
    raise AssertionError(f"never seen: {what}")


class Talk:
    """A citizen, and the operator whose phone he has reached."""

    def __init__(self, telephones: "Telephones", citizen: Call, phone: Phone, leg: Call) -> None:
        self.telephones = telephones
        self.citizen, self.phone, self.leg = citizen, phone, leg
        self.operator = User.get(User.login == phone.login)

    async def hears(self, who: Call, pitch: int, what: str) -> None:
        """Wait until somebody hears a voice."""
        await seen(lambda: who.media.hears(pitch, 0.6), what)

    async def deaf(self, who: Call, pitch: int, what: str) -> None:
        """Wait until somebody hears a voice no more."""
        await seen(lambda: not who.media.hears(pitch, 1.0), what)


class Telephones:
    """Phones ring, and are picked up at once unless `silent` names them."""

    def __init__(self, settings: Settings, folk: People) -> None:
        self.settings, self.people = settings, folk
        self.outside: dict[str, str] = {}  # number's end → how it takes a call; else it answers
        self.silent: set[str] = set()  # extensions that nobody takes up
        self.reached: dict[str, list[Call]] = {}  # number's end → calls that came
        self._voices = iter(tones.CALLERS)
        folk.rings, folk.dialled = self._rang, self._dialled

    async def talk(self, number: str) -> Talk:
        """A citizen calls, chooses Uzbek, and speaks with the operator who took him."""
        citizen = self.people.call(number, next(self._voices))
        await seen(lambda: citizen.state == "up", f"{number} is answered")
        citizen.media.press("1")
        phone, leg = await self.taken(number)
        talk = Talk(self, citizen, phone, leg)
        await talk.hears(citizen, phone.pitch, f"{number} hears the operator")
        await talk.hears(leg, citizen.media.pitch, f"the operator hears {number}")
        return talk

    async def taken(self, number: str, before: Call | None = None) -> tuple[Phone, Call]:
        """The phone that speaks with this caller, by another call than `before`."""

        def found() -> tuple[Phone, Call] | None:
            for phone in self.people.phones:
                call = phone.call
                if call and call is not before and call.state == "up" and call.caller == number:
                    return phone, call
            return None

        return await seen(found, f"somebody takes {number}")

    async def employee(self, number: str) -> Call:
        """The newest call that reached this number outside."""
        return await seen(lambda: self.reached.get(number[-4:], [None])[-1], f"{number} is called")

    def _rang(self, phone: Phone, call: Call) -> None:
        call.ring()
        if phone.extension not in self.silent:
            asyncio.get_running_loop().call_later(0.2, call.pick_up)

    def _dialled(self, call: Call) -> None:
        end = call.called[-4:]
        call.media.pitch = tones.OUTSIDE[int(end) % len(tones.OUTSIDE)]
        self.reached.setdefault(end, []).append(call)
        manner = self.outside.get(end, "answer")
        if manner == "busy":
            call.refuse(486)
        else:
            call.ring()
            if manner == "answer":
                asyncio.get_running_loop().call_later(0.3, call.pick_up)


@contextlib.asynccontextmanager
async def telephones(settings: Settings) -> AsyncIterator[Telephones]:
    """Everybody's telephone, registered."""
    box, trunk = settings.asterisk.address, settings.trunks[0]
    network = f"127.251.{box.rpartition('.')[2]}"  # no other worker's box ends so
    place = SimpleNamespace(box=box, carrier=trunk.address, network=network)
    known = [
        {
            "extension": user.extension,
            "login": user.login,
            "sip_password": user.sip_password,
            "languages": user.speaks.split(),
        }
        for user in accounts.with_phone()
    ]
    async with people(place, known) as folk:  # type: ignore[arg-type]  # what it needs of one
        yield Telephones(settings, folk)
        under_way = [*folk.carrier.calls.values(), *folk.desk.calls.values()]
        for call in under_way:
            call.hang_up()
        await seen(lambda: all(call.state == "over" for call in under_way), "everybody is gone")
