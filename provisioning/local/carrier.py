"""A carrier that puts a call to the hotline's number through, back to the box it came from."""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace

from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.sip.media import ALAW, EVENTS
from appliance.sip.message import Session
from provisioning.local.place import HOTLINE, SIP, Place

_NOWHERE = 9  # a port without a receiver of sound
_PATIENCE = 20.0  # seconds for the other side to answer


@dataclass
class Loop:
    """Only signalling goes through here: the box sends its sound to itself.

    `mood`: ok | drop (no answer to an INVITE) | refuse | unheard (no sound to the caller) |
    unheard_there (no sound to the callee) | elsewhere (a machine of the carrier answers).
    `shown`: the caller's number that is handed on; "": hidden; None: as it came.
    """

    agent: Agent
    hotline: str
    mood: str = "ok"
    shown: str | None = None
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def take(self, call: Call) -> None:
        """A call from the box; nobody has another number."""
        if call.called != self.hotline:
            call.refuse(404)
            return
        if self.mood == "drop":
            call.die()
        elif self.mood == "refuse":
            call.refuse(403)
        elif self.mood == "elsewhere":
            call.pick_up()
        else:
            task = asyncio.get_running_loop().create_task(self._pass_on(call))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _pass_on(self, call: Call) -> None:
        offer = message.session(call.invite.body) if call.invite else None
        name = message.user(call.theirs) if self.shown is None else self.shown
        back = self.agent.call(name or "anonymous", self.hotline, 0)
        if offer:
            _describe(back, _dead(offer) if self.mood == "unheard" else offer)
        answers: list[Session] = []
        back.media.meet = lambda other, send=True: answers.append(other)  # type: ignore[method-assign]
        back.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while back.state not in ("up", "over") and call.state != "over":
                    await asyncio.sleep(0.02)
        if back.state == "up" and answers:
            answer = answers[-1]
            _describe(call, _dead(answer) if self.mood == "unheard_there" else answer)
            call.pick_up()
            while call.state == back.state == "up":
                await asyncio.sleep(0.05)
        for one in (call, back):
            one.hang_up()


def _dead(session: Session) -> Session:
    return replace(session, port=_NOWHERE)


def _describe(call: Call, session: Session) -> None:
    """Have a call describe the sound of somebody else as its own, in A-law."""
    plain = Session(session.host, session.port, (ALAW, EVENTS), events=EVENTS)
    call._offer = lambda direction="": str(plain)  # type: ignore[method-assign]


async def serve(place: Place) -> None:
    """Run the carrier of a local site until the process is ended."""
    async with Agent(place.carrier, SIP, (place.box, SIP)) as agent:
        agent.taken = Loop(agent, HOTLINE).take
        await asyncio.Event().wait()
