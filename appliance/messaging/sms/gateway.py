"""The interface of SMS services: the operations, and the data that a service reports."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.core.delivery import Receipt


@dataclass(frozen=True)
class Report:
    """The outcome of a message, reported by a gateway.

    `is_own_id` is True if `id` was given to the message by the appliance, not by the service.
    """

    id: str
    outcome: str  # delivered | refused
    is_own_id: bool


@dataclass(frozen=True)
class Incoming:
    """A short message sent to the account's own number."""

    number: str  # as given by the gateway
    text: str


@dataclass(frozen=True)
class Sending:
    """A message that may have been sent, to look it up at a service."""

    number: str  # +998…
    text: str
    key: str  # the appliance's own id of the message
    receipt: str  # the service's id of the message, or ""
    since: dt.datetime  # the earliest time at which it can have been sent


class SmsGateway(Protocol):
    """Sends short messages. A class overrides the methods that its service supports."""

    title: str  # name of the service, a message id
    name: str
    has_line: bool = False  # True if it holds a connection open, on which it receives

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send a text to a number as +998….

        `key` identifies the message; it is the same in each attempt. Raises DeliveryError if the
        text was not sent, or may not have been sent.
        """

    def outcome(self, receipt: str) -> str | None:
        """Return "delivered" or "refused", or None while that is unknown. Raises DeliveryError."""
        return None

    def look_up(self, sending: Sending) -> str:
        """Return what the service knows of a message: one of outbox.SERVICE_STATUSES.

        Raises DeliveryError if the service does not answer.
        """
        return "unknown"

    def balance(self) -> int | None:
        """Return the messages or the money left, in the service's unit, if reported."""
        return None

    def parse_reports(self, payload: dict[str, Any]) -> list[Report]:
        """Return the reports in a callback of the service: a form's fields or a JSON object."""
        return []

    def receive_pending(self) -> list[Report | Incoming]:
        """Return what arrived over an open line since the last call. Raises DeliveryError."""
        return []

    def close(self) -> None:
        """Close the open line."""
