"""Errors that can occur when something is sent to a party outside the appliance.

A transport raises one of three errors, and the outbox acts on them. NotSentError: nothing left the
appliance, so it is sent again. UncertainDeliveryError: it may have been sent, but the answer was
lost. DeclinedError: sending it again would change nothing.
"""

from dataclasses import dataclass


class DeliveryError(RuntimeError):
    """Sending a message failed, or its outcome is unknown: the base class of the errors below.

    `code` is one of outbox.TROUBLES, whose text is shown to the user; `detail` is the error text of
    the service to which it was sent, or "".
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """`code` is one of outbox.TROUBLES; `detail` is the service's error text, or ""."""
        super().__init__(detail or code)
        self.code, self.detail = code, detail


class NotSentError(DeliveryError):
    """The service has certainly not accepted the message: it can be sent again."""


class RetryLaterError(NotSentError):
    """The service asks to send the message again only after `wait_seconds` seconds.

    For `code` and `detail` see DeliveryError.
    """

    def __init__(self, code: str, detail: str, wait_seconds: float) -> None:
        """`wait_seconds` is the time for which the service asks; the others as in DeliveryError."""
        super().__init__(code, detail)
        self.wait_seconds = wait_seconds


class UncertainDeliveryError(DeliveryError):
    """The service may have accepted the message: its answer was lost or makes no sense."""


class DeclinedError(DeliveryError):
    """The service will never accept this message: sending it again would change nothing."""


@dataclass(frozen=True)
class Receipt:
    """A gateway's answer when it accepted a message: the gateway's id for the message, or ""."""

    id: str
