"""A SIP user agent: an address, the calls it has, and the extensions registered from it."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.sip import message
from appliance.sip.call import Call
from appliance.sip.message import Message
from appliance.sip.transport import SipTransport


@dataclass
class Agent(SipTransport):
    """A SIP user agent with one UDP address; `on_call` receives each incoming call."""

    on_call: Callable[[Call], None] | None = None
    calls: dict[str, Call] = field(default_factory=dict)  # by Call-ID

    async def __aexit__(self, *_: object) -> None:
        for call in self.calls.values():
            call.media.close()
        await super().__aexit__()

    def create_call(self, name: str, number: str, pitch: int, **fields: object) -> Call:
        """Create a call to a number at the appliance; its INVITE is not sent yet.

        `name` and `pitch` are the caller's; `fields` are further fields of Call.
        """
        call = Call.create_outgoing(self, name, number, pitch, **fields)
        self.calls[call.call_id] = call
        return call

    def _handle_stray_response(self, received: Message) -> None:
        if received.method == "INVITE" and (call := self.calls.get(received.get("call-id"))):
            call.resend_ack(received)
        else:
            super()._handle_stray_response(received)

    def _handle_request(self, received: Message) -> None:
        call = self.calls.get(received.get("call-id"))
        if call:
            if call.is_disconnected:
                return
            call.handle_request(received)
        elif received.method == "INVITE" and self.on_call:
            call = self.calls[received.get("call-id")] = Call.create_incoming(self, received)
            self.on_call(call)
        elif received.method in ("OPTIONS", "NOTIFY"):
            response = message.encode_response(received, 200, secrets.token_hex(4))
            self.send_response(received, response, message.sender_address(received))
        elif received.method != "ACK":
            self.stray_count += 1
            self.send_response(
                received, message.encode_response(received, 481, secrets.token_hex(4))
            )

    async def register(
        self, name: str, password: str, expires: int = 3600, contact: str = ""
    ) -> int:
        """Register an extension at the appliance; returns the SIP status of the answer.

        `contact` is the registered address, by default this agent's own. "*" with `expires` 0
        removes every registration of the extension (RFC 3261, 10.2.2).
        """
        call_id, tag = secrets.token_hex(8), secrets.token_hex(4)
        uri = f"sip:{self.box[0]}"
        authorization: tuple[str, str] | None = None
        status = 0
        for number in (1, 2):
            branch = message.new_branch()
            headers = [
                self.via_header(branch),
                ("From", f"<sip:{name}@{self.box[0]}>;tag={tag}"),
                ("To", f"<sip:{name}@{self.box[0]}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{number} REGISTER"),
                ("Contact", contact or f"<sip:{name}@{self.host_port}>"),
                ("Expires", str(expires)),
                ("Max-Forwards", "70"),
            ]
            if authorization:
                headers.append(authorization)
            response_future = asyncio.get_running_loop().create_future()

            def on_response(
                received: Message, response_future: asyncio.Future[Message] = response_future
            ) -> None:
                if received.status >= 200 and not response_future.done():
                    response_future.set_result(received)

            self.send_request(
                branch,
                "REGISTER",
                message.encode_message(f"REGISTER {uri} SIP/2.0", headers),
                on_response,
            )
            received = await response_future
            status = received.status
            if status != 401 or not received.get("www-authenticate"):
                break
            authorization = message.answer_challenge(received, "REGISTER", uri, name, password)
        return status
