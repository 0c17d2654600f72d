"""A SIP dialog with its audio: placed, answered, held, transferred and ended from either side."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from appliance.sip import message
from appliance.sip.dialog import Dialog
from appliance.sip.media import ALAW_PAYLOAD, EVENTS_PAYLOAD, Media
from appliance.sip.message import Headers, Message, Session
from appliance.sip.transport import SipTransport


@dataclass
class Call(Dialog):
    """A dialog with audio. States: calling, ringing, up, over.

    `ended_by` is us, them, refused (then `status` says why), cancelled or lost.
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
    refer_statuses: list[int] = field(default_factory=list)  # statuses reported for our REFER
    is_on_hold: bool = False  # by us
    mute: bool = False  # sends no audio at all
    kinds: tuple[int, ...] = (ALAW_PAYLOAD, EVENTS_PAYLOAD)
    with_sdp: bool = True
    log: list[tuple[float, str]] = field(default_factory=list)
    last_invite: bytes = b""  # our last INVITE as sent
    _branch: str = ""
    _ack: bytes = b""
    _extra_headers: Headers = ()
    _has_authenticated: bool = False
    _is_cancelled: bool = False

    def log_event(self, event: str) -> None:
        """Log an event with the current time."""
        self.log.append((time.time(), event))

    # Outgoing calls.

    @classmethod
    def create_outgoing(
        cls, agent: SipTransport, name: str, number: str, pitch: int, **fields: object
    ) -> Self:
        """Create a call to a number at the appliance; its INVITE is not sent yet.

        `name` and `pitch` are the caller's; `fields` are further fields of Call.
        """
        box = agent.box[0]
        local_party = f"<sip:{name}@{agent.host}>;tag={secrets.token_hex(4)}"
        media = Media(agent.host, pitch)
        return cls(
            agent,
            f"{secrets.token_hex(10)}@{agent.host}",
            local_party,
            f"<sip:{number}@{box}>",
            f"sip:{number}@{box}:{agent.box[1]}",
            media,
            contact=f"<sip:{name or 'x'}@{agent.host_port}>",
            **fields,  # type: ignore[arg-type]  # fields of this class
        )

    def send_invite(self, extra_headers: Headers = ()) -> None:
        """Send the INVITE that begins the call."""
        self._extra_headers = extra_headers
        if 101 not in self.kinds:
            self.media.events = None
        self._transmit_invite(self._session_offer() if self.with_sdp else "")

    def _transmit_invite(self, body: str) -> None:
        self._branch = message.new_branch()
        data = self._next_request("INVITE", self._branch, [*self._extra_headers], body)
        self.last_invite = data
        self.agent.send_request(self._branch, "INVITE", data, self._handle_invite_response)

    def _handle_invite_response(self, received: Message) -> None:
        status = received.status
        if status < 200:
            if status > 100 and self.state == "calling":
                self.state, self.rang_at = "ringing", time.time()
            self.log_event(f"{status}")
            if received.body:  # early media, before the answer
                self._apply_session(received.body)
                self.agent.clock.add_media(self.media)
            if self._is_cancelled:
                self._send_cancel()
            return
        if status < 300:
            self._confirm_dialog(received)
            if self._is_cancelled:  # answered while our CANCEL was on its way
                self.hang_up()
            return
        if "cseq" in dict(received.headers) and received.get("via"):
            self.agent.send_datagram(self._failure_ack(received))
        if status in (401, 407) and self.account[0] and not self._has_authenticated:
            self._has_authenticated = True
            authorization = message.answer_challenge(received, "INVITE", self.target, *self.account)
            extra_headers = [h for h in self._extra_headers if "uthorization" not in h[0]]
            self._extra_headers = [*extra_headers, authorization]
            self._transmit_invite(self._session_offer() if self.with_sdp else "")
            return
        self.status = status
        self._end_call("cancelled" if self._is_cancelled else "refused")

    def _confirm_dialog(self, received: Message) -> None:
        """Acknowledge a 2xx response to our INVITE; the call is then up."""
        self.remote_party = received.get("to")
        if contact := received.get("contact"):
            self.target = message.header_uri(contact)
        if self.state != "up":
            self._routes = [*reversed(received.all_headers("record-route"))]
        self._ack = self._next_request("ACK", message.new_branch(), (), "", increments_number=False)
        self.agent.send_datagram(self._ack)
        if session := message.parse_session(received.body):
            self.media.apply_session(session, send=not self.is_on_hold and not self.mute)
        if self.state != "up":
            self.state, self.up_at = "up", time.time()
            self.agent.clock.add_media(self.media)
        self.log_event("up")

    def resend_ack(self, received: Message) -> None:
        """Resend our ACK of a 2xx response, because the appliance has repeated the response."""
        if 200 <= received.status < 300 and self._ack:
            self.agent.send_datagram(self._ack)

    # Incoming calls.

    @classmethod
    def create_incoming(cls, agent: SipTransport, invite: Message) -> Self:
        """Create the call for an INVITE that has just arrived."""
        tag = secrets.token_hex(4)
        call = cls(
            agent,
            invite.get("call-id"),
            invite.get("to") + f";tag={tag}",
            invite.get("from"),
            message.header_uri(invite.get("contact")),
            Media(agent.host, 0),
            is_incoming=True,
            contact=f"<{invite.uri.partition(';')[0]}>",
            invite=invite,
        )
        call._routes = invite.all_headers("record-route")
        return call

    def send_ringing(self) -> None:
        """Report that the phone is ringing."""
        if self.state == "calling":
            self.state, self.rang_at = "ringing", time.time()
            self._send_response(180)

    def start_early_media(self) -> None:
        """Send audio before the answer, as a carrier that announces why nobody will answer."""
        if self.state == "calling" and self.invite:
            self._apply_session(self.invite.body)
            self.state, self.rang_at = "ringing", time.time()
            self.agent.clock.add_media(self.media)
            self._send_response(183, self._session_offer())

    def pick_up(self) -> None:
        """Answer the call."""
        if self.state in ("calling", "ringing") and self.invite:
            self._apply_session(self.invite.body)
            self.state, self.up_at = "up", time.time()
            self.agent.clock.add_media(self.media)
            self._send_response(200, self._session_offer())
            self.log_event("up")

    def refuse_call(self, status: int) -> None:
        """Refuse the call with a status, such as busy (486) or declined (603)."""
        if self.state in ("calling", "ringing"):
            self._send_response(status)
            self.status = status
            self._end_call("us")

    def _apply_session(self, body: str) -> None:
        session = message.parse_session(body)
        if session:
            self.media.apply_session(session, send=not self.is_on_hold and not self.mute)

    # The appliance's requests within a dialog.

    def handle_request(self, received: Message) -> None:
        """Handle a request of the appliance that belongs to this call."""
        method = received.method
        tag = message.find_parameter(self.local_party, "tag")
        if method == "ACK":
            self._is_acknowledged = True
            if received.body:
                self._apply_session(received.body)
            return
        if method == "CANCEL":
            self.agent.send_response(received, message.encode_response(received, 200, tag))
            if self.state in ("calling", "ringing"):
                self._send_response(487)
                self._end_call("cancelled")
        elif method == "BYE":
            self.agent.send_response(received, message.encode_response(received, 200, tag))
            self._end_call("them")
        elif method == "INVITE" and self.state in ("calling", "ringing"):
            pass  # the same INVITE retransmitted, which has not been answered yet
        elif method in ("INVITE", "UPDATE") and self.state == "up":
            self.log_event(method)
            if received.body:
                self._apply_session(received.body)
            self.media.expect_gap()
            self._send_response(
                200, self._session_offer() if received.body or method == "INVITE" else "", received
            )
        elif method == "NOTIFY":
            self.agent.send_response(received, message.encode_response(received, 200, tag))
            if received.body.startswith("SIP/2.0 "):
                self.refer_statuses.append(int(received.body.split()[1]))
                self.log_event(f"refer {self.refer_statuses[-1]}")
        elif self.state == "over":
            self.agent.send_response(received, message.encode_response(received, 481, tag))
        else:
            self.agent.send_response(received, message.encode_response(received, 200, tag))

    # Our own requests within a dialog.

    def hang_up(self) -> None:
        """End the call, whatever its state."""
        if self.state == "over":
            return
        if self.is_incoming and self.state != "up":
            self.refuse_call(603)
        elif self.state == "up":
            self._send_request("BYE")
            self._end_call("us")
        elif not self._is_cancelled:
            self._is_cancelled = True
            if self.state == "ringing" or self.log:
                self._send_cancel()

    def _send_cancel(self) -> None:
        data = self._encode_request(
            "CANCEL", self._sequence_number, self.agent.via_header(self._branch), self.remote_party
        )
        self.agent.send_request(self._branch, "CANCEL", data, lambda _: None)

    def disconnect_silently(self) -> None:
        """Disconnect without any message, like a phone whose cable is pulled."""
        self.is_disconnected = True
        self.media.close()
        self._end_call("lost")

    async def set_hold(self, on_hold: bool) -> int:
        """Put the call on hold or resume it; returns the status of the appliance's answer."""
        self.is_on_hold = on_hold
        for _ in range(5):
            status = await self._send_reinvite("sendonly" if on_hold else "sendrecv")
            if status != 491:
                break
            await asyncio.sleep(0.3 + secrets.randbelow(1000) / 1000)
        self.media.is_silent = on_hold
        self.media.expect_gap()
        return status

    async def _send_reinvite(self, direction: str) -> int:
        response_future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        branch = message.new_branch()

        def on_response(received: Message) -> None:
            if 200 <= received.status < 300:
                self._confirm_dialog(received)
            elif received.status >= 300 and received.get("via"):
                self.agent.send_datagram(self._failure_ack(received))
            if received.status >= 200 and not response_future.done():
                response_future.set_result(received)

        data = self._next_request("INVITE", branch, (), self._session_offer(direction))
        self.last_invite = data
        self.agent.send_request(branch, "INVITE", data, on_response)
        return (await response_future).status

    async def send_refer(self, number: str, replaces: "Call | None" = None) -> int:
        """Transfer the other party to a number, or to the partner in our call `replaces`.

        Returns the SIP status of the appliance's answer.
        """
        uri = f"sip:{number}@{self.agent.box[0]}"
        if replaces:
            replaced_dialog = (
                f"{replaces.call_id};to-tag={message.find_parameter(replaces.remote_party, 'tag')}"
                f";from-tag={message.find_parameter(replaces.local_party, 'tag')}"
            )
            uri = f"{replaces.target}?Replaces={quote(replaced_dialog, safe='')}"
        self.refer_statuses.clear()
        name = message.header_user(self.local_party)
        headers = [("Refer-To", f"<{uri}>"), ("Referred-By", f"<sip:{name}@{self.agent.host}>")]
        response_future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._send_request("REFER", headers, response_future)
        return (await response_future).status

    def _session_offer(self, direction: str = "") -> str:
        events = self.media.events if EVENTS_PAYLOAD in self.kinds else None
        kinds = tuple(k for k in self.kinds if k != EVENTS_PAYLOAD)
        kinds = (*kinds, events) if events is not None else kinds
        direction = direction or ("sendonly" if self.is_on_hold else "sendrecv")
        return str(Session(self.agent.host, self.media.port, kinds, direction, events))

    def _end_call(self, by: str) -> None:
        if self.state != "over":
            self.state, self.over_at, self.ended_by = "over", time.time(), by
            self.log_event(f"over: {by} {self.status or ''}".strip())
            self.media.close()
