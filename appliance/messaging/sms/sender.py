"""Short messages out of the outbox by the first account that takes them, and what comes in.

What has piled up goes out no faster than everything else, and while no account can be reached one
message asks now and then whether it can again: the others keep their place and their attempts.
"""

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.core import clock, db, outbox
from appliance.core.delivery import Declined, Later, NotSent, Trouble, Unsure
from appliance.core.settings import Settings, SmsAccount
from appliance.messaging.sms import account_health, accounts, incoming, lookups, rules
from appliance.messaging.sms.gateway import Incoming, Report, SmsGateway
from appliance.models import Message

log = logging.getLogger(__name__)

REST = 60.0  # seconds for which an account that fails is passed over, the first time
UNSURE = 3  # lost answers in a row after which it is
UNAPPROVED = 600.0  # seconds until a text that no account takes is looked at again
ASKING = 10.0  # seconds in which gateways are asked what became of messages, each minute
PER_SECOND = 10  # messages in any second, however many wait
COUNTED = 900.0  # seconds between two looks at what is left on an account


def _unheard(said: Incoming) -> None:
    log.warning("nobody listens to what %s sent", said.number)


@dataclass
class Senders:
    """The gateways in their order, what their accounts demand, and who listens to citizens."""

    gateways: Sequence[SmsGateway]
    rest: float = REST
    accounts: Mapping[str, SmsAccount] = field(default_factory=dict)
    hear: Callable[[Incoming], object] = _unheard
    put_off: Callable[[], object] = lambda: None  # what can wait and is not sent at this hour
    per_second: int = PER_SECOND
    pause: Callable[[float], object] = time.sleep
    tick: Callable[[], float] = time.monotonic
    _went: deque[float] = field(default_factory=deque)  # ticks of what went in this second
    _deaf: set[str] | None = None  # those that could not be listened to
    _asked: int = 0  # the message that a gateway was asked about last

    def send_due(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Send what is due, oldest first, until nothing is; returns how many were taken up."""
        outbox.recover()
        outbox.expire()
        count = 0
        while self._awake() and goes_on() and (message := self._next()):
            try:
                self.send(message)
            except Exception:  # a gateway that answers what nobody foresaw
                log.exception("message %d may have gone out", message.id)
                outbox.retry(message, "no_sense", perhaps_sent=True, by=message.gateway)
            count += 1
            self._keep_pace()
        return count

    def _next(self) -> Message | None:
        self.put_off()  # the hour may have come while others went out
        return outbox.claim("sms")

    def _keep_pace(self) -> None:
        """Wait until another may go; a slow answer is made up for within the second."""
        now = self.tick()
        self._went.append(now)
        while self._went[0] <= now - 1:
            self._went.popleft()
        if len(self._went) >= self.per_second:
            self.pause(self._went[0] + 1 - now)

    def send(self, message: Message) -> None:
        """Give one claimed message to the first account that takes it."""
        if rules.is_unwanted(message):
            outbox.declined(message, "unwanted")
            return
        declined: Declined | None = None
        failed: Trouble | None = None
        taking = [gateway for gateway in self.gateways if self._takes(gateway, message)]
        awake = {gateway.name for gateway in self._awake()}
        # One that perhaps has it goes first: it may know the key, another would surely make it two.
        preferred = rules.in_order(taking, message.purpose)
        for gateway in sorted(preferred, key=lambda one: one.name != message.gateway):
            if gateway.name not in awake:
                continue
            try:
                receipt = gateway.send(message.recipient, message.text, outbox.key_of(message))
            except Later as trouble:
                if account_health.busy(gateway.name, trouble, self.rest):
                    outbox.retry(message, trouble.code, trouble.said, wait=trouble.wait)
                    return
                failed = trouble
            except NotSent as trouble:
                account_health.failed(gateway.name, trouble, self.rest)
                log.warning("%s does not take messages: %s", gateway.name, trouble)
                failed = trouble
            except Unsure as trouble:
                account_health.failed(gateway.name, trouble, self.rest, UNSURE)
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
                account_health.worked(gateway.name)
                return
        rests = {gateway.name for gateway in taking} - awake
        if declined and not failed and not rests & account_health.failing_lately():
            outbox.declined(message, declined.code, declined.said)
        elif self.gateways and not taking:
            outbox.retry(message, "unapproved", wait=UNAPPROVED)
        else:
            failed = failed or declined or NotSent("no_gateway")
            wait = max(failed.wait, self.rest) if isinstance(failed, Later) else None
            outbox.retry(message, failed.code, failed.said, wait=wait)

    def follow(self, stop: threading.Event, every: float = 2.0, ask_every: float = 60.0) -> None:
        """Send what becomes due until `stop`; a message that is on its way is finished first."""
        self.pause = stop.wait
        ask_at = time.monotonic() + ask_every
        count_at = time.monotonic()
        while not stop.wait(every):
            try:
                self.listen()
                self.send_due(lambda: not stop.is_set())
                if time.monotonic() >= ask_at:
                    ask_at = time.monotonic() + ask_every
                    self.ask_what_became(goes_on=lambda: not stop.is_set())
                    lookups.ask(self.gateways, account_health.held(), lambda: not stop.is_set())
                    outbox.forget_early_reports()
                if time.monotonic() >= count_at:
                    count_at = time.monotonic() + COUNTED
                    if self.count():
                        count_at = time.monotonic() + REST
            except Exception:  # the boundary of a thread
                log.exception("sending failed")
        for gateway in self.gateways:
            gateway.close()

    def listen(self) -> None:
        """Take in what came over open lines: reports, and what citizens sent."""
        failing = account_health.failing()
        if self._deaf is None:  # what a former process could not reach
            self._deaf = {name for name, code in failing.items() if code == "no_modem"}
        for gateway in self._awake():
            try:
                heard = gateway.received()
            except Trouble as trouble:
                self._deaf.add(gateway.name)
                allowed = UNSURE if isinstance(trouble, Unsure) else 1
                account_health.failed(gateway.name, trouble, self.rest, allowed)
                log.warning("%s is not heard: %s", gateway.name, trouble)
                continue
            reached = gateway.has_line and failing.get(gateway.name) in account_health.ON_THE_WAY
            if reached or gateway.name in self._deaf:
                self._deaf.discard(gateway.name)
                account_health.worked(gateway.name)
            for came in heard:
                try:
                    take = functools.partial(self._take, gateway.name, came)
                    db.insist(take, threading.Event())  # a gateway tells it once
                except Exception:  # the others are taken in all the same
                    log.exception("%s: what was heard is lost", gateway.name)

    def _take(self, gateway: str, said: Report | Incoming) -> None:
        if isinstance(said, Incoming):
            self.hear(said)
        else:
            outbox.reported(gateway, said.id, said.outcome, ours=said.ours)

    def count(self) -> bool:
        """Ask what is left on the accounts; whether one could not be asked, and is to be soon.

        One that does not tell keeps its last figure. So an account that nothing is sent by for long
        is known to be reached, or to be refused.
        """
        failing, lost = account_health.failing(), False
        for gateway in self._awake():
            try:
                left = gateway.balance()
            except Trouble as trouble:
                log.warning("%s does not tell its balance: %s", gateway.name, trouble)
                if trouble.code in account_health.ON_THE_WAY:
                    lost = True
                    account_health.failed(gateway.name, trouble, self.rest)
                continue
            if left is None:
                continue
            account_health.counted(gateway.name, left)
            if failing.get(gateway.name) in account_health.ON_THE_WAY:
                account_health.worked(gateway.name)
        return lost

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

    def _takes(self, gateway: SmsGateway, message: Message) -> bool:
        account = self.accounts.get(gateway.name)
        return not account or rules.may_take(account, message)

    def _awake(self) -> list[SmsGateway]:
        held = account_health.held()
        return [gateway for gateway in self.gateways if gateway.name not in held]


def senders(settings: Settings) -> Senders:
    """What sends the messages of a site and hears what its citizens send."""
    return Senders(
        accounts.gateways(settings),
        accounts={account.name: account for account in settings.sms},
        hear=lambda said: incoming.take(settings, said.number, said.text),
        put_off=lambda: outbox.wait_for_morning(settings.tz, settings.messages),
    )
