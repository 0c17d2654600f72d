"""A GSM modem on a serial line, by AT commands in PDU mode: a way to send without the internet.

Citizens' messages are deleted in the modem not when they are read, but at the next reading: by then
they are in the database.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import serial
from gsmmodem import pdu
from gsmmodem.exceptions import EncodingError

from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    Receipt,
    UncertainDeliveryError,
)
from appliance.core.i18n import N_
from appliance.core.outbox import split_parts
from appliance.messaging.sms.gateway import Incoming, Report, SmsGateway

_BAUD_RATE = 115200
# How long to wait for an answer of the modem, and for the network to accept a part of a message.
_ANSWER_SECONDS, _NETWORK_SECONDS = (
    5.0,
    25.0,
)
# Codes of errors caused by the number or the text (3GPP TS 27.005 and 24.011), and by the SIM card.
_DECLINED_ERRORS = frozenset({1, 8, 21, 27, 28, 29, 30, 50})
_SIM_ERRORS = frozenset({10, *range(310, 319)})
_UNCERTAIN_ERRORS = frozenset({332, 500})  # no answer from the network; unknown reason
_UNSOLICITED_LINE = re.compile(r"^\+(CMTI|RING|CUSD):|^RING$|^\^")
_NUMBER = re.compile(r"\+(\d{3,15})", re.ASCII)
# Bits of the first octet of a part (3GPP TS 23.040, 9.2.2.2): submission, with header, with report.
_SUBMIT, _HEADER, _REPORT_REQUEST = 0x01, 0x40, 0x20
_ALPHABET_BY_BITS = {7: 0x00, 16: 0x08}
_HEADER_PADDING_BITS = 6  # after a header, to fill its last septet (7 bits)
# The status in a report means: below the first value, delivered; below the second, in transit.
_MIN_UNDELIVERED_STATUS, _MIN_FAILED_STATUS = (
    0x03,
    0x40,
)


@dataclass
class Modem(SmsGateway):
    """A modem; `url` is its device, `password` the SIM card's PIN if it requires one."""

    title = N_("GSM modem")
    has_line = True

    name: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    callback: str = ""
    answer_seconds: float = _ANSWER_SECONDS
    network_seconds: float = _NETWORK_SECONDS
    _port: serial.Serial | None = field(default=None, repr=False)
    _buffer: bytes = field(default=b"", repr=False)
    _report_follows: bool = False
    _reports: list[Report] = field(default_factory=list, repr=False)
    # The places in the modem of the messages that were returned and are to be deleted.
    _read_places: list[str] = field(default_factory=list, repr=False)

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message, in several parts if it is long.

        Raises NotSentError, UncertainDeliveryError, DeclinedError.
        """
        pdus = _split_message(number, text, int(re.sub(r"\D", "", key) or 0) % 256)
        with self._opened_line():
            self._require_network()
            for index, part in enumerate(pdus):
                try:
                    reference = self._submit_part(part)
                except DeliveryError as trouble:
                    if index:  # the earlier parts were sent
                        raise UncertainDeliveryError(trouble.code, trouble.detail) from trouble
                    raise
        return Receipt(f"{number}:{reference}")

    def receive_pending(self) -> list[Report | Incoming]:
        """Return the reports and messages that arrived."""
        with self._opened_line():
            for place in self._read_places:
                self._run_command(f"AT+CMGD={place}")
            self._read_places = []
            messages = self._parse_stored(self._run_command("AT+CMGL=4"))
        reports, self._reports = self._reports, []
        return [*reports, *messages]

    def close(self) -> None:
        """Close the line."""
        port, self._port = self._port, None
        self._buffer, self._report_follows = b"", False
        if port:
            with contextlib.suppress(OSError):
                port.close()

    @contextlib.contextmanager
    def _opened_line(self) -> Iterator[None]:
        """Open the line and set up the modem; a broken line is closed and reopened later."""
        try:
            if self._port is None:
                self._port = serial.Serial(
                    self.url, _BAUD_RATE, timeout=0.1, write_timeout=self.answer_seconds
                )
                self._set_up_modem()
            yield
        except (serial.SerialException, OSError) as error:
            self.close()
            raise NotSentError("no_modem", str(error)) from error
        except _SilentModemError as error:
            self.close()
            raise NotSentError("no_modem", "the modem does not answer") from error
        except _ModemError as error:
            self.close()
            raise NotSentError("modem_fault", error.detail) from error

    def _set_up_modem(self) -> None:
        self._write_text("\x1b")  # aborts a message that was being entered
        for command in ("ATZ", "ATE0", "AT+CMEE=1"):
            self._run_command(command)
        card = " ".join(self._run_command("AT+CPIN?", on_error=NotSentError("sim")))
        if "SIM PIN" in card and self.password:
            self._run_command(f'AT+CPIN="{self.password}"', on_error=NotSentError("sim", "PIN"))
        elif "READY" not in card:
            self.close()
            raise NotSentError("sim", card)
        for command in ("AT+CMGF=0", "AT+CNMI=2,1,0,1,0"):
            self._run_command(command)

    def _require_network(self) -> None:
        """Raise NotSentError unless the SIM card is registered in its home or another network."""
        match = re.search(r"\+CREG: \d,(\d)", "\n".join(self._run_command("AT+CREG?")))
        if not match or match[1] not in "15":
            raise NotSentError("no_network", match[0] if match else "")

    def _submit_part(self, part: pdu.Pdu) -> str:
        """Submit one part to the network; returns the modem's reference number for it."""
        self._write_text(f"AT+CMGS={part.tpduLength}\r")
        try:
            self._wait_for_prompt()
        except _ModemError as error:
            raise _send_error(error.detail) from error
        self._write_text(f"{part}\x1a")
        try:
            lines = self._read_lines(self.network_seconds)
        except _SilentModemError as error:
            self.close()
            raise UncertainDeliveryError(
                "answer_lost", "the modem did not say whether it was sent"
            ) from error
        except _ModemError as error:
            raise _send_error(error.detail) from error
        match = re.search(r"\+CMGS: (\d+)", "\n".join(lines))
        if not match:
            raise UncertainDeliveryError("no_sense", " ".join(lines)[:200])
        return match[1]

    def _parse_stored(self, lines: list[str]) -> list[Incoming]:
        """Return the messages stored in the modem; they are deleted at the next reading."""
        messages = []
        for head, body in zip(lines, lines[1:], strict=False):
            if place := re.match(r"\+CMGL: (\d+),", head):
                self._read_places.append(place[1])
                message = _decode_pdu(body)
                if message.get("type") == "SMS-DELIVER" and message.get("number"):
                    messages.append(Incoming(message["number"], message.get("text", "")))
                elif report := _final_report(message):
                    self._reports.append(report)
        return messages

    def _run_command(self, command: str, on_error: DeliveryError | None = None) -> list[str]:
        """Return the lines of a command's answer.

        Raises _SilentModemError without an answer, and `on_error` (or _ModemError) for an error.
        """
        self._write_text(f"{command}\r")
        try:
            return self._read_lines(self.answer_seconds)
        except _ModemError as error:
            if on_error:
                self.close()
                on_error.detail = on_error.detail or error.detail
                raise on_error from error
            raise

    def _write_text(self, text: str) -> None:
        if self._port is None:
            raise _SilentModemError
        self._port.write(text.encode("ascii"))

    def _read_lines(self, timeout: float) -> list[str]:
        """Return the lines before OK. Raises _ModemError for ERROR, else _SilentModemError."""
        lines: list[str] = []
        end = time.monotonic() + timeout
        while (line := self._next_line(end)) != "OK":
            if line and not line.startswith("AT"):
                lines.append(line)
        return lines

    def _next_line(self, end: float) -> str:
        """Return the next line; "" for one that the modem sent unasked. Reports are stored."""
        while b"\n" not in self._buffer:
            self._read_bytes(end)
        raw, self._buffer = self._buffer.split(b"\n", 1)
        line = raw.decode("ascii", "replace").strip()
        if re.match(r"ERROR$|\+CM[ES] ERROR", line):
            raise _ModemError(line)
        if line and self._report_follows:
            self._report_follows = False
            if report := _final_report(_decode_pdu(line)):
                self._reports.append(report)
            return ""
        if line.startswith("+CDS:"):
            self._report_follows = True
            return ""
        return "" if _UNSOLICITED_LINE.match(line) else line

    def _wait_for_prompt(self) -> None:
        end = time.monotonic() + self.answer_seconds
        while not self._buffer.lstrip().startswith(b">"):
            if b"\n" in self._buffer:
                self._next_line(end)
            else:
                self._read_bytes(end)
        self._buffer = self._buffer.split(b">", 1)[1].lstrip(b" ")

    def _read_bytes(self, end: float) -> None:
        if self._port is None or time.monotonic() > end:
            raise _SilentModemError
        self._buffer += self._port.read(max(1, self._port.in_waiting))


