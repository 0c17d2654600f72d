"""An address that speaks SIP: transactions with retransmission, and the calls they belong to."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from appliance.pbx.sip import message
from appliance.pbx.sip.call import Call
from appliance.pbx.sip.media import Pump
from appliance.pbx.sip.message import Message

T1 = 0.5  # seconds until the first retransmission (RFC 3261)
GIVE_UP = 32.0


@dataclass
class _Sent:
    """A request of ours that waits for its final response."""

    data: bytes
    told: Callable[[Message], None]
    wait: float = T1
    waited: float = 0.0
    calmed: bool = False  # a provisional response came: an INVITE is not repeated any more
    timer: asyncio.TimerHandle | None = None


@dataclass
class Agent(asyncio.DatagramProtocol):
    """One UDP address. `taken` answers a new call for a user, by extension or number."""

    host: str
    port: int
    box: tuple[str, int]
    pump: Pump = field(default_factory=Pump)
    taken: Callable[[Call], None] | None = None
    deaf: bool = False  # nothing is answered any more, nothing heard
    strays: int = 0  # responses and requests of no call of ours
    calls: dict[str, Call] = field(default_factory=dict)  # by Call-ID
    _sent: dict[tuple[str, str], _Sent] = field(default_factory=dict)
    _answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in self.calls.values():
            call.media.close()
        for sent in self._sent.values():
            if sent.timer:
                sent.timer.cancel()
        if self._transport:
            self._transport.close()

    @property
    def here(self) -> str:
        """The address as it stands in headers."""
        return f"{self.host}:{self.port}"

    def via(self, branch: str) -> tuple[str, str]:
        """The header by which answers come back."""
        return ("Via", f"SIP/2.0/UDP {self.here};branch={branch};rport")

    def send(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        """One datagram, to the box unless told."""
        if self._transport and not self._transport.is_closing() and not self.deaf:
            self._transport.sendto(data, to or self.box)

    def ask(self, branch: str, method: str, data: bytes, told: Callable[[Message], None]) -> None:
        """Send a request, again and again, until a final response comes; each one is `told`."""
        sent = self._sent[branch, method] = _Sent(data, told)
        self.send(data)
        self._repeat(branch, method, sent)

    def forget(self, branch: str, method: str) -> None:
        """Ask no more."""
        sent = self._sent.pop((branch, method), None)
        if sent and sent.timer:
            sent.timer.cancel()

    def _repeat(self, branch: str, method: str, sent: _Sent) -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            if self._sent.get((branch, method)) is not sent:
                return
            sent.waited += sent.wait
            if sent.calmed:
                return
            if sent.waited >= GIVE_UP:
                self.forget(branch, method)
                start = "SIP/2.0 408 Request Timeout"
                sent.told(Message(start, [("cseq", f"0 {method}")]))
                return
            self.send(sent.data)
            sent.wait = sent.wait * 2 if method == "INVITE" else min(4.0, sent.wait * 2)
            sent.timer = loop.call_later(sent.wait, again)

        sent.timer = loop.call_later(sent.wait, again)

    def answer(self, request: Message, data: bytes) -> None:
        """Send a response; the same request again gets the same response."""
        self._answers[request.branch, request.method] = data
        if len(self._answers) > 5000:
            self._answers.pop(next(iter(self._answers)))
        self.send(data)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Something came from the wire."""
        said = None if self.deaf else message.parse(data)
        if said is None:
            return
        if said.status:
            self._answered(said)
        elif said.method == "ACK" or not self._repeated(said):
            self._asked(said)

    def _answered(self, said: Message) -> None:
        key = (said.branch, said.method)
        sent = self._sent.get(key)
        if sent:
            if said.status >= 200:
                self.forget(*key)
            elif said.method == "INVITE":
                sent.calmed = True
            sent.told(said)
        elif said.method == "INVITE" and (call := self.calls.get(said.get("call-id"))):
            call.answered_again(said)
        else:
            self.strays += 1

    def _repeated(self, said: Message) -> bool:
        known = self._answers.get((said.branch, said.method))
        if known:
            self.send(known)
        return known is not None

    def _asked(self, said: Message) -> None:
        call = self.calls.get(said.get("call-id"))
        if call:
            if call.party_dead:
                return
            call.asked(said)
        elif said.method == "INVITE" and self.taken:
            self.taken(Call.incoming(self, said))
        elif said.method in ("OPTIONS", "NOTIFY"):
            self.answer(said, message.response(said, 200, secrets.token_hex(4)))
        elif said.method != "ACK":
            self.strays += 1
            self.answer(said, message.response(said, 481, secrets.token_hex(4)))

    async def register(self, name: str, password: str, expires: int = 3600) -> int:
        """Register an extension at the box; the status of its answer."""
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
                ("Contact", f"<sip:{name}@{self.here}>"),
                ("Expires", str(expires)),
                ("Max-Forwards", "70"),
            ]
            if challenge:
                proof = message.authorization(challenge, "REGISTER", uri, name, password)
                headers.append(("Authorization", proof))
            done = asyncio.get_running_loop().create_future()

            def told(said: Message, done: asyncio.Future[Message] = done) -> None:
                if said.status >= 200:
                    with contextlib.suppress(asyncio.InvalidStateError):
                        done.set_result(said)

            self.ask(branch, "REGISTER", message.text(f"REGISTER {uri} SIP/2.0", headers), told)
            said = await done
            status = said.status
            challenge = said.get("www-authenticate")
            if status != 401:
                break
        return status
