"""A GSM modem on a serial line, by AT commands in PDU mode: the way out without the internet.

What citizens send lies in the modem until it was read; it is deleted there only when the next look
comes, by when it is in the database.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import serial
from gsmmodem import pdu
from gsmmodem.exceptions import EncodingError

from appliance.core.delivery import Declined, NotSent, Receipt, Trouble, Unsure
from appliance.core.i18n import N_
from appliance.core.outbox import parts
from appliance.messaging.sms.gateway import Incoming, Report, SmsGateway

_SPEED = 115200
_QUICK, _LONG = 5.0, 25.0  # seconds for an answer, and for the network to take a part
# errors that the number or text causes, by 3GPP TS 27.005 and 24.011; those of the SIM card
_DECLINED = frozenset({1, 8, 21, 27, 28, 29, 30, 50})
_SIM = frozenset({10, *range(310, 319)})
_UNSURE = frozenset({332, 500})  # the network's answer did not come; no reason known
_RING = re.compile(r"^\+(CMTI|RING|CUSD):|^RING$|^\^")
_NUMBER = re.compile(r"\+(\d{3,15})", re.ASCII)
# first octet of a part, 3GPP TS 23.040 9.2.2.2: it is sent, has a header, is to be reported
_SUBMIT, _HEADER, _REPORTED = 0x01, 0x40, 0x20
_ALPHABETS = {7: 0x00, 16: 0x08}
_ODD_BITS = 6  # of a header, beyond whole septets
_DELIVERED, _TRYING = 0x03, 0x40  # a report's status: below the first delivered, then on its way


@dataclass
class Modem(SmsGateway):
    """A modem; `url` is its device, `password` the card's PIN when it asks for one."""

    title = N_("GSM modem")
    has_line = True

    name: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    callback: str = ""
    quick: float = _QUICK
    long: float = _LONG
    _port: serial.Serial | None = field(default=None, repr=False)
    _rest: bytes = field(default=b"", repr=False)
    _report_follows: bool = False
    _reports: list[Report] = field(default_factory=list, repr=False)
    _read: list[str] = field(default_factory=list, repr=False)  # places of what was handed over

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message, in parts when it is long. Raises NotSent, Unsure, Declined."""
        pieces = _pieces(number, text, int(re.sub(r"\D", "", key) or 0) % 256)
        with self._open():
            self._look_for_network()
            for place, piece in enumerate(pieces):
                try:
                    taken = self._submit(piece)
                except Trouble as trouble:
                    if place:  # the former parts are out
                        raise Unsure(trouble.code, trouble.said) from trouble
                    raise
        return Receipt(f"{number}:{taken}")

    def received(self) -> list[Report | Incoming]:
        """Reports and messages that came."""
        with self._open():
            for place in self._read:
                self._ask(f"AT+CMGD={place}")
            self._read = []
            messages = self._messages(self._ask("AT+CMGL=4"))
        reports, self._reports = self._reports, []
        return [*reports, *messages]

    def close(self) -> None:
        """Let the line go."""
        port, self._port = self._port, None
        self._rest, self._report_follows = b"", False
        if port:
            with contextlib.suppress(OSError):
                port.close()

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        """The line open and the modem set up; one that breaks is given up and opened anew later."""
        try:
            if self._port is None:
                self._port = serial.Serial(self.url, _SPEED, timeout=0.1, write_timeout=self.quick)
                self._set_up()
            yield
        except (serial.SerialException, OSError) as error:
            self.close()
            raise NotSent("no_modem", str(error)) from error
        except _Silent as error:
            self.close()
            raise NotSent("no_modem", "the modem does not answer") from error
        except _Refused as error:
            self.close()
            raise NotSent("modem_fault", error.said) from error

    def _set_up(self) -> None:
        self._write("\x1b")  # out of a message that was being typed
        for command in ("ATZ", "ATE0", "AT+CMEE=1"):
            self._ask(command)
        card = " ".join(self._ask("AT+CPIN?", refused=NotSent("sim")))
        if "SIM PIN" in card and self.password:
            self._ask(f'AT+CPIN="{self.password}"', refused=NotSent("sim", "PIN"))
        elif "READY" not in card:
            self.close()
            raise NotSent("sim", card)
        for command in ("AT+CMGF=0", "AT+CNMI=2,1,0,1,0"):
            self._ask(command)

    def _look_for_network(self) -> None:
        """Raise NotSent unless the card is registered, at home or abroad."""
        found = re.search(r"\+CREG: \d,(\d)", "\n".join(self._ask("AT+CREG?")))
        if not found or found[1] not in "15":
            raise NotSent("no_network", found[0] if found else "")

    def _submit(self, piece: pdu.Pdu) -> str:
        """Give one part to the network; the modem's number for it."""
        self._write(f"AT+CMGS={piece.tpduLength}\r")
        try:
            self._until_prompt()
        except _Refused as error:
            raise _trouble(error.said) from error
        self._write(f"{piece}\x1a")
        try:
            lines = self._lines(self.long)
        except _Silent as error:
            self.close()
            raise Unsure("answer_lost", "the modem did not say whether it was sent") from error
        except _Refused as error:
            raise _trouble(error.said) from error
        found = re.search(r"\+CMGS: (\d+)", "\n".join(lines))
        if not found:
            raise Unsure("no_sense", " ".join(lines)[:200])
        return found[1]

    def _messages(self, lines: list[str]) -> list[Incoming]:
        """What the modem holds; each is noted to be deleted at the next look."""
        messages = []
        for head, body in zip(lines, lines[1:], strict=False):
            if place := re.match(r"\+CMGL: (\d+),", head):
                self._read.append(place[1])
                message = _decoded(body)
                if message.get("type") == "SMS-DELIVER" and message.get("number"):
                    messages.append(Incoming(message["number"], message.get("text", "")))
                elif report := _report(message):
                    self._reports.append(report)
        return messages

    def _ask(self, command: str, refused: Trouble | None = None) -> list[str]:
        """The lines of an answer. Raises _Silent, and `refused` or _Refused."""
        self._write(f"{command}\r")
        try:
            return self._lines(self.quick)
        except _Refused as error:
            if refused:
                self.close()
                refused.said = refused.said or error.said
                raise refused from error
            raise

    def _write(self, text: str) -> None:
        if self._port is None:
            raise _Silent
        self._port.write(text.encode("ascii"))

    def _lines(self, wait: float) -> list[str]:
        """Lines until OK. Raises _Silent, _Refused."""
        found: list[str] = []
        end = time.monotonic() + wait
        while (line := self._line(end)) != "OK":
            if line and not line.startswith("AT"):
                found.append(line)
        return found

    def _line(self, end: float) -> str:
        """The next line, or "" for one that nobody asked for; a report among these is kept."""
        while b"\n" not in self._rest:
            self._more(end)
        raw, self._rest = self._rest.split(b"\n", 1)
        line = raw.decode("ascii", "replace").strip()
        if re.match(r"ERROR$|\+CM[ES] ERROR", line):
            raise _Refused(line)
        if line and self._report_follows:
            self._report_follows = False
            if report := _report(_decoded(line)):
                self._reports.append(report)
            return ""
        if line.startswith("+CDS:"):
            self._report_follows = True
            return ""
        return "" if _RING.match(line) else line

    def _until_prompt(self) -> None:
        end = time.monotonic() + self.quick
        while not self._rest.lstrip().startswith(b">"):
            if b"\n" in self._rest:
                self._line(end)
            else:
                self._more(end)
        self._rest = self._rest.split(b">", 1)[1].lstrip(b" ")

    def _more(self, end: float) -> None:
        if self._port is None or time.monotonic() > end:
            raise _Silent
        self._rest += self._port.read(max(1, self._port.in_waiting))


