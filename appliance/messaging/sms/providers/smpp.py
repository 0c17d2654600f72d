"""A line to a message centre by SMPP 3.4: sends, and takes receipts and messages, over one bind.

Used by one thread. Whenever it is asked for anything it makes the bind anew if there is none.
"""

import contextlib
import logging
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from smpplib import client, consts, exceptions
from smpplib.smpp import make_pdu

from appliance.core.delivery import Declined, Later, NotSent, Receipt, Trouble, Unsure
from appliance.core.i18n import N_
from appliance.core.outbox import parts
from appliance.messaging.sms.gateway import Incoming, Report, Sending, SmsGateway

log = logging.getLogger(__name__)

_ANSWER = 15.0  # seconds that the centre has for an answer
_IDLE = 30.0  # seconds of silence after which it is asked whether it is there
_BREATHS = 5  # times that a part is offered again, a second apart, when the centre is too busy

_BUSY = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL})
_OURS = frozenset({consts.SMPP_ESME_RINVSRCADR, consts.SMPP_ESME_RINVSRCTON})
_LOG_IN = frozenset(
    {consts.SMPP_ESME_RBINDFAIL, consts.SMPP_ESME_RINVPASWD, consts.SMPP_ESME_RINVSYSID}
)
_FAULT = frozenset({consts.SMPP_ESME_RSYSERR, consts.SMPP_ESME_RINVBNDSTS})
_CODINGS = {7: consts.SMPP_ENCODING_DEFAULT, 16: consts.SMPP_ENCODING_ISO10646}
_ALPHABETS = {0: "gsm03.38", 1: "ascii", 3: "latin-1", 8: "utf-16-be"}
# what a line that breaks raises, and a centre that sends what is not SMPP
_BROKEN = (
    *(exceptions.ConnectionError, exceptions.PDUError, exceptions.UnknownCommandError),
    *(OSError, ValueError, struct.error),
)
_RECEIPT, _KIND = 0x04, 0x3C  # of esm_class
_STATES = {2: "delivered", 3: "refused", 4: "refused", 5: "refused", 8: "refused"}
_WORDS = {
    "DELIVRD": "delivered",
    **dict.fromkeys(("EXPIRED", "DELETED", "UNDELIV", "REJECTD"), "refused"),
}
_SAID = re.compile(rb"id:(\S+).*?stat:(\w+)", re.DOTALL | re.IGNORECASE)


