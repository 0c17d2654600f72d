"""What an SMS service can be asked, and what it tells by itself."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.core.delivery import Receipt


@dataclass(frozen=True)
class Report:
    """What a gateway tells by itself of a message: `ours` says whose name for it `id` is."""

    id: str
    outcome: str  # delivered | refused
    ours: bool


@dataclass(frozen=True)
class Incoming:
    """A short message that somebody sent to the account's own number."""

    number: str  # as the gateway gives it
    text: str


@dataclass(frozen=True)
class Sending:
    """A message that has perhaps gone out: `key` as it was sent, `receipt` if there was one."""

    number: str  # +998…
    text: str
    key: str
    receipt: str
    since: dt.datetime  # not sent before


class SmsGateway(Protocol):
    """Sends short messages; what a service does not do is as here."""

    title: str  # what the service is called, a message id
    name: str
    has_line: bool = False  # it stands open, and is listened on

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send to +998…; `key` is the same in each attempt. Raises a Trouble."""

    def outcome(self, receipt: str) -> str | None:
        """`delivered`, `refused`, or None while it is not known. Raises a Trouble."""
        return None

    def look_up(self, sending: Sending) -> str:
        """What the service knows of a message, one of outbox.WORDS. Raises a Trouble."""
        return "unknown"

    def balance(self) -> int | None:
        """Messages or money left, in the gateway's own unit; None when it does not tell."""
        return None

    def reports(self, said: dict[str, Any]) -> list[Report]:
        """The reports in what the gateway sent by itself: a form's fields or a JSON object."""
        return []

    def received(self) -> list[Report | Incoming]:
        """What came over an open line since the last time. Raises a Trouble."""
        return []

    def close(self) -> None:
        """Let the open line go."""
