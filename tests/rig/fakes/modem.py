"""A fake GSM modem on a pseudo-terminal; it misbehaves as configured."""

import contextlib
import os
import pty
import re
import select
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gsmmodem import pdu


@dataclass
class FakeModem:
    """A fake modem.

    `moods`: the answers to the next message parts: ok | silent | no_prompt | error | a CMS number;
    ok when the list is empty.
    """

    url: str = ""
    card: str = "+CPIN: READY"
    network: str = "+CREG: 0,1"
    is_deaf: bool = False
    moods: list[str] = field(default_factory=list)
    submits: list[dict[str, Any]] = field(default_factory=list)  # decoded
    sends_reports: bool = False  # whether it reports the delivery of a part, when requested
    commands: list[str] = field(default_factory=list)  # received from the appliance
    stored_pdus: dict[int, str] = field(default_factory=dict)  # place → PDU in the modem's memory
    unsolicited_lines: list[str] = field(default_factory=list)  # sent before the next answer
    prompt_lines: list[str] = field(default_factory=list)  # sent before the next prompt


@contextlib.contextmanager
def run_modem() -> Iterator[FakeModem]:
    """A modem that is connected until the end of the block."""
    fake = FakeModem()
    modem_end, port_end = pty.openpty()
    tty.setraw(port_end)
    fake.url = os.ttyname(port_end)
    stop_reading, stop = os.pipe()

    def serve_port() -> None:
        buffer = b""
        while True:
            readable, _, _ = select.select([modem_end, stop_reading], [], [])
            if stop_reading in readable:
                return
            try:
                buffer += os.read(modem_end, 4096)
            except OSError:
                return
            while match := re.search(rb"[\r\x1a]", buffer):
                line, buffer = buffer[: match.start()], buffer[match.end() :]
                answer = _answer_line(fake, line.lstrip(b"\x1b").decode(), match[0] == b"\x1a")
                os.write(modem_end, answer.encode())

    thread = threading.Thread(target=serve_port)
    thread.start()
    try:
        yield fake
    finally:
        os.write(stop, b".")
        thread.join()
        for end in (modem_end, port_end, stop, stop_reading):
            os.close(end)


def _answer_line(fake: FakeModem, line: str, is_message: bool) -> str:
    if is_message:
        return "" if fake.is_deaf else _accept_submit(fake, line)
    fake.commands.append(line)
    if fake.is_deaf:
        return ""
    lines_before = _drain_lines(fake.unsolicited_lines)
    if line.startswith("AT+CMGS"):
        lines_before += _drain_lines(fake.prompt_lines)
        if fake.moods[:1] == ["no_prompt"]:
            fake.moods.pop(0)
            return lines_before + "\r\n+CMS ERROR: 302\r\n"
        return lines_before + "\r\n> "
    if line == "AT+CPIN?":
        return lines_before + f"\r\n{fake.card}\r\n\r\nOK\r\n"
    if line.startswith("AT+CPIN="):
        fake.card = "+CPIN: READY"
    if line == "AT+CREG?":
        return lines_before + f"\r\n{fake.network}\r\n\r\nOK\r\n"
    if line == "AT+CMGL=4":
        rows = (f"\r\n+CMGL: {n},0,,{len(p) // 2 - 1}\r\n{p}" for n, p in fake.stored_pdus.items())
        return lines_before + "".join(rows) + "\r\n\r\nOK\r\n"
    if match := re.match(r"AT\+CMGD=(\d+)", line):
        fake.stored_pdus.pop(int(match[1]), None)
    return lines_before + "\r\nOK\r\n"


def _accept_submit(fake: FakeModem, line: str) -> str:
    mood = fake.moods.pop(0) if fake.moods else "ok"
    if mood == "error":
        return "\r\nERROR\r\n"
    if mood.isdecimal():
        return f"\r\n+CMS ERROR: {mood}\r\n"
    submit = pdu.decodeSmsPdu(line)
    text = submit["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    fake.submits.append(submit | {"text": text})
    wants_report = int(line[2:4], 16) & 0x20  # TP-SRR, 3GPP TS 23.040 9.2.2.2
    if fake.sends_reports and wants_report:
        fake.unsolicited_lines += ["+CDS: 25", status_report(submit["number"], len(fake.submits))]
    return "" if mood == "silent" else f"\r\n+CMGS: {len(fake.submits)}\r\n\r\nOK\r\n"


def status_report(number: str, reference: int, status: int = 0) -> str:
    """The status report of a message to +998…; status 0 means delivered."""
    digits = number.lstrip("+")
    address = f"{len(digits):02X}91{pdu.encodeSemiOctets(digits).hex()}"
    return f"0006{reference:02X}{address}{'62116290000002' * 2}{status:02X}".upper()


def _drain_lines(lines: list[str]) -> str:
    """The text of the lines, which are then removed."""
    text = "".join(f"\r\n{line}\r\n" for line in lines)
    lines.clear()
    return text