@dataclass
class Smpp(SmsGateway):
    """An account at a message centre; `url` is its host:port, `sender` a number or a name."""

    title = N_("SMPP line")
    has_line = True

    name: str
    url: str
    user: str
    password: str
    sender: str
    callback: str = ""  # none: receipts come over the line
    answer: float = _ANSWER
    _line: client.Client | None = field(default=None, repr=False)
    _answers: dict[int, Any] = field(default_factory=dict, repr=False)
    _heard: list[Report | Incoming] = field(default_factory=list, repr=False)
    _last_sign: float = 0.0

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message, in parts when it is long. Raises Later, NotSent, Unsure, Declined."""
        bits, pieces = parts(text)
        reference = int(re.sub(r"\D", "", key) or 0) % 256
        with self._bound() as line:
            for place, piece in enumerate(pieces, 1):
                header = bytes((5, 0, 3, reference, len(pieces), place)) if pieces[1:] else b""
                try:
                    id = self._submit(line, number, header, piece, bits, place == len(pieces))
                except Trouble as trouble:
                    if place > 1:  # the former parts are out
                        raise Unsure(trouble.code, trouble.said) from trouble
                    raise
        return Receipt(id)

    def look_up(self, sending: Sending) -> str:
        """By its name at the centre (query_sm); without one the centre cannot be asked."""
        if not sending.receipt:
            return "unknown"
        with self._bound() as line:
            asked = make_pdu(
                "query_sm",
                client=line,
                message_id=sending.receipt,
                source_addr_ton=_ton(self.sender),
                source_addr_npi=1 if self.sender.isdigit() else 0,
                source_addr=self.sender,
            )
            line.send_pdu(asked)
            answer = self._answer_to(line, asked.sequence)
        if answer.status == consts.SMPP_ESME_RQUERYFAIL:
            return "unknown"
        if answer.status == consts.SMPP_ESME_RINVMSGID:
            return "absent"
        if answer.status:
            raise NotSent("server_error", f"query_sm: {answer.status}")
        return _STATES.get(answer.message_state, "taken")

    def received(self) -> list[Report | Incoming]:
        """Receipts and messages that came; also keeps the line alive."""
        with self._bound() as line:
            line.poll(auto_send_enquire_link=False)
            if time.monotonic() - self._last_sign > _IDLE:
                self._ask_whether_there(line)
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """Let the line go."""
        line, self._line = self._line, None
        if line:
            with contextlib.suppress(exceptions.ConnectionError, exceptions.PDUError, OSError):
                line.unbind()
            _hang_up(line)

    @contextlib.contextmanager
    def _bound(self) -> Iterator[client.Client]:
        """A line with a bind; one that breaks inside is given up, and what was sent is unsure."""
        line = self._line or self._bind()
        try:
            yield line
        except Trouble:
            raise
        except _BROKEN as error:
            self._drop(line)
            raise Unsure("answer_lost", str(error) or "the line broke") from error
        except Exception as error:  # the boundary of smpplib, which looks up what a centre sends
            log.exception("%s: what the message centre sent cannot be read", self.name)
            self._drop(line)
            raise Unsure("no_sense", f"{type(error).__name__}: {error}") from error

    def _client(self) -> client.Client:
        """A client of the account that is not connected."""
        host, _, port = self.url.rpartition(":")
        line = client.Client(host, int(port), timeout=self.answer, allow_unknown_opt_params=True)
        line.logger.setLevel(logging.ERROR)  # its warnings are raised besides
        line.set_message_received_handler(self._received)
        line.set_message_sent_handler(self._answered)
        line.set_query_resp_handler(self._answered)
        line.set_error_pdu_handler(lambda pdu: None)
        return line

    def _bind(self) -> client.Client:
        line = self._client()
        try:
            line.connect()
            line.bind_transceiver(system_id=self.user, password=self.password)
        except exceptions.PDUError as error:
            self._drop(line)
            code = error.args[1] if len(error.args) > 1 else None
            known = "log_in" if code in _LOG_IN else "unreachable"
            raise NotSent(known, str(error.args[0])) from error
        except (exceptions.ConnectionError, OSError) as error:
            self._drop(line)
            raise NotSent("unreachable", str(error) or "it hung up") from error
        self._line, self._last_sign = line, time.monotonic()
        return line

    def _drop(self, line: client.Client) -> None:
        self._line = None
        _hang_up(line)

    def _submit(
        self, line: client.Client, number: str, header: bytes, piece: bytes, bits: int, last: bool
    ) -> str:
        """Offer one part until it is taken; its name at the centre."""
        tries = _BREATHS if header else 1
        for left in reversed(range(tries)):
            sent = line.send_message(
                source_addr_ton=_ton(self.sender),
                source_addr_npi=1 if self.sender.isdigit() else 0,
                source_addr=self.sender,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=number.lstrip("+"),
                esm_class=consts.SMPP_GSMFEAT_UDHI if header else 0,
                data_coding=_CODINGS[bits],
                registered_delivery=int(last),
                short_message=header + piece,
            )
            answer = self._answer_to(line, sent.sequence)
            if answer.status == consts.SMPP_ESME_ROK:
                return bytes(answer.message_id or b"").decode("ascii", "replace")
            if answer.status not in _BUSY or not left:
                break
            time.sleep(1)
        reason = consts.DESCRIPTIONS.get(answer.status, f"status {answer.status}")
        if answer.status in _BUSY:
            raise Later("too_many", reason, 5.0)
        if answer.status in _OURS:
            raise NotSent("account", reason)
        if answer.status in _FAULT:
            raise NotSent("server_error", reason)
        raise Declined("declined", reason)

    def _answer_to(self, line: client.Client, sequence: int) -> Any:
        """What the centre said to a request; whatever else comes meanwhile is taken too."""
        end = time.monotonic() + self.answer
        self._answers.clear()
        while sequence not in self._answers:
            if time.monotonic() > end:
                raise exceptions.ConnectionError("no answer")
            line.read_once(auto_send_enquire_link=False)
        self._last_sign = time.monotonic()
        return self._answers.pop(sequence)

    def _ask_whether_there(self, line: client.Client) -> None:
        line.send_pdu(make_pdu("enquire_link", client=line))
        line.read_once(auto_send_enquire_link=False)
        self._last_sign = time.monotonic()

    def _answered(self, pdu: Any) -> None:
        self._answers[pdu.sequence] = pdu

    def _received(self, pdu: Any) -> None:
        self._last_sign = time.monotonic()
        if pdu.command != "deliver_sm":  # an alert_notification carries no text
            return
        text = bytes(pdu.short_message or pdu.message_payload or b"")
        if (pdu.esm_class or 0) & _KIND == _RECEIPT:
            if report := _report(pdu, text):
                self._heard.append(report)
            return
        if (pdu.esm_class or 0) & consts.SMPP_GSMFEAT_UDHI and text:
            text = text[text[0] + 1 :]
        number = bytes(pdu.source_addr or b"").decode("ascii", "replace")
        number = f"+{number}" if pdu.source_addr_ton == 1 and number[:1] != "+" else number
        alphabet = _ALPHABETS.get(pdu.data_coding or 0, "latin-1")
        self._heard.append(Incoming(number, text.decode(alphabet, "replace")))


GATEWAY = Smpp


def _report(pdu: Any, text: bytes) -> Report | None:
    """What a receipt tells of an end; None while the message is still on its way."""
    found = _SAID.search(text)
    id = bytes(pdu.receipted_message_id or (found[1] if found else b"")).decode("ascii", "replace")
    word = found[2].decode().upper() if found else ""
    outcome = _STATES.get(pdu.message_state or 0) or _WORDS.get(word)
    return Report(id, outcome, ours=False) if id and outcome else None


def _ton(sender: str) -> int:
    """The kind of a sender: a name, an international number, a short number."""
    if not sender.isdigit():
        return consts.SMPP_TON_ALNUM
    return consts.SMPP_TON_INTL if len(sender) > 8 else consts.SMPP_TON_NWSPEC


def _hang_up(line: client.Client) -> None:
    with contextlib.suppress(OSError):
        line.disconnect()