GATEWAY = Modem


class _SilentModemError(Exception):
    """The modem does not answer."""


class _ModemError(Exception):
    """The modem answered ERROR."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def _split_message(number: str, text: str, reference: int) -> list[pdu.Pdu]:
    """Return the parts of a message. Raises DeclinedError for an invalid number.

    A delivery report is requested for the last part only; `send` returns its reference number.
    """
    digits = _NUMBER.fullmatch(number)
    if not digits:
        raise DeclinedError("declined", number)
    destination = bytes((len(digits[1]), 0x91)) + pdu.encodeSemiOctets(digits[1])
    bits, part_texts = split_parts(text)
    pdus = []
    for part_number, part in enumerate(part_texts, 1):
        header = (
            bytes((5, 0, 3, reference, len(part_texts), part_number)) if part_texts[1:] else b""
        )
        first_octet = (
            _SUBMIT
            | (_HEADER if header else 0)
            | (_REPORT_REQUEST if part_number == len(part_texts) else 0)
        )
        if bits == 7:
            packed = pdu.packSeptets(bytearray(part), padBits=_HEADER_PADDING_BITS if header else 0)
            length = len(part) + (7 if header else 0)
        else:
            packed, length = part, len(header + part)
        # The first 0 selects the SIM card's own message centre, the later one no other protocol.
        data = bytes(
            (
                0,
                first_octet,
                reference,
                *destination,
                0,
                _ALPHABET_BY_BITS[bits],
                length,
                *header,
                *packed,
            )
        )
        pdus.append(pdu.Pdu(data, len(data) - 1))
    return pdus


def _send_error(answer: str) -> DeliveryError:
    """Return the delivery error for the modem's error: of the number, SIM card or network."""
    match = re.search(r"CMS ERROR: (\d+)", answer)
    code = int(match[1]) if match else None
    if code in _SIM_ERRORS:
        return NotSentError("sim", answer)
    if code in _DECLINED_ERRORS:
        return DeclinedError("declined", answer)
    if code in _UNCERTAIN_ERRORS:
        return UncertainDeliveryError("server_error", answer)
    return NotSentError("no_network" if code in (38, 331) else "modem_fault", answer)


def _decode_pdu(text: str) -> dict[str, Any]:
    try:
        message: dict[str, Any] = pdu.decodeSmsPdu(text)
    except (EncodingError, ValueError, StopIteration, IndexError, RuntimeError):
        return {}
    return message


def _final_report(message: dict[str, Any]) -> Report | None:
    """Return the report of a final outcome; None for other messages, and while in transit."""
    if message.get("type") != "SMS-STATUS-REPORT":
        return None
    status = message["status"]
    if _MIN_UNDELIVERED_STATUS <= status < _MIN_FAILED_STATUS:
        return None
    outcome = "delivered" if status < _MIN_UNDELIVERED_STATUS else "refused"
    return Report(f"{message['number']}:{message['reference']}", outcome, is_own_id=False)
