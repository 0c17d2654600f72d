"""A SIP dialog: its names and numbers, and the requests and responses written within it."""

import asyncio
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from appliance.sip import message
from appliance.sip.message import Headers, Message
from appliance.sip.wire import Wire


@dataclass
class Dialog:
    """What two ends agree on; which of them called makes no difference."""

    agent: Wire
    call_id: str
    ours: str  # From of our requests, with tag
    theirs: str  # To of our requests, with tag once known
    target: str  # where the next request goes
    _: KW_ONLY
    account: tuple[str, str] = ("", "")
    contact: str = ""
    invite: Message | None = None  # theirs, when they called
    party_dead: bool = False
    _number: int = 0
    _routes: list[str] = field(default_factory=list)
    _answer: bytes = b""
    _confirmed: bool = False

    @property
    def caller(self) -> str:
        """Who calls, as the box says."""
        return message.user(self.invite.get("from")) if self.invite else ""

    @property
    def called(self) -> str:
        """Whom the box called: an extension or a number."""
        return message.user(f"<{self.invite.uri}>") if self.invite else ""

    def _respond(self, status: int, body: str = "", request: Message | None = None) -> None:
        request = request or self.invite
        if not request:
            return
        tag = message.parameter(self.ours, "tag")
        more = [("Contact", self.contact), ("Allow", "INVITE, ACK, CANCEL, BYE, REFER, NOTIFY")]
        data = message.response(request, status, tag, more, body)
        self.agent.answer(request, data)
        if status >= 200 and request.method == "INVITE":
            self._answer, self._confirmed = data, False
            self._insist(data, 0.5)

    def _insist(self, data: bytes, wait: float) -> None:
        """Repeat a final response until the ACK comes."""

        def again() -> None:
            if not self._confirmed and self._answer == data and not self.party_dead and wait < 16:
                self.agent.send(data)
                self._insist(data, min(wait * 2, 4.0) if wait < 4 else wait + 4)

        asyncio.get_running_loop().call_later(wait, again)

    def _ask(
        self, method: str, more: Headers = (), done: "asyncio.Future[Message] | None" = None
    ) -> None:
        """A request within the dialog; a challenge is answered once."""
        uri = self.target

        def send(headers: Headers, told: Callable[[Message], None]) -> None:
            branch = message.new_branch()
            self.agent.ask(branch, method, self._request(method, branch, headers), told)

        def first(received: Message) -> None:
            if received.status in (401, 407) and self.account[0]:
                given = "www-authenticate" if received.status == 401 else "proxy-authenticate"
                name = "Authorization" if received.status == 401 else "Proxy-Authorization"
                proof = message.authorization(received.get(given), method, uri, *self.account)
                send([*more, (name, proof)], last)
            else:
                last(received)

        def last(received: Message) -> None:
            if done and received.status >= 200 and not done.done():
                done.set_result(received)

        send(more, first)

    def _request(
        self, method: str, branch: str, more: Headers, body: str = "", method_number: bool = True
    ) -> bytes:
        if method_number:
            self._number += 1
        more = [("Contact", self.contact), *(("Route", route) for route in self._routes), *more]
        return self._written(method, self._number, self.agent.via(branch), self.theirs, more, body)

    def _written(
        self,
        method: str,
        number: int,
        via: tuple[str, str],
        to: str,
        more: Headers = (),
        body: str = "",
    ) -> bytes:
        headers = [
            via,
            ("From", self.ours),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Max-Forwards", "70"),
            *more,
        ]
        return message.text(f"{method} {self.target} SIP/2.0", headers, body)

    def _plain_ack(self, received: Message) -> bytes:
        via = ("Via", received.get("via"))
        return self._written("ACK", self._number, via, received.get("to"))
