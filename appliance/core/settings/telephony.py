"""Settings of Asterisk, calls, the carriers' trunks, and permitted outgoing calls."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trunk:
    """A carrier's SIP trunk, for calls from and to outside; recognized by its source address."""

    name: str
    address: str  # from which the carrier calls, and to which calls are sent
    port: int = 5060


@dataclass(frozen=True)
class Asterisk:
    """The Asterisk installation: addresses, folders, ports, accounts and certificates."""

    address: str  # where Asterisk listens for SIP and from which it sends audio; see `inside`
    modules: Path  # the folder of Asterisk's modules
    data: Path  # the folder of Asterisk's own sounds and documentation
    run: Path  # the folder of its process id and control socket
    log: Path  # the folder of its logs
    spool: Path  # the folder of its spool
    var: Path  # the folder of its own database, which contains the registered phones
    # Password of the appliance's account for commands (AMI); "" in the web process, which has only
    # pages_secret.
    ami_secret: str
    pages_secret: str = ""  # of the web process's own account for commands; "": it uses ami_secret
    guesses_secret: str = ""  # of the account that only receives events about wrong passwords
    command: tuple[str, ...] = ("/usr/sbin/asterisk",)  # the command that starts the program
    sip_port: int = 5060  # UDP; SIP over TLS uses the next port
    ami_port: int = 5038  # for commands (AMI)
    http_port: int = 8088  # for WebSocket
    browser_phones: bool = False  # SIP over WebSocket at http_port, behind the web front
    agi_port: int = 4573  # where `appliance pbx` answers the dialplan's look-ups
    rtp_first: int = 10000  # the first and the last UDP port for audio
    rtp_last: int = 19999
    certificate: Path | None = None  # presented to phones, and to carriers that call over TLS
    certificate_key: Path | None = None  # the private key of `certificate`
    plain_phones: tuple[str, ...] = ()  # extensions of phones without TLS and SRTP; "*": all

    @property
    def ami_account(self) -> tuple[str, str]:
        """(name, password) of the account by which this process sends commands to Asterisk."""
        if self.ami_secret or not self.pages_secret:
            return "appliance", self.ami_secret
        return "pages", self.pages_secret

    @property
    def inside(self) -> str:
        """The loopback address for commands to Asterisk, and for its look-ups in the appliance."""
        return self.address if ipaddress.ip_address(self.address).is_loopback else "127.0.0.1"


@dataclass(frozen=True)
class Calls:
    """How a call is handled; all times are in seconds.

    `ring`, `max_wait` and `wrap_up` are those of the first call plan; users change them in a later
    plan, not here.
    """

    hotline_number: str  # that citizens dial, in the form that is shown
    menu_timeout: int = 4  # for which a spoken menu waits for a key
    ring: int = 15  # for which one operator is rung
    max_wait: int = 300  # for which a caller waits in a queue
    wrap_up: int = 0  # after a talk, in which the operator gets no call
    more_time: int = 180  # that an operator may take after a talk in addition to the wrap-up
    short_abandon: float = 5.0  # who hangs up in the queue within it is counted separately
    service_level: float = 20.0  # within which an answered call counts as answered in time
    rating_timeout: int = 6  # for which the request to rate the call waits for a key
    resume: int = 30  # that a caller waits for the operator's page, if it was lost during the talk
    compress_after: int = 3600  # after the last audio; until then a recording stays uncompressed
    test_number: str = ""  # called over a trunk to test it


@dataclass(frozen=True)
class Outgoing:
    """Permitted outgoing calls, by the beginnings of numbers, and limits for automatic calls.

    Automatic calls are those that the appliance makes itself, such as callbacks. Numbers that begin
    with a `barred` prefix cannot be called at all: by default satellites, numbers without a
    country, and premium rates.
    """

    barred: tuple[str, ...] = ("+870", "+878", "+881", "+882", "+883", "+888", "+979", "+1900")
    machine: tuple[str, ...] = ("+998",)  # prefixes of the numbers that may be called automatically
    machine_calls: int = 500  # the most automatic calls in a day, in the site's time
    machine_minutes: int = 1000  # the most minutes of these calls in a day, including ringing

    def __post_init__(self) -> None:
        """Raise ValueError if a prefix is not the beginning of a number, or a limit is below 0."""
        for prefix in (*self.barred, *self.machine):
            # A complete number has at most 15 digits, so its beginning has at most 14.
            if not re.fullmatch(r"\+?\d{1,14}", prefix, re.ASCII):
                raise ValueError(f"outgoing: not the beginning of a number: {prefix!r}")
        if min(self.machine_calls, self.machine_minutes) < 0:
            raise ValueError("outgoing: no limit is below 0")