GATEWAY = Modem


class _Silent(Exception):
    """The modem does not answer."""


class _Refused(Exception):
    """The modem says ERROR."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def _pieces(number: str, text: str, reference: int) -> list[pdu.Pdu]:
    """The parts of a message. Only of the last one, whose name is given back, a report is asked
    for. Raises Declined."""
    digits = _NUMBER.fullmatch(number)
    if not digits:
        raise Declined("declined", number)
    to = bytes((len(digits[1]), 0x91)) + pdu.encodeSemiOctets(digits[1])
    bits, pieces = parts(text)
    made = []
    for place, piece in enumerate(pieces, 1):
        header = bytes((5, 0, 3, reference, len(pieces), place)) if pieces[1:] else b""
        first = _SUBMIT | (_HEADER if header else 0) | (_REPORTED if place == len(pieces) else 0)
        if bits == 7:
            packed = pdu.packSeptets(bytearray(piece), padBits=_ODD_BITS if header else 0)
            length = len(piece) + (7 if header else 0)
        else:
            packed, length = piece, len(header + piece)
        # the card's own centre, and what protocol: none
        data = bytes((0, first, reference, *to, 0, _ALPHABETS[bits], length, *header, *packed))
        made.append(pdu.Pdu(data, len(data) - 1))
    return made


def _trouble(answer: str) -> Trouble:
    """What an error of sending means: the number, the card, the network, or nobody knows."""
    found = re.search(r"CMS ERROR: (\d+)", answer)
    code = int(found[1]) if found else None
    if code in _SIM:
        return NotSent("sim", answer)
    if code in _DECLINED:
        return Declined("declined", answer)
    if code in _UNSURE:
        return Unsure("server_error", answer)
    return NotSent("no_network" if code in (38, 331) else "modem_fault", answer)


def _decoded(text: str) -> dict:
    try:
        return pdu.decodeSmsPdu(text)
    except (EncodingError, ValueError, StopIteration, IndexError, RuntimeError):
        return {}


def _report(message: dict) -> Report | None:
    """What a status report tells of an end; None while the message is still on its way."""
    if message.get("type") != "SMS-STATUS-REPORT":
        return None
    status = message["status"]
    if _DELIVERED <= status < _TRYING:
        return None
    outcome = "delivered" if status < _DELIVERED else "refused"
    return Report(f"{message['number']}:{message['reference']}", outcome, ours=False)
