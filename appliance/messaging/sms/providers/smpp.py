"""A line to a message centre by SMPP 3.4: sends and receives over one connection ("bind").

Only one thread may use it. Every operation first opens the connection if it is not open.
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

from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    Receipt,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.i18n import N_
from appliance.core.outbox import split_parts
from appliance.messaging.sms.gateway import Incoming, Report, Sending, SmsGateway

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 15.0  # how long to wait for an answer of the message centre
_IDLE_SECONDS = 30.0  # the connection is tested after this time of silence
_MAX_SUBMITS_PER_PART = 5  # attempts to submit a part, a second apart, if the centre is busy

_BUSY_STATUSES = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL})
_ACCOUNT_ERROR_STATUSES = frozenset({consts.SMPP_ESME_RINVSRCADR, consts.SMPP_ESME_RINVSRCTON})
_LOG_IN_STATUSES = frozenset(
    {consts.SMPP_ESME_RBINDFAIL, consts.SMPP_ESME_RINVPASWD, consts.SMPP_ESME_RINVSYSID}
)
_SERVER_ERROR_STATUSES = frozenset({consts.SMPP_ESME_RSYSERR, consts.SMPP_ESME_RINVBNDSTS})
_CODING_BY_BITS = {7: consts.SMPP_ENCODING_DEFAULT, 16: consts.SMPP_ENCODING_ISO10646}
_ENCODING_BY_CODING = {0: "gsm03.38", 1: "ascii", 3: "latin-1", 8: "utf-16-be"}
# Exceptions that occur when the line breaks, or the other side does not send SMPP.
_LINE_ERRORS = (
    *(exceptions.ConnectionError, exceptions.PDUError, exceptions.UnknownCommandError),
    *(OSError, ValueError, struct.error),
)
_RECEIPT_TYPE, _MESSAGE_TYPE_MASK = 0x04, 0x3C  # of esm_class
_OUTCOME_BY_STATE = {2: "delivered", 3: "refused", 4: "refused", 5: "refused", 8: "refused"}
_OUTCOME_BY_WORD = {
    "DELIVRD": "delivered",
    **dict.fromkeys(("EXPIRED", "DELETED", "UNDELIV", "REJECTD"), "refused"),
}
_RECEIPT_TEXT = re.compile(rb"id:(\S+).*?stat:(\w+)", re.DOTALL | re.IGNORECASE)


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
    callback: str = ""  # unused: receipts arrive over the line
    answer_seconds: float = _ANSWER_SECONDS
    _line: client.Client | None = field(default=None, repr=False)
    _responses: dict[int, Any] = field(default_factory=dict, repr=False)
    _arrived: list[Report | Incoming] = field(default_factory=list, repr=False)
    _last_activity: float = 0.0

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message, in several parts if it is long.

        Raises RetryLaterError, NotSentError, UncertainDeliveryError, DeclinedError.
        """
        bits, part_texts = split_parts(text)
        reference = int(re.sub(r"\D", "", key) or 0) % 256
        with self._bound_line() as line:
            for part_number, part in enumerate(part_texts, 1):
                header = (
                    bytes((5, 0, 3, reference, len(part_texts), part_number))
                    if part_texts[1:]
                    else b""
                )
                try:
                    id = self._submit_part(
                        line, number, header, part, bits, part_number == len(part_texts)
                    )
                except DeliveryError as trouble:
                    if part_number > 1:  # the earlier parts were sent
                        raise UncertainDeliveryError(trouble.code, trouble.detail) from trouble
                    raise
        return Receipt(id)

    def look_up(self, sending: Sending) -> str:
        """Look a message up by the id that the message centre gave it (query_sm)."""
        if not sending.receipt:
            return "unknown"
        with self._bound_line() as line:
            query = make_pdu(
                "query_sm",
                client=line,
                message_id=sending.receipt,
                source_addr_ton=_type_of_number(self.sender),
                source_addr_npi=1 if self.sender.isdigit() else 0,
                source_addr=self.sender,
            )
            line.send_pdu(query)
            answer = self._wait_for_response(line, query.sequence)
        if answer.status == consts.SMPP_ESME_RQUERYFAIL:
            return "unknown"
        if answer.status == consts.SMPP_ESME_RINVMSGID:
            return "absent"
        if answer.status:
            raise NotSentError("server_error", f"query_sm: {answer.status}")
        return _OUTCOME_BY_STATE.get(answer.message_state, "taken")

    def receive_pending(self) -> list[Report | Incoming]:
        """Return the receipts and messages that arrived; also tests a line that is silent."""
        with self._bound_line() as line:
            line.poll(auto_send_enquire_link=False)
            if time.monotonic() - self._last_activity > _IDLE_SECONDS:
                self._send_enquire_link(line)
        arrived, self._arrived = self._arrived, []
        return arrived

    def close(self) -> None:
        """Close the line."""
        line, self._line = self._line, None
        if line:
            with contextlib.suppress(exceptions.ConnectionError, exceptions.PDUError, OSError):
                line.unbind()
            _disconnect_quietly(line)

    @contextlib.contextmanager
    def _bound_line(self) -> Iterator[client.Client]:
        """Provide an open line; if it breaks, close it and raise UncertainDeliveryError."""
        line = self._line or self._bind_line()
        try:
            yield line
        except DeliveryError:
            raise
        except _LINE_ERRORS as error:
            self._drop_line(line)
            raise UncertainDeliveryError("answer_lost", str(error) or "the line broke") from error
        # Outermost handler for smpplib, which fails on unknown values of a message centre.
        except Exception as error:
            log.exception("%s: what the message centre sent cannot be read", self.name)
            self._drop_line(line)
            raise UncertainDeliveryError("no_sense", f"{type(error).__name__}: {error}") from error

    def _create_client(self) -> client.Client:
        """Return an unconnected client for the account."""
        host, _, port = self.url.rpartition(":")
        line = client.Client(
            host, int(port), timeout=self.answer_seconds, allow_unknown_opt_params=True
        )
        line.logger.setLevel(logging.ERROR)  # its warnings are also raised
        line.set_message_received_handler(self._on_received)
        line.set_message_sent_handler(self._on_response)
        line.set_query_resp_handler(self._on_response)
        line.set_error_pdu_handler(lambda pdu: None)
        return line

    def _bind_line(self) -> client.Client:
        line = self._create_client()
        try:
            line.connect()
            line.bind_transceiver(system_id=self.user, password=self.password)
        except exceptions.PDUError as error:
            self._drop_line(line)
            code = error.args[1] if len(error.args) > 1 else None
            trouble_code = "log_in" if code in _LOG_IN_STATUSES else "unreachable"
            raise NotSentError(trouble_code, str(error.args[0])) from error
        except (exceptions.ConnectionError, OSError) as error:
            self._drop_line(line)
            raise NotSentError("unreachable", str(error) or "it hung up") from error
        self._line, self._last_activity = line, time.monotonic()
        return line

    def _drop_line(self, line: client.Client) -> None:
        self._line = None
        _disconnect_quietly(line)

    def _submit_part(
        self, line: client.Client, number: str, header: bytes, part: bytes, bits: int, is_last: bool
    ) -> str:
        """Submit one part; returns its id at the message centre.

        A part of several is tried again while the message centre is busy.
        """
        tries = _MAX_SUBMITS_PER_PART if header else 1
        for remaining in reversed(range(tries)):
            request = line.send_message(
                source_addr_ton=_type_of_number(self.sender),
                source_addr_npi=1 if self.sender.isdigit() else 0,
                source_addr=self.sender,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=number.lstrip("+"),
                esm_class=consts.SMPP_GSMFEAT_UDHI if header else 0,
                data_coding=_CODING_BY_BITS[bits],
                registered_delivery=int(is_last),
                short_message=header + part,
            )
            answer = self._wait_for_response(line, request.sequence)
            if answer.status == consts.SMPP_ESME_ROK:
                return bytes(answer.message_id or b"").decode("ascii", "replace")
            if answer.status not in _BUSY_STATUSES or not remaining:
                break
            time.sleep(1)
        reason = consts.DESCRIPTIONS.get(answer.status, f"status {answer.status}")
        if answer.status in _BUSY_STATUSES:
            raise RetryLaterError("too_many", reason, 5.0)
        if answer.status in _ACCOUNT_ERROR_STATUSES:
            raise NotSentError("account", reason)
        if answer.status in _SERVER_ERROR_STATUSES:
            raise NotSentError("server_error", reason)
        raise DeclinedError("declined", reason)

    def _wait_for_response(self, line: client.Client, sequence: int) -> Any:
        """Return the response to a request; also process the PDUs that arrive before it."""
        end = time.monotonic() + self.answer_seconds
        self._responses.clear()
        while sequence not in self._responses:
            if time.monotonic() > end:
                raise exceptions.ConnectionError("no answer")
            line.read_once(auto_send_enquire_link=False)
        self._last_activity = time.monotonic()
        return self._responses.pop(sequence)

    def _send_enquire_link(self, line: client.Client) -> None:
        line.send_pdu(make_pdu("enquire_link", client=line))
        line.read_once(auto_send_enquire_link=False)
        self._last_activity = time.monotonic()

    def _on_response(self, pdu: Any) -> None:
        self._responses[pdu.sequence] = pdu

    def _on_received(self, pdu: Any) -> None:
        self._last_activity = time.monotonic()
        if pdu.command != "deliver_sm":  # an alert_notification carries no text
            return
        text = bytes(pdu.short_message or pdu.message_payload or b"")
        if (pdu.esm_class or 0) & _MESSAGE_TYPE_MASK == _RECEIPT_TYPE:
            if report := _final_report(pdu, text):
                self._arrived.append(report)
            return
        if (pdu.esm_class or 0) & consts.SMPP_GSMFEAT_UDHI and text:
            text = text[text[0] + 1 :]
        number = bytes(pdu.source_addr or b"").decode("ascii", "replace")
        number = f"+{number}" if pdu.source_addr_ton == 1 and number[:1] != "+" else number
        alphabet = _ENCODING_BY_CODING.get(pdu.data_coding or 0, "latin-1")
        self._arrived.append(Incoming(number, text.decode(alphabet, "replace")))


GATEWAY = Smpp


def _final_report(pdu: Any, text: bytes) -> Report | None:
    """Return the report of a receipt, if it has a final outcome."""
    match = _RECEIPT_TEXT.search(text)
    id = bytes(pdu.receipted_message_id or (match[1] if match else b"")).decode("ascii", "replace")
    word = match[2].decode().upper() if match else ""
    outcome = _OUTCOME_BY_STATE.get(pdu.message_state or 0) or _OUTCOME_BY_WORD.get(word)
    return Report(id, outcome, is_own_id=False) if id and outcome else None


def _type_of_number(sender: str) -> int:
    """Return the SMPP type (TON) of a sender: a name, an international or a short number."""
    type_code: int = consts.SMPP_TON_ALNUM
    if sender.isdigit():
        type_code = consts.SMPP_TON_INTL if len(sender) > 8 else consts.SMPP_TON_NWSPEC
    return type_code


def _disconnect_quietly(line: client.Client) -> None:
    with contextlib.suppress(OSError):
        line.disconnect()
