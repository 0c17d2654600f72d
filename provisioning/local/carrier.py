"""A carrier that connects a call to the hotline's number back to the box that placed it."""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace

from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.sip.media import ALAW_PAYLOAD, EVENTS_PAYLOAD
from appliance.sip.message import Session
from provisioning.local.place import HOTLINE_NUMBER, SIP_PORT, Place

_DISCARD_PORT = 9  # a port where nothing receives the sound
_ANSWER_TIMEOUT_SECONDS = 20.0  # time in which the other side has to answer


@dataclass
class LoopCarrier:
    """The carrier; only signalling passes through it: the box sends its sound to itself.

    `behaviour`: ok | drop (no answer to an INVITE) | refuse | unheard (no sound to the caller) |
    unheard_there (no sound to the callee) | elsewhere (a machine of the carrier answers).
    `caller_number`: the number that is passed on; "": hidden; None: unchanged.
    """

    agent: Agent
    hotline: str
    behaviour: str = "ok"
    caller_number: str | None = None
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def receive_call(self, call: Call) -> None:
        """Handle a call from the box; any number but the hotline's is unknown."""
        if call.callee != self.hotline:
            call.refuse_call(404)
            return
        if self.behaviour == "drop":
            call.disconnect_silently()
        elif self.behaviour == "refuse":
            call.refuse_call(403)
        elif self.behaviour == "elsewhere":
            call.pick_up()
        else:
            task = asyncio.get_running_loop().create_task(self._forward_call(call))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _forward_call(self, call: Call) -> None:
        offer = message.parse_session(call.invite.body) if call.invite else None
        caller = (
            message.header_user(call.remote_party)
            if self.caller_number is None
            else self.caller_number
        )
        return_call = self.agent.create_call(caller or "anonymous", self.hotline, 0)
        if offer:
            _offer_session(
                return_call, _without_receiver(offer) if self.behaviour == "unheard" else offer
            )
        answers: list[Session] = []
        return_call.media.apply_session = lambda other, send=True: answers.append(other)  # type: ignore[method-assign,assignment]
        return_call.send_invite()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_TIMEOUT_SECONDS):
                while return_call.state not in ("up", "over") and call.state != "over":
                    await asyncio.sleep(0.02)
        if return_call.state == "up" and answers:
            answer = answers[-1]
            _offer_session(
                call, _without_receiver(answer) if self.behaviour == "unheard_there" else answer
            )
            call.pick_up()
            while call.state == return_call.state == "up":
                await asyncio.sleep(0.05)
        for leg in (call, return_call):
            leg.hang_up()


def _without_receiver(session: Session) -> Session:
    """The session with a port where nothing receives the sound."""
    return replace(session, port=_DISCARD_PORT)


def _offer_session(call: Call, session: Session) -> None:
    """Make a call offer the sound address of another session as its own, in A-law."""
    description = Session(
        session.host, session.port, (ALAW_PAYLOAD, EVENTS_PAYLOAD), events=EVENTS_PAYLOAD
    )
    call._session_offer = lambda direction="": str(description)  # type: ignore[method-assign]


async def run_carrier(place: Place) -> None:
    """Run the carrier of a local site until the process ends."""
    async with Agent(place.carrier_address, SIP_PORT, (place.box_address, SIP_PORT)) as agent:
        agent.on_call = LoopCarrier(agent, HOTLINE_NUMBER).receive_call
        await asyncio.Event().wait()
