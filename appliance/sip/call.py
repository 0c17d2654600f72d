"""One SIP dialog with its sound: made, answered, held, passed on, ended, by us or by the box."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from appliance.sip import message
from appliance.sip.dialog import Dialog
from appliance.sip.media import ALAW, EVENTS, Media
from appliance.sip.message import Headers, Message, Session
from appliance.sip.wire import Wire


@dataclass
class Call(Dialog):
    """A dialog with sound. States: calling, ringing, up, over.

    `ended_by`: us, them, refused (with `status`), cancelled, lost.
    """

    media: Media
    is_incoming: bool = False
    state: str = "calling"
    began_at: float = field(default_factory=time.time)
    rang_at: float | None = None
    up_at: float | None = None
    over_at: float | None = None
    ended_by: str = ""
    status: int = 0
    referred: list[int] = field(default_factory=list)  # statuses told of a REFER of ours
    held: bool = False  # by us
    mute: bool = False  # sends no sound at all
    kinds: tuple[int, ...] = (ALAW, EVENTS)
    with_sdp: bool = True
    log: list[tuple[float, str]] = field(default_factory=list)
    whole_data: bytes = b""  # our last INVITE as sent
    _branch: str = ""
    _ack: bytes = b""
    _more: Headers = ()
    _challenged: bool = False
    _cancelled: bool = False

    def note(self, what: str) -> None:
        """Write down what happened now."""
        self.log.append((time.time(), what))

    # Calls of ours.

    @classmethod
    def outgoing(cls, agent: Wire, name: str, number: str, pitch: int, **facts: object) -> Self:
        """A call to that number at the box, not sent yet."""
        box = agent.box[0]
        ours = f"<sip:{name}@{agent.host}>;tag={secrets.token_hex(4)}"
        media = Media(agent.host, pitch)
        return cls(
            agent,
            f"{secrets.token_hex(10)}@{agent.host}",
            ours,
            f"<sip:{number}@{box}>",
            f"sip:{number}@{box}:{agent.box[1]}",
            media,
            contact=f"<sip:{name or 'x'}@{agent.here}>",
            **facts,  # type: ignore[arg-type]  # fields of this class
        )

    def start(self, more: Headers = ()) -> None:
        """Send the INVITE."""
        self._more = more
        if 101 not in self.kinds:
            self.media.events = None
        self._invite(self._offer() if self.with_sdp else "")

    def _invite(self, body: str) -> None:
        self._branch = message.new_branch()
        data = self._request("INVITE", self._branch, [*self._more], body)
        self.whole_data = data
        self.agent.ask(self._branch, "INVITE", data, self._told_of_invite)

    def _told_of_invite(self, received: Message) -> None:
        status = received.status
        if status < 200:
            if status > 100 and self.state == "calling":
                self.state, self.rang_at = "ringing", time.time()
            self.note(f"{status}")
            if received.body:  # a voice before the answer
                self._take(received.body)
                self.agent.pump.add(self.media)
            if self._cancelled:
                self._send_cancel()
            return
        if status < 300:
            self._confirm(received)
            if self._cancelled:  # it was answered while we gave up
                self.hang_up()
            return
        if "cseq" in dict(received.headers) and received.get("via"):
            self.agent.send(self._plain_ack(received))
        if status in (401, 407) and self.account[0] and not self._challenged:
            self._challenged = True
            name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
            challenge = received.get(name.lower())
            proof = message.authorization(challenge, "INVITE", self.target, *self.account)
            header = "Authorization" if status == 401 else "Proxy-Authorization"
            more = [h for h in self._more if "uthorization" not in h[0]]
            self._more = [*more, (header, proof)]
            self._invite(self._offer() if self.with_sdp else "")
            return
        self.status = status
        self._over("cancelled" if self._cancelled else "refused")

    def _confirm(self, received: Message) -> None:
        """A 2xx to our INVITE: the dialog stands."""
        self.theirs = received.get("to")
        if contact := received.get("contact"):
            self.target = message.address(contact)
        if self.state != "up":
            self._routes = [*reversed(received.all("record-route"))]
        self._ack = self._request("ACK", message.new_branch(), (), "", method_number=False)
        self.agent.send(self._ack)
        if other := message.session(received.body):
            self.media.meet(other, send=not self.held and not self.mute)
        if self.state != "up":
            self.state, self.up_at = "up", time.time()
            self.agent.pump.add(self.media)
        self.note("up")

    def answered_again(self, received: Message) -> None:
        """The box did not get our ACK of a 2xx."""
        if 200 <= received.status < 300 and self._ack:
            self.agent.send(self._ack)

    # Calls of theirs.

    @classmethod
    def incoming(cls, agent: Wire, invite: Message) -> Self:
        """The call of an INVITE that has just come."""
        tag = secrets.token_hex(4)
        call = cls(
            agent,
            invite.get("call-id"),
            invite.get("to") + f";tag={tag}",
            invite.get("from"),
            message.address(invite.get("contact")),
            Media(agent.host, 0),
            is_incoming=True,
            contact=f"<{invite.uri.partition(';')[0]}>",
            invite=invite,
        )
        call._routes = invite.all("record-route")
        return call

    def ring(self) -> None:
        """Say that it rings."""
        if self.state == "calling":
            self.state, self.rang_at = "ringing", time.time()
            self._respond(180)

    def announce(self) -> None:
        """Be heard before the answer, as a carrier that says why there will be none."""
        if self.state == "calling" and self.invite:
            self._take(self.invite.body)
            self.state, self.rang_at = "ringing", time.time()
            self.agent.pump.add(self.media)
            self._respond(183, self._offer())

    def pick_up(self) -> None:
        """Answer."""
        if self.state in ("calling", "ringing") and self.invite:
            self._take(self.invite.body)
            self.state, self.up_at = "up", time.time()
            self.agent.pump.add(self.media)
            self._respond(200, self._offer())
            self.note("up")

    def refuse(self, status: int) -> None:
        """Busy (486), declined (603), …"""
        if self.state in ("calling", "ringing"):
            self._respond(status)
            self.status = status
            self._over("us")

    def _take(self, body: str) -> None:
        other = message.session(body)
        if other:
            self.media.meet(other, send=not self.held and not self.mute)

    # What the box asks within a dialog.

    def requested(self, received: Message) -> None:
        """A request of the box that belongs to this call."""
        method = received.method
        tag = message.parameter(self.ours, "tag")
        if method == "ACK":
            self._confirmed = True
            if received.body:
                self._take(received.body)
            return
        if method == "CANCEL":
            self.agent.answer(received, message.response(received, 200, tag))
            if self.state in ("calling", "ringing"):
                self._respond(487)
                self._over("cancelled")
        elif method == "BYE":
            self.agent.answer(received, message.response(received, 200, tag))
            self._over("them")
        elif method == "INVITE" and self.state in ("calling", "ringing"):
            pass  # the same INVITE again, which nobody has taken yet
        elif method in ("INVITE", "UPDATE") and self.state == "up":
            self.note(method)
            if received.body:
                self._take(received.body)
            self.media.expect_gap()
            self._respond(
                200, self._offer() if received.body or method == "INVITE" else "", received
            )
        elif method == "NOTIFY":
            self.agent.answer(received, message.response(received, 200, tag))
            if received.body.startswith("SIP/2.0 "):
                self.referred.append(int(received.body.split()[1]))
                self.note(f"refer {self.referred[-1]}")
        elif self.state == "over":
            self.agent.answer(received, message.response(received, 481, tag))
        else:
            self.agent.answer(received, message.response(received, 200, tag))

    # What we do within a dialog.

    def hang_up(self) -> None:
        """End the call in whichever state it is."""
        if self.state == "over":
            return
        if self.is_incoming and self.state != "up":
            self.refuse(603)
        elif self.state == "up":
            self._ask("BYE")
            self._over("us")
        elif not self._cancelled:
            self._cancelled = True
            if self.state == "ringing" or self.log:
                self._send_cancel()

    def _send_cancel(self) -> None:
        data = self._written("CANCEL", self._number, self.agent.via(self._branch), self.theirs)
        self.agent.ask(self._branch, "CANCEL", data, lambda _: None)

    def die(self) -> None:
        """Fall silent without a word, as a phone whose cable is pulled."""
        self.party_dead = True
        self.media.close()
        self._over("lost")

    async def hold(self, held: bool) -> int:
        """Hold or resume; the status of the box's answer."""
        self.held = held
        for _ in range(5):
            status = await self._reinvite("sendonly" if held else "sendrecv")
            if status != 491:
                break
            await asyncio.sleep(0.3 + secrets.randbelow(1000) / 1000)
        self.media.silent = held
        self.media.expect_gap()
        return status

    async def _reinvite(self, direction: str) -> int:
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        branch = message.new_branch()

        def answered(received: Message) -> None:
            if 200 <= received.status < 300:
                self._confirm(received)
            elif received.status >= 300 and received.get("via"):
                self.agent.send(self._plain_ack(received))
            if received.status >= 200 and not done.done():
                done.set_result(received)

        data = self._request("INVITE", branch, (), self._offer(direction))
        self.whole_data = data
        self.agent.ask(branch, "INVITE", data, answered)
        return (await done).status

    async def refer(self, number: str, replaces: "Call | None" = None) -> int:
        """Pass the other party on to a number, or into a second call of ours; the status."""
        uri = f"sip:{number}@{self.agent.box[0]}"
        if replaces:
            received = (
                f"{replaces.call_id};to-tag={message.parameter(replaces.theirs, 'tag')}"
                f";from-tag={message.parameter(replaces.ours, 'tag')}"
            )
            uri = f"{replaces.target}?Replaces={quote(received, safe='')}"
        self.referred.clear()
        name = message.user(self.ours)
        headers = [("Refer-To", f"<{uri}>"), ("Referred-By", f"<sip:{name}@{self.agent.host}>")]
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._ask("REFER", headers, done)
        return (await done).status

    def _offer(self, direction: str = "") -> str:
        events = self.media.events if EVENTS in self.kinds else None
        kinds = tuple(k for k in self.kinds if k != EVENTS)
        kinds = (*kinds, events) if events is not None else kinds
        direction = direction or ("sendonly" if self.held else "sendrecv")
        return str(Session(self.agent.host, self.media.port, kinds, direction, events))

    def _over(self, by: str) -> None:
        if self.state != "over":
            self.state, self.over_at, self.ended_by = "over", time.time(), by
            self.note(f"over: {by} {self.status or ''}".strip())
            self.media.close()
