"""Asterisk, the calls, the lines to the carriers, where calls out may go."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trunk:
    """A carrier's SIP trunk, recognised by the address it sends from."""

    name: str
    address: str
    port: int = 5060


@dataclass(frozen=True)
class Asterisk:
    address: str  # where Asterisk listens for SIP and sends sound from; see `inside`
    modules: Path
    data: Path  # Asterisk's own sounds and documentation
    run: Path
    log: Path
    spool: Path
    var: Path
    ami_secret: str  # "" in the process of the pages, which knows pages_secret alone
    pages_secret: str = ""  # of the pages' own account for commands; "": they take the first
    guesses_secret: str = ""  # of whoever hears wrong passwords, and nothing else
    command: tuple[str, ...] = ("/usr/sbin/asterisk",)  # how the program is started
    sip_port: int = 5060
    ami_port: int = 5038
    http_port: int = 8088
    browser_phones: bool = False  # SIP over WebSocket at http_port, behind the pages' front
    agi_port: int = 4573  # where `appliance pbx` answers the dialplan's look-ups
    rtp_first: int = 10000
    rtp_last: int = 19999
    certificate: Path | None = None  # shown to phones, and to carriers who call over TLS
    certificate_key: Path | None = None
    plain_phones: tuple[str, ...] = ()  # extensions of phones that know no TLS and SRTP; "*": all

    @property
    def account(self) -> tuple[str, str]:
        """(name, password) by which this process commands Asterisk."""
        if self.ami_secret or not self.pages_secret:
            return "appliance", self.ami_secret
        return "pages", self.pages_secret

    @property
    def inside(self) -> str:
        """Where commands and look-ups are answered: never outside this machine."""
        return self.address if ipaddress.ip_address(self.address).is_loopback else "127.0.0.1"


@dataclass(frozen=True)
class Calls:
    """How a call is treated; seconds unless the name says otherwise."""

    hotline_number: str
    menu_timeout: int = 4
    ring: int = 15
    max_wait: int = 300
    wrap_up: int = 0
    more_time: int = 180  # that an operator may take after a talk beside the wrap-up
    short_abandon: float = 5.0
    service_level: float = 20.0
    rating_timeout: int = 6
    resume: int = 30  # that a caller waits for the page of his operator that was lost in the talk
    compress_after: int = 3600  # after the last sound; until then a recording stays as written
    test_number: str = ""  # called over a trunk to try it


@dataclass(frozen=True)
class Outgoing:
    """Where calls out may go, by how numbers begin, and how much the machine calls in a day.

    Barred from the start: satellites, numbers of no country, and premium rates.
    """

    barred: tuple[str, ...] = ("+870", "+878", "+881", "+882", "+883", "+888", "+979", "+1900")
    machine: tuple[str, ...] = ("+998",)  # what the machine may call by itself
    machine_calls: int = 500  # of the machine within a day of the site
    machine_minutes: int = 1000  # and how long they may last together, ringing included

    def __post_init__(self) -> None:
        for prefix in (*self.barred, *self.machine):
            if not re.fullmatch(r"\+?\d{1,14}", prefix, re.ASCII):
                raise ValueError(f"outgoing: not the beginning of a number: {prefix!r}")
        if min(self.machine_calls, self.machine_minutes) < 0:
            raise ValueError("outgoing: no limit is below 0")
