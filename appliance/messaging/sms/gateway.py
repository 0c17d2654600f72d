"""The interface of SMS services: what they can do, and what they report by themselves."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.core.delivery import Receipt


@dataclass(frozen=True)
class Report:
    """The outcome of a message, reported by a gateway.

    `is_own_id`: `id` is the appliance's own id of the message, not the service's.
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
    """A message that may have been sent: `key` as sent, `receipt` if there was one."""

    number: str  # +998…
    text: str
    key: str
    receipt: str
    since: dt.datetime  # not sent before


class SmsGateway(Protocol):
    """Sends short messages; these methods are the defaults for unsupported operations."""

    title: str  # name of the service, a message id
    name: str
    has_line: bool = False  # it has an open line on which it receives

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send to +998…; `key` is the same in each attempt. Raises DeliveryError."""

    def outcome(self, receipt: str) -> str | None:
        """Return `delivered` or `refused`, once known. Raises DeliveryError."""
        return None

    def look_up(self, sending: Sending) -> str:
        """Return what the service knows of a message, one of outbox.SERVICE_STATUSES.

        Raises DeliveryError.
        """
        return "unknown"

    def balance(self) -> int | None:
        """Return the messages or money left, in the service's unit, if reported."""
        return None

    def parse_reports(self, payload: dict[str, Any]) -> list[Report]:
        """Return the reports in a callback of the service: a form's fields or a JSON object."""
        return []

    def receive_pending(self) -> list[Report | Incoming]:
        """Return what arrived over an open line since the last call. Raises DeliveryError."""
        return []

    def close(self) -> None:
        """Close the open line."""
