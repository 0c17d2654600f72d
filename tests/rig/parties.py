"""People made of calls: citizens behind the carrier, operators' phones, numbers outside."""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.sip import tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.sip.media import Pump
from appliance.sip.message import Headers
from provisioning.local.place import HOTLINE, SIP, Place


@dataclass
class Phone:
    """An operator's phone: all the calls it ever took part in, the newest last."""

    extension: str
    login: str
    password: str
    speaks: tuple[str, ...]
    pitch: int
    agent: Agent
    calls: list[Call] = field(default_factory=list)
    is_off: bool = False  # no answer to anything

    @property
    def call(self) -> Call | None:
        """The newest call."""
        return self.calls[-1] if self.calls else None

    async def register(self) -> None:
        """Register for an hour. Raises RuntimeError when the box refuses."""
        status = await self.agent.register(self.extension, self.password)
        if status != 200:
            raise RuntimeError(f"phone {self.extension} could not register: {status}")

    def dial(self, number: str) -> Call:
        """Call a number through the box."""
        account = (self.extension, self.password)
        call = self.agent.call(self.extension, number, self.pitch, account=account)
        self.calls.append(call)
        call.start()
        return call

    def die(self) -> None:
        """Fall silent in all calls and answer nothing any more."""
        self.is_off = True
        for call in self.calls:
            call.die()


@dataclass
class People:
    """The carrier's side and the phones of one site."""

    place: Place
    carrier: Agent
    desk: Agent
    phones: list[Phone]
    rings: Callable[[Phone, Call], None] = lambda _phone, call: call.ring()
    dialled: Callable[[Call], None] = lambda call: call.refuse(404)

    def by_extension(self, extension: str) -> Phone | None:
        """The phone of that extension."""
        return next((phone for phone in self.phones if phone.extension == extension), None)

    def call(self, number: str, pitch: int, dialled: str = HOTLINE, **how: Any) -> Call:
        """A citizen of that number ("" hides it) calls the hotline.

        `how`: fields of Call; `more`, further headers; `silent`, sends no sound.
        """
        more: Headers = how.pop("more", ())
        silent: bool = how.pop("silent", False)
        call = self.carrier.call(number or "anonymous", dialled, pitch, **how)
        if not number:
            tag = secrets.token_hex(4)
            call.ours = f'"Anonymous" <sip:anonymous@anonymous.invalid>;tag={tag}'
            more = [*more, ("Privacy", "id")]
        call.start(more)
        call.mute = silent
        return call

    def _taken_by_phone(self, call: Call) -> None:
        phone = self.by_extension(call.called)
        if not phone or phone.is_off:
            call.die()
            return
        call.media.pitch = phone.pitch
        phone.calls.append(call)
        self.rings(phone, call)

    def _taken_by_carrier(self, call: Call) -> None:
        self.dialled(call)


@contextlib.asynccontextmanager
async def people(place: Place, operators: Sequence[dict[str, Any]]) -> AsyncIterator[People]:
    """The carrier and the phones of a site, registered; `operators` as in site.json."""
    tones.prepare()
    pump = Pump()
    box = (place.box, SIP)
    carrier = Agent(place.carrier, SIP, box, pump)
    desk = Agent(f"{place.network}.11", SIP, box, pump)
    pitches = itertools.cycle(tones.OPERATORS)
    phones = [
        Phone(
            one["extension"],
            one["login"],
            one["sip_password"],
            tuple(one["languages"]),
            next(pitches),
            desk,
        )
        for one in operators
    ]
    made = People(place, carrier, desk, phones)
    carrier.taken, desk.taken = made._taken_by_carrier, made._taken_by_phone
    async with carrier, desk:
        for phone in phones:
            await phone.register()
        yield made
