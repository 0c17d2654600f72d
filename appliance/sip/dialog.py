"""A SIP dialog: its identifiers and sequence numbers, and encoding its requests and responses."""

import asyncio
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from appliance.sip import message
from appliance.sip.message import Headers, Message
from appliance.sip.transport import SipTransport


@dataclass
class Dialog:
    """The state of a SIP dialog, which both ends share, whichever of them called."""

    agent: SipTransport
    call_id: str
    local_party: str  # From header of our requests, with tag
    remote_party: str  # To header of our requests, with tag once known
    target: str  # the URI of the next request
    _: KW_ONLY
    account: tuple[str, str] = ("", "")
    contact: str = ""
    invite: Message | None = None  # the INVITE of the other party, if it called
    is_disconnected: bool = False
    _sequence_number: int = 0
    _routes: list[str] = field(default_factory=list)
    _final_response: bytes = b""
    _is_acknowledged: bool = False

    @property
    def caller(self) -> str:
        """The number of the caller in the appliance's INVITE; "" for our own call."""
        return message.header_user(self.invite.get("from")) if self.invite else ""

    @property
    def callee(self) -> str:
        """The extension or number that the appliance called; "" for our own call."""
        return message.header_user(f"<{self.invite.uri}>") if self.invite else ""

    def _send_response(self, status: int, body: str = "", request: Message | None = None) -> None:
        request = request or self.invite
        if not request:
            return
        tag = message.find_parameter(self.local_party, "tag")
        extra_headers = [
            ("Contact", self.contact),
            ("Allow", "INVITE, ACK, CANCEL, BYE, REFER, NOTIFY"),
        ]
        data = message.encode_response(request, status, tag, extra_headers, body)
        self.agent.send_response(request, data)
        if status >= 200 and request.method == "INVITE":
            self._final_response, self._is_acknowledged = data, False
            self._repeat_until_ack(data, 0.5)

    def _repeat_until_ack(self, data: bytes, wait: float) -> None:
        """Repeat a final response to an INVITE until the ACK arrives."""

        def repeat_response() -> None:
            if (
                not self._is_acknowledged
                and self._final_response == data
                and not self.is_disconnected
                and wait < 16
            ):
                self.agent.send_datagram(data)
                self._repeat_until_ack(data, min(wait * 2, 4.0) if wait < 4 else wait + 4)

        asyncio.get_running_loop().call_later(wait, repeat_response)

    def _send_request(
        self,
        method: str,
        extra_headers: Headers = (),
        response_future: "asyncio.Future[Message] | None" = None,
    ) -> None:
        """Send a request within the dialog; a challenge is answered once, by sending it again."""
        uri = self.target

        def send_with_headers(headers: Headers, on_response: Callable[[Message], None]) -> None:
            branch = message.new_branch()
            self.agent.send_request(
                branch, method, self._next_request(method, branch, headers), on_response
            )

        def handle_first_response(received: Message) -> None:
            if received.status in (401, 407) and self.account[0]:
                authorization = message.answer_challenge(received, method, uri, *self.account)
                send_with_headers([*extra_headers, authorization], handle_last_response)
            else:
                handle_last_response(received)

        def handle_last_response(received: Message) -> None:
            if response_future and received.status >= 200 and not response_future.done():
                response_future.set_result(received)

        send_with_headers(extra_headers, handle_first_response)

    def _next_request(
        self,
        method: str,
        branch: str,
        extra_headers: Headers,
        body: str = "",
        increments_number: bool = True,
    ) -> bytes:
        if increments_number:
            self._sequence_number += 1
        extra_headers = [
            ("Contact", self.contact),
            *(("Route", route) for route in self._routes),
            *extra_headers,
        ]
        return self._encode_request(
            method,
            self._sequence_number,
            self.agent.via_header(branch),
            self.remote_party,
            extra_headers,
            body,
        )

    def _encode_request(
        self,
        method: str,
        number: int,
        via: tuple[str, str],
        to: str,
        extra_headers: Headers = (),
        body: str = "",
    ) -> bytes:
        headers = [
            via,
            ("From", self.local_party),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Max-Forwards", "70"),
            *extra_headers,
        ]
        return message.encode_message(f"{method} {self.target} SIP/2.0", headers, body)

    def _failure_ack(self, received: Message) -> bytes:
        via = ("Via", received.get("via"))
        return self._encode_request("ACK", self._sequence_number, via, received.get("to"))
