"""Citizens, operators, employees and a supervisor with phones on one Asterisk under test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace

from appliance.core.settings import Settings
from appliance.models import User
from appliance.people import accounts
from appliance.sip import tones
from appliance.sip.call import Call
from tests.rig.parties import CallParties, Phone, connect_parties
from tests.rig.waiting import wait_for


class Talk:
    """A citizen, and the operator whose phone they reached."""

    def __init__(self, telephones: "Telephones", citizen: Call, phone: Phone, leg: Call) -> None:
        self.telephones = telephones
        self.citizen, self.phone, self.leg = citizen, phone, leg
        self.operator = User.get(User.login == phone.login)

    async def wait_for_voice(self, listener: Call, pitch: int, what: str) -> None:
        """Wait until the voice of that pitch arrives at the call."""
        await wait_for(lambda: listener.media.has_voice(pitch, 0.6), what)

    async def wait_for_silence(self, listener: Call, pitch: int, what: str) -> None:
        """Wait until the voice of that pitch no longer arrives at the call."""
        await wait_for(lambda: not listener.media.has_voice(pitch, 1.0), what)


class Telephones:
    """Phones ring, and are picked up at once unless their extension is in `silent`."""

    def __init__(self, settings: Settings, folk: CallParties) -> None:
        self.settings, self.people = settings, folk
        self.outside: dict[
            str, str
        ] = {}  # end of a number → how it handles a call; the default is to answer
        self.silent: set[str] = set()  # extensions whose calls are not picked up
        self.calls_by_ending: dict[
            str, list[Call]
        ] = {}  # end of a number → the calls that reached it
        self._voices = iter(tones.CALLERS)
        folk.on_ring, folk.on_outgoing_call = self._pick_up_phone, self._handle_outside_call

    async def start_talk(self, number: str) -> Talk:
        """Call as a citizen, choose Uzbek, and return the talk with the operator who answered."""
        citizen = self.people.call_hotline(number, next(self._voices))
        await wait_for(lambda: citizen.state == "up", f"{number} is answered")
        citizen.media.press_keys("1")
        phone, leg = await self.wait_for_answer(number)
        talk = Talk(self, citizen, phone, leg)
        await talk.wait_for_voice(citizen, phone.pitch, f"{number} hears the operator")
        await talk.wait_for_voice(leg, citizen.media.pitch, f"the operator hears {number}")
        return talk

    async def wait_for_answer(self, number: str, before: Call | None = None) -> tuple[Phone, Call]:
        """Return the phone in a talk with this caller, and its call, which is not `before`."""

        def answering_phone() -> tuple[Phone, Call] | None:
            for phone in self.people.phones:
                call = phone.newest_call
                if call and call is not before and call.state == "up" and call.caller == number:
                    return phone, call
            return None

        return await wait_for(answering_phone, f"somebody takes {number}")

    async def wait_for_employee(self, number: str) -> Call:
        """Return the newest call that reached this outside number."""
        return await wait_for(
            lambda: self.calls_by_ending.get(number[-4:], [None])[-1], f"{number} is called"
        )

    def _pick_up_phone(self, phone: Phone, call: Call) -> None:
        call.send_ringing()
        if phone.extension not in self.silent:
            asyncio.get_running_loop().call_later(0.2, call.pick_up)

    def _handle_outside_call(self, call: Call) -> None:
        end = call.callee[-4:]
        call.media.pitch = tones.OUTSIDE_PARTIES[int(end) % len(tones.OUTSIDE_PARTIES)]
        self.calls_by_ending.setdefault(end, []).append(call)
        manner = self.outside.get(end, "answer")
        if manner == "busy":
            call.refuse_call(486)
        else:
            call.send_ringing()
            if manner == "answer":
                asyncio.get_running_loop().call_later(0.3, call.pick_up)


@contextlib.asynccontextmanager
async def telephones(settings: Settings) -> AsyncIterator[Telephones]:
    """Register everybody's phones, and hang up their calls at the end."""
    box, trunk = settings.asterisk.address, settings.trunks[0]
    network = f"127.251.{box.rpartition('.')[2]}"  # no other worker's box has this ending
    place = SimpleNamespace(box_address=box, carrier_address=trunk.address, network_prefix=network)
    phone_users = [
        {
            "extension": user.extension,
            "login": user.login,
            "sip_password": user.sip_password,
            "languages": user.speaks.split(),
        }
        for user in accounts.users_with_phone()
    ]
    async with connect_parties(place, phone_users) as folk:  # type: ignore[arg-type]  # what it needs of one
        yield Telephones(settings, folk)
        under_way = [*folk.carrier.calls.values(), *folk.desk.calls.values()]
        for call in under_way:
            call.hang_up()
        await wait_for(lambda: all(call.state == "over" for call in under_way), "everybody is gone")
