"""A SIP user agent: an address, the calls it has, and the extensions registered from it."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.sip import message
from appliance.sip.call import Call
from appliance.sip.message import Message
from appliance.sip.wire import Wire


@dataclass
class Agent(Wire):
    """One UDP address. `taken` answers a new call for a user, by extension or number."""

    taken: Callable[[Call], None] | None = None
    calls: dict[str, Call] = field(default_factory=dict)  # by Call-ID

    async def __aexit__(self, *_: object) -> None:
        for call in self.calls.values():
            call.media.close()
        await super().__aexit__()

    def call(self, name: str, number: str, pitch: int, **facts: object) -> Call:
        """A call to that number at the box, not sent yet; `facts`: fields of Call."""
        call = Call.outgoing(self, name, number, pitch, **facts)
        self.calls[call.call_id] = call
        return call

    def _answered_late(self, received: Message) -> None:
        if received.method == "INVITE" and (call := self.calls.get(received.get("call-id"))):
            call.answered_again(received)
        else:
            super()._answered_late(received)

    def _requested(self, received: Message) -> None:
        call = self.calls.get(received.get("call-id"))
        if call:
            if call.party_dead:
                return
            call.requested(received)
        elif received.method == "INVITE" and self.taken:
            call = self.calls[received.get("call-id")] = Call.incoming(self, received)
            self.taken(call)
        elif received.method in ("OPTIONS", "NOTIFY"):
            fine = message.response(received, 200, secrets.token_hex(4))
            self.answer(received, fine, message.sender(received))
        elif received.method != "ACK":
            self.strays += 1
            self.answer(received, message.response(received, 481, secrets.token_hex(4)))

    async def register(
        self, name: str, password: str, expires: int = 3600, contact: str = ""
    ) -> int:
        """Register an extension at the box; the status of its answer.

        `contact`: another one than this agent's; "*" with `expires` 0 removes every registration
        (RFC 3261, 10.2.2).
        """
        call_id, tag = secrets.token_hex(8), secrets.token_hex(4)
        uri = f"sip:{self.box[0]}"
        challenge: str | None = None
        status = 0
        for number in (1, 2):
            branch = message.new_branch()
            headers = [
                self.via(branch),
                ("From", f"<sip:{name}@{self.box[0]}>;tag={tag}"),
                ("To", f"<sip:{name}@{self.box[0]}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{number} REGISTER"),
                ("Contact", contact or f"<sip:{name}@{self.here}>"),
                ("Expires", str(expires)),
                ("Max-Forwards", "70"),
            ]
            if challenge:
                proof = message.authorization(challenge, "REGISTER", uri, name, password)
                headers.append(("Authorization", proof))
            done = asyncio.get_running_loop().create_future()

            def answered(received: Message, done: asyncio.Future[Message] = done) -> None:
                if received.status >= 200:
                    with contextlib.suppress(asyncio.InvalidStateError):
                        done.set_result(received)

            self.ask(branch, "REGISTER", message.text(f"REGISTER {uri} SIP/2.0", headers), answered)
            received = await done
            status = received.status
            challenge = received.get("www-authenticate")
            if status != 401:
                break
        return status
