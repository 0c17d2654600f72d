"""Short messages out of the outbox: through the first gateway that takes them.

What has piled up goes out as evenly as everything else, and while no gateway can be reached one
message a minute asks whether it can again: the others keep their place and their attempts.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from appliance import clock, outbox
from appliance.gateways import Declined, NotSent, SmsGateway, Trouble, Unsure
from appliance.models import Message

log = logging.getLogger(__name__)

REST = 60.0  # seconds for which a gateway that cannot be reached is passed over
ASKING = 10.0  # seconds in which gateways are asked what became of messages, each minute
PER_SECOND = 10.0  # messages, however many wait


@dataclass
class Senders:
    """The gateways in their order, and until when each that failed is left alone."""

    gateways: Sequence[SmsGateway]
    rest: float = REST
    per_second: float = PER_SECOND
    pause: Callable[[float], object] = time.sleep
    tick: Callable[[], float] = time.monotonic
    _resting: dict[str, float] = field(default_factory=dict)
    _asked: int = 0  # the message that a gateway was asked about last

    def send_due(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Send what is due, oldest first, until nothing is; returns how many were taken up."""
        outbox.recover()
        outbox.expire()
        count = 0
        while self._awake() and goes_on() and (message := outbox.claim("sms")):
            began = self.tick()
            try:
                self.send(message)
            except Exception:  # a gateway that answers what nobody foresaw
                log.exception("message %d may have gone out", message.id)
                outbox.retry(message, "no_sense", perhaps_sent=True, by=message.gateway)
            count += 1
            self.pause(max(0.0, began + 1 / self.per_second - self.tick()))
        return count

    def send(self, message: Message) -> None:
        """Give one claimed message to the first gateway that takes it."""
        declined: Declined | None = None
        failed: NotSent | None = None
        # One that perhaps has it goes first: it may know the key, another would surely make it two.
        for gateway in sorted(self._awake(), key=lambda one: one.name != message.gateway):
            try:
                receipt = gateway.send(message.recipient, message.text, outbox.key_of(message))
            except NotSent as trouble:
                rest = self.rest * random.uniform(0.8, 1.2)  # noqa: S311  a jitter, no secret
                self._resting[gateway.name] = self.tick() + rest
                log.warning("%s does not take messages: %s", gateway.name, trouble)
                failed = trouble
            except Unsure as trouble:
                log.warning(
                    "%s: message %d may have gone out: %s", gateway.name, message.id, trouble
                )
                outbox.retry(
                    message, trouble.code, trouble.said, perhaps_sent=True, by=gateway.name
                )
                return
            except Declined as trouble:
                declined = trouble
            else:
                outbox.sent(message, gateway.name, receipt.id)
                return
        if declined and not failed:
            outbox.declined(message, declined.code, declined.said)
        else:
            failed = failed or NotSent("no_gateway")
            outbox.retry(message, failed.code, failed.said)

    def follow(self, stop: threading.Event, every: float = 2.0, ask_every: float = 60.0) -> None:
        """Send what becomes due until `stop`; a message that is on its way is finished first."""
        ask_at = time.monotonic() + ask_every
        self.pause = stop.wait
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

        In turn, so that those of which nothing is known for long do not keep others from being
        asked about. One that does not answer is asked no more this time: sending must not wait.
        """
        by_name = {gateway.name: gateway for gateway in self.gateways}
        day = clock.now() - outbox.ASKED_FOR
        taken = (
            Message.select()
            .where(Message.state == "sent", Message.channel == "sms", Message.sent_at > day)
            .where(Message.gateway.in_(list(by_name)))
            .order_by(Message.id)
        )
        chosen = list(taken.where(Message.id > self._asked).limit(limit))
        chosen += list(taken.where(Message.id <= self._asked).limit(limit - len(chosen)))
        ended, began = 0, time.monotonic()
        for message in chosen:
            gateway = by_name.get(message.gateway)
            if not goes_on() or time.monotonic() - began > ASKING:
                break
            if not gateway:
                continue
            self._asked = message.id
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
        now = self.tick()
        return [g for g in self.gateways if self._resting.get(g.name, 0) <= now]
