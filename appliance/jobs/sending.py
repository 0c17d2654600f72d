"""Short messages out of the outbox: through the first gateway that takes them."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from appliance import clock, outbox
from appliance.gateways import Declined, NotSent, SmsGateway, Trouble, Unsure
from appliance.models import Message

log = logging.getLogger(__name__)

REST = 60.0  # seconds for which a gateway that cannot be reached is passed over


@dataclass
class Senders:
    """The gateways in their order, and until when each that failed is left alone."""

    gateways: Sequence[SmsGateway]
    rest: float = REST
    _resting: dict[str, float] = field(default_factory=dict)

    def send_due(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Send what is due, oldest first, until nothing is; returns how many were taken up."""
        outbox.recover()
        outbox.expire()
        count = 0
        while self.gateways and goes_on() and (message := outbox.claim("sms")):
            self.send(message)
            count += 1
        return count

    def send(self, message: Message) -> None:
        """Give one claimed message to the first gateway that takes it."""
        declined: Declined | None = None
        failed: NotSent | None = None
        for gateway in self._awake():
            try:
                receipt = gateway.send(message.recipient, message.text, outbox.key_of(message))
            except NotSent as trouble:
                self._resting[gateway.name] = time.monotonic() + self.rest
                log.warning("%s does not take messages: %s", gateway.name, trouble)
                failed = trouble
            except Unsure as trouble:
                # Another gateway would surely make it two: wait, and send it again by the same.
                log.warning(
                    "%s: message %d may have gone out: %s", gateway.name, message.id, trouble
                )
                outbox.retry(message, trouble.code, trouble.said, perhaps_sent=True)
                return
            except Declined as trouble:
                declined = trouble
            else:
                outbox.sent(message, gateway.name, receipt.id)
                return
        if declined and not failed:
            outbox.refused(message, declined.code, declined.said)
        else:
            failed = failed or NotSent("no_gateway")
            outbox.retry(message, failed.code, failed.said)

    def follow(self, stop: threading.Event, every: float = 2.0, ask_every: float = 60.0) -> None:
        """Send what becomes due until `stop`; a message that is on its way is finished first."""
        ask_at = time.monotonic() + ask_every
        while not stop.wait(every):
            try:
                self.send_due(lambda: not stop.is_set())
                if time.monotonic() >= ask_at:
                    ask_at = time.monotonic() + ask_every
                    self.ask_what_became(goes_on=lambda: not stop.is_set())
                    outbox.forget_early_reports()
            except Exception:  # the boundary of a thread
                log.exception("sending failed")

    def ask_what_became(self, limit: int = 100, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Ask the gateways about messages they took; returns how many have ended since.

        One that does not answer is asked no more this time: sending must not wait for it.
        """
        by_name = {gateway.name: gateway for gateway in self.gateways}
        day = clock.now() - outbox.ASKED_FOR
        taken = Message.select().where(Message.state == "sent", Message.sent_at > day)
        ended = 0
        for message in taken.order_by(Message.sent_at).limit(limit):
            gateway = by_name.get(message.gateway)
            if not goes_on():
                break
            if not gateway:
                continue
            try:
                outcome = gateway.outcome(message.foreign_id)
            except Trouble as trouble:
                log.warning("%s does not tell what became: %s", gateway.name, trouble)
                del by_name[gateway.name]
                continue
            if outcome == "delivered":
                outbox.delivered(message)
            elif outcome == "refused":
                outbox.refused(message, "undelivered")
            ended += bool(outcome)
        return ended

    def _awake(self) -> list[SmsGateway]:
        now = time.monotonic()
        return [g for g in self.gateways if self._resting.get(g.name, 0) <= now]
