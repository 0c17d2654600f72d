"""The parties outside the box, one module each.

A gateway raises one of three troubles, and the outbox acts on them: NotSent (nothing left the box:
try again), Unsure (it may have gone out and the answer was lost), Declined (trying again would
change nothing).
"""

from dataclasses import dataclass
from typing import Any, Protocol


class Trouble(RuntimeError):
    """Something kept a message from going out; `code` is for people's lists, the text as said."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(said or code)
        self.code, self.said = code, said


class NotSent(Trouble):
    """The other side did not take it, surely."""


class Later(NotSent):
    """The other side asks to wait for so many seconds."""

    def __init__(self, code: str, said: str, wait: float) -> None:
        super().__init__(code, said)
        self.wait = wait


class Unsure(Trouble):
    """The other side may have taken it: its answer was lost or made no sense."""


class Declined(Trouble):
    """The other side will never take this message."""


@dataclass(frozen=True)
class Receipt:
    """What a gateway said when it took a message: its own name for it, or "" when it has none."""

    id: str


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


class SmsGateway(Protocol):
    """Sends short messages; what a service does not do is as here."""

    name: str
    has_line: bool = False  # it stands open, and is listened on

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send to +998…; `key` is the same in each attempt. Raises a Trouble."""

    def outcome(self, receipt: str) -> str | None:
        """`delivered`, `refused`, or None while it is not known. Raises a Trouble."""
        return None

    def balance(self) -> int | None:
        """Messages or money left, in the gateway's own unit; None when it does not tell."""
        return None

    def reports(self, said: dict[str, Any]) -> list[Report]:
        """The reports in what the gateway sent by itself: a form's fields or a JSON object."""
        return []

    def heard(self) -> list[Report | Incoming]:
        """What came over an open line since the last time. Raises a Trouble."""
        return []

    def close(self) -> None:
        """Let the open line go."""
