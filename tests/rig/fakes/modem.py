"""A GSM modem played on a pseudo-terminal; behaves as badly as it is told to."""

import contextlib
import os
import pty
import re
import select
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field

from gsmmodem import pdu


@dataclass
class Played:
    """`moods` says how the next parts are answered: ok | silent | no_prompt | error | a CMS number;
    when it is empty, ok."""

    url: str = ""
    card: str = "+CPIN: READY"
    network: str = "+CREG: 0,1"
    deaf: bool = False
    moods: list[str] = field(default_factory=list)
    took: list[dict] = field(default_factory=list)  # decoded submits
    reports: bool = False  # tells that a part was delivered, when it was asked to
    said: list[str] = field(default_factory=list)  # commands
    stored: dict[int, str] = field(default_factory=dict)  # place → PDU in the modem's memory
    unasked: list[str] = field(default_factory=list)  # lines put before the next answer
    at_prompt: list[str] = field(default_factory=list)  # the same, before the next prompt


@contextlib.contextmanager
def modem() -> Iterator[Played]:
    """The modem, on its line until the end of the block."""
    here = Played()
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    here.url = os.ttyname(theirs)
    stop_reading, stop = os.pipe()

    def play() -> None:
        typed = b""
        while True:
            ready, _, _ = select.select([ours, stop_reading], [], [])
            if stop_reading in ready:
                return
            try:
                typed += os.read(ours, 4096)
            except OSError:
                return
            while found := re.search(rb"[\r\x1a]", typed):
                line, typed = typed[: found.start()], typed[found.end() :]
                answer = _answer(here, line.lstrip(b"\x1b").decode(), found[0] == b"\x1a")
                os.write(ours, answer.encode())

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield here
    finally:
        os.write(stop, b".")
        thread.join()
        for end in (ours, theirs, stop, stop_reading):
            os.close(end)


def _answer(here: Played, line: str, message: bool) -> str:
    if message:
        return "" if here.deaf else _take(here, line)
    here.said.append(line)
    if here.deaf:
        return ""
    before = _all_of(here.unasked)
    if line.startswith("AT+CMGS"):
        before += _all_of(here.at_prompt)
        if here.moods[:1] == ["no_prompt"]:
            here.moods.pop(0)
            return before + "\r\n+CMS ERROR: 302\r\n"
        return before + "\r\n> "
    if line == "AT+CPIN?":
        return before + f"\r\n{here.card}\r\n\r\nOK\r\n"
    if line.startswith("AT+CPIN="):
        here.card = "+CPIN: READY"
    if line == "AT+CREG?":
        return before + f"\r\n{here.network}\r\n\r\nOK\r\n"
    if line == "AT+CMGL=4":
        rows = (f"\r\n+CMGL: {n},0,,{len(p) // 2 - 1}\r\n{p}" for n, p in here.stored.items())
        return before + "".join(rows) + "\r\n\r\nOK\r\n"
    if found := re.match(r"AT\+CMGD=(\d+)", line):
        here.stored.pop(int(found[1]), None)
    return before + "\r\nOK\r\n"


def _take(here: Played, line: str) -> str:
    mood = here.moods.pop(0) if here.moods else "ok"
    if mood == "error":
        return "\r\nERROR\r\n"
    if mood.isdecimal():
        return f"\r\n+CMS ERROR: {mood}\r\n"
    took = pdu.decodeSmsPdu(line)
    text = took["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    here.took.append(took | {"text": text})
    asks = int(line[2:4], 16) & 0x20  # TP-SRR, 3GPP TS 23.040 9.2.2.2
    if here.reports and asks:
        here.unasked += ["+CDS: 25", report(took["number"], len(here.took))]
    return "" if mood == "silent" else f"\r\n+CMGS: {len(here.took)}\r\n\r\nOK\r\n"


def report(number: str, reference: int, status: int = 0) -> str:
    """The status report of a message to +998…; 0: delivered."""
    digits = number.lstrip("+")
    to = f"{len(digits):02X}91{pdu.encodeSemiOctets(digits).hex()}"
    return f"0006{reference:02X}{to}{'62116290000002' * 2}{status:02X}".upper()


def _all_of(lines: list[str]) -> str:
    said = "".join(f"\r\n{line}\r\n" for line in lines)
    lines.clear()
    return said
