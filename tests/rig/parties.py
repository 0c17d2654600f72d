"""Simulated parties of calls: citizens behind the carrier, operators' phones, outside numbers."""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.sip import tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.sip.media import MediaClock
from appliance.sip.message import Headers
from provisioning.local.place import HOTLINE_NUMBER, SIP_PORT, Place


@dataclass
class Phone:
    """An operator's phone: all the calls it ever took part in, the newest last."""

    extension: str
    login: str
    password: str
    languages: tuple[str, ...]
    pitch: int
    agent: Agent
    calls: list[Call] = field(default_factory=list)
    is_dead: bool = False  # answers nothing

    @property
    def newest_call(self) -> Call | None:
        """The newest call."""
        return self.calls[-1] if self.calls else None

    async def register_phone(self) -> None:
        """Register for an hour. Raises RuntimeError when the box refuses."""
        status = await self.agent.register(self.extension, self.password)
        if status != 200:
            raise RuntimeError(f"phone {self.extension} could not register: {status}")

    def dial_number(self, number: str) -> Call:
        """Call a number through the box; returns the call."""
        account = (self.extension, self.password)
        call = self.agent.create_call(self.extension, number, self.pitch, account=account)
        self.calls.append(call)
        call.send_invite()
        return call

    def go_silent(self) -> None:
        """Fall silent in all calls and answer nothing any more."""
        self.is_dead = True
        for call in self.calls:
            call.disconnect_silently()


@dataclass
class CallParties:
    """The carrier's side and the phones of one site.

    `on_ring` handles a call to a phone, `on_outgoing_call` a call to the carrier.
    """

    place: Place
    carrier: Agent
    desk: Agent
    phones: list[Phone]
    on_ring: Callable[[Phone, Call], None] = lambda _phone, call: call.send_ringing()
    on_outgoing_call: Callable[[Call], None] = lambda call: call.refuse_call(404)

    def phone_by_extension(self, extension: str) -> Phone | None:
        """The phone of that extension."""
        return next((phone for phone in self.phones if phone.extension == extension), None)

    def call_hotline(
        self, number: str, pitch: int, dialled: str = HOTLINE_NUMBER, **call_fields: Any
    ) -> Call:
        """A citizen of that number ("" hides it) calls the hotline.

        `call_fields`: fields of Call; `more`: further headers; `silent`: send no sound.
        """
        extra_headers: Headers = call_fields.pop("more", ())
        is_silent: bool = call_fields.pop("silent", False)
        call = self.carrier.create_call(number or "anonymous", dialled, pitch, **call_fields)
        if not number:
            tag = secrets.token_hex(4)
            call.local_party = f'"Anonymous" <sip:anonymous@anonymous.invalid>;tag={tag}'
            extra_headers = [*extra_headers, ("Privacy", "id")]
        call.send_invite(extra_headers)
        call.mute = is_silent
        return call

    def _handle_phone_call(self, call: Call) -> None:
        phone = self.phone_by_extension(call.callee)
        if not phone or phone.is_dead:
            call.disconnect_silently()
            return
        call.media.pitch = phone.pitch
        phone.calls.append(call)
        self.on_ring(phone, call)

    def _handle_carrier_call(self, call: Call) -> None:
        self.on_outgoing_call(call)


@contextlib.asynccontextmanager
async def connect_parties(
    place: Place, operators: Sequence[dict[str, Any]]
) -> AsyncIterator[CallParties]:
    """The carrier and the phones of a site, registered; `operators` as in site.json."""
    tones.precompute_voices()
    pump = MediaClock()
    box = (place.box_address, SIP_PORT)
    carrier = Agent(place.carrier_address, SIP_PORT, box, pump)
    desk = Agent(f"{place.network_prefix}.11", SIP_PORT, box, pump)
    pitches = itertools.cycle(tones.OPERATORS)
    phones = [
        Phone(
            operator["extension"],
            operator["login"],
            operator["sip_password"],
            tuple(operator["languages"]),
            next(pitches),
            desk,
        )
        for operator in operators
    ]
    parties = CallParties(place, carrier, desk, phones)
    carrier.on_call, desk.on_call = parties._handle_carrier_call, parties._handle_phone_call
    async with carrier, desk:
        for phone in phones:
            await phone.register_phone()
        yield parties
